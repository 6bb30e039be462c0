"""What a relation is called in a sentence for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from mobisearch.types.duplicates import Relation, Verdict

_ROUND_SCALES = (
    (0.25, "a quarter of the resolution"),
    (1 / 3, "a third of the resolution"),
    (0.5, "half the resolution"),
    (2.0, "twice the resolution"),
    (3.0, "three times the resolution"),
    (4.0, "four times the resolution"),
)
_NEAR = 0.03
_RIGHT_DEGREES = 0.7
_SAME_SCALE = 0.02


def describe(relation: Relation) -> str:
    """Return a short text such as ``"crop: 52 % of the picture, half the resolution"``.

    It says what the second image is, as seen from the first.

    >>> from mobisearch.types.duplicates import Relation, Verdict
    >>> describe(Relation(Verdict.RESIZED, (Verdict.RESIZED,), scale=0.5))
    'resized: half the resolution'
    """
    if not relation.is_copy:
        return relation.verdict.value
    changes = relation.changes or (relation.verdict,)
    chief = _NAMES.get(relation.verdict, relation.verdict.value)
    parts = []
    for change in reversed(changes):
        said = _SAY[change](relation) if change in _SAY else ""
        if change == relation.verdict or change == Verdict.RESIZED:
            parts.append(said)
        elif change in _BESIDE:
            parts.append(f"{_BESIDE[change]} {said}".strip())
    if relation.detail:
        parts.append(relation.detail)
    text = ", ".join(part for part in parts if part)
    return f"{chief}: {text}" if text else chief


def _say_crop(relation: Relation) -> str:
    """Say which share of the larger view is left."""
    first, second = relation.first_share, relation.second_share
    if first <= second:
        return f"{_percent(first)} of the picture"
    return f"more around it, of which {_percent(second)} is in the first"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _say_scale(relation: Relation) -> str:
    scale = relation.scale
    if abs(scale - 1) <= _SAME_SCALE:
        return ""
    for value, words in _ROUND_SCALES:
        if abs(scale / value - 1) < _NEAR:
            return words
    return f"{_percent(scale)} of the resolution"


def _say_turn(relation: Relation) -> str:
    turn = relation.turn_degrees
    nearest = round(turn / 90) * 90
    if abs(turn - nearest) < _RIGHT_DEGREES:
        return "upside down" if abs(nearest) == 180 else _direction(nearest, f"{abs(nearest)}°")
    return _direction(turn, f"{abs(turn):.1f}°")


def _direction(turn: float, degrees: str) -> str:
    return f"by {degrees} {'clockwise' if turn > 0 else 'anticlockwise'}"


_NAMES: Mapping[Verdict, str] = MappingProxyType({Verdict.CROPPED: "crop"})

_BESIDE: Mapping[Verdict, str] = MappingProxyType(
    {
        Verdict.ROTATED: "turned",
        Verdict.MIRRORED: "mirrored",
        Verdict.CROPPED: "cropped to",
    }
)
"""What a change is called that is not the chief one, unless its detail says it."""

_SAY: Mapping[Verdict, Callable[[Relation], str]] = MappingProxyType(
    {
        Verdict.RESIZED: _say_scale,
        Verdict.ROTATED: _say_turn,
        Verdict.CROPPED: _say_crop,
    }
)
"""What is said of a change beside its name. The chief one's name comes first."""
