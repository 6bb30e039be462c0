"""Draw the contact sheet of the README from the photos in tests/photos.

    python scripts/make_showcase.py

Each query is the middle half of a photo, saved at JPEG quality 30: a picture that is not in the
index. The result is scripts/results/contact_sheet.jpg.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from cut_query import cut_middle
from environment import REPOSITORY
from PIL import Image

from mobisearch import ImageIndex
from mobisearch.reports import write_sheet

PHOTOS = REPOSITORY / "tests" / "photos"
TARGET = REPOSITORY / "scripts" / "results" / "contact_sheet.jpg"
QUERIES = ("mountain.jpg", "acanthus.jpg")


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        queries = []
        for name in QUERIES:
            query = Path(directory) / f"half of {name}"
            with Image.open(PHOTOS / name) as photo:
                cut_middle(photo).save(query, "JPEG", quality=30)
            queries.append(query)
        with ImageIndex.create(Path(directory) / "index") as index:
            index.sync(PHOTOS)
            results = index.search_many(queries, k=5)
        write_sheet(TARGET, list(zip(queries, results, strict=True)))
    print(f"{TARGET.relative_to(REPOSITORY)}: {TARGET.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
