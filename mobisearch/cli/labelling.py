"""``mobisearch label``: what is in the images of an index?"""

from __future__ import annotations

import dataclasses

import click

import mobisearch
from mobisearch.cli import exit_codes
from mobisearch.cli.interrupts import stop_on_signals
from mobisearch.cli.options import classifier_option, common_options, runtime_options
from mobisearch.cli.output import index_option, print_json, print_line, print_message
from mobisearch.cli.progress import ProgressBar
from mobisearch.text import counted
from mobisearch.types import DEFAULT_LABELS, LabelReport, RuntimeSettings

_SHOWN = 20


@click.command("label")
@click.option(
    "-k",
    "count",
    type=click.IntRange(min=1),
    default=DEFAULT_LABELS,
    show_default=True,
    help="How many categories are kept of each image. Another number labels all again.",
)
@click.option("--list", "only_lists", is_flag=True, help="Label nothing; list all categories.")
@classifier_option
@runtime_options
@common_options
def label_command(
    count: int,
    only_lists: bool,
    classifier: str | None,
    runtime_settings: RuntimeSettings,
    index_path: str,
    as_json: bool,
) -> int:
    """Give the images of an index labels: the categories that they most probably are of.

    From the stored embeddings, so that no photo is read, and only for images that have none yet.
    Afterwards 'mobisearch search --label NAME' finds among those. The model of the index must have
    a classifier in its weights, or take one with --classifier.
    """
    with mobisearch.ImageIndex.open(index_path, runtime=runtime_settings) as index:
        report = None
        if not only_lists:
            with stop_on_signals() as stop, ProgressBar() as bar:
                report = index.label(classifier, k=count, on_progress=bar, stop=stop)
        counts = index.labels()
    if as_json:
        document: dict[str, object] = {} if report is None else dataclasses.asdict(report)
        document["labels"] = [dataclasses.asdict(found) for found in counts]
        print_json(document)
    else:
        shown = counts if only_lists else counts[:_SHOWN]
        for found in shown:
            print_line(f"{found.images:8,}  {found.category}  ({found.classifier})")
        if len(counts) > len(shown):
            n_more = counted(len(counts) - len(shown), "more category", "more categories")
            print_message(f"and {n_more}: --list shows all")
    if report is None:
        return exit_codes.OK
    print_message(_summary(report))
    if report.left:
        print_message(
            f"{counted(report.left, 'image')} without labels: embedded by an older mobisearch, and "
            "not to be read again now; run "
            f"'mobisearch label{index_option(index_path)}' when the files are back"
        )
    if report.interrupted:
        return exit_codes.INTERRUPTED
    return exit_codes.SOME_FAILED if report.left else exit_codes.OK


def _summary(report: LabelReport) -> str:
    reread = f", {report.reread:,} of them read again" if report.reread else ""
    return (
        f"labelled {counted(report.labelled, 'image')} by {report.classifier}{reread} in "
        f"{report.seconds:.1f} s; {report.unchanged:,} had labels already"
    )
