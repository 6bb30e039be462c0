"""Finding copies, from one end to the other."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mobisearch.duplicates.assembly import Assembly
from mobisearch.duplicates.calibration import accept, make_curve, measure_recall, try_different
from mobisearch.duplicates.candidates import Candidates, find_candidates
from mobisearch.duplicates.comparing import Comparer
from mobisearch.duplicates.found import DuplicateGroups
from mobisearch.duplicates.grouping import Grouping, group_copies
from mobisearch.duplicates.looks import LookEmbedder, Looks, make_looks
from mobisearch.duplicates.proving import Proof, prove_candidates
from mobisearch.duplicates.scope import Scope, check_settings
from mobisearch.duplicates.stopping import StoppedError
from mobisearch.embedding import Embedder
from mobisearch.store import Catalog
from mobisearch.types import (
    Decision,
    DuplicateGroup,
    DuplicateSettings,
    OnProgress,
    ScoreCurve,
    Verdict,
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of candidates once they were compared."""

    looks: Looks
    candidates: Candidates
    comparer: Comparer
    proof: Proof
    curve: ScoreCurve


class CopyFinder:
    """One search for copies among the images of a catalog."""

    def __init__(
        self,
        catalog: Catalog,
        embedder: Embedder,
        settings: DuplicateSettings,
        *,
        is_writable: bool,
        on_progress: OnProgress | None = None,
        stop: threading.Event | None = None,
    ) -> None:
        """Prepare a search.

        Args:
            is_writable: whether looks and relations can be stored.

        Raises:
            QueryError: the settings make no sense.
        """
        self._catalog = catalog
        self._embedder = LookEmbedder(embedder)
        self._settings = check_settings(settings, catalog)
        self._is_writable = is_writable
        self._on_progress = on_progress
        self._stop = stop
        self._decisions = catalog.decisions.all()
        self._comparer: Comparer | None = None

    def close(self) -> None:
        """End what was started to compare. What was found can still be asked."""
        if self._comparer is not None:
            self._comparer.close()

    def looks(self) -> Looks:
        """Return the looks of all contents in scope, and make those that are missing."""
        scope = Scope(self._settings.scope, self._settings.folders)
        contents = self._catalog.looks.contents(scope.ranges())
        looks = Looks(self._catalog, self._embedder.dim, *contents)
        make_looks(
            looks,
            self._embedder,
            is_writable=self._is_writable,
            on_progress=self._on_progress,
            stop=self._stop,
        )
        if not looks.is_complete:
            raise StoppedError
        return looks

    def candidates(self, looks: Looks) -> Candidates:
        """Return every pair that may be copies."""
        return find_candidates(looks, on_progress=self._on_progress, stop=self._stop)

    def verified(self, looks: Looks, candidates: Candidates) -> Evidence:
        """Compare candidates, and measure what a score means here."""
        comparer = Comparer(looks, self._embedder, is_writable=self._is_writable, stop=self._stop)
        self._comparer = comparer
        trials = try_different(looks, candidates.whitening, comparer)
        proof = prove_candidates(
            candidates.pairs,
            comparer,
            max_different=self._settings.wrong_groups / trials.rate,
            on_progress=self._on_progress,
        )
        recall = measure_recall(
            looks, self._embedder, candidates.whitening, is_writable=self._is_writable
        )
        curve = make_curve(proof, trials, recall, wrong_groups=self._settings.wrong_groups)
        return Evidence(looks, candidates, comparer, proof, curve)

    def groups(self, evidence: Evidence) -> Grouping:
        """Chain copies into groups."""
        barred = barred_places(self._decisions, evidence.looks.sha256s)
        accepted = accept(evidence.proof.pairs, evidence.curve)
        return group_copies(
            evidence.proof.pairs, evidence.comparer, accepted=accepted, barred=barred
        )

    def kept(self, evidence: Evidence, grouping: Grouping) -> DuplicateGroups:
        """Choose the copy of each group that is kept."""
        looks, pairs = evidence.looks, evidence.candidates.pairs
        groups = grouping.groups()
        in_groups = {place for group in groups for place in group}
        groups += [[place] for place in looks.doubles() if place not in in_groups]
        assembly = Assembly(
            looks, evidence.comparer, evidence.candidates.whitening, self._settings, grouping.links
        )
        found = assembly.groups(groups)
        shown = [group for group in found if not self._is_kept(group)]
        similar = [
            pair
            for pair in evidence.proof.pairs
            if pair.relation.verdict is Verdict.SIMILAR_SHOT
            and not grouping.is_together(pair.first, pair.second)
        ]
        return DuplicateGroups(
            shown,
            similar=assembly.similar(similar) if self._settings.similar else (),
            curve=evidence.curve,
            images=looks.n_images,
            failures=tuple(looks.failures),
            completeness=len(pairs) / (len(pairs) + pairs.n_dropped) if pairs.n_dropped else 1.0,
            hidden=len(found) - len(shown),
        )

    def _is_kept(self, group: DuplicateGroup) -> bool:
        of_group = Counter(member.image.sha256 for member in group.members)
        # The files of a group are all known to the catalog: more than those are elsewhere.
        return is_kept(of_group, self._decisions) and is_kept(
            self._catalog.decisions.count_files(of_group), self._decisions
        )


def barred_places(
    decisions: Iterable[Decision], sha256s: Sequence[bytes]
) -> Mapping[int, frozenset[int]]:
    """Return, by place, the places that the user said are different pictures."""
    place_of = {sha256.hex(): place for place, sha256 in enumerate(sha256s)}
    barred: dict[int, frozenset[int]] = {}
    for decision in decisions:
        if decision.kind == "different":
            places = {place_of[sha256] for sha256 in decision.sha256s if sha256 in place_of}
            for place in places:
                barred[place] = barred.get(place, frozenset()) | (places - {place})
    return barred


def is_kept(n_files: Mapping[str, int], decisions: Iterable[Decision]) -> bool:
    """Say whether the user decided that all files of a group stay, in one decision.

    Args:
        n_files: of each content of the group, how many files there are now, those that are out of
            the scope of the search too: which of them are new cannot be told by their bytes.
    """
    return any(d.kind == "keep" and d.is_about_all(n_files) for d in decisions)
