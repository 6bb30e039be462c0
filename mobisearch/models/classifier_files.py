"""Where classifiers come from: the weights of a model, or a file that training made.

A file is safetensors: tensors without anything that could be executed, and what they mean as JSON.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from mobisearch.errors import ClassifierFileError, NoClassifierError
from mobisearch.models.classifier import Classifier, LinearLayer
from mobisearch.models.spec import ModelSpec
from mobisearch.models.weights import CLASSIFIER, read_weights
from mobisearch.types import WeightsSettings

MARK = "mobisearch_classifier"
VERSION = 1
TRAINING = "mobisearch_training"
"""The one entry in the metadata of weights that were trained here: JSON, in which ``"classes"`` are
the names of the outputs. One only, since several come in another order each time."""

_IMAGENET = Path(__file__).parent / "imagenet1k_categories.txt"
"""Source: torchvision ``models/_meta.py``; a test compares them."""

_MAX_BYTES = 1 << 30
_DEFAULTS = WeightsSettings()
_WEIGHT = re.compile(rf"{re.escape(CLASSIFIER)}(\d+)\.weight")
_Tensors: TypeAlias = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class ClassifierFile:
    """A classifier as it is in a file, and the JSON that tells how it was made."""

    classifier: Classifier
    facts: Mapping[str, Any]


def imagenet_categories() -> tuple[str, ...]:
    """Return the 1,000 categories of ImageNet as torchvision names them, in their order."""
    return tuple(_IMAGENET.read_text(encoding="utf-8").splitlines())


def read_classifier(spec: ModelSpec, settings: WeightsSettings = _DEFAULTS) -> Classifier:
    """Return the classifier that is in a model's own weights.

    It gives what the whole network would. Loads no torch, unless weights have to be converted.

    Raises:
        NoClassifierError: there is none in them.
        ModelError: another of what ``read_weights`` raises.
    """
    data = read_weights(spec, settings=settings)
    tensors: _Tensors = safetensors.numpy.load(data)
    numbers = sorted(int(found[1]) for name in tensors if (found := _WEIGHT.fullmatch(name)))
    layers = tuple(_layer(tensors, f"{CLASSIFIER}{number}.") for number in numbers)
    if not layers or layers[0].weight.shape[1] != spec.dim:
        raise NoClassifierError(spec.name)
    n_outputs = len(layers[-1].bias)
    trained = _metadata(data).get(TRAINING)
    if trained is not None:
        categories = tuple(str(name) for name in json.loads(trained)["classes"])
    elif n_outputs == len(imagenet_categories()):
        categories = imagenet_categories()
    else:
        categories = ()
    if len(categories) != n_outputs:
        categories = tuple(f"category {number}" for number in range(n_outputs))
    identity = f"{spec.fingerprint} {json.dumps(categories)}"
    return Classifier(
        name=spec.name,
        sha256=hashlib.sha256(identity.encode()).hexdigest(),
        fingerprint=spec.fingerprint,
        model=spec.name,
        label=spec.label,
        categories=categories,
        layers=layers,
        takes="pooled",
    )


def read_classifier_file(path: str | Path) -> ClassifierFile:
    """Return the classifier of a file that training made.

    Raises:
        ClassifierFileError: it is not there, damaged, or something else.
    """
    place = Path(path).expanduser()
    try:
        if not place.is_file():
            raise ClassifierFileError(str(place), "there is no such file")
        if place.stat().st_size > _MAX_BYTES:
            raise ClassifierFileError(str(place), "is larger than any classifier")
        data = place.read_bytes()
    except OSError as error:
        raise ClassifierFileError(str(place), f"cannot be read ({error.strerror})") from error
    try:
        facts = json.loads(_metadata(data)[MARK])
        tensors: _Tensors = safetensors.numpy.load(data)
        classifier = _classifier(facts, tensors, data)
    except (safetensors.SafetensorError, ValueError, KeyError, TypeError, RecursionError) as error:
        reason = f"is no sound classifier of mobisearch ({error})"
        raise ClassifierFileError(str(place), reason) from error
    return ClassifierFile(classifier, facts)


def classifier_bytes(
    spec: ModelSpec, layer: LinearLayer, facts: Mapping[str, Any], *, name: str
) -> bytes:
    """Return a file for a classifier that was trained on unit rows. Same input, same bytes.

    Args:
        facts: JSON about how it was made; ``"classes"`` names the outputs, in their order.
    """
    document = {
        **facts,
        "version": VERSION,
        "name": name,
        "model": spec.name,
        "fingerprint": spec.fingerprint,
        "label": spec.label,
        "takes": "unit",
    }
    tensors = {"weight": layer.weight, "bias": layer.bias}
    return safetensors.numpy.save(tensors, {MARK: json.dumps(document, sort_keys=True)})


def is_classifier_file(path: Path) -> bool:
    """Say whether a file begins as a classifier of ours does."""
    with open(path, "rb") as file:
        return f'"{MARK}"'.encode() in file.read(4096)


def _classifier(facts: Mapping[str, Any], tensors: _Tensors, data: bytes) -> Classifier:
    if facts["version"] != VERSION:
        raise ValueError(f"its version is {facts['version']!r}, expected {VERSION}")
    layer, classes = _layer(tensors, ""), facts["classes"]
    texts = [facts[key] for key in ("name", "fingerprint", "model", "label")]
    if not all(isinstance(text, str) for text in (*texts, *classes)):
        raise ValueError("what should be text is not")
    if facts["takes"] != "unit" or len(classes) < 2 or layer.weight.shape[0] != len(classes):
        raise ValueError("classes and weights do not fit together")
    return Classifier(
        name=texts[0],
        sha256=hashlib.sha256(data).hexdigest(),
        fingerprint=texts[1],
        model=texts[2],
        label=texts[3],
        categories=tuple(classes),
        layers=(layer,),
        takes="unit",
    )


def _layer(tensors: _Tensors, prefix: str) -> LinearLayer:
    weight, bias = tensors[f"{prefix}weight"], tensors[f"{prefix}bias"]
    if weight.ndim != 2 or bias.shape != weight.shape[:1] or not np.isfinite(weight).all():
        raise ValueError("the weights are of an impossible shape, or not finite")
    return LinearLayer(weight.astype(np.float32), bias.astype(np.float32))


def _metadata(data: bytes) -> Mapping[str, str]:
    """Return the texts in the head of a safetensors file; none where it has no such head."""
    n_header = int.from_bytes(data[:8], "little")
    if n_header > len(data) - 8:
        return {}
    header = json.loads(data[8 : 8 + n_header])
    found = header.get("__metadata__", {}) if isinstance(header, dict) else {}
    return found if isinstance(found, dict) else {}
