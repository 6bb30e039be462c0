"""What two pictures that lie on one another prove: where they agree, where not, and how exactly."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mobisearch.duplicates.verification.registration import (
    NOISE_LEVELS,
    Plane,
    Registration,
    Windows,
    compare,
)

AGREEMENT = 0.8
"""Correlation of two windows that show the same. Windows of unrelated photos that were laid on one
another as well as possible reach it in fewer than one of fifteen; of copies, in nine of ten."""

DISAGREEMENT = 0.6

_VISIBLE = 3.0
"""How many times the noise a window's contrast must be to say anything."""


@dataclass(frozen=True, eq=False, slots=True)
class Evidence:
    """What the shared area says.

    Attributes:
        telling: windows with enough in them, (r, c).
        agreeing, failing: those of them that show the same, and that show something else.
        gain: contrast of the second over that of the first.
        noise: grey levels that the noisier has more than the other.
        rest_px: median of what agreeing windows would still have to move.
    """

    windows: Windows
    telling: NDArray[np.bool_]
    agreeing: NDArray[np.bool_]
    failing: NDArray[np.bool_]
    gain: float
    noise: float
    rest_px: float
    rest_map: Plane

    @property
    def share(self) -> float:
        """Return which share of the telling windows agrees."""
        return float(self.agreeing.sum() / max(1, self.telling.sum()))


def weigh(windows: Windows, rest: Plane) -> Evidence:
    """Tell apart windows that agree, that do not, and that say nothing."""
    inside, c = windows.inside, windows.correlation
    a, b = windows.first_spread, windows.second_spread
    sure = inside & (c > AGREEMENT) & (a > 2 * NOISE_LEVELS)
    gain = float(np.median(b[sure] / a[sure])) if sure.sum() >= 4 else 1.0
    gain = min(max(gain, 0.1), 10.0)
    if inside.any():
        excess = b[inside] ** 2 - (gain * a[inside]) ** 2
        low, high = float(np.quantile(excess, 0.2)), float(np.quantile(excess, 0.8))
        noise_b, noise_a = max(low, 0.0) ** 0.5, max(-high, 0.0) ** 0.5 / gain
    else:
        noise_a = noise_b = 0.0
    least_a, least_b = max(NOISE_LEVELS, noise_a), max(NOISE_LEVELS, noise_b)
    least = _VISIBLE * max(least_a * gain, least_b)  # in levels of the second
    telling = inside & (np.maximum(a * gain, b) > least)
    agreeing = telling & (c > AGREEMENT)
    failing = telling & (c < DISAGREEMENT)
    seen = rest[agreeing]
    return Evidence(
        windows,
        telling,
        agreeing,
        failing,
        gain,
        max(noise_a * gain, noise_b),
        float(np.median(seen)) if seen.size else 9.0,
        rest,
    )


def equalise(made: Registration, evidence: Evidence) -> Evidence:
    """Return the evidence after blurring the sharper picture as much as makes them most alike.

    A blurred, noisy or pixelated copy then agrees; two shots do not, as what differs between them
    is in both.
    """
    best, best_value = evidence, _likeness(evidence.windows)
    for which in (0, 1):
        for sigma in (0.7, 1.2, 2.0, 3.0):
            planes = [made.first, made.second]
            planes[which] = cv2.GaussianBlur(planes[which], (0, 0), sigma)
            windows, _ = compare(planes[0], planes[1], made.inside)
            value = _likeness(windows)
            if value < best_value:
                break
            best, best_value = weigh(windows, made.rest_px), value
    return best


def _likeness(windows: Windows) -> float:
    seen = windows.inside & (np.maximum(windows.first_spread, windows.second_spread) > 6)
    return float(np.median(windows.correlation[seen])) if seen.any() else 0.0
