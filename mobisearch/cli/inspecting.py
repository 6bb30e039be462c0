"""``mobisearch status``, ``errors`` and ``verify``: looking at an index without changing it."""

from __future__ import annotations

import dataclasses

import click

import mobisearch
from mobisearch.cli import exit_codes
from mobisearch.cli.options import common_options
from mobisearch.cli.output import format_bytes, json_path, print_json, print_line, print_message
from mobisearch.text import printable

_LINES = ("damage", "stale")  # of a report on a check


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
        "size": sizes,
        "created": status.created_at,
        "last sync": status.last_sync_at or "never",
    }
    for name, value in rows.items():
        print_line(f"{name:10} {value}")
    for root in status.roots:
        print_line(f"{'root':10} {root}")
    return exit_codes.OK


@click.command("errors")
@common_options
def errors_command(index_path: str, as_json: bool) -> int:
    """List the files that could not be indexed, with the reason for each."""
    with mobisearch.ImageIndex.open(index_path) as index:
        failures = index.errors()
    if as_json:
        print_json([{**json_path(f.path), "code": f.code, "reason": f.reason} for f in failures])
        return exit_codes.OK
    for failure in failures:
        print_line(f"{failure.path}: {failure.reason} [{failure.code}]")
    if not failures:
        print_message("no errors: every image found could be indexed")
    return exit_codes.OK


@click.command("verify")
@common_options
def verify_command(index_path: str, as_json: bool) -> int:
    """Check every embedding and every cache file. Changes nothing."""
    with mobisearch.ImageIndex.open(index_path) as index:
        report = index.verify()
    if as_json:
        lines = {name: [printable(line) for line in getattr(report, name)] for name in _LINES}
        print_json({"ok": report.ok, "checked": report.checked, **lines})
    else:
        print_line(
            f"{report.checked:,} embeddings checked: {'all sound' if report.ok else 'damaged'}"
        )
    for line in report.damage:
        print_message(f"damaged: {line}")
    for line in report.stale:
        print_message(f"to be rebuilt by the next 'mobisearch index', nothing is lost: {line}")
    return exit_codes.OK if report.ok else exit_codes.DAMAGED
