"""Which endings are taken, and which decoders may run."""

from __future__ import annotations

import pytest
from PIL import Image

from mobisearch.imaging.formats import (
    PILLOW_FORMATS,
    READ_EXTENSIONS,
    UNSUPPORTED_EXTENSIONS,
    extension_of,
    readable_formats,
)


def test_every_listed_decoder_is_available_here() -> None:
    assert readable_formats() == PILLOW_FORMATS


@pytest.mark.parametrize("name", ["EPS", "PDF", "WMF", "PSD", "ICO", "FITS", "GBR", "HDF5"])
def test_a_decoder_that_is_not_listed_never_runs(name: str) -> None:
    assert name not in readable_formats()


def test_an_ending_is_either_read_or_known_and_not_read() -> None:
    assert not READ_EXTENSIONS & UNSUPPORTED_EXTENSIONS


@pytest.mark.parametrize("extension", sorted(READ_EXTENSIONS | UNSUPPORTED_EXTENSIONS))
def test_every_listed_ending_is_lower_case_with_its_dot(extension: str) -> None:
    assert extension == extension.lower()
    assert extension.startswith(".")
    assert extension_of(f"/photos/IMG{extension.upper()}") == extension


def test_every_ending_that_a_listed_decoder_claims_is_taken() -> None:
    formats = readable_formats()
    claimed = {ending for ending, name in Image.registered_extensions().items() if name in formats}
    # bare code streams, float maps and image sequences, which hold no photos of their own
    rare = {".jpc", ".j2c", ".pfm", ".heics", ".heifs"}
    assert claimed - rare <= READ_EXTENSIONS


@pytest.mark.parametrize(
    ("path", "extension"),
    [
        ("a.JPG", ".jpg"),
        ("archive.tar.png", ".png"),
        ("/dot.folder/name", ""),
        (".jpg", ""),
        ("", ""),
        ("strange\udcff.JpEg", ".jpeg"),
    ],
)
def test_the_ending_is_what_follows_the_last_dot_of_the_name(path: str, extension: str) -> None:
    assert extension_of(path) == extension
