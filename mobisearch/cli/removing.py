"""``mobisearch remove``: let the index forget files and folders. Photos stay where they are."""

from __future__ import annotations

import click

import mobisearch
from mobisearch.cli import exit_codes
from mobisearch.cli.options import common_options
from mobisearch.cli.output import print_json, print_line, print_message
from mobisearch.text import counted


@click.command("remove")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@common_options
def remove_command(paths: tuple[str, ...], index_path: str, as_json: bool) -> int:
    """Forget files, or everything below folders, whether they still exist or not.

    The photos themselves are never touched. A folder that is forgotten is no longer mirrored; a
    later 'mobisearch index' of it, or of a folder around it, finds its photos again.
    """
    with mobisearch.ImageIndex.open(index_path) as index:
        n_before = len(index.status().roots)
        n_removed = index.remove(paths)
        n_roots = n_before - len(index.status().roots)
    if as_json:
        print_json({"removed": n_removed, "roots": n_roots})
    else:
        itself = "the file itself was" if n_removed == 1 else "the files themselves were"
        print_line(f"{counted(n_removed, 'file')} forgotten; {itself} not touched")
    if not n_removed and not n_roots:
        print_message("mobisearch: the index knows none of these paths; nothing was changed")
        return exit_codes.INPUT_MISSING
    return exit_codes.OK
