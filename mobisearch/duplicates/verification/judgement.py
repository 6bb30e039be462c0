"""Whether what agrees and what differs makes two pictures copies, two shots, or neither."""

from __future__ import annotations

import enum
import functools
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from mobisearch.duplicates.verification.alignment import Alignment
from mobisearch.duplicates.verification.geometry import Geometry
from mobisearch.duplicates.verification.patches import Differences
from mobisearch.duplicates.verification.pictures import Picture
from mobisearch.duplicates.verification.preparation import Prepared
from mobisearch.duplicates.verification.surroundings import Surroundings, look_around
from mobisearch.duplicates.verification.voting import invert

PLAUSIBLE_SHARE = 0.25
"""Of telling windows that agree, from which on it is worth to look at colours."""

LEAST_TELLING = 30
"""Windows with something in them: some five details that lie apart. A sky has none."""

LEAST_SPREAD = 0.12
"""Of the shared area, the box around what agrees: a mark in a corner does not prove a picture."""

_LEAST_SHARE = 0.35
"""Of telling windows that agree. Unrelated photos, laid on one another as well as possible, reach
0.06; two views of a scene up to 0.6, but they differ in places that nobody has drawn."""

_MARKED_SHARE, _MARKED_OUTSIDE, _MARKED_DRAWN = 0.25, 0.95, 0.95
"""The same under a mark all over, of which telling windows are full: where it is not, they agree,
and nothing else differs."""

_LEAST_OUTSIDE = 0.85
"""The same outside of what was laid over."""

_MOST_COVERED = 0.6
_LEAST_DRAWN = 0.7
"""Of the area where they differ, what must be drawn in one of them."""

_LARGE_MARKED, _DRAWN_REST = 0.22, 0.7
"""Where that much differs, bars aside, the rest must be a photo: not the window of an application,
or a page, which three colours cover. What is seen through a mark is no window."""

_MOST_REST_PX = 0.25
"""By which windows that agree would still move. In copies it is the noise of compression, mostly
below 0.1. Between two views what is near moves against what is far, and 0.3 to 0.6 is usual; shots
a moment apart, from one place, can stay below 0.1: this does not tell them from copies."""

_COARSE_BLUR_PX, _COARSE_SHARE, _MOST_COARSE_REST_PX = 1.2, 0.95, 0.35
"""After coarse pixelation: the other picture had to be blurred that much to be like it, and agrees
nearly everywhere since; edges moved to the sides of the blocks."""

_MOST_STRETCH, _MOST_BEND = 2.2, 2.0
"""Ratios of lengths and of areas. Straightened walls stay below; another viewpoint does not."""

_LEAST_LARGER_SHARE, _LEAST_SMALLER_SHARE = 0.4, 0.08
"""What both show must be that much of one, and of the other: a picture in the corner of a screen is
no copy of the screen."""

_COLLAGE_SHARE = 0.6
"""Where other photos are around the shared one: what it must have of the whole."""

_EXACT_SHARE, _EXACT_SHIFT = 0.98, 0.004
"""Two files of one camera with different times are two shots, unless they agree that well in all
places and lie on one another without a shift, of the longer side."""

SCENE_SPREAD = 0.08
"""Share of the picture that key points which agree must span to show a scene, not a mark on it."""

_SCENE_VOTES, _SCENE_SHARE = 12, 0.1
_FRAME_SHARE = 0.25
_NEAR_SECONDS = 10
_NEAR_VOTES = 6


class Judgement(enum.Enum):
    """What was proved."""

    COPY = enum.auto()
    SIMILAR = enum.auto()
    NEITHER = enum.auto()


@dataclass(frozen=True, eq=False)  # without slots, for what is found when it is first asked for
class Findings:
    """All that is known of one way in which two pictures, a first and a second, lie on each other.

    Attributes:
        first, second: the pictures.
    """

    first: Prepared
    second: Prepared
    alignment: Alignment
    differences: Differences
    geometry: Geometry

    @functools.cached_property
    def first_around(self) -> Surroundings:
        """What the first has outside of the second."""
        to_first = invert(self.alignment.first_to_second)
        return look_around(self.first.picture.pixels, self.second.size, to_first)

    @functools.cached_property
    def second_around(self) -> Surroundings:
        """What the second has outside of the first."""
        to_second = self.alignment.first_to_second
        return look_around(self.second.picture.pixels, self.first.size, to_second)

    @property
    def first_share(self) -> float:
        """Of the first picture's area, what shows what the second shows."""
        return self.geometry.first_share * (1 - self.differences.covered_share)

    @property
    def second_share(self) -> float:
        """Of the second picture's area, what shows what the first shows."""
        return self.geometry.second_share * (1 - self.differences.covered_share)


