"""``mobisearch search``: what looks like this?"""

from __future__ import annotations

import dataclasses
import os

import click

from mobisearch.cli import exit_codes
from mobisearch.cli.opening import open_for_search
from mobisearch.cli.options import common_options, runtime_options
from mobisearch.cli.output import (
    index_option,
    json_path,
    print_json,
    print_line,
    print_message,
    print_paths,
)
from mobisearch.errors import ImageNotFoundError
from mobisearch.results import Matches
from mobisearch.text import counted
from mobisearch.types import DEFAULT_LEAST_PROBABILITY, RuntimeSettings


@click.command("search")
@click.argument("images", nargs=-1, required=True, metavar="IMAGE...")
@click.option(
    "-k",
    "count",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    help="How many matches.",
)
@click.option("--exact", is_flag=True, help="Compare with every image, however many there are.")
@click.option(
    "--label",
    metavar="NAME",
    help="Only find images with this label: a category, or a part of its name that no other has.",
)
@click.option(
    "--least",
    "least_probability",
    type=click.FloatRange(min=0, max=1),
    default=DEFAULT_LEAST_PROBABILITY,
    show_default=True,
    metavar="P",
    help="With --label: how probable it must be.",
)
@click.option(
    "--model",
    metavar="NAME",
    help="Search by another model of the index than the one in use; see 'mobisearch model list'.",
)
@click.option("-0", "as_raw", is_flag=True, help="Print bare paths, each ended by a NUL byte.")
@click.option("--sheet", metavar="FILE", help="Also write a contact sheet: .jpg, .png or .webp.")
@runtime_options
@common_options
def search_command(
    images: tuple[str, ...],
    count: int,
    exact: bool,
    label: str | None,
    least_probability: float,
    model: str | None,
    as_raw: bool,
    sheet: str | None,
    runtime_settings: RuntimeSettings,
    index_path: str,
    as_json: bool,
) -> int:
    """Show the indexed images most like each IMAGE, best first.

    An IMAGE need not be in the index. Scores are cosine similarities: 1 is the same picture.
    """
    if sheet is not None:
        from mobisearch.reports import check_sheet_path

        check_sheet_path(sheet)  # before the work, not after it
    with open_for_search(index_path, runtime_settings, model=model) as index:
        results = index.search_many(
            images, k=count, exact=exact, label=label, least_probability=least_probability
        )
        n_images = len(index)
    if as_json:
        print_json([_document(result) for result in results])
    elif as_raw:
        print_paths(match.image.path for result in results for match in result)
    else:
        for result in results:
            if result.error is None:
                _print_result(result)
    for result in results:
        if result.error is not None:
            print_message(f"mobisearch: {result.error}")
    if not n_images:
        command = f"mobisearch index{index_option(index_path)} FOLDER"
        print_message(f"the index is empty; fill it with: {command}")
    elif label is not None and not any(results):
        print_message(f"no image has the label {label!r} with {least_probability:g} or more")
    elif n_images < count:
        print_message(
            f"the index holds only {counted(n_images, 'image')}, fewer than the {count:,} asked for"
        )
    if sheet is not None and any(result.error is None for result in results):
        from mobisearch.reports import write_sheet

        write_sheet(sheet, list(zip(images, results, strict=True)))
        print_message(f"contact sheet: {sheet}")
    return _exit_code(results)


def _exit_code(results: list[Matches]) -> int:
    failed = [result.error for result in results if result.error is not None]
    if not failed:
        return exit_codes.OK
    if len(failed) == len(results) and all(isinstance(e, ImageNotFoundError) for e in failed):
        return exit_codes.INPUT_MISSING
    return exit_codes.SOME_FAILED


def _document(result: Matches) -> dict[str, object]:
    query = json_path(result.query)
    document: dict[str, object] = {"query": query.pop("path")}
    if query:
        document["query_b64"] = query["path_b64"]
    document["matches"] = [
        {
            "id": match.image.id,
            **json_path(match.image.path),
            "score": match.score,
            "width": match.image.width,
            "height": match.image.height,
            "size_bytes": match.image.size_bytes,
            "sha256": match.image.sha256,
            "format": match.image.format,
            "taken_at": match.image.taken_at,
            "camera": match.image.camera,
            "latitude": match.image.latitude,
            "longitude": match.image.longitude,
            "labels": [dataclasses.asdict(label) for label in match.image.labels],
        }
        for match in result
    ]
    if result.error is not None:
        document["error"] = {"code": result.error.code, "reason": result.error.reason}
    return document


def _print_result(result: Matches) -> None:
    print_line(result.query)
    for match in result:
        image = match.image
        gone = "" if os.path.lexists(image.path) else "  (not there now)"
        size = f"{image.width}x{image.height}"
        first = f"  {image.labels[0].category}" if image.labels else ""
        print_line(f"  {match.score:.4f}  {size}  #{image.id}  {image.path}{first}{gone}")
