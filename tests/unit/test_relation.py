"""A relation read the other way round."""

from __future__ import annotations

import pytest

from mobisearch.types import Relation, Verdict


@pytest.mark.parametrize(
    ("detail", "expected"),
    [
        ("brighter", "darker"),
        ("darker, less contrast", "brighter, more contrast"),
        ("grey", "coloured"),
        ("caption, softer", "without caption, sharper"),
        ("mark on one", "mark on one"),
        ("sepia", "without sepia"),
        ("noisier", "less noise"),
        ("", ""),
    ],
)
def test_what_is_brighter_is_darker_the_other_way_round(detail: str, expected: str) -> None:
    relation = Relation(Verdict.RECOLOURED, (Verdict.RECOLOURED,), detail=detail)
    assert relation.reversed().detail == expected
    assert relation.reversed().reversed() == relation


@pytest.mark.parametrize("is_mirrored", [False, True])
@pytest.mark.parametrize("turn", [0.0, 90.0, 180.0, -37.5])
def test_turning_back_twice_changes_nothing(turn: float, is_mirrored: bool) -> None:
    relation = Relation(
        Verdict.ROTATED, turn_degrees=turn, is_mirrored=is_mirrored, scale=0.5, first_share=0.25
    )
    assert relation.reversed().reversed() == relation
    assert relation.reversed().scale == 2
    assert relation.reversed().second_share == 0.25
