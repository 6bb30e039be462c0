"""How well pictures are found again: altered copies, and the measures of a ranking."""

from mobisearch.evaluation.alterations import ALTERATIONS, Alteration, alter
from mobisearch.evaluation.benchmark import BenchmarkReport, run_benchmark
from mobisearch.evaluation.comparison import ModelMeasurement, measure_models, recommend
from mobisearch.evaluation.metrics import micro_average_precision, recall_at

__all__ = [
    "ALTERATIONS",
    "Alteration",
    "BenchmarkReport",
    "ModelMeasurement",
    "alter",
    "measure_models",
    "micro_average_precision",
    "recall_at",
    "recommend",
    "run_benchmark",
]
