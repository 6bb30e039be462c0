"""``mobisearch status``, ``errors`` and ``verify``: looking at an index, and mending it."""

from __future__ import annotations

import contextlib
import dataclasses

import click

import mobisearch
from mobisearch.cli import exit_codes
from mobisearch.cli.indexing import show_report
from mobisearch.cli.interrupts import stop_on_signals
from mobisearch.cli.options import common_options, decode_options, runtime_options
from mobisearch.cli.output import (
    format_bytes,
    json_path,
    print_json,
    print_line,
    print_message,
    print_paths,
)
from mobisearch.cli.progress import ProgressBar
from mobisearch.errors import ModelError
from mobisearch.text import counted, printable
from mobisearch.types import DecodeSettings, IndexStatus, RepairReport, RuntimeSettings

_LINES = ("damage", "stale")  # of a report on a check
_SHOWN = 10


@click.command("status")
@common_options
def status_command(index_path: str, as_json: bool) -> int:
    """Show what an index holds."""
    with mobisearch.ImageIndex.open(index_path) as index:
        status = index.status()
    if as_json:
        document = dataclasses.asdict(status)
        print_json(
            {**document, **json_path(status.path), "roots": [json_path(r) for r in status.roots]}
        )
        return exit_codes.OK
    sizes = (
        f"{format_bytes(status.catalog_bytes)} catalog, {format_bytes(status.cache_bytes)} cache"
    )
    rows = {
        "index": status.path,
        "images": f"{status.images:,} ({status.contents:,} different)",
        "missing": f"{status.missing:,}",
        "errors": f"{status.errors:,}",
        "model": f"{status.model}, {status.dim} values, fingerprint {status.fingerprint[:12]}",
        "labels": _labels_line(status),
        "size": sizes,
        "search": _search_line(status),
        "created": status.created_at,
        "last sync": status.last_sync_at or "never",
    }
    for name, value in rows.items():
        print_line(f"{name:10} {value}")
    for root in status.roots:
        print_line(f"{'root':10} {root}")
    return exit_codes.OK


def _labels_line(status: IndexStatus) -> str:
    """Say how many images have labels, and which."""
    if not status.classifiers:
        from mobisearch.models import find_model

        with contextlib.suppress(ModelError):  # a model that this version does not know
            weights = find_model(status.model).weights
            if weights.place == "bundled" and not weights.n_categories:
                return "none; its model has no classifier: mobisearch label --classifier FILE"
        return "none; make them with: mobisearch label"
    n_images = counted(status.images, "image")
    return f"{status.labelled:,} of {n_images}, by {', '.join(status.classifiers)}"


def _search_line(status: IndexStatus) -> str:
    """Say how searches find their results."""
    structure = status.structure
    target = f"target {status.recall_target:g}"
    if structure is None:
        missed = status.missed_recall
        return "exact" if missed is None else f"exact: recall@10 was only {missed:.3f} ({target})"
    newer = f" and {structure.newer:,} newer" if structure.newer else ""
    return (
        f"approximate: {structure.kind} over {structure.vectors:,}{newer}, recall@10 "
        f"{structure.recall:.3f} measured with {structure.queries} of its own images ({target})"
    )


@click.command("errors")
@click.option("--retry", is_flag=True, help="Try these files again, changed or not.")
@click.option("-0", "as_raw", is_flag=True, help="Print the bare paths, each ended by a NUL byte.")
@decode_options
@runtime_options
@common_options
def errors_command(
    retry: bool,
    as_raw: bool,
    settings: DecodeSettings,
    runtime_settings: RuntimeSettings,
    index_path: str,
    as_json: bool,
) -> int:
    """List the files that could not be indexed, with the reason for each.

    The options on decoding and the network are those of 'mobisearch index', for --retry.
    """
    if retry:
        with mobisearch.ImageIndex.open(
            index_path, settings=settings, runtime=runtime_settings
        ) as index:
            with stop_on_signals() as stop, ProgressBar() as bar:
                report = index.retry_errors(on_progress=bar, stop=stop)
            return show_report(report, index, index_path, as_json=as_json)
    with mobisearch.ImageIndex.open(index_path) as index:
        failures = index.errors()
    if as_raw:
        print_paths(failure.path for failure in failures)
        return exit_codes.OK
    if as_json:
        print_json([{**json_path(f.path), "code": f.code, "reason": f.reason} for f in failures])
        return exit_codes.OK
    for failure in failures:
        print_line(f"{failure.path}: {failure.reason} [{failure.code}]")
    if not failures:
        print_message("no errors: every image found could be indexed")
    return exit_codes.OK


@click.command("verify")
@click.option("--repair", is_flag=True, help="Mend what is damaged, and read those images again.")
@runtime_options
@common_options
def verify_command(
    repair: bool, runtime_settings: RuntimeSettings, index_path: str, as_json: bool
) -> int:
    """Check every embedding and every cache file. Changes nothing without --repair."""
    with mobisearch.ImageIndex.open(index_path, runtime=runtime_settings) as index:
        repaired = None
        if repair:
            with ProgressBar() as bar:
                repaired = index.repair(on_progress=bar)
        report = index.verify() if repaired is None else repaired.check
    if as_json:
        lines = {name: [printable(line) for line in getattr(report, name)] for name in _LINES}
        document: dict[str, object] = {"ok": report.ok, "checked": report.checked, **lines}
        if repaired is not None:
            document["mended"] = [printable(line) for line in repaired.mended]
            document["reread"] = repaired.reread
            document["missing"] = [json_path(path) for path in repaired.missing]
            document["backup"] = None if repaired.backup is None else json_path(repaired.backup)
        print_json(document)
    else:
        if repaired is not None:
            _print_repair(repaired)
        print_line(
            f"{counted(report.checked, 'embedding')} checked: "
            f"{'all sound' if report.ok else 'damaged'}"
        )
    for line in report.damage:
        print_message(f"damaged: {line}")
    for line in report.stale:
        print_message(f"to be rebuilt by the next 'mobisearch index', nothing is lost: {line}")
    if report.damage:
        print_message("mend it with: mobisearch verify --repair; or restore a backup")
    return exit_codes.OK if report.ok else exit_codes.DAMAGED


def _print_repair(report: RepairReport) -> None:
    for line in report.mended:
        print_line(f"mended: {line}")
    if report.mended:
        print_line(f"{counted(report.reread, 'image')} read again")
    if report.backup is not None:
        print_message(f"the catalog as it was: {report.backup}")
    for path in report.missing[:_SHOWN]:
        print_message(f"could not be read again now, and will when it is back: {path}")
    if len(report.missing) > _SHOWN:
        print_message(f"and {len(report.missing) - _SHOWN:,} more like these")
