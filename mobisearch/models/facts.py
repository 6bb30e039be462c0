"""What networks cost, counted beforehand, so that listing them loads no torch."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from mobisearch.models.spec import ModelSpec

_COUNTED_AT_PX = 224


@dataclass(frozen=True, slots=True)
class CostFacts:
    """For one picture of 224 pixels, as ``count_cost`` counts; a test compares them.

    Attributes:
        parameters, multiply_adds: of the whole network with its classifier, as papers state them.
        embedding_parameters, embedding_multiply_adds: without the classifier, as it runs here.
    """

    parameters: int
    multiply_adds: int
    embedding_parameters: int
    embedding_multiply_adds: int


COSTS = MappingProxyType(
    {
        "mobilenet_v2": CostFacts(3_504_872, 300_774_272, 2_223_872, 299_494_272),
        "mobilenet_v3_small": CostFacts(2_542_856, 56_510_400, 927_008, 54_896_576),
        "mobilenet_v3_large": CostFacts(5_483_032, 216_589_760, 2_971_952, 214_080_960),
    }
)
"""By torchvision's name of the architecture, at width 1."""


def find_costs(spec: ModelSpec) -> CostFacts:
    """Return what a model costs at its width and resolution.

    Those of the registry are known beforehand. For others torch is loaded, and they are counted.
    """
    costs = COSTS.get(spec.architecture)
    if costs is not None and spec.width_mult == 1 and spec.preprocessing.crop_px == _COUNTED_AT_PX:
        return costs
    from mobisearch.models.mobilenet import count_costs

    return CostFacts(*count_costs(spec))
