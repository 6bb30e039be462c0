"""``mobisearch bench``: how fast, and how well, on one's own photos and machine."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import click

import mobisearch
from mobisearch.cli import exit_codes
from mobisearch.cli.options import common_options, model_options, runtime_options
from mobisearch.cli.output import print_json, print_line, print_note
from mobisearch.types import RuntimeSettings

if TYPE_CHECKING:
    from mobisearch.evaluation import BenchmarkReport


@click.command("bench")
@click.argument("folders", nargs=-1, metavar="[FOLDER]...")
@click.option(
    "--photos",
    "n_photos",
    type=click.IntRange(min=2),
    default=500,
    show_default=True,
    help="How many photos at most.",
)
@model_options
@runtime_options
@common_options
def bench_command(
    folders: tuple[str, ...],
    n_photos: int,
    model: str | None,
    runtime_settings: RuntimeSettings,
    index_path: str,
    as_json: bool,
) -> int:
    """Measure speed, and what altered copies find, on a sample of your own photos.

    Without a FOLDER, those of the index are taken. Photos are only read; the index that is measured
    is a temporary one. The figures are of this machine as it is now: close other programs.
    """
    from mobisearch.arguments import resolve_roots
    from mobisearch.evaluation import run_benchmark
    from mobisearch.models import DEFAULT_MODEL

    if not folders:
        with mobisearch.ImageIndex.open(index_path) as index:
            folders = index.status().roots
    roots, _ = resolve_roots(folders)
    report = run_benchmark(
        roots,
        n_photos=n_photos,
        model=model or DEFAULT_MODEL,
        runtime=runtime_settings,
        on_step=lambda step: print_note(f"measuring: {step} ..."),
    )
    if as_json:
        print_json(dataclasses.asdict(report))
    else:
        _print_report(report)
    return exit_codes.OK


def _print_report(report: BenchmarkReport) -> None:
    size = 1000 * report.megabytes / report.photos
    rows = {
        "photos": f"{report.photos:,}, {size:.0f} kB each at the mean; {report.failed} failed",
        "model": report.model,
        "decoding": f"{report.decode_rate:.0f} images/s",
        "network": ", ".join(f"{n} {rate:.0f}" for n, rate in report.network_rates.items())
        + " images/s",
        "indexing": f"{report.index_rate:.0f} images/s, all of it, in {report.precision}",
        "a search": f"{report.query_ms:.1f} ms at the median, {report.query_ms_p95:.1f} ms at 95 %",
        "precision": f"micro-average {report.micro_average_precision:.3f} over altered copies, "
        f"{report.lost:+.4f} lost to the exact path in f32",
    }
    for name, text in rows.items():
        print_line(f"{name:10} {text}")
    print_line("the original is the first match of its copies:")
    for name, share in report.found_first.items():
        print_line(f"  {share:6.1%}  {name}")
