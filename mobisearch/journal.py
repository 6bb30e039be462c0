"""What clearing away copies may do to an index: write its journal, and let files go and return."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence

from mobisearch.embedding import Embedder
from mobisearch.imaging.formats import READ_EXTENSIONS, extension_of
from mobisearch.store import CatalogWriter, now
from mobisearch.sync import Synchroniser
from mobisearch.text import printable
from mobisearch.types import FileAction


class Journal:
    """The journal of an index, held open by the one process that writes.

    Whatever a method has written is on the disk when it returns.
    """

    def __init__(self, catalog: CatalogWriter, embedder: Embedder) -> None:
        """Use ``ImageIndex.journal`` instead."""
        self._catalog = catalog
        self._embedder = embedder

    def of_plan(self, plan: str) -> list[FileAction]:
        """Return all steps that were begun for a plan, the oldest first."""
        return self._catalog.actions.of_plan(plan)

    def unsettled(self) -> list[FileAction]:
        """Return the steps, of any plan, of which it is not known how they ended."""
        return self._catalog.actions.unsettled()

    def begin(self, action: FileAction) -> FileAction:
        """Write down what is about to be done; return it with its id."""
        return dataclasses.replace(action, id=self._catalog.actions.begin(action), state="begun")

    def settle(
        self,
        action: FileAction,
        state: str,
        *,
        reason: str | None = None,
        destination: str | None = None,
        restored: str | None = None,
    ) -> FileAction:
        """Write down how a step stands now.

        A file that is done with is not found by searches any more, and counts as missing, so that
        it returns with its embedding. One that became a hard link is forgotten by the next sync: it
        is another name of the image that stays.
        """
        is_done = state == "done" and action.state == "begun"
        self._catalog.actions.settle(
            action.id,
            state,
            reason=None if reason is None else printable(reason),  # it may hold any path
            destination=destination,
            restored=restored,
            missing=[action.path] if is_done else (),
        )
        return dataclasses.replace(
            action,
            state=state,
            reason=reason,
            destination=action.destination if destination is None else destination,
            restored=action.restored if restored is None else restored,
        )

    def remember(self, decisions: Sequence[tuple[str, Mapping[str, int]]]) -> None:
        """Store decisions, each a kind and contents by SHA-256 with their numbers of files."""
        if decisions:
            stored = self._catalog.decisions
            stored.add([(kind, stored.count_files(found), now()) for kind, found in decisions])

    def take_back(self, returned: Mapping[str, str]) -> None:
        """Let images that returned be found again; known contents are not embedded a second time.

        What was no image of the index, and would be none by its name and folder, is left out: a
        companion of an image returns with it, and is none.

        Args:
            returned: where files are now, each with its path before it went.
        """
        known = self._catalog.find_files(list(returned.values()))
        images = {path for path, file in known.items() if file.sha256 is not None}
        roots = tuple(os.path.join(root, "") for root in self._catalog.roots())
        wanted = [
            path
            for path, before in returned.items()
            if before in images
            or (extension_of(path) in READ_EXTENSIONS and path.startswith(roots))
        ]
        if wanted:
            Synchroniser(self._catalog, self._embedder).add(wanted)
