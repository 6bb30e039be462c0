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
from mobisearch.text import counted
from mobisearch.types import RuntimeSettings

if TYPE_CHECKING:
    from mobisearch.cleanup import CoveredPhoto, CoverReport, OtherFile

_NOT_COMPARED = "not compared"
_NOTHING = (
    "no photos and no films: there was nothing to compare; is it the right folder, and is the card "
    "or drive there?"
)
_SAME = "same file"
_LACKED = "not in library"
_FILMS = "films and sound files"
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
    help="List the photos and films that are covered too, and what was not compared.",
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
    """Say which photos and films of FOLDER have an equal or better copy in the library.

    To ask before a card or a backup is wiped. FOLDER need not be indexed, and nothing in it is
    changed. Every copy that counts is read again now. Exit code 0: all photos, films and sound
    files are covered; 1: some are not, or something cannot be read; 66: there are none. Covered are
    'same file', 'same pixels' and 'better in library'. A hard link is no copy, and neither is what
    is in a trash. Hidden files are looked at, and pictures whose names are of something else. Files
    that cannot be compared, such as RAW, films and sound, are looked for byte by byte in the
    folders of the library. Files of other kinds, and pictures in FOLDER's own trash and folders of
    thumbnails, are counted, but keep nothing from being covered.
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
        if report.is_empty:
            print_message(_NOTHING)
    else:
        _print(report, shows_all=shows_all)
    for warning in report.warnings:
        print_message(f"note: {warning}")
    if report.interrupted:
        print_message("mobisearch: interrupted; this is not all of it")
        return exit_codes.INTERRUPTED
    if report.is_empty:
        return exit_codes.INPUT_MISSING
    return exit_codes.OK if report.ok else exit_codes.SOME_FAILED


def _print(report: CoverReport, *, shows_all: bool) -> None:
    for photo in report.photos:
        if photo.status.is_covered and not shows_all:
            continue
        copy = f"  <- {photo.copy}" if photo.copy else ""
        reason = f"  ({photo.reason})" if photo.reason else ""
        print_line(f"{photo.status.value:24} {photo.path}{copy}{reason}")
    counts = Counter(photo.status for photo in report.photos)
    parts = ", ".join(f"{n:,} {status.value}" for status, n in sorted(counts.items()))
    for other in report.others:
        if shows_all or _is_lacked(other):
            print_line(_other_line(other))
    if report.photos:
        n_covered = sum(n for status, n in counts.items() if status.is_covered)
        print_line(f"{_of_all(n_covered, len(report.photos), 'photo')} covered: {parts}")
    if report.films:
        n_covered = sum(film.copy is not None for film in report.films)
        of_all = _of_all(n_covered, len(report.films), "film or sound file", _FILMS)
        print_line(f"{of_all} covered by a file of the same bytes")
    if report.is_empty:
        print_line(_NOTHING)
    if report.other_pictures:
        folders = [other.path for other in report.others if other.pictures]
        more = f" and {len(folders) - 1:,} more" if len(folders) > 1 else ""
        print_line(
            f"{counted(report.other_pictures, 'picture')} in folders of trash and thumbnails "
            f"{_were(report.other_pictures)} not compared: {folders[0]}{more}"
        )
    _print_other_files(report, named="" if shows_all else "; --all names them")


def _print_other_files(report: CoverReport, *, named: str) -> None:
    """Say of the files that are neither pictures nor films how many of them the library has."""
    others = [other for other in report.others if not other.is_folder and not other.is_film]
    n_covered = sum(other.copy is not None for other in others)
    n_left = len(others) - n_covered
    if n_covered:
        has = "has" if n_covered == 1 else "have"
        print_message(
            f"{counted(n_covered, 'other file')} in the folder, no photos and no films, {has} a "
            "file of the same bytes in the library"
        )
    if n_left:
        print_message(
            f"{counted(n_left, 'other file')} in the folder, no photos and no films, "
            f"{_were(n_left)} not compared, and no file of the same bytes is in the library{named}"
        )


def _of_all(n_covered: int, n: int, noun: str, plural: str = "") -> str:
    return f"{n_covered:,} of {counted(n, noun, plural)} {'is' if n == 1 else 'are'}"


def _is_lacked(other: OtherFile) -> bool:
    return other.is_film and other.copy is None


def _other_line(other: OtherFile) -> str:
    if other.copy is not None:
        return f"{_SAME:24} {other.path}  <- {other.copy}"
    if other.is_film:
        return f"{_LACKED:24} {other.path}  ({other.reason}; none there has the same bytes)"
    n_inside = f", {counted(other.pictures, 'picture')}" if other.is_folder else ""
    return f"{_NOT_COMPARED:24} {other.path}  ({other.reason}{n_inside})"


def _were(n: int) -> str:
    return "was" if n == 1 else "were"


def _document(report: CoverReport, *, shows_all: bool) -> dict[str, object]:
    counts = Counter(str(photo.status) for photo in report.photos)
    return {
        "photos": len(report.photos),
        "covered": sum(photo.status.is_covered for photo in report.photos),
        "counts": dict(sorted(counts.items())),
        "films": len(report.films),
        "films_covered": sum(film.copy is not None for film in report.films),
        "films_lacked": [json_path(film.path) for film in report.films if _is_lacked(film)],
        "other_files": report.other_files,
        "other_covered": report.other_covered,
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
        "is_film": other.is_film,
        "pictures": other.pictures,
        **_copy(other.copy),
    }


def _photo(photo: CoveredPhoto) -> dict[str, object]:
    document: dict[str, object] = {
        **json_path(photo.path),
        "status": str(photo.status),
        "covered": photo.status.is_covered,
        "verdict": None if photo.verdict is None else str(photo.verdict),
        "reason": photo.reason,
    }
    return document | _copy(photo.copy)


def _copy(path: str | None) -> dict[str, object]:
    fields = {"path": None} if path is None else json_path(path)
    return {name.replace("path", "copy"): value for name, value in fields.items()}
