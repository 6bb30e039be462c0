"""Comparing pairs of contents: from memory, from the catalog, or by looking at both thumbnails."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from mobisearch.capacity import count_processors
from mobisearch.duplicates.closer import CloserLook
from mobisearch.duplicates.looks import LookEmbedder, Looks, open_picture
from mobisearch.duplicates.stopping import StoppedError
from mobisearch.duplicates.verification import (
    Outcome,
    Prepared,
    look,
    look_closer,
    may_have_same_pixels,
    needs_closer_look,
    prepare,
)
from mobisearch.store import ContentPicture, Pair
from mobisearch.types import Relation, Verdict

RELATION_VERSION = 3
"""Of the way in which contents are compared; raised with any change of it or of thumbnails."""

_MAX_PREPARED = 3_000
"""Pictures that are held ready, some 200 KB each."""

_MAX_CLOSER = 320
"""Pictures that are held ready for a closer look, some 1 MB each."""

_PAIRS_PER_COMMIT = 512


class Comparer:
    """What pairs of contents, by their places among looks, are to one another.

    Each pair is compared once, and remembered in the catalog where that can be written.
    """

    def __init__(
        self,
        looks: Looks,
        embedder: LookEmbedder,
        *,
        is_writable: bool,
        stop: threading.Event | None = None,
        n_threads: int | None = None,
    ) -> None:
        self._looks = looks
        self._embedder = embedder
        self._is_writable = is_writable
        self._stop = stop or threading.Event()
        self._n_threads = n_threads or count_processors()
        self._known: dict[tuple[int, int], Relation] = {}
        self._prepared: OrderedDict[int, Prepared] = OrderedDict()
        self._closer: OrderedDict[int, Prepared | None] = OrderedDict()
        self.n_compared = 0

    def relation(self, first: int, second: int) -> Relation:
        """Return what two contents are to one another."""
        return self.relations([(first, second)])[first, second]

    def relations(self, pairs: Sequence[tuple[int, int]]) -> dict[tuple[int, int], Relation]:
        """Return what pairs of contents are to one another, by pair, each in the order given.

        Raises:
            StoppedError: it was stopped; what was compared until then is remembered.
        """
        wanted = list(dict.fromkeys(_ordered(pair) for pair in pairs))
        self._recall([pair for pair in wanted if pair not in self._known])
        new = [pair for pair in wanted if pair not in self._known]
        for start in range(0, len(new), _PAIRS_PER_COMMIT):
            if self._stop.is_set():
                raise StoppedError
            self._compare(new[start : start + _PAIRS_PER_COMMIT])
        return {
            pair: self._known[pair] if pair[0] <= pair[1] else self._known[pair[::-1]].reversed()
            for pair in pairs
        }

    def _recall(self, pairs: Sequence[tuple[int, int]]) -> None:
        by_ids = {self._ids_of(pair): pair for pair in pairs}
        found = self._looks.catalog.relations.find(list(by_ids), version=RELATION_VERSION)
        for ids, relation in found.items():
            first, second = by_ids[ids]
            is_turned = self._looks.ids[first] != ids[0]
            self._known[first, second] = relation.reversed() if is_turned else relation

    def _ids_of(self, pair: tuple[int, int]) -> Pair:
        first, second = sorted(self._looks.ids[place] for place in pair)
        return first, second

    def _compare(self, pairs: Sequence[tuple[int, int]]) -> None:
        with ThreadPoolExecutor(self._n_threads, thread_name_prefix="mobisearch-compare") as pool:
            self._make_ready({place for pair in pairs for place in pair}, pool)
            outcomes = dict(zip(pairs, pool.map(self._compare_one, pairs), strict=True))
            found = {pair: outcome.relation for pair, outcome in outcomes.items()}
            self._look_closer(found, outcomes, pool)
            self._compare_pixels(found, pool)
        while len(self._prepared) > _MAX_PREPARED:
            self._prepared.popitem(last=False)
        self._known |= found
        self.n_compared += len(found)
        if self._is_writable:
            self._looks.catalog.relations.put(
                {self._ids_of(pair): self._by_id(pair, found[pair]) for pair in pairs},
                version=RELATION_VERSION,
            )

    def _by_id(self, pair: tuple[int, int], relation: Relation) -> Relation:
        is_turned = self._looks.ids[pair[0]] > self._looks.ids[pair[1]]
        return relation.reversed() if is_turned else relation

    def _make_ready(self, places: Iterable[int], pool: ThreadPoolExecutor) -> None:
        missing = sorted(place for place in places if place not in self._prepared)
        rows = self._looks.pictures(missing)
        for place, prepared in zip(rows, pool.map(_prepare, rows.values()), strict=True):
            if prepared is not None:
                self._prepared[place] = prepared
        for place in places:
            if place in self._prepared:
                self._prepared.move_to_end(place)

    def _compare_one(self, pair: tuple[int, int]) -> Outcome:
        first, second = (self._prepared.get(place) for place in pair)
        if first is None or second is None:  # a thumbnail is damaged
            return Outcome(Relation(Verdict.UNRELATED))
        return look(first, second)

    def _look_closer(
        self,
        found: dict[tuple[int, int], Relation],
        outcomes: Mapping[tuple[int, int], Outcome],
        pool: ThreadPoolExecutor,
    ) -> None:
        """Compare again from larger pixels what thumbnails leave open."""
        wanted = self._those_that(found, needs_closer_look)

        def compare(pair: tuple[int, int]) -> Relation:
            first, second = (self._closer[place] for place in pair)
            outcome = outcomes[pair]
            if first is None or second is None:
                return outcome.relation
            return look_closer(first, second, outcome.start)

        for start in range(0, len(wanted), _MAX_CLOSER // 4):
            some = wanted[start : start + _MAX_CLOSER // 4]  # so few that all of theirs are held
            self._make_closer_ready({place for pair in some for place in pair}, pool)
            found |= dict(zip(some, list(pool.map(compare, some)), strict=True))

    def _make_closer_ready(self, places: set[int], pool: ThreadPoolExecutor) -> None:
        missing = sorted(places - self._closer.keys())
        closer = CloserLook(self._looks, self._embedder, missing)
        self._closer |= zip(missing, pool.map(closer.prepared, missing), strict=True)
        for place in sorted(places):
            self._closer.move_to_end(place)
        while len(self._closer) > _MAX_CLOSER:
            self._closer.popitem(last=False)

    def _compare_pixels(
        self, found: dict[tuple[int, int], Relation], pool: ThreadPoolExecutor
    ) -> None:
        """Find out which of those that may have the very same pixels do have them."""
        wanted = self._those_that(
            found,
            lambda first, second, relation: may_have_same_pixels(
                first.picture, second.picture, relation
            ),
        )
        ids = {place: self._looks.ids[place] for pair in wanted for place in pair}
        stored = self._looks.catalog.looks.pixel_hashes(list(ids.values()))
        missing = sorted(place for place, number in ids.items() if number not in stored)
        closer = CloserLook(self._looks, self._embedder, missing)
        made = {
            ids[place]: value
            for place, value in zip(missing, pool.map(closer.pixel_hash, missing), strict=True)
            if value is not None
        }
        if made and self._is_writable:
            self._looks.catalog.looks.put_pixel_hashes(sorted(made.items()))
        hashes = stored | made
        for pair in wanted:
            first, second = (hashes.get(ids[place]) for place in pair)
            if first is not None and first == second:
                found[pair] = Relation(Verdict.SAME_PIXELS, (Verdict.SAME_PIXELS,), 1.0)

    def _those_that(
        self,
        found: dict[tuple[int, int], Relation],
        is_wanted: Callable[[Prepared, Prepared, Relation], bool],
    ) -> list[tuple[int, int]]:
        ready = self._prepared
        return [
            pair
            for pair, relation in found.items()
            if pair[0] in ready
            and pair[1] in ready
            and is_wanted(ready[pair[0]], ready[pair[1]], relation)
        ]


def _prepare(row: ContentPicture) -> Prepared | None:
    picture = open_picture(row)
    return None if picture is None else prepare(picture)


def _ordered(pair: tuple[int, int]) -> tuple[int, int]:
    first, second = pair
    return (first, second) if first <= second else (second, first)
