"""What a classifier says of images."""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_LABELS = 5
"""How many categories are kept of each image."""

DEFAULT_LEAST_PROBABILITY = 0.1
"""From which on an image counts as one of a category, where nothing else is said."""


@dataclass(frozen=True, slots=True)
class Label:
    """One category that an image may be of.

    Attributes:
        category: such as ``"tabby"``, as the classifier calls it.
        probability: 0 to 1; over all categories of the classifier they add up to 1.
    """

    category: str
    probability: float


@dataclass(frozen=True, slots=True)
class LabelCount:
    """How many images of an index are of a category.

    Attributes:
        classifier: which one says so, in words.
        images: of which it is the most probable category.
    """

    category: str
    classifier: str
    images: int


@dataclass(frozen=True, slots=True)
class LabelReport:
    """What labelling an index did.

    Attributes:
        classifier: which one, in words.
        categories: that it knows.
        labelled: contents that got labels in this run; copies are one content.
        unchanged: contents that had theirs already.
        reread: contents that were read and embedded again, because an older version of mobisearch
            had not kept all that this classifier needs.
        left: contents that have no labels, because none of their files can be read again now.
        interrupted: the run was stopped on request. What it had done is stored.
    """

    classifier: str
    categories: int
    labelled: int
    unchanged: int
    reread: int
    left: int
    seconds: float
    interrupted: bool = False
