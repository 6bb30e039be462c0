"""Images to categories, without an index."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from mobisearch.embedding import Embedder
from mobisearch.errors import ImageError, InvalidResultCountError
from mobisearch.errors.labels import CLASSIFYING_MODEL
from mobisearch.imaging import ImageSource, as_sources, name_of
from mobisearch.models import Classifier, find_model, read_classifier, read_classifier_file
from mobisearch.runtimes import Runtime
from mobisearch.types import DEFAULT_LABELS, DecodeSettings, Label, RuntimeSettings


@dataclass(frozen=True, slots=True)
class ClassifiedImage:
    """What a classifier says of an image.

    Attributes:
        image: which one, in words.
        labels: its most probable categories, the most probable first; none after an error.
        error: why it could not be used, or None.
    """

    image: str
    labels: tuple[Label, ...]
    error: ImageError | None = None


class ImageClassifier:
    """Says which categories images are of: what the whole network of a model would say.

    ::

        for label in ImageClassifier().classify(["cat.jpg"])[0].labels:
            print(label.category, label.probability)
    """

    def __init__(
        self,
        model: str | None = None,
        *,
        classifier: str | os.PathLike[str] | None = None,
        runtime: Runtime | RuntimeSettings | None = None,
        settings: DecodeSettings | None = None,
    ) -> None:
        """Choose a classifier.

        Args:
            model: a name. None takes the one that the classifier file names, or without one
                torchvision's MobileNetV2, which is in the package.
            classifier: a file that training made; None takes the classifier in the model's weights.
            runtime: as for :class:`mobisearch.Embedder`.
            settings: limits and exactness of decoding; None takes the defaults.

        Raises:
            NoClassifierError: the weights of the model have no classifier in them.
            ClassifierFileError, ClassifierMismatchError: the file is none, or of another model.
            ModelError: the model is unknown, or its weights cannot be used.
        """
        chosen = runtime if isinstance(runtime, RuntimeSettings) else RuntimeSettings()
        if classifier is not None:
            self.classifier = read_classifier_file(os.fspath(classifier)).classifier
            spec = find_model(model or self.classifier.model)
        else:
            spec = find_model(model or CLASSIFYING_MODEL)
            self.classifier = read_classifier(spec, chosen.weights)
        self.classifier.check_model(spec)
        self._embedder = Embedder(spec, runtime=runtime, settings=settings)

    def __repr__(self) -> str:
        return f"ImageClassifier({self.classifier.name})"

    @property
    def categories(self) -> tuple[str, ...]:
        """The categories that it knows, in their order."""
        return self.classifier.categories

    def classify(
        self, images: ImageSource | Sequence[ImageSource], k: int = DEFAULT_LABELS
    ) -> list[ClassifiedImage]:
        """Classify images, or a single one, which counts as a sequence of one.

        Args:
            k: how many categories of each, at least 1.

        Returns:
            For each image its labels, or why it could not be used.

        Raises:
            InvalidResultCountError: ``k`` is below 1.
            ModelError: the network cannot be loaded.
        """
        if k < 1:
            raise InvalidResultCountError(k)
        sources = as_sources(images)
        embedded, errors = self._embedder.pool_each(sources)
        labels = iter(self.classifier.labels(embedded, k))
        return [
            ClassifiedImage(name_of(source), () if error else next(labels), error)
            for source, error in zip(sources, errors, strict=True)
        ]


def choose_classifier(
    embedder: Embedder, classifier: str | os.PathLike[str] | Classifier | None
) -> Classifier:
    """Return the classifier for what an embedder makes.

    Args:
        classifier: one that is loaded, a file, or None for the one in the model's weights.

    Raises:
        NoClassifierError, ClassifierFileError, ClassifierMismatchError: there is none that fits.
    """
    if classifier is None:
        return read_classifier(embedder.spec, embedder.weights)
    if not isinstance(classifier, Classifier):
        classifier = read_classifier_file(os.fspath(classifier)).classifier
    classifier.check_model(embedder.spec)
    return classifier
