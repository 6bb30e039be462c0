"""``mobisearch model``: the models of an index."""

from __future__ import annotations

import dataclasses

import click

import mobisearch
from mobisearch.cli import exit_codes
from mobisearch.cli.interrupts import stop_on_signals
from mobisearch.cli.options import common_options, decode_options, runtime_options
from mobisearch.cli.output import (
    index_option,
    json_path,
    print_json,
    print_line,
    print_message,
)
from mobisearch.cli.progress import ProgressBar
from mobisearch.text import counted
from mobisearch.types import DecodeSettings, IndexModel, ModelReport, RuntimeSettings

_SHOWN = 10
_SHORT = 12


@click.group("model")
def model_command() -> None:
    """Give an index another model without losing anything.

    \b
    mobisearch model add NAME      embed all images by it too, beside the model in use
    mobisearch model use NAME      then let searches use it, from one moment to the next
    mobisearch model drop NAME     and forget the old one

    'mobisearch models' lists what models there are.
    """  # noqa: D301 - click reads the control character


@model_command.command("list")
@common_options
def list_command(index_path: str, as_json: bool) -> int:
    """List the models that the index has embeddings by."""
    models = mobisearch.IndexModels(index_path).list()
    if as_json:
        print_json({"models": [dataclasses.asdict(model) for model in models]})
        return exit_codes.OK
    for model in models:
        print_line(_line(model))
    return exit_codes.OK


@model_command.command("add")
@click.argument("name", metavar="NAME")
@decode_options
@runtime_options
@common_options
def add_command(
    name: str,
    settings: DecodeSettings,
    runtime_settings: RuntimeSettings,
    index_path: str,
    as_json: bool,
) -> int:
    """Embed what model NAME has no embedding of, beside the model in use.

    The index can be searched meanwhile, and what was done stays done: run it again to go on.
    """
    models = mobisearch.IndexModels(index_path)
    embedder = mobisearch.Embedder(name, runtime=runtime_settings, settings=settings)
    with stop_on_signals() as stop, ProgressBar() as bar:
        report = models.add(embedder, on_progress=bar, stop=stop)
    if as_json:
        document = dataclasses.asdict(report)
        document["failures"] = [
            {**json_path(failure.path), "code": failure.code, "reason": failure.reason}
            for failure in report.failures
        ]
        print_json(document)
    else:
        for failure in report.failures[:_SHOWN]:
            print_line(f"{failure.path}: {failure.reason}")
    print_message(_summary(report, index_path))
    if report.interrupted:
        return exit_codes.INTERRUPTED
    return exit_codes.SOME_FAILED if report.left else exit_codes.OK


@model_command.command("use")
@click.argument("name", metavar="NAME")
@click.option(
    "--incomplete",
    is_flag=True,
    help="Also where NAME has no embedding of some images: those are missing until "
    "'mobisearch index' has read them again.",
)
@common_options
def use_command(name: str, incomplete: bool, index_path: str, as_json: bool) -> int:
    """Let the index use model NAME, which was added before. The old one is kept beside."""
    model = mobisearch.IndexModels(index_path).use(name, incomplete=incomplete)
    if as_json:
        print_json(dataclasses.asdict(model))
    print_message(f"{model.name} is in use: {counted(model.embedded, 'embedding')}")
    return exit_codes.OK


@model_command.command("drop")
@click.argument("name", metavar="NAME")
@common_options
def drop_command(name: str, index_path: str, as_json: bool) -> int:
    """Forget the embeddings by model NAME, which is not in use."""
    model = mobisearch.IndexModels(index_path).drop(name)
    if as_json:
        print_json(dataclasses.asdict(model))
    print_message(f"{model.name} was dropped, with {counted(model.embedded, 'embedding')}")
    return exit_codes.OK


def _line(model: IndexModel) -> str:
    state = "in use" if model.in_use else "beside"
    lacking = f", {counted(model.lacking, 'image')} without" if model.lacking else ""
    return (
        f"{model.name}  {state}  {model.dim} values  {counted(model.embedded, 'embedding')}"
        f"{lacking}  {model.fingerprint[:_SHORT]}"
    )


def _summary(report: ModelReport, index_path: str) -> str:
    text = (
        f"embedded {counted(report.embedded, 'image')} by {report.model} in "
        f"{report.seconds:.1f} s; {report.unchanged:,} were embedded already"
    )
    if report.left:
        return f"{text}; {report.left:,} are left"
    return f"{text}. Use it with: mobisearch model use {report.model}{index_option(index_path)}"
