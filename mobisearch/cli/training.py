"""``mobisearch train``: learn categories from folders."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import mobisearch
from mobisearch.cli import exit_codes
from mobisearch.cli.interrupts import stop_on_signals
from mobisearch.cli.options import common_options, decode_options, model_options, runtime_options
from mobisearch.cli.output import (
    DEFAULT_INDEX,
    json_path,
    print_json,
    print_line,
    print_message,
    print_note,
)
from mobisearch.cli.progress import StagedProgress
from mobisearch.errors import IndexNotFoundError, MobisearchError, ReportError
from mobisearch.text import counted, printable
from mobisearch.types import DecodeSettings, RuntimeSettings

if TYPE_CHECKING:
    from mobisearch.training import FineTuned, Scores, TrainedClassifier

_SHOWN = 10


@click.command("train")
@click.argument("folder", metavar="FOLDER")
@click.option("--output", required=True, metavar="FILE", help="The new .safetensors file to write.")
@click.option("--plot", metavar="FILE.png", help="Draw what is taken for what.")
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Chooses the images that are held back to be tested.",
)
@click.option("--fine-tune", is_flag=True, help="Train the whole network too. Takes long.")
@click.option(
    "--epochs",
    type=click.IntRange(min=1),
    default=8,
    show_default=True,
    help="With --fine-tune: how often every image is shown.",
)
@model_options
@decode_options
@runtime_options
@common_options
def train_command(
    folder: str,
    output: str,
    plot: str | None,
    seed: int,
    fine_tune: bool,
    epochs: int,
    model: str | None,
    settings: DecodeSettings,
    runtime_settings: RuntimeSettings,
    index_path: str,
    as_json: bool,
) -> int:
    """Learn the categories that the sub-folders of FOLDER are.

    Makes a classifier for 'classify --classifier' and 'label --classifier', in seconds: from the
    embeddings in the index where it holds the images, else from new ones. A fifth of each class is
    held back, and the accuracy is that on it. Photos are only read.

    With --fine-tune it makes weights instead, a model of its own, whose classifier is in them. When
    that is interrupted, the same command goes on where it ended.
    """
    from mobisearch.reports import check_confusion_path

    if plot is not None:
        check_confusion_path(plot)  # before the work, not after it
    if fine_tune:
        from mobisearch.training import check_weights_path as check_output
    else:
        from mobisearch.training import check_classifier_path as check_output
    check_output(output)
    if os.path.lexists(os.path.expanduser(output)):
        reason = "a file of this name exists; it was left alone: choose another name, or remove it"
        raise ReportError(output, reason)
    index, embedder = _choose(index_path, model, settings, runtime_settings)
    try:
        with (
            stop_on_signals("stopping; once more to stop at once") as stop,
            StagedProgress() as bar,
        ):
            if fine_tune:
                from mobisearch.training import FineTuneSettings
                from mobisearch.training import fine_tune as train

                chosen = FineTuneSettings(epochs=epochs, seed=seed)
                trained: FineTuned | TrainedClassifier = train(
                    folder, embedder, output, chosen, index=index, on_progress=bar, stop=stop
                )
            else:
                from mobisearch.training import save_classifier, train_classifier

                trained = train_classifier(
                    folder,
                    embedder,
                    index,
                    name=Path(output).stem,
                    seed=seed,
                    on_progress=bar,
                    stop=stop,
                )
                save_classifier(trained, output)
    finally:
        if index is not None:
            index.close()
    if plot is not None:
        from mobisearch.reports import write_confusion

        right, tested = trained.scores.accuracy, trained.scores.tested
        title = f"{Path(output).stem}: {right:.1%} of {tested:,} right"
        write_confusion(plot, trained.classes, trained.scores.confusion, title=title)
    _show(trained, output, as_json=as_json)
    if plot is not None:
        print_message(f"confusion matrix: {plot}")
    return exit_codes.SOME_FAILED if trained.failures else exit_codes.OK


def _choose(
    path: str, model: str | None, settings: DecodeSettings, runtime: RuntimeSettings
) -> tuple[mobisearch.ImageIndex | None, mobisearch.Embedder]:
    """Return the index, if there is one of the model that is wanted, and what embeds the rest."""
    try:
        index = mobisearch.ImageIndex.open(path, settings=settings, runtime=runtime)
    except IndexNotFoundError:
        if path != DEFAULT_INDEX:
            raise
        index = None
    except MobisearchError:
        if model is None or path != DEFAULT_INDEX:
            raise
        index = None
    if index is not None and model is None:
        return index, index.embedder
    from mobisearch.models import DEFAULT_MODEL

    embedder = mobisearch.Embedder(model or DEFAULT_MODEL, runtime=runtime, settings=settings)
    if index is not None and index.embedder.spec.fingerprint != embedder.spec.fingerprint:
        print_note(f"the index {path} is of another model: all images are embedded now")
        index.close()
        index = None
    return index, embedder


def _show(trained: TrainedClassifier | FineTuned, output: str, *, as_json: bool) -> None:
    model = getattr(trained, "model", None)
    sha256 = hashlib.sha256(trained.data).hexdigest()
    if as_json:
        document: dict[str, Any] = {
            **json_path(os.path.abspath(output)),
            "sha256": sha256,
            "model": model,
            "classes": dict(zip(trained.classes, trained.counts, strict=True)),
            "learnt": trained.learnt,
            "stopping": trained.stopping,
            "stored": trained.stored,
            "epochs": trained.epochs,
            "seconds": trained.seconds,
            **trained.scores.as_document(),
            "failures": [
                {**json_path(f.path), "code": f.code, "reason": f.reason} for f in trained.failures
            ],
            "notes": [printable(note) for note in trained.notes],
        }
        print_json(document)
    else:
        _print_scores(trained.scores, dict(zip(trained.classes, trained.counts, strict=True)))
    for failure in trained.failures[:_SHOWN]:
        print_message(f"failed: {failure.path}: {failure.reason}")
    if len(trained.failures) > _SHOWN:
        n_more = counted(len(trained.failures) - _SHOWN, "more file")
        print_message(f"and {n_more} that cannot be used")
    for note in trained.notes[:_SHOWN]:
        print_message(f"note: {note}")
    if len(trained.notes) > _SHOWN:
        print_message(f"note: and {len(trained.notes) - _SHOWN:,} more like these")
    print_message(
        f"learnt from {counted(trained.learnt, 'image')} in {counted(trained.epochs, 'epoch')} and "
        f"{trained.seconds:.1f} s; {counted(trained.stored, 'embedding')} "
        f"{'was' if trained.stored == 1 else 'were'} in the index"
    )
    print_message(f"written: {output}, SHA-256 {sha256}")
    if model is not None:
        print_message(
            f"use it: mobisearch index FOLDER --index DIR --model {model} --weights {output}"
        )


def _print_scores(scores: Scores, counts: dict[str, int]) -> None:
    print_line(
        f"accuracy {scores.accuracy:.1%} on {counted(scores.tested, 'image')} held back, "
        f"{scores.balanced_accuracy:.1%} with all classes counting alike"
    )
    width = max(len(name) for name in ("class", *counts))
    print_line(f"{'class':{width}}  images  tested  recall  precision")
    for found in scores.classes:
        recall = "-" if found.recall is None else f"{found.recall:.1%}"
        precision = "-" if found.precision is None else f"{found.precision:.1%}"
        print_line(
            f"{found.name:{width}}  {counts[found.name]:6,}  {found.tested:6,}  {recall:>6}  "
            f"{precision:>9}"
        )
