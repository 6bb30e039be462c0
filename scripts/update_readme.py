"""Write the measured figures into the README and docs, from the JSON in scripts/results.

    python scripts/update_readme.py            writes
    python scripts/update_readme.py --check    says whether they have them already

What is between a pair of marks, ``<!-- NAME -->`` and ``<!-- /NAME -->``, is replaced.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent
README = REPOSITORY / "README.md"
RESULTS = REPOSITORY / "scripts" / "results"


def read(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((RESULTS / name).read_text())
    return document


def copies_text(document: dict[str, Any]) -> str:
    """Return the table of altered copies."""
    lines = [
        f"{document['altered_photos']} photos, each altered in {len(document['results'])} ways, "
        f"searched among {document['images_in_the_index']}:",
        "",
        "| altered copy | original first | among the first ten | its lowest score |",
        "|---|---|---|---|",
    ]
    for name, row in document["results"].items():
        shares = " | ".join(f"{100 * row[key]:.1f} %" for key in ("first", "among_ten"))
        lines.append(f"| {name} | {shares} | {row['lowest_score']:.2f} |")
    return "\n".join(lines)


def scores_text(document: dict[str, Any]) -> str:
    """Return what scores other photos get."""
    other = document["score_of_the_most_similar_other_image"]
    lowest = min(row["lowest_score"] for row in document["results"].values())
    return (
        f"  the most similar *other* photo scored {other['median']:.2f} at the median and up to "
        f"{other['highest']:.2f}, and a hard copy\n  of the *same* photo as little as {lowest:.2f}."
    )


def decoding_text(document: dict[str, Any]) -> str:
    """Return what reduced decoding and quick resizing change and save."""
    sizes = document["decoders"]["sizes"]
    large, small = sizes["4000 x 3000"], sizes["500 x 400"]
    reduced, cut = large["pillow"], small["pillow"]
    share = 100 * reduced["finds_itself_first"]
    lowest = math.ceil(1e4 * cut["cosine_min"] - 1) / 1e4  # rounded, one would seem to be reached
    return (
        f"On {large['n']} photos enlarged to 12 megapixels the cosine to the embedding of the\n"
        f"full size was {reduced['cosine_median']:.4f} at the median and "
        f"{reduced['cosine_min']:.4f} at the least, {share:.0f} % found themselves first,\n"
        f"and decoding took {reduced['ms'] / large['exact']['ms']:.0%} of the time. Of every "
        "picture only what the network looks at is resized:\n"
        f"for photos of 500 x 400 that keeps the cosine above {lowest:.4f} and "
        f"takes {cut['ms'] / small['exact']['ms']:.0%} of the time."
    )


CASES = {
    "C.1": "disks, several processes, damaged files of the index",
    "C.2": "folders, links, names, terminals",
    "C.3": "broken, hostile and enormous pictures",
    "C.4": "models, vectors, questions",
    "C.5": "clearing away copies",
}


def faults_text(document: dict[str, Any]) -> str:
    """Return the table of what was tried, how often, and what was lost."""
    rows: dict[str, list[int]] = {}
    for group, entries in document["groups"].items():
        for what, counts in entries.items():
            name = f"cases of {CASES[group]}" if group in CASES else what.partition(":")[0]
            row = rows.setdefault(name, [0, 0])
            row[0] += counts["tried"]
            row[1] += counts["lost"]
    lines = ["| what was tried | how many times | what was lost |", "|---|---|---|"]
    lines += [f"| {name} | {n:,} | {lost or 'nothing'} |" for name, (n, lost) in rows.items()]
    return "\n".join(lines)


def growth_text(document: dict[str, Any]) -> str:
    """Return what adding a few images to many writes."""
    once, most = document["once"], document["ten_times"]["largest_share_of_index"]
    return (
        f"  Adding {document['added']} images to {document['images']:,} wrote "
        f"{once['bytes_written'] / 1e6:.1f} MB, {once['share_of_index']:.2%} of the index; of ten\n"
        f"  such additions in a row the largest wrote {most:.2%}."
    )


def runtimes_text(document: dict[str, Any]) -> str:
    """Return the table of runtimes and precisions."""
    lines = [
        f"{document['copies']:,} altered copies of {document['originals']} photos among "
        f"{document['images']}, {document['machine']['processors']} processors "
        f"({document['machine']['processor']}):",
        "",
        "| runtime and precision | cosine to the reference: median, least | micro-average "
        "precision | lost | the network alone |",
        "|---|---|---|---|---|",
    ]
    default = f"openvino {document['default']}"
    for name, row in document["results"].items():
        shown = f"**{name}** (default)" if name == default else name
        lines.append(
            f"| {shown} | {row['cosine_median']:.4f}, {row['cosine_least']:.3f} | "
            f"{row['micro_average_precision']:.4f} | {row['lost']:+.4f} | "
            f"{row['images_per_second']:.0f} images/s |"
        )
    return "\n".join(lines)


SETS = {"photos": "500 x 400", "12 megapixels": "12 megapixels", "thumbnails": "64 x 64"}


def index_text(document: dict[str, Any]) -> str:
    """Return the table of mobisearch and other tools."""
    sets = document["sets"]
    rounds = document["rounds"]
    how = "one round" if rounds == 1 else f"the median of {rounds} rounds"
    counts = " | ".join(
        f"{SETS[name]} ({found['kilobytes_each']:,} kB)" for name, found in sets.items()
    )
    lines = [f"| images/s, {how} | {counts} |", "|---|" + "---|" * len(sets)]
    for way in sets["photos"]["ways"]:
        rates = " | ".join(f"{s['ways'][way]['images_per_second']:.0f}" for s in sets.values())
        lines.append(f"| {WAYS.get(way, way)} | {rates} |")
    took = {
        way: found["processor_ms_each"]
        for way, found in sets["photos"]["ways"].items()
        if "processor_ms_each" in found
    }
    if not took:
        return "\n".join(lines)
    lines += [
        "",
        f"Where the time goes: of {took['mobisearch V2']:.1f} ms of processor time that a photo of "
        f"{SETS['photos']} takes, {took['network alone']:.1f} are the network and",
        f"{took['decoding alone']:.1f} are reading and decoding; with int8 it takes "
        f"{took['mobisearch V2 int8']:.1f} ms. fastdup takes {took['fastdup']:.1f}. Starting",
        "the process is in all of them.",
    ]
    return "\n".join(lines)


WAYS = {
    "mobisearch V2": "**mobisearch**, MobileNetV2, as it comes (bf16)",
    "mobisearch V2 int8": "mobisearch, MobileNetV2, int8",
    "mobisearch V2 f32": "mobisearch, MobileNetV2, f32",
    "mobisearch V3-Small": "mobisearch, MobileNetV3-Small",
    "decoding alone": "reading and decoding alone",
    "network alone": "the network alone, MobileNetV2 (bf16)",
    "seed loop V2": "a loop of torch and torchvision, MobileNetV2",
    "seed loop V3-Small": "a loop of torch and torchvision, MobileNetV3-Small",
    "fastdup": "fastdup",
    "imagededup": "imagededup CNN (MobileNetV3-Small)",
}


def cold_text(document: dict[str, Any]) -> str:
    """Return what a search takes."""
    cold, warm = document["cold"], document["warm"]
    imports = document.get("imports_ms", {})
    largest = sorted(imports, key=lambda name: -imports[name])
    listed = ", ".join(f"{name} {imports[name]:.0f} ms" for name in largest)
    return (
        f"  `mobisearch search` in an index of {document['images']:,} takes "
        f"{cold['seconds_median']:.2f} s as a whole process, from\n"
        f"  nothing to the matches, and {cold['peak_megabytes']:.0f} MB; with everything loaded "
        f"{warm['ms_median']:.1f} ms, picture in, matches out."
        + (f"\n  Most of a cold search is imports, taken alone: {listed}." if imports else "")
    )


def search_text(document: dict[str, Any]) -> str:
    """Return what searches in a large index take and find."""
    usual, exact = document["searches"]["usual"], document["searches"]["exact"]
    structure = document["structure"]
    return (
        f"  Among {document['vectors']:,} embeddings a search takes {usual['median_ms']:.1f} ms on "
        f"one processor and finds {document['recall_at_10']:.1%} of the\n"
        f"  true best ten, in {usual['peak_mb']:.0f} MB; comparing with all of them takes "
        f"{exact['median_ms']:.0f} ms and {exact['peak_mb'] / 1e3:.1f} GB. The compressed vectors\n"
        f"  take {structure['bytes'] / 1e6:.0f} MB and were made in "
        f"{document['build_seconds']:.0f} s; from several threads "
        f"{usual['queries_per_second']:.0f} searches/s."
    )


def memory_text(document: dict[str, Any]) -> str:
    """Return what indexing takes of memory."""
    return (
        f"  Indexing {document['added']:,} files took {document['peak_megabytes']:.0f} MB at most, "
        f"{document['peak_megabytes_with_workers']:.0f} MB with its worker\n"
        f"  processes: {document['second_quarter_median_megabytes']:.0f} MB in the second quarter, "
        f"{document['last_quarter_median_megabytes']:.0f} MB in the last."
    )


def resolutions_text(document: dict[str, Any]) -> str:
    """Return the table of resolutions."""
    precision = document["precision"]
    lines = [
        f"The bundled weights; {document['copies']:,} altered copies of {document['originals']} "
        f"photos among {document['images']}, in {precision}; the network",
        f"alone in OpenVINO on {document['machine']['processors']} processors "
        f"({document['machine']['processor']}):",
        "",
        f"| model | multiply-adds | images/s in {precision} | in f32 | micro-average precision | "
        "original first |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| `{row['model']}` | {row['multiply_adds'] / 1e6:.0f} M | "
        f"{row['images_per_second']:.0f} | {row['images_per_second_f32']:.0f} | "
        f"{row['micro_average_precision']:.4f} | {100 * row['first']:.1f} % |"
        for row in document["results"].values()
    ]
    return "\n".join(lines)


def quantisation_text(document: dict[str, Any]) -> str:
    """Return what 8-bit integers do in torch, with and without the cap, and what follows."""
    rows = document["results"]
    step = {(row["relu6"], row["ranges"]): row for row in rows}
    whole, best = "least to largest", "best for most values"
    capped, free = step[True, whole], step[False, whole]
    good, good_free = step[True, best], step[False, best]
    lines = [
        f"{document['photos']}, ranges of {document['calibration']}, {document['bits']} bits:",
        "",
        "| activations end | ranges | largest end of a range | cosine to f32: median, least |",
        "|---|---|---|---|",
    ]
    for row in rows:
        end = "at 6, as trained" if row["relu6"] else "nowhere"
        lines.append(
            f"| {end} | {row['ranges']} | {row['largest']:.1f} | "
            f"{row['cosine_median']:.4f}, {row['cosine_least']:.3f} |"
        )
    lines += [
        "",
        "Why ReLU6 helps: 8 bits have 255 steps for a range, and one large value makes all steps "
        "coarse. ReLU6 says",
        "beforehand where a range ends, whatever the pictures, and costs nothing in integers, "
        "since what is larger than a",
        f"range becomes its end. Here {capped['at_the_cap']} of {capped['activations']} "
        "activations reach 6; without the cap the largest is "
        f"{free['largest']:.1f}, its steps are {free['largest'] / 6:.1f} times as",
        f"coarse, and the median cosine falls from {capped['cosine_median']:.4f} to "
        f"{free['cosine_median']:.4f}. Ranges that leave rare large values out do most of",
        f"the same: {good['cosine_median']:.4f} with the cap and {good_free['cosine_median']:.4f} "
        "without.",
    ]
    return "\n".join(lines)


def _change(change: float) -> str:
    return f"up to {change:.3f} off" if change else "the reference"


def labels_text(document: dict[str, Any]) -> str:
    """Return the table of what quicker ways do to labels."""
    lines = [
        f"{document['photos']} photos of one thing each, of ImageNet's kinds; the network may have "
        "been trained with some of them:",
        "",
        "| way | first label right | among the first five | same first label | its probability |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {way} | {100 * row['top1']:.1f} % | {100 * row['top5']:.1f} % | "
        f"{100 * row['same_first']:.1f} % | {_change(row['largest_change'])} |"
        for way, row in document["ways"].items()
    ]
    return "\n".join(lines)


def duplicates_text(document: dict[str, Any]) -> str:
    """Return the table of how copies are grouped, beside other tools."""
    found = document
    lines = [
        f"{found['images']:,} files: photos, altered copies of them, and pictures that only look "
        f"like copies, with {found['true_pairs']:,} pairs of copies.\n"
        f"{found['mixed_groups'] or 'No'} "
        f"{'group mixes' if found['mixed_groups'] < 2 else 'groups mix'} two originals, and "
        f"{100 * found['verdicts_right']:.1f} % of the verdicts are right:",
        "",
        "| tool | pairs found | of those right | micro-average precision | pairs found before the "
        "first wrong one | seconds |",
        "|---|---|---|---|---|---|",
        f"| **mobisearch** | {100 * found['pair_recall']:.1f} % | "
        f"{100 * found['pair_precision']:.1f} % | {found['micro_ap_of_scores_alone']:.3f} (scores "
        f"alone) | {100 * found['pair_recall']:.1f} % | {found['seconds']['first']:.0f} |",
    ]
    for name, peer in found["peers"].items():
        if "error" in peer:
            continue
        for key, words in (("at_default", "default"), ("at_best_threshold", "best threshold")):
            lines.append(
                f"| {name}, {words} | {100 * peer[key]['recall']:.1f} % | "
                f"{100 * peer[key]['precision']:.1f} % | {peer['micro_ap']:.3f} | "
                f"{100 * peer['recall_at_precision_1']:.1f} % | {peer['seconds']:.0f} |"
            )
    return "\n".join(lines)


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