def judge(found: Findings, first: Picture, second: Picture) -> Judgement:
    """Return whether two pictures are copies, two shots of a scene, or neither.

    Args:
        found: of pictures in which there is enough to see.
    """
    if not is_proved(found):
        return judge_scene(found.alignment, first, second)
    if are_two_shots(first, second) and not is_exact(found):
        return Judgement.SIMILAR
    if not shares_enough(found):
        return Judgement.NEITHER
    return Judgement.COPY


def has_structure(alignment: Alignment) -> bool:
    """Return whether there is enough to see in what agrees."""
    evidence = alignment.evidence
    if evidence.telling.sum() < LEAST_TELLING or not evidence.agreeing.any():
        return False
    rows = np.flatnonzero(evidence.agreeing.any(axis=1))
    columns = np.flatnonzero(evidence.agreeing.any(axis=0))
    box = (rows[-1] - rows[0] + 1) * (columns[-1] - columns[0] + 1)
    return bool(box >= LEAST_SPREAD * max(1, evidence.windows.inside.sum()))


def lies_like_a_copy(alignment: Alignment, geometry: Geometry) -> bool:
    """Return whether copies lie on one another like this, whatever differs between them."""
    evidence = alignment.evidence
    is_coarse = abs(evidence.blur_px) >= _COARSE_BLUR_PX and evidence.share >= _COARSE_SHARE
    return (
        evidence.share >= _MARKED_SHARE
        and evidence.rest_px <= (_MOST_COARSE_REST_PX if is_coarse else _MOST_REST_PX)
        and geometry.stretch <= _MOST_STRETCH
        and geometry.bend <= _MOST_BEND
    )


def is_proved(found: Findings) -> bool:
    """Return whether what both show is the same picture, but for what was laid over it."""
    differences = found.differences
    is_marked = (
        bool(differences.patches)
        and differences.drawn_share >= _MARKED_DRAWN
        and (differences.is_veiled or differences.outside_share >= _MARKED_OUTSIDE)
    )
    is_large = differences.marked_share > _LARGE_MARKED and differences.rest_cover > _DRAWN_REST
    return (
        lies_like_a_copy(found.alignment, found.geometry)
        and (found.alignment.evidence.share >= _LEAST_SHARE or is_marked)
        and differences.outside_share >= _LEAST_OUTSIDE
        and differences.covered_share <= _MOST_COVERED
        and differences.drawn_share >= _LEAST_DRAWN
        and (differences.is_veiled or not is_large)
    )


def shares_enough(found: Findings) -> bool:
    """Return whether what both show is enough of them to call one a copy of the other."""
    shares = sorted((found.first_share, found.second_share))
    if shares[1] < _LEAST_LARGER_SHARE or shares[0] < _LEAST_SMALLER_SHARE:
        return False
    return all(
        not around.is_collage or share >= _COLLAGE_SHARE
        for around, share in (
            (found.first_around, found.geometry.first_share),
            (found.second_around, found.geometry.second_share),
        )
    )


def judge_scene(alignment: Alignment, first: Picture, second: Picture) -> Judgement:
    """Return whether two pictures that are no copies show the same scene."""
    share = alignment.evidence.share
    is_scene = (
        alignment.votes >= _SCENE_VOTES
        and alignment.spread >= SCENE_SPREAD
        and share >= _SCENE_SHARE
    ) or share >= _FRAME_SHARE
    is_burst = are_near_in_time(first, second) and (
        alignment.votes >= _NEAR_VOTES or share >= _SCENE_SHARE
    )
    return Judgement.SIMILAR if is_scene or is_burst else Judgement.NEITHER


def is_exact(found: Findings) -> bool:
    """Return whether they agree everywhere, without having been moved."""
    return (
        found.alignment.evidence.share >= _EXACT_SHARE
        and not found.differences.patches
        and found.geometry.shift <= _EXACT_SHIFT
    )


def are_two_shots(first: Picture, second: Picture) -> bool:
    """Return whether EXIF says that a camera took two pictures at two times."""
    seconds = _seconds_apart(first, second)
    return seconds is not None and seconds >= 1


def are_near_in_time(first: Picture, second: Picture) -> bool:
    """Return whether EXIF says that a camera took both within some seconds."""
    seconds = _seconds_apart(first, second)
    return seconds is not None and seconds <= _NEAR_SECONDS


def _seconds_apart(first: Picture, second: Picture) -> float | None:
    if not first.camera or first.camera != second.camera:
        return None
    if not first.taken_at or not second.taken_at:
        return None
    try:
        times = [datetime.fromisoformat(p.taken_at or "") for p in (first, second)]
    except ValueError:
        return None
    return abs((times[0].replace(tzinfo=None) - times[1].replace(tzinfo=None)).total_seconds())
