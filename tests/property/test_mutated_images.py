"""Damaged copies of good pictures: pixels of the right shape or an image error, nothing else."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from mutations import KINDS, NETWORK, SETTINGS, each_kind, fractions, good, place, quick

from mobisearch.errors import ImageError
from mobisearch.imaging import prepare
from mobisearch.types import ImageFacts


def check(data: bytes) -> None:
    failure: ImageError | None = None
    try:
        image = prepare(data, name="mutated", preprocessing=NETWORK, settings=SETTINGS)
    except ImageError as error:
        failure = error
    if failure is not None:
        assert failure.path == "mutated"
        assert failure.reason
        assert "\n" not in str(failure)
        return
    assert image.pixels.shape == (32, 32, 3)
    assert image.pixels.dtype == np.uint8
    facts: ImageFacts = image.facts
    assert facts.width > 0
    assert facts.height > 0
    assert facts.camera is None or facts.camera.isprintable()


@each_kind
def test_the_good_picture_itself_is_decoded(kind: str) -> None:
    image = prepare(good(kind), name="good", preprocessing=NETWORK, settings=SETTINGS)
    assert image.pixels.std() > 10  # a picture, not a plain ground
    assert {image.facts.width, image.facts.height} == {160, 120}


@each_kind
@quick
@given(fraction=fractions)
def test_a_truncated_picture_is_pixels_or_an_image_error(kind: str, fraction: float) -> None:
    check(good(kind)[: place(good(kind), fraction)])


@each_kind
@quick
@given(flips=st.lists(st.tuples(fractions, st.integers(0, 7)), min_size=1, max_size=20))
def test_flipped_bits_give_pixels_or_an_image_error(
    kind: str, flips: list[tuple[float, int]]
) -> None:
    data = bytearray(good(kind))
    for fraction, bit in flips:
        data[place(data, fraction)] ^= 1 << bit
    check(bytes(data))


@each_kind
@quick
@given(changes=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1))
def test_a_changed_header_gives_pixels_or_an_image_error(
    kind: str, changes: list[tuple[int, int]]
) -> None:
    data = bytearray(good(kind))
    for at, value in changes:
        data[at % len(data)] = value
    check(bytes(data))


@each_kind
@quick
@given(fraction=fractions, length=st.floats(0, 1))
def test_a_picture_with_zeros_from_some_place_is_pixels_or_an_image_error(
    kind: str, fraction: float, length: float
) -> None:
    data = bytearray(good(kind))
    start = place(data, fraction)
    end = start + int((len(data) - start) * length)
    data[start:end] = bytes(end - start)
    check(bytes(data))


@each_kind
@quick
@given(other=st.sampled_from(sorted(KINDS)), cut=fractions, begin=fractions)
def test_two_pictures_run_together_are_pixels_or_an_image_error(
    kind: str, other: str, cut: float, begin: float
) -> None:
    first, second = good(kind), good(other)
    check(first[: place(first, cut)] + second[place(second, begin) :])
    check(first + second)


@each_kind
@quick
@given(fraction=fractions, extra=st.binary(max_size=200))
def test_bytes_put_in_or_left_out_give_pixels_or_an_image_error(
    kind: str, fraction: float, extra: bytes
) -> None:
    data = good(kind)
    at = place(data, fraction)
    check(data[:at] + extra + data[at:])
    check(data[:at] + data[at + len(extra) :])


@quick
@given(st.sampled_from(sorted(KINDS)), st.binary(max_size=2000), st.integers(4, 40))
def test_noise_after_a_good_beginning_is_pixels_or_an_image_error(
    kind: str, noise: bytes, n_kept: int
) -> None:
    check(good(kind)[:n_kept] + noise)


@settings(parent=quick, max_examples=200)
@given(st.binary(max_size=300))
def test_noise_is_an_image_error_or_pixels(noise: bytes) -> None:
    check(noise)


def test_every_single_truncation_of_a_header_is_an_image_error() -> None:
    def is_error(data: bytes) -> bool:
        try:
            prepare(data, name="cut", preprocessing=NETWORK, settings=SETTINGS)
        except ImageError:
            return True
        return False

    for kind in KINDS:
        data = good(kind)
        assert all(is_error(data[:n]) for n in range(64)), kind
