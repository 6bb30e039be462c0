"""What an index remembers of what its user decided and did: decisions, and the journal."""

from __future__ import annotations

import contextlib
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from mobisearch.arguments import PathArgument, as_list, real_path
from mobisearch.embedding import Embedder
from mobisearch.errors import (
    DecisionsFileError,
    DecisionsNotFoundError,
    ImageNotFoundError,
    ImageNotIndexedError,
    InvalidDecisionError,
    UnknownDecisionError,
)
from mobisearch.imaging import read_file, trash_of
from mobisearch.imaging.system_folders import TRASH_WORDS
from mobisearch.inputs import read_regular
from mobisearch.journal import Journal
from mobisearch.opened import OpenIndex
from mobisearch.store import now
from mobisearch.types import (
    DECISION_KINDS,
    Decision,
    DecodeSettings,
    FileAction,
    ImageRecord,
    PlanSummary,
)

_MARK = "mobisearch_decisions"
_VERSION = 1
_MAX_FILE_BYTES = 100_000_000
_MAX_FILES = 2**31
_KEYS = {"kind", "decided_at", "sha256"}
_SHA256 = re.compile(r"[0-9a-f]{64}")
_FEWEST = {"different": 2, "keep": 1}


class RememberingIndex(OpenIndex):
    """An open index with its decisions and its journal."""

    def decide(self, kind: str, images: Sequence[PathArgument]) -> Decision:
        """Remember something about some images, by their content.

        It holds wherever the files go and however they are called, and outlives the images.

        Args:
            kind: ``"different"``: no two of them are copies of one another; they are not shown in
                one group again. ``"keep"``: all of them stay, and all byte-identical images that
                the index has; they are shown again only when another copy joins them,
                byte-identical or not.
            images: files with the bytes of images of the index; at these paths it need not know
                them.

        Raises:
            InvalidDecisionError: the kind is unknown, or it takes more different contents.
            ImageError: a file cannot be read.
            ImageNotIndexedError: no image of the index has the bytes of a file.
            IndexLockedError, StorageError: as for ``sync``.
        """
        if kind not in DECISION_KINDS:
            raise InvalidDecisionError(f"expected one of {', '.join(DECISION_KINDS)}, got {kind!r}")
        paths = sorted({real_path(path) for path in as_list(images)})
        contents = Counter(map(self._content_of, paths))
        if len(contents) < _FEWEST[kind]:
            raise InvalidDecisionError(
                f"deciding {kind!r} takes {_FEWEST[kind]} different contents or more, got "
                f"{len(contents)}: byte-identical files are one content"
            )
        with self._writing() as catalog:
            stored = catalog.decisions
            return stored.add([(kind, stored.count_files(contents), now())])[0]

    def _content_of(self, path: PathArgument) -> str:
        """Return the SHA-256 of a file as it is now; of one that is gone, what the index knows."""
        real = real_path(path)
        try:
            sha256 = read_file(real, max_bytes=DecodeSettings().max_bytes).sha256
        except ImageNotFoundError:
            known = self._catalog.find_files([real]).get(real)
            if known is None or known.sha256 is None:
                raise
            return known.sha256
        if not self._catalog.images_of_content(sha256):
            raise ImageNotIndexedError(real)
        return sha256

    def decisions(self) -> list[Decision]:
        """Return all decisions, the oldest first."""
        return self._catalog.decisions.all()

    def outgrown_decisions(self) -> frozenset[int]:
        """Return the ids of decisions to keep that have to be made again: more files came since.

        Which of several byte-identical files they are cannot be told.
        """
        return self._catalog.decisions.outgrown()

    def images_of(self, sha256: str) -> list[str]:
        """Return the paths of the images with a content, those that are missing too."""
        return [path for _, path in self._catalog.images_of_content(sha256)]

    def forget_decisions(self, ids: Sequence[int]) -> None:
        """Forget decisions by id: all of them, or none if one does not exist.

        Raises:
            UnknownDecisionError: there is no such decision.
            IndexLockedError, StorageError: as for ``sync``.
        """
        known = {decision.id for decision in self.decisions()}
        for decision_id in ids:
            if decision_id not in known:
                raise UnknownDecisionError(decision_id)
        with self._writing() as catalog:
            catalog.decisions.forget(ids)

    def export_decisions(self) -> str:
        """Return all decisions as JSON, for ``import_decisions`` of this or another index."""
        found = [
            {
                "kind": d.kind,
                "decided_at": d.decided_at,
                "sha256": list(d.sha256s),
                "n_files": list(d.n_files),
            }
            for d in self.decisions()
        ]
        return json.dumps({_MARK: _VERSION, "decisions": found}, indent=1) + "\n"

    def import_decisions(self, path: PathArgument) -> int:
        """Take the decisions of a file that ``export_decisions`` made; return how many are new.

        Raises:
            DecisionsFileError: it is no such file; nothing was taken.
            DecisionsNotFoundError: there is none, or it cannot be read.
            IndexLockedError, StorageError: as for ``sync``.
        """
        read = _parse_decisions(real_path(path))
        with self._writing() as catalog:
            n_before = len(catalog.decisions.all())
            catalog.decisions.add(read)
            return len(catalog.decisions.all()) - n_before

    @property
    def embedder(self) -> Embedder:
        """What embeds queries and new images."""
        return self._embedder

    def images_below(self, folder: PathArgument) -> list[ImageRecord]:
        """Return the images in a folder and all folders below it, by path."""
        return self._catalog.images_below(real_path(folder))

    def holds(self, folder: PathArgument) -> bool:
        """Say whether the index knows of files below a folder, be they missing or unreadable."""
        return self._catalog.count_below(real_path(folder), "ok", "missing", "error") > 0

    def images_in_trashes(self) -> list[ImageRecord]:
        """Return the images that are in a trash of some system, by path."""
        found = self._catalog.listing.with_words(TRASH_WORDS)
        return [image for image in found if trash_of(image.path) is not None]

    def actions(self, plan: str) -> list[FileAction]:
        """Return what the journal has of a plan, by its id, the oldest first."""
        return self._catalog.actions.of_plan(plan)

    def plans(self) -> list[PlanSummary]:
        """Return what became of each plan that was begun, the newest first."""
        return self._catalog.actions.plans()

    def unsettled_actions(self) -> list[FileAction]:
        """Return the steps of all plans that were cut off, and not looked at since."""
        return self._catalog.actions.unsettled()

    @contextlib.contextmanager
    def journal(self) -> Iterator[Journal]:
        """Hold the right to write, and give the journal of what is done to files.

        Raises:
            IndexLockedError, IndexReadOnlyError, StorageError: as for ``sync``.
        """
        with self._writing() as catalog:
            try:
                yield Journal(catalog, self._embedder)
            finally:
                self._vectors.refresh(catalog)


