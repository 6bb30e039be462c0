"""Folders of examples: each sub-folder of a folder is a class."""

from __future__ import annotations

import os
from dataclasses import dataclass

from mobisearch.arguments import PathArgument, resolve_root
from mobisearch.errors import TrainingDataError
from mobisearch.imaging import ScannedFile, scan_folder
from mobisearch.imaging.formats import READ_EXTENSIONS, extension_of
from mobisearch.imaging.system_folders import SKIPPED_FOLDERS

_FEWEST_CLASSES = 2


@dataclass(frozen=True, slots=True)
class ExampleFile:
    """An image file, and the class that its folder says it is of, by number."""

    path: str
    class_number: int


@dataclass(frozen=True, slots=True)
class FoundExamples:
    """What is in a folder of class folders.

    Attributes:
        folder: its real absolute path.
        classes: the names of the sub-folders that hold images, sorted.
        files: class by class, each with the folders below it, sorted.
        notes: what was left out and why, a line each.
    """

    folder: str
    classes: tuple[str, ...]
    files: tuple[ExampleFile, ...]
    notes: tuple[str, ...]


def find_examples(folder: PathArgument) -> FoundExamples:
    """List the images in the sub-folders of a folder; nothing is read.

    Files that are no images are left alone. Sub-folders without images, and images that are in no
    sub-folder, are left out, and the notes say so. Hidden folders and links are not entered.

    Raises:
        RootUnavailableError: there is no such folder.
        TrainingDataError: fewer than two sub-folders hold images.
    """
    root = resolve_root(folder)
    notes: list[str] = []
    found: dict[str, list[str]] = {}
    n_loose = 0
    try:
        with os.scandir(root) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError as error:
        raise TrainingDataError(root, f"cannot be read ({error.strerror})") from error
    for entry in entries:
        if entry.name.startswith(".") or entry.name.lower() in SKIPPED_FOLDERS:
            continue
        if not entry.is_dir(follow_symlinks=False):
            n_loose += entry.is_file() and extension_of(entry.name) in READ_EXTENSIONS
            continue
        paths = _images_in(entry.path, notes)
        if paths:
            found[entry.name] = paths
        else:
            notes.append(f"{entry.path}: holds no images, and is no class")
    if n_loose:
        notes.append(f"{root}: {n_loose:,} images are in no class folder, and were left out")
    if len(found) < _FEWEST_CLASSES:
        names = ", ".join(found) or "none"
        raise TrainingDataError(
            root,
            f"expected a sub-folder with images for each of two classes or more, found {names}; "
            "make one folder for each class",
        )
    files = tuple(
        ExampleFile(path, number) for number, paths in enumerate(found.values()) for path in paths
    )
    return FoundExamples(root, tuple(found), files, tuple(notes))


def _images_in(folder: str, notes: list[str]) -> list[str]:
    paths: list[str] = []
    for finding in scan_folder(folder):
        if not isinstance(finding, ScannedFile):
            notes.append(f"{finding.path}: {finding.reason}")
        elif finding.is_supported:
            paths.append(finding.path)
        else:
            notes.append(f"{finding.path}: files of this kind are not read")
    return paths
