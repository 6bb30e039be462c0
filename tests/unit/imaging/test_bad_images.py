"""A folder of broken and odd pictures: pixels or an image error, in bounded time and memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mobisearch.imaging import prepare
from mobisearch.types import DecodeSettings, Preprocessing

DEADLINE_SECONDS = 20.0
"""For a single file; the slowest takes a tenth of a second, files that time out take minutes."""

TOTAL_SECONDS = 240
"""For all files; they take 3."""

MEMORY_MEGABYTES = 2048
"""Peak of the whole process; the largest picture here takes 100 MB."""

UPRIGHT_LEVELS = 3.0
"""Mean difference between the pictures of the orientation set, which differ by the digit in their
middle and by JPEG. A picture turned wrongly differs by 40."""

NOT_READ = {
    "hopper_unknown_pixel_mode.tif": "Pillow knows no mode for its mixture of sample sizes",
    "hopper_webp.tif": "WebP inside TIFF, which the libtiff in Pillow's wheels leaves out",
}
"""Files of supported formats that cannot be decoded, each with the reason."""

UNSUPPORTED = (".ico", ".qoi", ".tga")
"""Endings in the set of valid files whose formats are not read."""

NETWORK = Preprocessing(resize_px=256, crop_px=224, mean=(0, 0, 0), std=(1, 1, 1))

PROGRAM = """
import json, os, resource, sys, time, warnings
from mobisearch.errors import ImageError
from mobisearch.imaging import prepare
from mobisearch.types import DecodeSettings, Preprocessing
warnings.simplefilter("ignore")
network = Preprocessing(resize_px=256, crop_px=224, mean=(0, 0, 0), std=(1, 1, 1))
outcomes = {}
for folder, _, names in os.walk(sys.argv[1]):
    for name in names:
        path = os.path.join(folder, name)
        with open(path, "rb") as file:
            data = file.read()
        start = time.monotonic()
        try:
            image = prepare(data, name=path, preprocessing=network, settings=DecodeSettings())
            outcome = [list(image.pixels.shape), str(image.pixels.dtype)]
        except ImageError as error:
            outcome = error.code
        except Exception as error:
            outcome = "ESCAPED " + repr(error)
        outcomes[path] = [outcome, time.monotonic() - start]
if sys.platform == "linux":  # what getrusage tells begins with the peak of the parent process
    with open("/proc/self/status") as file:
        peak = next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) * 1024
else:
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
print(json.dumps({"outcomes": outcomes, "peak": peak}))
"""


@pytest.fixture(scope="module")
def report(bad_images: Path) -> dict[str, Any]:
    """What became of every file, from one process of its own."""
    if sys.platform == "win32":
        pytest.skip("the peak memory of a process is not told by this system")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(bad_images)],
        capture_output=True,
        text=True,
        timeout=TOTAL_SECONDS,
    )
    assert done.returncode == 0, f"the process died: {done.returncode}\n{done.stderr[-2000:]}"
    loaded: dict[str, Any] = json.loads(done.stdout)
    assert loaded["outcomes"]
    return loaded


def test_every_file_gives_pixels_or_an_image_error(report: dict[str, Any]) -> None:
    for path, (outcome, _) in report["outcomes"].items():
        is_pixels = outcome == [[224, 224, 3], "uint8"]
        assert is_pixels or outcome in ("unsupported", "corrupt", "truncated", "too_large"), (
            path,
            outcome,
        )


def test_every_file_is_done_within_the_deadline(report: dict[str, Any]) -> None:
    slow = {path: s for path, (_, s) in report["outcomes"].items() if s > DEADLINE_SECONDS}
    assert not slow


def test_all_files_together_stay_within_the_memory(report: dict[str, Any]) -> None:
    assert report["peak"] < MEMORY_MEGABYTES << 20


def test_every_valid_file_of_a_supported_format_is_decoded(
    report: dict[str, Any], bad_images: Path
) -> None:
    valid = [path for path in (bad_images / "pillow-formats").iterdir() if path.is_file()]
    assert valid
    failed = {
        path.name
        for path in valid
        if isinstance(report["outcomes"][str(path)][0], str) and path.suffix not in UNSUPPORTED
    }
    assert failed <= NOT_READ.keys()


def test_what_is_no_picture_is_unsupported(report: dict[str, Any], bad_images: Path) -> None:
    readme = bad_images / "exif-orientation" / "README.markdown"
    assert report["outcomes"][str(readme)][0] == "unsupported"


@pytest.mark.parametrize("kind", ["Landscape", "Portrait"])
def test_the_same_scene_stored_in_eight_orientations_has_the_same_pixels(
    kind: str, bad_images: Path
) -> None:
    sizes = set()
    pixels = []
    for orientation in range(9):
        path = bad_images / "exif-orientation" / f"{kind}_{orientation}.jpg"
        image = prepare(
            path.read_bytes(), name=str(path), preprocessing=NETWORK, settings=DecodeSettings()
        )
        pixels.append(image.pixels.astype(int))
        sizes.add((image.facts.width, image.facts.height))
    assert len(sizes) == 1
    assert all(np.abs(other - pixels[0]).mean() < UPRIGHT_LEVELS for other in pixels[1:])
