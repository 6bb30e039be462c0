"""``mobisearch index``: make an index, or bring it up to date."""

from __future__ import annotations

import dataclasses

import click

import mobisearch
from mobisearch.cli import exit_codes
from mobisearch.cli.options import common_options
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
from mobisearch.text import printable
from mobisearch.types import DecodeSettings, SyncReport

_SEEN = ("added", "updated", "moved", "returned", "unchanged", "failed")
_SHOWN = 10
_MIN_FOR_RATE = 100  # fewer say more about loading the network than about images


@click.command("index")
@click.argument("folders", nargs=-1, required=True, metavar="FOLDER...")
@click.option(
    "--exclude",
    multiple=True,
    metavar="PATTERN",
    help="Leave out files and folders whose name or path matches, such as '*.gif'. Repeatable.",
)
@click.option("--hidden", is_flag=True, help="Also take what begins with a dot.")
@click.option("--follow", is_flag=True, help="Follow symbolic links.")
@click.option("--prune", is_flag=True, help="Forget images whose files are gone.")
@click.option("--exact", is_flag=True, help="Decode large JPEGs at full size: slower.")
@common_options
def index_command(
    folders: tuple[str, ...],
    exclude: tuple[str, ...],
    hidden: bool,
    follow: bool,
    prune: bool,
    exact: bool,
    index_path: str,
    as_json: bool,
) -> int:
    """Index folders of photos, or bring an index up to date with them.

    New and changed images are read; unchanged ones are not. Photos are never touched. Exit code 1
    says that some files cannot be indexed: 'mobisearch errors' lists them.
    """
    from mobisearch.arguments import resolve_root
    from mobisearch.imaging import ScanSettings

    for folder in folders:
        resolve_root(folder)  # before an index is made for a folder that does not exist
    scan = ScanSettings(exclude=exclude, hidden=hidden, follow=follow)
    with _open_or_create(index_path, exact=exact) as index, ProgressBar() as bar:
        report = index.sync(*folders, prune=prune, scan=scan, on_progress=bar)
        n_images = len(index)
    if as_json:
        print_json(_document(report, n_images))
    else:
        print_line(_summary(report, n_images))
    _explain(report, index_path)
    if not any(getattr(report, name) for name in (*_SEEN, "missing")):
        print_message(f"no images were found in {', '.join(folders)}")
    return exit_codes.SOME_FAILED if report.failed else exit_codes.OK


def _open_or_create(path: str, *, exact: bool) -> mobisearch.ImageIndex:
    settings = DecodeSettings(exact=exact)
    try:
        with mobisearch.ImageIndex.open(path) as index:
            name = index.status().model
    except IndexNotFoundError:
        print_note("making a new index, loading the network ...")
        return mobisearch.ImageIndex.create(path, mobisearch.Embedder(settings=settings))
    return mobisearch.ImageIndex.open(path, mobisearch.Embedder(name, settings=settings))


def _document(report: SyncReport, n_images: int) -> dict[str, object]:
    counts = {
        field.name: getattr(report, field.name)
        for field in dataclasses.fields(report)
        if field.name not in ("failures", "warnings")
    }
    failures = [{**json_path(f.path), "code": f.code, "reason": f.reason} for f in report.failures]
    warnings = [printable(warning) for warning in report.warnings]
    return {**counts, "images": n_images, "failures": failures, "warnings": warnings}


def _summary(report: SyncReport, n_images: int) -> str:
    names = ("added", "updated", "moved", "returned", "unchanged", "missing", "pruned", "failed")
    always = ("added", "unchanged", "failed")
    parts = [
        f"{getattr(report, name):,} {name}"
        for name in names
        if getattr(report, name) or name in always
    ]
    n_read = report.added + report.updated
    rate = f", {n_read / report.seconds:.0f} images/s" if n_read >= _MIN_FOR_RATE else ""
    return (
        f"{', '.join(parts)} in {report.seconds:.1f} s{rate}; the index holds {n_images:,} images"
    )


def _explain(report: SyncReport, index_path: str) -> None:
    for warning in report.warnings[:_SHOWN]:
        print_message(f"note: {warning}")
    if len(report.warnings) > _SHOWN:
        print_message(f"note: and {len(report.warnings) - _SHOWN:,} more like these")
    for failure in report.failures[:_SHOWN]:
        print_message(f"failed: {failure.path}: {failure.reason}")
    if report.failed > min(len(report.failures), _SHOWN):
        command = f"mobisearch errors{index_option(index_path)}"
        print_message(f"{report.failed:,} files cannot be indexed; list them with: {command}")
