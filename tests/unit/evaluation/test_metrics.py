"""Measures of a ranking against their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from mobisearch.evaluation import ALTERATIONS, alter, micro_average_precision, recall_at
from mobisearch.imaging import decode
from mobisearch.types import DecodeSettings


def test_a_perfect_ranking_scores_one_and_the_worst_the_least() -> None:
    assert micro_average_precision([0.9, 0.8, 0.1], [True, True, False]) == 1
    assert micro_average_precision([0.9, 0.8, 0.1], [False, False, True]) == pytest.approx(1 / 3)


def test_it_is_the_mean_precision_at_each_match() -> None:
    generator = np.random.default_rng(3)
    scores, truth = generator.permutation(200) / 200, generator.random(200) < 0.2
    ranked = truth[np.argsort(-scores)]
    places = np.flatnonzero(ranked) + 1
    expected = np.mean(np.arange(1, len(places) + 1) / places)
    assert micro_average_precision(scores, truth) == pytest.approx(expected)


def test_the_order_among_equal_scores_does_not_matter() -> None:
    assert micro_average_precision([0.5, 0.5], [True, False]) == 0.5
    assert micro_average_precision([0.5, 0.5], [False, True]) == 0.5


@pytest.mark.parametrize("marks", [[False, False], [True]])
def test_without_matches_or_with_too_few_marks_there_is_no_measure(marks: list[bool]) -> None:
    with pytest.raises(ValueError, match="expected 2 marks"):
        micro_average_precision([0.1, 0.2], marks)


def test_recall_counts_queries_with_a_match_among_the_best() -> None:
    scores = [[0.9, 0.8, 0.1], [0.9, 0.8, 0.1]]
    truth = [[False, True, False], [False, False, True]]
    assert [recall_at(scores, truth, k) for k in (1, 2, 3)] == [0.0, 0.5, 1.0]


@pytest.mark.parametrize("name", ALTERATIONS)
def test_an_alteration_gives_the_same_jpeg_each_time_and_takes_the_smallest_picture(
    name: str,
) -> None:
    photo = Image.fromarray(np.arange(40 * 30 * 3, dtype=np.uint8).reshape(30, 40, 3))
    data = alter(photo, ALTERATIONS[name])
    assert alter(photo, ALTERATIONS[name]) == data
    for picture in (photo, Image.new("RGB", (1, 1))):
        image, facts = decode(
            alter(picture, ALTERATIONS[name]), name="copy", settings=DecodeSettings()
        )
        assert facts.format == "JPEG"
        assert min(image.size) >= 1
