"""Comparing pairs of contents: from memory, from the catalog, or by looking at both thumbnails."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from mobisearch.capacity import count_processors, count_workers
from mobisearch.duplicates.closer import CloserLook
from mobisearch.duplicates.looks import LookEmbedder, Looks
from mobisearch.duplicates.pairwise import (
    ComparedPair,
    PreparedPictures,
    compare_pictures,
    prepare_picture,
)
from mobisearch.duplicates.processes import ComparingProcesses, ProcessEndedError
from mobisearch.duplicates.stopping import StoppedError
from mobisearch.duplicates.verification import Prepared, look_closer
from mobisearch.store import Pair
from mobisearch.types import Relation, Verdict

RELATION_VERSION = 10
"""Of the way in which contents are compared; raised with any change of it or of thumbnails."""

_MAX_PREPARED = 3_000
"""Pictures that are held ready, some 200 KB each."""

_MAX_CLOSER = 320
"""Pictures that are held ready for a closer look, some 1 MB each."""

_PAIRS_PER_COMMIT = 512

_PAIRS_FOR_PROCESSES = 1024
"""In one search for copies, from which on processes are worth the second that they take to start.
"""


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
        self._n_processes = min(self._n_threads, count_workers())
        self._known: dict[tuple[int, int], Relation] = {}
        self._prepared = PreparedPictures(_MAX_PREPARED)
        self._processes: ComparingProcesses | None = None
        self._is_alone = False  # no process can be had
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

    def close(self) -> None:
        """End the processes, if there are some. What is known can still be asked."""
        if self._processes is not None:
            self._processes.close()
            self._processes = None

    def _compare(self, pairs: Sequence[tuple[int, int]]) -> None:
        with ThreadPoolExecutor(self._n_threads, thread_name_prefix="mobisearch-compare") as pool:
            compared = dict(zip(pairs, self._compare_thumbnails(pairs, pool), strict=True))
            found = {pair: each.outcome.relation for pair, each in compared.items()}
            self._look_closer(found, compared, pool)
            self._compare_pixels(found, compared, pool)
        self._known |= found
        self.n_compared += len(found)
        if self._is_writable:
            self._looks.catalog.relations.put(
                {self._ids_of(pair): self._by_id(pair, found[pair]) for pair in pairs},
                version=RELATION_VERSION,
            )

    def _compare_thumbnails(
        self, pairs: Sequence[tuple[int, int]], pool: ThreadPoolExecutor
    ) -> list[ComparedPair]:
        """Compare in processes where there are many pairs and more than one processor, or here."""
        is_worth_it = self.n_compared + len(pairs) >= _PAIRS_FOR_PROCESSES
        if is_worth_it and self._n_processes > 1 and not self._is_alone:
            if self._processes is None:
                self._processes = ComparingProcesses(self._n_processes)
            try:
                return self._compare_apart(pairs, self._processes)
            except ProcessEndedError:  # of memory, perhaps: there is enough for one of us
                self.close()
                self._is_alone = True
        return self._compare_here(pairs, pool)

    def _compare_apart(
        self, pairs: Sequence[tuple[int, int]], processes: ComparingProcesses
    ) -> list[ComparedPair]:
        rows = self._looks.pictures(sorted({place for pair in pairs for place in pair}))
        by_ids = {pair: (self._looks.ids[pair[0]], self._looks.ids[pair[1]]) for pair in pairs}
        found = processes.compare(
            list(by_ids.values()), {row.content_id: row for row in rows.values()}
        )
        return [found[by_ids[pair]] for pair in pairs]

    def _compare_here(
        self, pairs: Sequence[tuple[int, int]], pool: ThreadPoolExecutor
    ) -> list[ComparedPair]:
        held, places = self._prepared, {place for pair in pairs for place in pair}
        rows = self._looks.pictures(sorted(place for place in places if place not in held))
        for place, prepared in zip(rows, pool.map(prepare_picture, rows.values()), strict=True):
            held.put(place, prepared)
        compared = list(
            pool.map(
                compare_pictures,
                [held[first] for first, _ in pairs],
                [held[second] for _, second in pairs],
            )
        )
        held.tidy()
        return compared

    def _by_id(self, pair: tuple[int, int], relation: Relation) -> Relation:
        is_turned = self._looks.ids[pair[0]] > self._looks.ids[pair[1]]
        return relation.reversed() if is_turned else relation

    def _look_closer(
        self,
        found: dict[tuple[int, int], Relation],
        compared: Mapping[tuple[int, int], ComparedPair],
        pool: ThreadPoolExecutor,
    ) -> None:
        """Compare again from larger pixels what thumbnails leave open."""
        wanted = [pair for pair, each in compared.items() if each.needs_closer_look]

        def compare(pair: tuple[int, int]) -> Relation:
            first, second = (self._closer[place] for place in pair)
            outcome = compared[pair].outcome
            if first is None or second is None:
                return outcome.relation
            return look_closer(first, second, outcome)

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
        self,
        found: dict[tuple[int, int], Relation],
        compared: Mapping[tuple[int, int], ComparedPair],
        pool: ThreadPoolExecutor,
    ) -> None:
        """Find out which of those that may have the very same pixels do have them."""
        wanted = [pair for pair, each in compared.items() if each.may_have_same_pixels]
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


def _ordered(pair: tuple[int, int]) -> tuple[int, int]:
    first, second = pair
    return (first, second) if first <= second else (second, first)
