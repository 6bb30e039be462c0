"""From groups of contents to groups of images: who is kept, and what the others are to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from mobisearch.duplicates.alterations import find_alterations
from mobisearch.duplicates.companions import CompanionFinder
from mobisearch.duplicates.comparing import Comparer
from mobisearch.duplicates.keep_rules import is_inside
from mobisearch.duplicates.keeping import choose_keeper
from mobisearch.duplicates.looks import Looks
from mobisearch.duplicates.proving import ProvedPair
from mobisearch.duplicates.scope import Scope
from mobisearch.duplicates.whitening import Whitening
from mobisearch.types import (
    DuplicateGroup,
    DuplicateSettings,
    GroupMember,
    ImageRecord,
    Relation,
    SimilarPair,
    Verdict,
)

_SAME_FILE = Relation(Verdict.SAME_FILE, (Verdict.SAME_FILE,), 1.0)


class Assembly:
    """What groups of images are made with."""

    def __init__(
        self,
        looks: Looks,
        comparer: Comparer,
        whitening: Whitening,
        settings: DuplicateSettings,
        links: Mapping[int, Sequence[ProvedPair]],
    ) -> None:
        """Take what is known.

        Args:
            links: by place, the pairs that are copies and that it is one of.
        """
        self._looks = looks
        self._comparer = comparer
        self._whitening = whitening
        self._settings = settings
        self._links = links
        self._scope = Scope(settings.scope, settings.folders)
        self._finder = CompanionFinder()

    def groups(self, places: Sequence[Sequence[int]]) -> list[DuplicateGroup]:
        """Return groups of images, those first that free most space."""
        flat = sorted({place for group in places for place in group})
        images = self._looks.images(flat)
        rows = dict(zip(flat, self._whitening.apply(self._looks.rows(flat)), strict=True))
        chosen: list[tuple[ImageRecord, str, list[ImageRecord], Mapping[int, str]]] = []
        place_of: dict[int, int] = {}
        for group in places:
            of_group = [image for place in group for image in images.get(place, ())]
            place_of |= {image.id: place for place in group for image in images.get(place, ())}
            chosen += [self._choose(part, place_of) for part in self._scope.divide(of_group)]
        wanted = {
            (place_of[keep.id], place_of[copy.id])
            for keep, _, copies, _ in chosen
            for copy in copies
            if place_of[keep.id] != place_of[copy.id]
        }
        relations = self._comparer.relations(sorted(wanted))
        groups = []
        for keep, reason, copies, reasons in chosen:
            members = [
                self._member(keep, copy, reasons[copy.id], place_of, relations, rows)
                for copy in copies
            ]
            kept = self._plain_member(keep, Verdict.SAME_FILE, 1.0, None, reason)
            groups.append(
                DuplicateGroup(kept, tuple(sorted(members, key=lambda member: member.image.path)))
            )
        return sorted(groups, key=lambda group: (-group.reclaimable_bytes, group.keep.image.path))

    def _choose(
        self, images: list[ImageRecord], place_of: Mapping[int, int]
    ) -> tuple[ImageRecord, str, list[ImageRecord], Mapping[int, str]]:
        """Return the image that is kept and why, the copies, and by id why each of them is not."""
        able = self._scope.candidates_to_keep(images)
        rules, protect = self._settings.keep, self._settings.protect
        done = find_alterations(
            {image.id: place_of[image.id] for image in able},
            {place_of[image.id]: image.format.upper() for image in images},
            self._links,
        )
        choice = choose_keeper(able, rules, protect, done=done, finder=self._finder)
        keep = able[choice.keeper]
        copies = self._scope.copies(images, keep)
        reasons = {image.id: why for image, why in zip(able, choice.reasons, strict=True)}
        reasons |= {copy.id: "it is in the library" for copy in copies if copy.id not in reasons}
        return keep, choice.reason, copies, reasons

    def _member(
        self,
        keep: ImageRecord,
        copy: ImageRecord,
        reason: str,
        place_of: Mapping[int, int],
        relations: Mapping[tuple[int, int], Relation],
        rows: Mapping[int, NDArray[np.float32]],
    ) -> GroupMember:
        ours, theirs = place_of[keep.id], place_of[copy.id]
        relation: Relation | None = _SAME_FILE
        if ours != theirs:
            relation = relations[ours, theirs]
            if not relation.is_copy:
                relation = None
        verdict = relation.verdict if relation is not None else self._linking_verdict(theirs)
        score = float(np.clip(np.round(np.dot(rows[ours], rows[theirs]), 6), -1, 1))
        return self._plain_member(copy, verdict, score, relation, reason)

    def _linking_verdict(self, place: int) -> Verdict:
        """Return what a content is to the copy of it that is proved best."""
        best = max(self._links[place], key=lambda pair: (pair.relation.agreement, pair.score))
        return best.relation.verdict

    def _plain_member(
        self,
        image: ImageRecord,
        verdict: Verdict,
        score: float,
        relation: Relation | None,
        reason: str,
    ) -> GroupMember:
        return GroupMember(
            image,
            verdict,
            score,
            relation,
            reason,
            is_inside(image.path, self._settings.protect),
            tuple(companion.path for companion in self._finder.find(image.path)),
        )

    def similar(self, pairs: Sequence[ProvedPair]) -> tuple[SimilarPair, ...]:
        """Return pairs of images that are similar shots: of each content the first in the scope."""
        places = sorted({place for pair in pairs for place in (pair.first, pair.second)})
        images = self._looks.images(places)
        found = []
        for pair in pairs:
            shown = self._scope.pair(images.get(pair.first, ()), images.get(pair.second, ()))
            if shown is not None:
                found.append(SimilarPair(*shown, round(pair.score, 6), pair.relation))
        return tuple(found)
