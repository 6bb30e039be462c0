"""``mobisearch index``: make an index, or bring it up to date."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence

import click

import mobisearch
from mobisearch.cli import exit_codes
from mobisearch.cli.interrupts import stop_on_signals
from mobisearch.cli.options import common_options, decode_options, model_options, runtime_options
from mobisearch.cli.output import (
    index_option,
    json_path,
    print_json,
    print_line,
    print_message,
    print_note,
)
from mobisearch.cli.progress import ProgressBar
from mobisearch.errors import IndexNotFoundError
from mobisearch.text import counted, printable
from mobisearch.types import DecodeSettings, FileFailure, RuntimeSettings, SyncReport

_SEEN = ("added", "updated", "moved", "returned", "unchanged", "failed")
_SECOND_NAME = (
    "second name of a file (such as a hard link)",
    "second names of files (such as hard links)",
)
_SHOWN = 10
_MIN_FOR_RATE = 100  # fewer say more about loading the network than about images


@click.command("index")
@click.argument("folders", nargs=-1, metavar="[FOLDER]...")
@click.option(
    "--exclude",
    multiple=True,
    metavar="PATTERN",
    help="Leave out files and folders whose name or path matches, such as '*.gif'. Repeatable.",
)
@click.option("--hidden/--no-hidden", default=None, help="Also take what begins with a dot.")
@click.option("--follow/--no-follow", default=None, help="Follow symbolic links.")
@click.option("--prune", is_flag=True, help="Forget images whose files are gone.")
@click.option(
    "--recall",
    type=float,
    metavar="R",
    help="Beyond 20,000 images, let searches find this share of the true best ten; remembered. "
    "0.99 at first, 1 compares with every image.",
)
@click.option("--rehash", is_flag=True, help="Read every file again, whatever its size and times.")
@model_options
@decode_options
@runtime_options
@common_options
def index_command(
    folders: tuple[str, ...],
    exclude: tuple[str, ...],
    hidden: bool | None,
    follow: bool | None,
    prune: bool,
    recall: float | None,
    rehash: bool,
    model: str | None,
    settings: DecodeSettings,
    runtime_settings: RuntimeSettings,
    index_path: str,
    as_json: bool,
) -> int:
    """Index folders of photos, or bring an index up to date with them.

    New and changed images are read; unchanged ones are not. Photos are never touched. Without a
    FOLDER, all that the index knows are brought up to date. What --exclude, --hidden and --follow
    say is remembered for each folder until one of them is given again. --model is for a new index,
    which keeps to it. Exit code 1 says that some
    files cannot be indexed: 'mobisearch errors' lists them; or that a folder cannot be read.
    """
    from mobisearch.arguments import checked_recall, resolve_roots
    from mobisearch.imaging import ScanSettings

    if recall is not None:
        checked_recall(recall)
    if folders:
        resolve_roots(folders)  # before an index is made for folders that do not exist
    scan = None
    if exclude or hidden is not None or follow is not None:
        scan = ScanSettings(exclude=exclude, hidden=bool(hidden), follow=bool(follow))
    with _opened(index_path, model, settings, runtime_settings, may_create=bool(folders)) as index:
        if not folders and not index.status().roots:
            raise click.UsageError("the index has no folders yet: name one")
        if recall is not None:
            index.tune(recall)
        if index.unsettled_actions():
            from mobisearch.cleanup import settle_interrupted

            for line in settle_interrupted(index):
                print_message(f"note: {line}")
        with stop_on_signals() as stop, ProgressBar() as bar:
            report = index.sync(
                *folders, prune=prune, rehash=rehash, scan=scan, on_progress=bar, stop=stop
            )
        return show_report(report, index, index_path, as_json=as_json)


def _opened(
    path: str,
    model: str | None,
    settings: DecodeSettings,
    runtime: RuntimeSettings,
    *,
    may_create: bool,
) -> mobisearch.ImageIndex:
    try:
        return mobisearch.ImageIndex.open(path, model, settings=settings, runtime=runtime)
    except IndexNotFoundError:
        if not may_create:
            raise
    print_note("making a new index, loading the network ...")
    from mobisearch.models import DEFAULT_MODEL

    chosen = model or DEFAULT_MODEL
    embedder = mobisearch.Embedder(chosen, settings=settings, runtime=runtime)
    return mobisearch.ImageIndex.create(path, embedder)


def show_report(
    report: SyncReport, index: mobisearch.ImageIndex, index_path: str, *, as_json: bool
) -> int:
    """Print what a run found and did, and return its exit code."""
    by_code = Counter(failure.code for failure in index.errors())
    if as_json:
        print_json({**_document(report, len(index)), "errors": dict(by_code.most_common())})
    else:
        print_line(_summary(report, len(index)))
    _explain(report, by_code, index_path)
    if report.interrupted:
        print_message("mobisearch: interrupted; what was finished is kept, run it again to go on")
        return exit_codes.INTERRUPTED
    if report.unavailable:
        return exit_codes.INPUT_MISSING
    if not any(getattr(report, name) for name in (*_SEEN, "missing")):
        print_message("no images were found")
    return exit_codes.SOME_FAILED if report.failed or report.unreadable else exit_codes.OK


def _document(report: SyncReport, n_images: int) -> dict[str, object]:
    counts = {
        field.name: getattr(report, field.name)
        for field in dataclasses.fields(report)
        if field.name not in ("failures", "warnings", "unavailable", "unreadable")
    }
    warnings = [printable(warning) for warning in report.warnings]
    unavailable = [printable(line) for line in report.unavailable]
    return {
        **counts,
        "images": n_images,
        "failures": _failures(report.failures),
        "warnings": warnings,
        "unavailable": unavailable,
        "unreadable": _failures(report.unreadable),
    }


def _failures(failures: Sequence[FileFailure]) -> list[dict[str, object]]:
    return [{**json_path(f.path), "code": f.code, "reason": f.reason} for f in failures]


def _summary(report: SyncReport, n_images: int) -> str:
    names = (*_SEEN[:-1], "doubles", "missing", "pruned", "failed")
    always = ("added", "unchanged", "failed")
    parts = [
        counted(n, *_SECOND_NAME) if name == "doubles" else f"{n:,} {name}"
        for name in names
        if (n := getattr(report, name)) or name in always
    ]
    n_read = report.added + report.updated
    rate = f", {n_read / report.seconds:.0f} images/s" if n_read >= _MIN_FOR_RATE else ""
    holds = f"the index holds {counted(n_images, 'image')}"
    return f"{', '.join(parts)} in {report.seconds:.1f} s{rate}; {holds}"


def _explain(report: SyncReport, by_code: Counter[str], index_path: str) -> None:
    for line in report.unavailable:
        print_message(f"not available, left as it is in the index: {line}")
    unreadable = [f"{failure.path}: {failure.reason}" for failure in report.unreadable]
    for line in unreadable[:_SHOWN]:
        print_message(f"not read, what is in it is left as it was: {line}")
    if len(unreadable) > _SHOWN:
        print_message(f"not read: and {len(unreadable) - _SHOWN:,} more like these")
    notes = [warning for warning in report.warnings if warning not in unreadable]
    for note in notes[:_SHOWN]:
        print_message(f"note: {note}")
    if len(notes) > _SHOWN:
        print_message(f"note: and {len(notes) - _SHOWN:,} more like these")
    for failure in report.failures[:_SHOWN]:
        print_message(f"failed: {failure.path}: {failure.reason}")
    if report.failed > min(len(report.failures), _SHOWN):
        codes = ", ".join(f"{n:,} {code}" for code, n in by_code.most_common())
        command = f"mobisearch errors{index_option(index_path)}"
        print_message(
            f"{counted(by_code.total(), 'file')} cannot be indexed ({codes}); list them with: "
            f"{command}"
        )
