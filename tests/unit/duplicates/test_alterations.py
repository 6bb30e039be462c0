"""What relations say of which of two copies was made from the other."""

from __future__ import annotations

import pytest

from mobisearch.duplicates.alterations import find_alterations
from mobisearch.duplicates.proving import ProvedPair
from mobisearch.types import Relation, Verdict

IMAGES = {11: 1, 12: 2}
"""Two images by their ids, of the contents 1 and 2."""


def pair(relation: Relation) -> ProvedPair:
    return ProvedPair(1, 2, 0.9, relation)


def found(relation: Relation, **formats: str):  # type: ignore[no-untyped-def]
    links = {1: [pair(relation)], 2: [pair(relation)]}
    return find_alterations(IMAGES, {1: "JPEG", 2: formats.get("second", "JPEG")}, links)


@pytest.mark.parametrize(
    "word", ["grey", "sepia", "one tint", "mark", "marks", "caption", "caption, sharper"]
)
def test_what_shows_that_it_was_made_from_another_is_known_from_both_sides(word: str) -> None:
    relation = Relation(Verdict.OVERLAID, (Verdict.OVERLAID,), detail=word)
    assert set(found(relation).made) == {12}
    assert set(found(relation.reversed()).made) == {11}


@pytest.mark.parametrize("word", ["", "brighter", "mark on one", "faded edges", "negative"])
def test_what_may_have_been_done_to_either_says_nothing(word: str) -> None:
    assert not found(Relation(Verdict.RECOLOURED, (Verdict.RECOLOURED,), detail=word)).made


def test_a_border_is_around_the_second() -> None:
    relation = Relation(Verdict.OVERLAID, (Verdict.OVERLAID,), second_share=0.8, detail="border")
    assert found(relation).framed == {12}
    assert set(found(relation).made) == {12}
    assert found(relation.reversed()).framed == {11}


def test_the_noisier_one_is_known() -> None:
    relation = Relation(Verdict.RETOUCHED, (Verdict.RETOUCHED,), detail="noisier")
    assert found(relation).noisy == {12}
    assert found(relation.reversed()).noisy == {11}


@pytest.mark.parametrize(("kind", "made"), [("PNG", {12}), ("JPEG", set()), ("WEBP", set())])
def test_a_file_without_loss_with_the_pixels_of_a_jpeg_was_made_from_it(
    kind: str, made: set[int]
) -> None:
    relation = Relation(Verdict.SAME_PIXELS, (Verdict.SAME_PIXELS,), 1.0)
    assert set(found(relation, second=kind).made) == made


def test_other_images_and_unknown_contents_are_left_alone() -> None:
    assert not find_alterations({13: 3}, {}, {}).made
