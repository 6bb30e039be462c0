"""Damaged pictures end in a worker process as they do here, and this process lives on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mutations import (
    KINDS,
    MUTATIONS,
    NETWORK,
    NO_PICTURES,
    SETTINGS,
    each_kind,
    fractions,
    good,
    place,
    quick,
)

from mobisearch.errors import (
    CorruptImageError,
    DecodeMemoryError,
    DecoderCrashedError,
    DecodeTimeoutError,
    ImageError,
    UnsupportedFormatError,
)
from mobisearch.imaging import PreparedImage, prepare
from mobisearch.imaging.workers import DecodeWorkers

HELD = replace(SETTINGS, deadline_seconds=10, max_memory_bytes=400_000_000)
"""Hundreds of times what these pictures take, and little enough that a bomb is held."""

ENDED = (DecodeTimeoutError, DecodeMemoryError, DecoderCrashedError)
"""How a picture may end in a worker that would do worse in the process itself."""


@pytest.fixture(scope="module")
def workers() -> Iterator[DecodeWorkers]:
    made = DecodeWorkers(max_idle=1)
    yield made
    made.close()


def outcome(decode: Callable[..., PreparedImage], data: bytes) -> tuple[object, ...]:
    """Return the pixels and facts, or the error, as what can be compared."""
    try:
        image = decode(data, name="/a.jpg", preprocessing=NETWORK, settings=HELD)
    except ImageError as error:
        return type(error), str(error)
    return image.pixels.shape, image.pixels.tobytes(), image.facts


@each_kind
@pytest.mark.parametrize("mutate", MUTATIONS, ids=lambda function: function.__name__)
def test_a_mutated_picture_ends_in_a_worker_as_it_does_here(
    workers: DecodeWorkers, kind: str, mutate: Callable[[bytes], Iterator[bytes]]
) -> None:
    for data in mutate(good(kind)):
        there = outcome(workers.prepare, data)
        if there[0] not in ENDED:
            assert there == outcome(prepare, data)
    assert outcome(workers.prepare, good(kind))[0] == (32, 32, 3)


@pytest.mark.parametrize("kind", NO_PICTURES)
def test_what_is_no_picture_is_said_to_be_none_whatever_its_name(
    workers: DecodeWorkers, kind: str
) -> None:
    there = outcome(workers.prepare, NO_PICTURES[kind])
    assert there == outcome(prepare, NO_PICTURES[kind])
    assert issubclass(there[0], (UnsupportedFormatError, CorruptImageError))


@quick
@given(
    kind=st.sampled_from(sorted(KINDS)),
    flips=st.lists(st.tuples(fractions, st.integers(0, 255)), min_size=1, max_size=20),
    cut=fractions,
)
def test_any_mutation_ends_in_a_worker_as_it_does_here(
    workers: DecodeWorkers, kind: str, flips: list[tuple[float, int]], cut: float
) -> None:
    data = bytearray(good(kind))
    for fraction, value in flips:
        data[place(data, fraction)] = value
    for mutated in (bytes(data), bytes(data[: place(data, cut)])):
        there = outcome(workers.prepare, mutated)
        if there[0] not in ENDED:
            assert there == outcome(prepare, mutated)
