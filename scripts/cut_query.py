"""Cut the middle half out of the first photo in a folder and save it at low quality, as a query.

python scripts/cut_query.py FOLDER OUTPUT.jpg
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from PIL import Image

from mobisearch.errors import ImageError
from mobisearch.imaging import ScannedFile, read_thumbnail, scan_folder

SHARE = 0.5  # of the area
FAVOURITE = "cat.jpg"


def main() -> None:
    folder, output = os.path.realpath(sys.argv[1]), Path(sys.argv[2])
    found = [f.path for f in scan_folder(folder) if isinstance(f, ScannedFile) and f.is_supported]
    found.sort(key=lambda path: os.path.basename(path) != FAVOURITE)
    for path in found:
        try:
            photo = read_thumbnail(path, max_px=1600)
        except ImageError:
            continue
        cut_middle(photo).save(output, "JPEG", quality=30)
        print(f"query: the middle half of {os.path.basename(path)}, saved at JPEG quality 30")
        return
    raise SystemExit(f"{folder}: no photo here that can be read")


def cut_middle(photo: Image.Image) -> Image.Image:
    """Return the middle of a picture, half its area, the same shape."""
    width, height = (round(side * SHARE**0.5) for side in photo.size)
    left, top = (photo.width - width) // 2, (photo.height - height) // 2
    return photo.crop((left, top, left + width, top + height))


if __name__ == "__main__":
    main()
