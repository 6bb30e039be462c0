"""Models by name."""

from __future__ import annotations

import pickle

import pytest

from mobisearch.errors import UnknownModelError
from mobisearch.models import DEFAULT_MODEL, MODELS, ModelSpec, find_model
from mobisearch.models.weights import BUNDLED_DIR


@pytest.mark.parametrize("name", MODELS)
def test_every_model_is_found_by_its_own_name(name: str) -> None:
    assert find_model(name).name == name


@pytest.mark.parametrize("spec", MODELS.values(), ids=lambda spec: spec.name)
def test_every_record_says_where_its_weights_come_from_and_pins_them(spec: ModelSpec) -> None:
    assert len(bytes.fromhex(spec.weights.sha256)) == 32
    assert spec.weights.licence
    assert spec.weights.source.startswith("https://")
    assert spec.preprocessing.crop_px <= spec.preprocessing.resize_px
    assert spec.dim > 0


@pytest.mark.parametrize("spec", MODELS.values(), ids=lambda spec: spec.name)
def test_every_record_survives_pickling(spec: ModelSpec) -> None:
    assert pickle.loads(pickle.dumps(spec)) == spec


def test_the_default_model_is_bundled() -> None:
    assert (BUNDLED_DIR / MODELS[DEFAULT_MODEL].weights.file_name).is_file()


@pytest.mark.parametrize("name", ["mobilenet", "", "MobileNet_V2", "resnet50"])
def test_an_unknown_name_is_refused_with_those_that_exist(name: str) -> None:
    with pytest.raises(UnknownModelError) as caught:
        find_model(name)
    assert caught.value.name == name
    assert caught.value.known == tuple(sorted(MODELS))
    assert DEFAULT_MODEL in str(caught.value)


def test_the_registry_is_read_only() -> None:
    with pytest.raises(TypeError):
        MODELS["mine"] = MODELS[DEFAULT_MODEL]  # type: ignore[index]
