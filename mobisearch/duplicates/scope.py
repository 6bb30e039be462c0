"""What is asked, checked, and which images and groups it concerns."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mobisearch.arguments import as_list, real_path
from mobisearch.duplicates.keep_rules import is_inside, parse_rules
from mobisearch.errors import (
    FolderNotIndexedError,
    InvalidScopeError,
    InvalidWrongGroupsError,
)
from mobisearch.store import Catalog, path_range
from mobisearch.types import DuplicateSettings, ImageRecord
from mobisearch.types.duplicates import MAX_WRONG_GROUPS, SCOPES


@dataclass(frozen=True, slots=True)
class Scope:
    """Which images take part.

    Attributes:
        kind: one of :data:`SCOPES`.
        folders: real absolute paths.
    """

    kind: str
    folders: tuple[str, ...]

    def ranges(self) -> list[tuple[bytes, bytes]]:
        """Return the ranges of paths that are looked at; none means all."""
        if self.kind == "new":
            return []
        inner = [f for f in self.folders if is_inside(os.path.dirname(f), self.folders)]
        return [path_range(folder) for folder in self.folders if folder not in inner]

    def divide(self, images: Sequence[ImageRecord]) -> list[list[ImageRecord]]:
        """Return the images of a group that are one group in this scope: several, one, or none."""
        if not self.folders:
            return _of_two(images)
        inside = [image for image in images if is_inside(image.path, self.folders)]
        if self.kind == "new":
            return [list(images)] if 0 < len(inside) < len(images) else []
        by_folder: dict[int, list[ImageRecord]] = {}
        for image in inside:
            by_folder.setdefault(self._folder_of(image.path), []).append(image)
        if self.kind == "within":
            return [part for key in sorted(by_folder) for part in _of_two(by_folder[key])]
        if self.kind == "across" and len(by_folder) < 2:
            return []
        return _of_two(inside)

    def candidates_to_keep(self, images: Sequence[ImageRecord]) -> list[ImageRecord]:
        """Return those of a group of which one may be kept."""
        if self.kind != "new":
            return list(images)
        return [image for image in images if not is_inside(image.path, self.folders)]

    def copies(self, images: Sequence[ImageRecord], keep: ImageRecord) -> list[ImageRecord]:
        """Return those of a group that are copies of the one that is kept."""
        others = [image for image in images if image.id != keep.id]
        if self.kind != "new":
            return others
        return [image for image in others if is_inside(image.path, self.folders)]

    def pair(
        self, first: Sequence[ImageRecord], second: Sequence[ImageRecord]
    ) -> tuple[ImageRecord, ImageRecord] | None:
        """Return an image of each of two contents that are shown together here, if there are."""
        for one in self._one_of_each_folder(first):
            for other in self._one_of_each_folder(second):
                if self.divide([one, other]):
                    return one, other
        return None

    def _one_of_each_folder(self, images: Sequence[ImageRecord]) -> list[ImageRecord]:
        found: dict[int, ImageRecord] = {}
        for image in images:
            found.setdefault(self._folder_of(image.path), image)
        return list(found.values())

    def _folder_of(self, path: str) -> int:
        """Return the number of the innermost folder that a path is in; -1 for none."""
        inner = [n for n, folder in enumerate(self.folders) if is_inside(path, (folder,))]
        return max(inner, key=lambda n: (len(self.folders[n]), -n), default=-1)


def check_settings(settings: DuplicateSettings, catalog: Catalog) -> DuplicateSettings:
    """Return settings with real absolute folders.

    Raises:
        InvalidWrongGroupsError: the number of wrong groups is not one above 0, up to a million.
        InvalidScopeError: there is no such scope, or it lacks its folders.
        UnknownKeepRuleError: there is no such rule.
        FolderNotIndexedError: nothing of a folder is in the index, be it one to look at, to protect
            or to prefer.
    """
    wrong = settings.wrong_groups
    is_number = isinstance(wrong, int | float | np.integer | np.floating)
    if isinstance(wrong, bool) or not is_number or not 0 < wrong <= MAX_WRONG_GROUPS:
        raise InvalidWrongGroupsError(wrong)
    if settings.scope not in SCOPES:
        raise InvalidScopeError(settings.scope, SCOPES)
    n_needed = {"within": 1, "across": 2, "new": 1}.get(settings.scope, 0)
    folders = tuple(dict.fromkeys(map(real_path, as_list(settings.folders))))
    if len(folders) < n_needed:
        raise InvalidScopeError(
            settings.scope,
            SCOPES,
            f"the scope {settings.scope!r} takes {n_needed} folders or more, got {len(folders)}",
        )
    parse_rules(settings.keep)
    protect = tuple(map(real_path, as_list(settings.protect)))
    named = [real_path(rule[5:]) for rule in settings.keep if rule.startswith("path:")]
    # A misspelt folder would protect nothing: it has to be one that is in the index.
    for folder in (*folders, *protect, *named):
        if not catalog.count_below(folder, "ok", "missing", "error"):
            raise FolderNotIndexedError(folder)
    return DuplicateSettings(
        wrong_groups=float(wrong),
        keep=tuple(settings.keep),
        protect=protect,
        folders=folders,
        scope=settings.scope,
        similar=settings.similar,
    )


def _of_two(images: Sequence[ImageRecord]) -> list[list[ImageRecord]]:
    return [list(images)] if len(images) > 1 else []
