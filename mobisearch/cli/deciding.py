"""``mobisearch decide`` and ``decisions``: what the index is to remember about copies."""

from __future__ import annotations

import os

import click

import mobisearch
from mobisearch.cli import exit_codes
from mobisearch.cli.options import common_options
from mobisearch.cli.output import json_path, print_json, print_line, print_message
from mobisearch.errors import ReportError
from mobisearch.text import counted
from mobisearch.types import DECISION_KINDS, Decision

_WORDS = {"different": "different pictures", "keep": "all of them stay"}


@click.command("decide")
@click.argument("kind", type=click.Choice(DECISION_KINDS))
@click.argument("images", nargs=-1, required=True, metavar="IMAGE...")
@common_options
def decide_command(kind: str, images: tuple[str, ...], index_path: str, as_json: bool) -> int:
    """Remember that images are different pictures, or that all of them stay.

    'different': no two of the IMAGEs are copies of one another; they are not grouped again.
    'keep': they are copies, and all of them stay; the group is shown again only when another copy
    joins it: then decide again, or take it back with 'mobisearch decisions --forget'. Both are kept
    by content: they hold wherever the files are moved and whatever they are called.
    'mobisearch decisions' lists them.
    """
    with mobisearch.ImageIndex.open(index_path) as index:
        made = index.decide(kind, images)
        if as_json:
            print_json(_document(index, made))
        else:
            print_line(
                f"decision {made.id}: {counted(len(made.sha256s), 'content')}, {_WORDS[kind]}"
            )
    return exit_codes.OK


@click.command("decisions")
@click.option(
    "--forget", "forgotten", type=int, multiple=True, metavar="ID", help="Forget one. Repeatable."
)
@click.option(
    "--export", "exported", metavar="FILE", help="Write all to a new file; - is standard output."
)
@click.option("--import", "imported", metavar="FILE", help="Add those of a file made by --export.")
@common_options
def decisions_command(
    forgotten: tuple[int, ...],
    exported: str | None,
    imported: str | None,
    index_path: str,
    as_json: bool,
) -> int:
    """List what was decided about copies, forget some of it, or carry it to another index.

    Decisions survive moved and renamed files, 'mobisearch backup' and 'salvage'. For an index that
    is made anew: export them from the old one, and import them into the new one.
    """
    with mobisearch.ImageIndex.open(index_path) as index:
        if imported is not None:
            n_new = index.import_decisions(imported)
            print_message(f"{counted(n_new, 'decision')} {'is' if n_new == 1 else 'are'} new")
        if forgotten:
            index.forget_decisions(forgotten)
            print_message(f"{counted(len(forgotten), 'decision')} forgotten")
        if exported is not None:
            _export(index.export_decisions(), exported)
        elif as_json:
            print_json({"decisions": [_document(index, found) for found in index.decisions()]})
        elif not forgotten and imported is None:
            _print_all(index)
    return exit_codes.OK


def _export(text: str, target: str) -> None:
    if target == "-":
        print_line(text.rstrip("\n").replace("\n", " "))
        return
    try:
        with open(os.path.expanduser(target), "x", encoding="ascii") as file:
            file.write(text)
    except FileExistsError:
        raise ReportError(target, "a file of this name exists; it was left alone") from None
    except OSError as error:
        raise ReportError(target, f"cannot be written: {error.strerror}") from error


def _print_all(index: mobisearch.ImageIndex) -> None:
    decisions = index.decisions()
    for found in decisions:
        print_line(f"{found.id}  {found.decided_at}  {_WORDS[found.kind]}")
        for sha256 in found.sha256s:
            paths = index.images_of(sha256)
            print_line(f"     {paths[0] if paths else f'not in the index now: {sha256[:16]}...'}")
            for path in paths[1:]:
                print_line(f"       = {path}")
    if not decisions:
        print_message("nothing was decided yet; see: mobisearch decide --help")


def _document(index: mobisearch.ImageIndex, found: Decision) -> dict[str, object]:
    return {
        "id": found.id,
        "kind": found.kind,
        "decided_at": found.decided_at,
        "contents": [
            {
                "sha256": sha256,
                "n_files": n_files,
                "images": [json_path(path) for path in index.images_of(sha256)],
            }
            for sha256, n_files in zip(found.sha256s, found.n_files, strict=True)
        ],
    }
