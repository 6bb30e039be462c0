"""Options that every command has."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

import click

from mobisearch.cli.output import DEFAULT_INDEX
from mobisearch.cli.progress import FetchBar
from mobisearch.types import DecodeSettings, RuntimeSettings, WeightsSettings
from mobisearch.types.settings import PRECISIONS, RUNTIMES

_F = TypeVar("_F", bound=Callable[..., Any])


def _checked_path(context: click.Context, parameter: click.Parameter, value: str) -> str:
    """Refuse an empty path, such as an unset variable gives: it would mean this very folder."""
    if not value:
        raise click.BadParameter("the path is empty", ctx=context, param=parameter)
    return value


def decode_options(function: _F) -> _F:
    """Add the options about decoding to a command, which gets them as ``settings``."""

    @functools.wraps(function)
    def with_settings(
        *arguments: Any,
        exact: bool,
        tolerant: bool,
        max_megapixels: float,
        max_megabytes: float,
        deadline: float,
        **named: Any,
    ) -> Any:
        default = DecodeSettings()
        n_pixels = round(max_megapixels * 1e6)
        settings = DecodeSettings(
            max_bytes=round(max_megabytes * 1e6),
            max_pixels=n_pixels,
            max_pixels_other=round(n_pixels * default.max_pixels_other / default.max_pixels),
            max_memory_bytes=round(
                default.max_memory_bytes * max(1, n_pixels / default.max_pixels)
            ),
            deadline_seconds=deadline,
            exact=exact,
            tolerant=tolerant,
        )
        return function(*arguments, settings=settings, **named)

    at_least = click.FloatRange(min=0, min_open=True)
    default = DecodeSettings()
    options = (
        click.option(
            "--exact", is_flag=True, help="The reference path: full-size decoding, f32. Slower."
        ),
        click.option(
            "--tolerant", is_flag=True, help="Take what there is of pictures that are cut short."
        ),
        click.option(
            "--max-megapixels",
            type=at_least,
            default=default.max_pixels / 1e6,
            show_default=True,
            metavar="N",
            help="Refuse larger pictures; of formats other than JPEG, those of half that.",
        ),
        click.option(
            "--max-megabytes",
            type=at_least,
            default=default.max_bytes / 1e6,
            show_default=True,
            metavar="N",
            help="Refuse larger files.",
        ),
        click.option(
            "--deadline",
            type=at_least,
            default=default.deadline_seconds,
            show_default=True,
            metavar="SECONDS",
            help="Give up a picture that takes longer to decode.",
        ),
    )
    decorated: Any = with_settings
    for option in reversed(options):
        decorated = option(decorated)
    return cast("_F", decorated)


def runtime_options(function: _F) -> _F:
    """Add the options about the network to a command, which gets them as ``runtime_settings``."""

    @functools.wraps(function)
    def with_settings(
        *arguments: Any,
        runtime: str,
        precision: str,
        weights_settings: WeightsSettings,
        **named: Any,
    ) -> Any:
        settings = RuntimeSettings(runtime, precision, weights=weights_settings)
        return function(*arguments, runtime_settings=settings, **named)

    where = click.option(
        "--runtime",
        type=click.Choice(RUNTIMES),
        envvar="MOBISEARCH_RUNTIME",
        default="auto",
        show_default=True,
        help="What runs the network; also from MOBISEARCH_RUNTIME.",
    )
    how = click.option(
        "--precision",
        type=click.Choice(PRECISIONS),
        envvar="MOBISEARCH_PRECISION",
        default="auto",
        show_default=True,
        help="What it computes in; also from MOBISEARCH_PRECISION.",
    )
    return cast("_F", where(how(weights_options(with_settings))))


def weights_options(function: _F) -> _F:
    """Add the options about weights to a command, which gets them as ``weights_settings``."""

    @functools.wraps(function)
    def with_settings(*arguments: Any, weights: str | None, offline: bool, **named: Any) -> Any:
        settings = WeightsSettings(path=weights, offline=offline or None, on_progress=FetchBar())
        return function(*arguments, weights_settings=settings, **named)

    where = click.option(
        "--weights",
        metavar="FILE",
        help="Take the model's weights from this file, whose SHA-256 is checked.",
    )
    offline = click.option(
        "--offline", is_flag=True, help="Fetch nothing; also from MOBISEARCH_OFFLINE."
    )
    return cast("_F", where(offline(with_settings)))


def model_options(function: _F) -> _F:
    """Add the options that choose a model to a command, which gets its name or None as ``model``.

    Raises:
        UnknownModelError, ModelVariantError: there is no such model.
    """

    @functools.wraps(function)
    def with_model(
        *arguments: Any, model: str | None, trust_weights: str | None, **named: Any
    ) -> Any:
        if model is not None or trust_weights is not None:
            from mobisearch.models import DEFAULT_MODEL, find_model

            spec = find_model(model or DEFAULT_MODEL)
            model = (spec if trust_weights is None else spec.trusting(trust_weights)).name
        return function(*arguments, model=model, **named)

    name = click.option(
        "--model",
        metavar="NAME",
        help="The network; 'mobisearch models' lists them. NAME@160 is for pictures of 160 pixels.",
    )
    trust = click.option(
        "--trust-weights",
        metavar="SHA256",
        help="Use weights of your own, with this SHA-256, in that network.",
    )
    return cast("_F", name(trust(with_model)))


def classifier_option(function: _F) -> _F:
    """Add ``--classifier`` to a command."""
    option = click.option(
        "--classifier",
        metavar="FILE",
        help="A classifier that 'mobisearch train' made; else the one in the model's weights.",
    )
    return option(function)


def common_options(function: _F) -> _F:
    """Add ``--index``, ``--json`` and ``--debug`` to a command."""
    index = click.option(
        "--index",
        "index_path",
        metavar="DIR",
        envvar="MOBISEARCH_INDEX",
        callback=_checked_path,
        default=DEFAULT_INDEX,
        show_default=True,
        help="The index directory; also from MOBISEARCH_INDEX.",
    )
    return index(output_options(function))


def output_options(function: _F) -> _F:
    """Add ``--json`` and ``--debug`` to a command."""
    json_output = click.option(
        "--json", "as_json", is_flag=True, help="Print one JSON document on stdout."
    )
    debug = click.option(
        "--debug", is_flag=True, expose_value=False, help="Show a traceback when something fails."
    )
    return json_output(debug(function))
