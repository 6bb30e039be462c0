"""``mobisearch models``: which there are, and which to choose on this machine."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from mobisearch.cli import exit_codes
from mobisearch.cli.options import output_options, weights_options
from mobisearch.cli.output import format_bytes, json_path, print_json, print_line, print_note
from mobisearch.types import WeightsSettings

if TYPE_CHECKING:
    from mobisearch.evaluation import ModelMeasurement
    from mobisearch.models import ModelSpec

_BY_QUALITY = "finds altered copies as well as the best, within {lost}, at {rate:.0f} images/s"
_BY_SPEED = "the fastest, at {rate:.0f} images/s; name a FOLDER of photos to weigh what is found"


@click.command("models")
@click.argument("folders", nargs=-1, metavar="[FOLDER]...")
@click.option("--measure", is_flag=True, help="Measure them on this machine.")
@click.option(
    "--model",
    "names",
    multiple=True,
    metavar="NAME",
    help="Only this one, such as mobilenet_v2@160; it is fetched to be measured. Repeatable.",
)
@click.option(
    "--photos",
    "n_photos",
    type=click.IntRange(min=2),
    default=100,
    show_default=True,
    help="How many photos at most.",
)
@click.option("--plot", metavar="FILE.png", help="Draw what is found against time.")
@weights_options
@output_options
def models_command(
    folders: tuple[str, ...],
    measure: bool,
    names: tuple[str, ...],
    n_photos: int,
    plot: str | None,
    weights_settings: WeightsSettings,
    as_json: bool,
) -> int:
    """List the networks that there are, or measure them on this machine.

    With --measure, those whose weights are here are timed in every runtime and precision. With a
    FOLDER of photos, which are only read, it also measures how well altered copies of some of them
    find their originals, and recommends one. Close other programs meanwhile.
    """
    from mobisearch.models import MODELS, find_model, find_weights

    if (folders or plot) and not measure:
        raise click.UsageError("a FOLDER and --plot go with --measure")
    if plot is not None:
        if not folders:
            raise click.UsageError("--plot needs a FOLDER of photos: what is found is one axis")
        from mobisearch.reports import check_tradeoff_path

        check_tradeoff_path(plot)  # before the work, not after it
    specs = [find_model(name) for name in names] or list(MODELS.values())
    if not measure:
        if as_json:
            print_json({"models": [_document(spec) for spec in specs]})
        else:
            _print_table(specs)
        return exit_codes.OK
    chosen = specs if names else [spec for spec in specs if find_weights(spec) is not None]
    return _measure(chosen, folders, n_photos, plot, weights_settings, as_json=as_json)


def _document(spec: ModelSpec) -> dict[str, Any]:
    from mobisearch.models import find_weights
    from mobisearch.models.facts import find_costs

    weights = spec.weights
    top1 = weights.top1 if spec.native is None else None  # it was measured at the usual resolution
    path = find_weights(spec)
    return {
        "name": spec.name,
        "architecture": spec.architecture,
        "width_mult": spec.width_mult,
        "resolution": spec.preprocessing.crop_px,
        "dim": spec.dim,
        "fingerprint": spec.fingerprint,
        **dataclasses.asdict(find_costs(spec)),
        "size_bytes": weights.n_bytes or None,
        "licence": weights.licence or None,
        "source": weights.source or None,
        "top1": top1,
        "top1_source": None if top1 is None else weights.top1_source,
        "here": path is not None,
        "file": None if path is None else json_path(str(path))["path"],
    }


def _print_table(specs: Sequence[ModelSpec]) -> None:
    head = ("name", "d", "parameters", "multiply-adds", "size", "licence", "top-1", "here")
    rows = [head]
    documents = [_document(spec) for spec in specs]
    for spec, found in zip(specs, documents, strict=True):
        top1 = found["top1"]
        rows.append(
            (
                found["name"],
                f"{found['dim']}",
                _millions(found["parameters"]),
                _millions(found["multiply_adds"]),
                "-" if found["size_bytes"] is None else format_bytes(found["size_bytes"]),
                found["licence"] or "-",
                "-" if top1 is None else f"{top1:.1f} %",
                _where(spec, is_here=found["here"]),
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    for row in rows:
        line = "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True))
        print_line(line.rstrip())
    sources = sorted({found["top1_source"] for found in documents if found["top1"] is not None})
    for source in sources:
        print_line(f"top-1: accuracy on ImageNet's validation pictures, from {source}")
    print_line("parameters and multiply-adds: with the classifier, as papers state them")


def _millions(count: int) -> str:
    return f"{count / 1e6:.1f} M"


def _where(spec: ModelSpec, *, is_here: bool) -> str:
    if spec.weights.place == "none":
        return "untrained"
    if spec.weights.place == "bundled":
        return "bundled" if is_here else "missing"
    return "yes" if is_here else "no"


def _measure(
    specs: Sequence[ModelSpec],
    folders: Sequence[str],
    n_photos: int,
    plot: str | None,
    weights: WeightsSettings,
    *,
    as_json: bool,
) -> int:
    from mobisearch.arguments import resolve_roots
    from mobisearch.evaluation import measure_models, recommend

    roots = resolve_roots(folders)[0] if folders else ()
    measured = measure_models(
        specs,
        folders=roots,
        n_photos=n_photos,
        weights=weights,
        on_step=lambda step: print_note(f"measuring: {step} ..."),
    )
    best = recommend(measured)
    if plot is not None:
        _draw(plot, measured, best)
    if as_json:
        print_json(
            {
                "models": [_document(spec) for spec in specs],
                "measured": [dataclasses.asdict(m) for m in measured],
                "recommended": None if best is None else dataclasses.asdict(best),
            }
        )
        return exit_codes.OK
    width = max((len(m.label) for m in measured), default=0)
    for m in measured:
        quality = ""
        if m.micro_average_precision is not None and m.found_first is not None:
            quality = f", micro-AP {m.micro_average_precision:.3f}, first {m.found_first:.1%}"
        print_line(
            f"{m.label:{width}}  {m.ms_alone:6.1f} ms alone, {m.images_per_second:6.0f} images/s "
            f"in batches of {m.best_batch}{quality}"
        )
    if best is not None:
        print_line(f"recommended: {best.label}: {_reason(best)}")
    return exit_codes.OK


def _reason(best: ModelMeasurement) -> str:
    from mobisearch.evaluation.comparison import GOOD_ENOUGH

    text = _BY_SPEED if best.micro_average_precision is None else _BY_QUALITY
    return text.format(lost=GOOD_ENOUGH, rate=best.images_per_second)


def _draw(path: str, measured: Sequence[ModelMeasurement], best: ModelMeasurement | None) -> None:
    from mobisearch.reports import TradeOff, write_tradeoff

    points = [
        TradeOff(
            model=m.model,
            way=f"{m.runtime} {m.precision}",
            ms_alone=m.ms_alone,
            ms_in_batch=1e3 / m.images_per_second,
            quality=m.micro_average_precision,
            is_recommended=m == best,
        )
        for m in measured
        if m.micro_average_precision is not None
    ]
    write_tradeoff(path, points)
