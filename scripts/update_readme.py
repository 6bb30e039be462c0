"""Write the measured figures into the README and docs, from the JSON in scripts/results.

    python scripts/update_readme.py            writes
    python scripts/update_readme.py --check    says whether they have them already

What is between a pair of marks, ``<!-- NAME -->`` and ``<!-- /NAME -->``, is replaced.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from texts_of_finding import (
    copies_text,
    decoding_text,
    duplicates_text,
    labels_text,
    quantisation_text,
    resolutions_text,
    scores_text,
)
from texts_of_speed import (
    cold_text,
    faults_text,
    grouping_text,
    growth_text,
    index_text,
    memory_text,
    page_text,
    runtimes_text,
    search_text,
)

REPOSITORY = Path(__file__).resolve().parent.parent
README = REPOSITORY / "README.md"
RESULTS = REPOSITORY / "scripts" / "results"


def read(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((RESULTS / name).read_text())
    return document


PARTS: dict[str, tuple[str, Callable[[dict[str, Any]], str]]] = {
    "copies": ("copies.json", copies_text),
    "scores": ("copies.json", scores_text),
    "decoding": ("decoding.json", decoding_text),
    "faults": ("faults.json", faults_text),
    "growth": ("growth.json", growth_text),
    "runtimes": ("runtimes.json", runtimes_text),
    "index": ("index.json", index_text),
    "cold": ("cold.json", cold_text),
    "search": ("search.json", search_text),
    "memory": ("memory.json", memory_text),
    "duplicates": ("duplicates.json", duplicates_text),
    "grouping": ("grouping.json", grouping_text),
    "page": ("page.json", page_text),
}
"""Marks in the README, each with the measurement and what is said of it."""


MOBILENET_PARTS = {
    "resolutions": ("resolutions.json", resolutions_text),
    "labels": ("labels.json", labels_text),
    "quantisation": ("quantisation.json", quantisation_text),
}
"""Those in the page about MobileNet."""
DOCUMENTS = {README: PARTS, REPOSITORY / "docs" / "mobilenet.md": MOBILENET_PARTS}


def updated(path: Path) -> str:
    """Return a document's text with today's figures."""
    text, wanted = path.read_text(), DOCUMENTS[path]
    parts = {
        name: text_of(read(file_name))
        for name, (file_name, text_of) in wanted.items()
        if (RESULTS / file_name).exists()
    }
    marks = set(re.findall(r"<!-- (\w+) -->", text))
    if marks != set(parts):
        raise SystemExit(f"{path.name}: expected the marks {sorted(parts)}, found {sorted(marks)}")
    for name, part in parts.items():
        pattern = re.compile(f"(<!-- {name} -->\n).*?(\n<!-- /{name} -->)", re.DOTALL)
        text, n_replaced = pattern.subn(lambda found, part=part: found[1] + part + found[2], text)
        if n_replaced != 1:
            raise SystemExit(f"{path.name}: expected the marks of {name} once, found {n_replaced}")
    return text


def main() -> None:
    for path in DOCUMENTS:
        before, after = path.read_text(), updated(path)
        if sys.argv[1:] == ["--check"]:
            if after != before:
                raise SystemExit(f"{path.name}: the figures are not those of scripts/results")
        else:
            path.write_text(after)


if __name__ == "__main__":
    main()
