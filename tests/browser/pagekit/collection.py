"""A library of real photos with the facts, copies, names and mishaps that libraries have."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from PIL import Image

ODD_NAMES = (
    "<img src=x onerror=alert(1)>.jpg",
    "\u202egpj.exe\u202c <script>.jpg",
    "a\nb\x1b[31m.jpg",
)
ODD_PHOTOS = ("dahlia", "stream", "acanthus")
CAMERAS = (("Canon", "EOS R6"), ("NIKON", "D750"))


def write_photo(source: Path, target: Path, *, year: int, camera: tuple[str, str]) -> None:
    """Write a photo with the facts that a camera leaves."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = camera
    exif.get_ifd(0x8769)[0x9003] = f"{year}:06:15 12:30:00"
    with Image.open(source) as photo:
        photo.save(target, quality=90, exif=exif)


def make_library(photos: Path, folder: Path) -> Path:
    """Make folders of photos: by year, with copies, odd names, and one that is broken."""
    sources = [path for path in sorted(photos.glob("*.jpg")) if path.stem not in ODD_PHOTOS]
    for number, source in enumerate(sources):
        year = 2015 + number % 4
        target = folder / str(year)
        target.mkdir(parents=True, exist_ok=True)
        write_photo(source, target / source.name, year=year, camera=CAMERAS[number % 2])
    copies = folder / "copies"
    copies.mkdir()
    shutil.copy(next(folder.glob("*/cat.jpg")), copies / "cat again.jpg")
    with Image.open(photos / "fig.jpg") as fig:
        fig.resize((fig.width // 2, fig.height // 2)).save(copies / "fig small.png")
    with Image.open(photos / "boats.jpg") as boats:
        boats.save(copies / "boats.jpg", quality=40)
    odd = folder / "odd"
    odd.mkdir()
    for stem, name in zip(ODD_PHOTOS, ODD_NAMES, strict=True):
        shutil.copy(photos / f"{stem}.jpg", odd / name)
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 and nothing more")
    return folder


def mobisearch(*arguments: str | Path, code: int = 0) -> None:
    """Run the command."""
    command = [sys.executable, "-m", "mobisearch", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
