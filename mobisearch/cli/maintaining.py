"""``mobisearch backup`` and ``salvage``: copies of an index."""

from __future__ import annotations

import click

import mobisearch
from mobisearch.cli import exit_codes
from mobisearch.cli.options import common_options
from mobisearch.cli.output import index_option, json_path, print_json, print_line, print_message
from mobisearch.text import counted


@click.command("backup")
@click.argument("destination", metavar="DEST")
@common_options
def backup_command(destination: str, index_path: str, as_json: bool) -> int:
    """Copy the index to DEST, a new or empty directory, even while it is being written to.

    The copy is checked, and is an index like any other. Photos are not copied.
    """
    with mobisearch.ImageIndex.open(index_path) as index:
        path = index.backup(destination)
    with mobisearch.ImageIndex.open(path) as copy:
        status = copy.status()
    if as_json:
        print_json({**json_path(path), "images": status.images, "bytes": status.catalog_bytes})
    else:
        print_line(f"{counted(status.images, 'image')} backed up to {path}")
    return exit_codes.OK


@click.command("salvage")
@click.argument("destination", metavar="DEST")
@common_options
def salvage_command(destination: str, index_path: str, as_json: bool) -> int:
    """Save what can be read of a damaged index into DEST, a new or empty directory.

    The damaged index is left as it is. Then 'mobisearch index' without folders, on the new one,
    reads again what was lost.
    """
    report = mobisearch.ImageIndex.salvage(index_path, destination)
    if as_json:
        document = {"images": report.images, "embeddings": report.embeddings, "gaps": report.gaps}
        print_json({**json_path(destination), **document})
    else:
        print_line(f"{counted(report.images, 'image')} saved to {destination}")
    if report.gaps:
        print_message(f"not everything could be read of: {', '.join(report.gaps)}")
    print_message(f"read what was lost with: mobisearch index{index_option(destination)}")
    return exit_codes.OK
