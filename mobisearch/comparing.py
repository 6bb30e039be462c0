"""An open index in which copies can be found."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mobisearch.errors import IndexLockedError, IndexReadOnlyError
from mobisearch.remembering import RememberingIndex
from mobisearch.store import Catalog
from mobisearch.types import DuplicateSettings, OnProgress

if TYPE_CHECKING:
    from mobisearch.duplicates import DuplicateGroups


class ComparingIndex(RememberingIndex):
    """An open index whose images can be compared with one another."""

    def duplicates(
        self,
        settings: DuplicateSettings | None = None,
        *,
        on_progress: OnProgress | None = None,
        stop: threading.Event | None = None,
    ) -> DuplicateGroups:
        """Find groups of images that are copies of one another.

        Each image is looked at when copies are first looked for, and each pair of candidates is
        compared once; both are kept in the index, so that the next call is quick. Photos are only
        read. The same images give the same groups on every run.

        Where the index cannot be written, because of its place or because another process is
        writing, nothing is kept, and the result says so.

        Args:
            settings: what to look for; None takes the defaults.
            on_progress: called after every few hundred images or pairs.
            stop: set it, from another thread or a signal handler, to end early: what is begun is
                finished and stored.

        Raises:
            QueryError: the settings make no sense: see :class:`InvalidWrongGroupsError`,
                :class:`InvalidScopeError`, :class:`UnknownKeepRuleError` and
                :class:`FolderNotIndexedError`.
            ModelError: the network cannot be used.
            StorageError: the disk is full or failing.
        """
        # Here, since it loads OpenCV, and opening an index for a search is to stay quick.
        from mobisearch.duplicates import CopyFinder, DuplicateGroups, StoppedError

        with self._writing_if_possible() as (catalog, warnings):
            finder = CopyFinder(
                catalog,
                self._embedder,
                settings or DuplicateSettings(),
                is_writable=not warnings,
                on_progress=on_progress,
                stop=stop,
            )
            try:
                looks = finder.looks()
                candidates = finder.candidates(looks)
                evidence = finder.verified(looks, candidates)
                grouping = finder.groups(evidence)
                found = finder.kept(evidence, grouping)
            except StoppedError:
                found = DuplicateGroups(interrupted=True)
            finally:
                finder.close()
        found.warnings = warnings
        return found

    @contextlib.contextmanager
    def _writing_if_possible(self) -> Iterator[tuple[Catalog, tuple[str, ...]]]:
        """Hold the catalog, to write if that is possible, and say why not if it is not."""
        with contextlib.ExitStack() as stack:
            catalog: Catalog = self._catalog
            warnings: tuple[str, ...] = ()
            try:
                catalog = stack.enter_context(self._writing())
            except (IndexLockedError, IndexReadOnlyError) as error:
                warnings = (f"what was found out is not kept for the next time: {error}",)
            yield catalog, warnings
