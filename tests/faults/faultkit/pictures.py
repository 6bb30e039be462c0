"""Pictures as bytes."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

from PIL import Image

from mobisearch import ImageIndex

CODES = {"corrupt", "truncated", "unsupported", "too_large"}
"""How a damaged picture may end, if it ends with an error."""


SAME_COSINE = 0.999
"""Between a picture and itself in another container or with more colour information."""


FORMATS: dict[str, dict[str, Any]] = {
    "jpg": {"format": "JPEG", "quality": 90},
    "progressive.jpg": {"format": "JPEG", "progressive": True},
    "png": {"format": "PNG"},
    "webp": {"format": "WEBP"},
    "gif": {"format": "GIF"},
    "tif": {"format": "TIFF", "compression": "tiff_lzw"},
    "bmp": {"format": "BMP"},
    "jp2": {"format": "JPEG2000"},
    "avif": {"format": "AVIF"},
}


def saved(image: Image.Image, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, **options)
    return stream.getvalue()


def sync_all(index: ImageIndex, folder: Path, files: dict[str, bytes]) -> dict[str, str]:
    """Write files, sync their folder, and return how each ended: ``"ok"`` or a code."""
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    report = index.sync(folder)
    assert report.added + report.failed == len(files)
    ended = {os.path.basename(failure.path): failure.code for failure in report.failures}
    assert all(failure.reason for failure in report.failures)
    return {name: ended.get(name, "ok") for name in files}
