"""What was done to a content, by what the pairs of copies say that it is one of.

It says that a copy was made from another one where that shows: grey was made from colours, and what
has a mark, a caption or a border from what has none. Where nothing shows, either may be the first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from mobisearch.duplicates.keep_rules import LOSSLESS
from mobisearch.duplicates.proving import ProvedPair
from mobisearch.types import Relation, Verdict

_OBLIQUE_DEGREES = 1.0
"""Turned so far, a picture has corners that show nothing."""

_WHOLE = 0.97
"""Of a picture: alignment is exact to some percent."""

_MADE: Mapping[str, str] = {
    "grey": "is grey, another is in colours",
    "sepia": "is sepia, another is in colours",
    "one tint": "is of one tint, another is in colours",
    "mark": "has a mark that another lacks",
    "marks": "has marks that another lacks",
    "caption": "has a caption that another lacks",
}
"""What words of a relation say of its second picture."""

FRAMED = "has something around the picture"
_NOISY = "noisier"

_LOSSY = "JPEG"


@dataclass(frozen=True, slots=True)
class Alterations:
    """What is known of some images, by their ids.

    Attributes:
        framed: those with something around the picture, which is no picture.
        made: those that were made from another one, and how that shows.
        noisy: those that are noisier than another one.
    """

    framed: frozenset[int] = frozenset()
    made: Mapping[int, str] = field(default_factory=dict)
    noisy: frozenset[int] = frozenset()


NOTHING_KNOWN = Alterations()


def find_alterations(
    place_of: Mapping[int, int],
    formats: Mapping[int, str],
    links: Mapping[int, Sequence[ProvedPair]],
) -> Alterations:
    """Return what was done to some images.

    Args:
        place_of: of each image, by its id, the place of its content.
        formats: of each content, by its place, as Pillow names them.
        links: of each content, the pairs that are copies and that it is one of.
    """
    framed, noisy = set(), set()
    made: dict[int, str] = {}
    for image_id, place in place_of.items():
        for other, relation in _seen_by_others(place, links):
            words = relation.detail.split(", ")
            if _is_framed(relation):
                framed.add(image_id)
                made.setdefault(image_id, FRAMED)
            for word in words:
                if word in _MADE:
                    made.setdefault(image_id, _MADE[word])
            if _NOISY in words:
                noisy.add(image_id)
            is_same = relation.verdict is Verdict.SAME_PIXELS and formats.get(other) == _LOSSY
            if is_same and formats.get(place) in LOSSLESS:
                made.setdefault(image_id, "has the very pixels of a JPEG")
    return Alterations(frozenset(framed), made, frozenset(noisy))


def _seen_by_others(
    place: int, links: Mapping[int, Sequence[ProvedPair]]
) -> Iterator[tuple[int, Relation]]:
    """Give the contents that one is a copy of, and what it is to each, as the second."""
    for pair in links.get(place, ()):
        if pair.second == place:
            yield pair.first, pair.relation
        else:
            yield pair.second, pair.relation.reversed()


def _is_framed(relation: Relation) -> bool:
    """Say whether the second shows all of the first, which is not all of what it shows itself."""
    is_oblique = abs((relation.turn_degrees + 45) % 90 - 45) > _OBLIQUE_DEGREES
    return (
        (Verdict.OVERLAID in relation.changes or is_oblique)
        and Verdict.CROPPED not in relation.changes
        and relation.second_share < _WHOLE <= relation.first_share
    )
