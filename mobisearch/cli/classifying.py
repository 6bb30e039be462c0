"""``mobisearch classify``: what is in these images?"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import click

from mobisearch.cli import exit_codes
from mobisearch.cli.options import (
    classifier_option,
    decode_options,
    model_options,
    output_options,
    runtime_options,
)
from mobisearch.cli.output import json_path, print_json, print_line, print_message
from mobisearch.errors import ImageNotFoundError
from mobisearch.types import DEFAULT_LABELS, DecodeSettings, RuntimeSettings

if TYPE_CHECKING:
    from mobisearch.classifying import ClassifiedImage


@click.command("classify")
@click.argument("images", nargs=-1, required=True, metavar="IMAGE...")
@click.option(
    "-k",
    "count",
    type=click.IntRange(min=1),
    default=DEFAULT_LABELS,
    show_default=True,
    help="How many categories.",
)
@classifier_option
@model_options
@decode_options
@runtime_options
@output_options
def classify_command(
    images: tuple[str, ...],
    count: int,
    classifier: str | None,
    model: str | None,
    settings: DecodeSettings,
    runtime_settings: RuntimeSettings,
    as_json: bool,
) -> int:
    """Show the categories that each IMAGE most probably is of, with probabilities.

    Without --model and --classifier, those of torchvision's MobileNetV2: 1,000 kinds of things,
    120 of them breeds of dogs. No index is needed.
    """
    from mobisearch.classifying import ImageClassifier

    chosen = ImageClassifier(
        model, classifier=classifier, runtime=runtime_settings, settings=settings
    )
    results = chosen.classify(images, count)
    if as_json:
        print_json([_document(result) for result in results])
    else:
        for result in results:
            if result.error is None:
                print_line(result.image)
            for label in result.labels:
                print_line(f"  {label.probability:6.1%}  {label.category}")
    failed = [result.error for result in results if result.error is not None]
    for error in failed:
        print_message(f"mobisearch: {error}")
    if not failed:
        return exit_codes.OK
    if len(failed) == len(results) and all(isinstance(e, ImageNotFoundError) for e in failed):
        return exit_codes.INPUT_MISSING
    return exit_codes.SOME_FAILED


def _document(result: ClassifiedImage) -> dict[str, object]:
    image = json_path(result.image)
    document: dict[str, object] = {"image": image.pop("path")}
    if image:
        document["image_b64"] = image["path_b64"]
    document["labels"] = [dataclasses.asdict(label) for label in result.labels]
    if result.error is not None:
        document["error"] = {"code": result.error.code, "reason": result.error.reason}
    return document
