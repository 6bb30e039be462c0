"""``mobisearch cover``: is everything in this folder in my library already?"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import click

from mobisearch.cli import exit_codes
from mobisearch.cli.interrupts import stop_on_signals
from mobisearch.cli.opening import open_warm
from mobisearch.cli.options import common_options, runtime_options
from mobisearch.cli.output import json_path, print_json, print_line, print_message
from mobisearch.cli.progress import StagedProgress
from mobisearch.types import RuntimeSettings

if TYPE_CHECKING:
    from mobisearch.cleanup import CoveredPhoto, CoverReport, OtherFile

_NOT_COMPARED = "not compared"
_SHOWN = 10


@click.command("cover")
@click.argument("folder", metavar="FOLDER")
@click.option(
    "--by",
    "libraries",
    multiple=True,
    metavar="LIBRARY",
    help="Only count copies in this folder of the index. Repeatable; without it, all of the index "
    "that is outside of FOLDER.",
)
@click.option(
    "--all",
    "shows_all",
    is_flag=True,
    help="List the photos that are covered too, and what was not compared.",
)
@runtime_options
@common_options
def cover_command(
    folder: str,
    libraries: tuple[str, ...],
    shows_all: bool,
    runtime_settings: RuntimeSettings,
    index_path: str,
    as_json: bool,
) -> int:
    """Say which photos of FOLDER have an equal or better copy in the library.

    To ask before a card or a backup is wiped. FOLDER need not be indexed, and nothing in it is
    changed. Every copy that counts is read again now. Exit code 0: all photos are covered; 1: some
    are not, or something cannot be read. Covered are 'same file', 'same pixels' and 'better in
    library'. A hard link is no copy, and neither is what is in a trash. Hidden files are looked at,
    and pictures whose names are of something else. Films and other files are counted, but not
    compared, and neither are pictures in FOLDER's own folders of trash and thumbnails.
    """
    from mobisearch.cleanup import cover_folder

    with (
        open_warm(index_path, runtime_settings) as index,
        stop_on_signals("stopping; what is said would not be complete") as stop,
        StagedProgress() as bar,
    ):
        report = cover_folder(index, folder, libraries, on_progress=bar, stop=stop)
    if as_json:
        print_json(_document(report, shows_all=shows_all))
    else:
        _print(report, shows_all=shows_all)
    for warning in report.warnings:
        print_message(f"note: {warning}")
    if report.interrupted:
        print_message("mobisearch: interrupted; this is not all of it")
        return exit_codes.INTERRUPTED
    return exit_codes.OK if report.ok else exit_codes.SOME_FAILED


def _print(report: CoverReport, *, shows_all: bool) -> None:
    for photo in report.photos:
        if photo.status.is_covered and not shows_all:
            continue
        copy = f"  <- {photo.copy}" if photo.copy else ""
        reason = f"  ({photo.reason})" if photo.reason else ""
        print_line(f"{photo.status.value:24} {photo.path}{copy}{reason}")
    counts = Counter(photo.status for photo in report.photos)
    n_covered = sum(n for status, n in counts.items() if status.is_covered)
    n_photos = len(report.photos)
    parts = ", ".join(f"{n:,} {status.value}" for status, n in sorted(counts.items()))
    if shows_all:
        for other in report.others:
            n_inside = f", {other.pictures:,} pictures" if other.is_folder else ""
            print_line(f"{_NOT_COMPARED:24} {other.path}  ({other.reason}{n_inside})")
    if n_photos:
        print_line(f"{n_covered:,} of {n_photos:,} photos are covered: {parts}")
    else:
        print_line("no photos")
    named = "" if shows_all or not report.others else "; --all names them"
    if report.other_pictures:
        folders = [other.path for other in report.others if other.pictures]
        more = f" and {len(folders) - 1:,} more" if len(folders) > 1 else ""
        print_line(
            f"{report.other_pictures:,} pictures in folders of trash and thumbnails were not "
            f"compared: {folders[0]}{more}"
        )
    if report.other_files:
        print_message(
            f"{report.other_files:,} other files in the folder, such as films, were not compared"
            f"{named}"
        )


def _document(report: CoverReport, *, shows_all: bool) -> dict[str, object]:
    counts = Counter(str(photo.status) for photo in report.photos)
    return {
        "photos": len(report.photos),
        "covered": sum(photo.status.is_covered for photo in report.photos),
        "counts": dict(sorted(counts.items())),
        "other_files": report.other_files,
        "other_pictures": report.other_pictures,
        "others": [_other(other) for other in report.others[: None if shows_all else _SHOWN]],
        "interrupted": report.interrupted,
        "images": [_photo(photo) for photo in report.photos],
    }


def _other(other: OtherFile) -> dict[str, object]:
    return {
        **json_path(other.path),
        "reason": other.reason,
        "is_folder": other.is_folder,
        "pictures": other.pictures,
    }


def _photo(photo: CoveredPhoto) -> dict[str, object]:
    document: dict[str, object] = {
        **json_path(photo.path),
        "status": str(photo.status),
        "covered": photo.status.is_covered,
        "verdict": None if photo.verdict is None else str(photo.verdict),
        "reason": photo.reason,
    }
    copy = {"path": None} if photo.copy is None else json_path(photo.copy)
    document["copy"] = copy["path"]
    if "path_b64" in copy:
        document["copy_b64"] = copy["path_b64"]
    return document