def _parse_decisions(path: str) -> list[tuple[str, dict[str, int | None], str]]:
    try:
        data = read_regular(path, _MAX_FILE_BYTES)
    except OSError as error:
        raise DecisionsNotFoundError(path, str(error.strerror)) from error
    if len(data) > _MAX_FILE_BYTES:
        raise DecisionsFileError(path, f"is larger than {_MAX_FILE_BYTES:,} bytes")
    try:
        document = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise DecisionsFileError(path, f"is not JSON ({error})") from error
    if not isinstance(document, dict) or document.get(_MARK) != _VERSION:
        raise DecisionsFileError(path, "is no export of decisions of this version")
    listed = document.get("decisions")
    if not isinstance(listed, list):
        raise DecisionsFileError(path, "holds no list of decisions")
    return [_parse_decision(path, number, entry) for number, entry in enumerate(listed)]


def _parse_decision(path: str, number: int, entry: Any) -> tuple[str, dict[str, int | None], str]:
    where = f"decision {number}"
    if not isinstance(entry, dict) or entry.keys() - {"n_files"} != _KEYS:
        raise DecisionsFileError(path, f"{where}: expected kind, decided_at and sha256")
    kind, decided_at, contents = entry["kind"], entry["decided_at"], entry["sha256"]
    if kind not in DECISION_KINDS or not isinstance(decided_at, str) or len(decided_at) > 40:
        raise DecisionsFileError(path, f"{where}: the kind or the time makes no sense")
    if not isinstance(contents, list) or not all(
        isinstance(sha256, str) and _SHA256.fullmatch(sha256) for sha256 in contents
    ):
        raise DecisionsFileError(path, f"{where}: expected SHA-256 of contents, hexadecimal")
    if len(set(contents)) < _FEWEST[kind]:
        raise DecisionsFileError(path, f"{where}: is about too few contents")
    # Exports of before format 7 have no numbers of files.
    n_files = entry.get("n_files", [None] * len(contents))
    if (
        not isinstance(n_files, list)
        or len(n_files) != len(contents)
        or not all(n is None or (type(n) is int and 0 < n <= _MAX_FILES) for n in n_files)
    ):
        raise DecisionsFileError(path, f"{where}: expected a number of files for each content")
    return kind, dict(zip(contents, n_files, strict=True)), decided_at
