"""What two pictures that lie on one another prove: where they agree, where not, and how exactly."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mobisearch.duplicates.verification.registration import Registration
from mobisearch.duplicates.verification.windows import (
    CLEAR,
    NOISE_LEVELS,
    Grid,
    Levels,
    Plane,
    Windows,
    compare,
    correlate,
    make_levels,
    refine,
)

AGREEMENT = 0.8
"""Correlation of two windows that show the same. Windows of unrelated photos that were laid on one
another as well as possible reach it in fewer than one of fifteen; of copies, in nine of ten."""

VISIBLE = 3.0
"""How many times the noise the contrast of a window must be to say anything."""

_ROUGH_QUANTILE = 0.3
_MOST_ROUGH = 8.0
"""Grey levels that differ in the calmer third of the windows are noise, of compression mostly; more
than eight are not."""

_LEAST_SURE = 4
_GAIN_WINDOWS, _GAIN_DOUBT = 4.0, 0.02
_UNKNOWN_PX = 9.0
_BLURS_PX = (0.7, 1.2, 2.0, 3.0)


@dataclass(frozen=True, eq=False, slots=True)
class Evidence:
    """What the shared area says.

    Attributes:
        telling: windows with enough in them, (r, c).
        agreeing: those of them that show the same.
        gain: contrast of the second over that of the first.
        noise: grey levels that one has and the other has not; of the second if positive, of the
            first if negative.
        rest_px: median of what agreeing windows would still have to move.
        blur_px: by how much one was blurred to be most like the other; the second if positive,
            the first if negative.
    """

    windows: Windows
    telling: NDArray[np.bool_]
    agreeing: NDArray[np.bool_]
    gain: float
    noise: float
    rest_px: float
    blur_px: float = 0.0

    @property
    def share(self) -> float:
        """Return which share of the telling windows agrees."""
        return float(self.agreeing.sum() / max(1, self.telling.sum()))


def weigh(windows: Windows, blur_px: float = 0.0) -> Evidence:
    """Tell apart windows that agree, that do not, and that say nothing."""
    inside, c = windows.inside, windows.correlation
    a, b = windows.first_spread, windows.second_spread
    sure = inside & (c > AGREEMENT) & (a > 2 * NOISE_LEVELS)
    gain = float(np.median(b[sure] / a[sure])) if sure.sum() >= _LEAST_SURE else 1.0
    gain = min(max(gain, 0.1), 10.0)
    expected = a * _spread_gain(a, b, sure, gain)
    noise_a = noise_b = rough = 0.0
    if inside.any():
        excess = b[inside] ** 2 - expected[inside] ** 2
        low, high = np.quantile(excess, (0.2, 0.8))
        noise_b, noise_a = max(float(low), 0.0) ** 0.5, max(-float(high), 0.0) ** 0.5 / gain
        rough = measure_noise(b[inside], c[inside])
    floor = NOISE_LEVELS * max(gain, 1.0)
    least = VISIBLE * max(floor, noise_a * gain, noise_b, rough)
    telling = inside & (np.maximum(expected, b) > least)
    agreeing = telling & (c > AGREEMENT)
    rest = float(np.median(windows.measure_rest()[agreeing])) if agreeing.any() else _UNKNOWN_PX
    noise = noise_b if noise_b >= noise_a * gain else -noise_a
    return Evidence(windows, telling, agreeing, gain, noise, rest, blur_px)


def measure_noise(spread: Plane, correlation: Plane) -> float:
    """Return how many grey levels of the contrast of windows the other picture does not explain."""
    unexplained = spread * np.sqrt(np.maximum(1 - correlation * correlation, 0))
    return min(float(np.quantile(unexplained, _ROUGH_QUANTILE)), _MOST_ROUGH)


def _spread_gain(a: Plane, b: Plane, sure: NDArray[np.bool_], gain: float) -> Plane:
    """Return the gain around each window, so that darkened corners are not taken for covered ones.

    Where nothing agrees far and wide it is the gain of all.
    """
    ratios = np.where(sure, np.log(np.maximum(b, 0.1) / np.maximum(a, 0.1)), 0).astype(np.float32)
    size = (0, 0)
    above = cv2.GaussianBlur(ratios, size, _GAIN_WINDOWS, borderType=cv2.BORDER_CONSTANT)
    weight = cv2.GaussianBlur(
        sure.astype(np.float32), size, _GAIN_WINDOWS, borderType=cv2.BORDER_CONSTANT
    )
    spread: Plane = np.exp((above + _GAIN_DOUBT * np.log(gain)) / (weight + _GAIN_DOUBT))
    return spread.astype(np.float32)


def equalise(made: Registration, evidence: Evidence) -> Evidence:
    """Return the evidence after blurring the sharper picture as much as makes them most alike.

    A blurred, noisy or pixelated copy then agrees; two shots do not, as what differs between them
    is in both.
    """
    inside, correlation = evidence.windows.inside, evidence.windows.correlation
    best, best_value = None, _likeness(made.first, made.second, correlation, inside)
    for is_second in (True, False):
        for sigma in _BLURS_PX:
            sharp = made.second if is_second else made.first
            blurred = make_levels(cv2.GaussianBlur(sharp.plane, (0, 0), sigma))
            first, second = (made.first, blurred) if is_second else (blurred, made.second)
            value = _likeness(first, second, correlate(first, second), inside)
            if value <= best_value:
                break
            best, best_value = (first, second, sigma if is_second else -sigma), value
    if best is None:
        return evidence
    first, second, blur_px = best
    windows = compare(_refined(first), _refined(second), inside)
    return weigh(windows, blur_px)


def _refined(levels: Levels) -> Grid:
    return levels if isinstance(levels, Grid) else refine(levels)


def _likeness(
    first: Levels, second: Levels, correlation: Plane, inside: NDArray[np.bool_]
) -> float:
    """Return the median correlation of the windows that have something in them."""
    seen = inside & (np.maximum(first.spread, second.spread) > CLEAR)
    return float(np.median(correlation[seen])) if seen.any() else 0.0
