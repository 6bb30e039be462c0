"""Half-transparent marks: one ink of one opacity, through which the picture still shows.

Where such a mark lies, each colour becomes ``(1 - opacity) * colour + opacity * ink``. A place by
itself may be too small, or too full of the edges of letters, to show that; all places of a mark
together do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mobisearch.duplicates.verification.drawing import find_palette
from mobisearch.duplicates.verification.overlap import brightness, largest
from mobisearch.duplicates.verification.windows import Plane

_CORRELATION, _LEVELS = 0.85, 8.0
"""Half-transparent marks, dark corners: brightness still follows the picture's."""

_PIXELS, _LINE = 0.75, 0.93
"""The same for most of the pixels, without those at the edges of a half-transparent mark."""

_ROUNDS = 5

_SAMPLE = 1500
"""Pixels from which an ink is found."""

_OPACITIES = np.arange(0.2, 0.9, 0.1)
_LEAST_OPACITY, _MOST_OPACITY = 0.15, 0.85
_NEAR = 14.0
"""Grey levels within which a pixel is what the ink makes of it."""

_LEAST_COVER = 0.55
"""Of the pixels of all places, what one ink explains."""

_LEAST_CONTRAST = 6.0
"""Grey levels by which the picture must vary under the ink, to be seen through it."""

_MOST_OWN = 0.6
"""Of one place, what the ink explains, the edges of letters and panels aside."""

_LEAST_OWN, _LEAST_EXPLAINED = 0.4, 0.85
"""The same where writing is on it; and with that, which has few colours."""

_CERTAIN_COVER, _CERTAIN_LINE = 0.75, 0.88
"""Where an ink explains that much, as little need show through it: it is nearly opaque."""

_LEAST_PIXELS = 20
_INK_SLACK = 12.0


@dataclass(frozen=True, eq=False, slots=True)
class Veil:
    """What lies over a picture.

    Attributes:
        opacity: 0 to 1.
        added: what the ink adds to each of red, green and blue, its colour times the opacity.
    """

    opacity: float
    added: NDArray[np.float32]

    def explains(self, under: Plane, over: Plane) -> NDArray[np.bool_]:
        """Return which pixels, (n, 3), are what the ink makes of those under it."""
        apart = largest(abs(over - np.float32(1 - self.opacity) * under - self.added))
        near: NDArray[np.bool_] = apart < _NEAR
        return near


def is_veiled(under: Plane, over: Plane) -> bool:
    """Return whether the brightness of some pixels, (n, 3), still follows that of a picture."""
    a, b = (brightness(plane).astype(np.float64) for plane in (under, over))
    if _follows(a, b, _CORRELATION):
        return True
    near = np.ones(len(a), bool)
    for _ in range(_ROUNDS):
        x, y = a[near], b[near]
        spread = float(x.var())
        if spread < 1:
            return False
        slope = float(((x - x.mean()) * (y - y.mean())).mean()) / spread
        apart = abs(b - y.mean() - slope * (a - x.mean()))
        near = apart <= np.quantile(apart, _PIXELS)
    return _follows(a[near], b[near], _LINE)


def _follows(a: NDArray[np.float64], b: NDArray[np.float64], least_correlation: float) -> bool:
    spread_a, spread_b = float(a.std()), float(b.std())
    if spread_a < _LEVELS or spread_b < 1:
        return False
    shared = float(((a - a.mean()) * (b - b.mean())).mean())
    return shared > least_correlation * spread_a * spread_b


def find_veiled(under: Sequence[Plane], over: Sequence[Plane]) -> list[bool]:
    """Return which places have the same half-transparent ink over them.

    Args:
        under, over: float32, the pixels of each place, (n, 3), in both pictures.
    """
    veil = find_veil(np.concatenate(under), np.concatenate(over))
    if veil is None:
        return [False] * len(under)
    return [_is_explained(veil, a, b) for a, b in zip(under, over, strict=True)]


def _is_explained(veil: Veil, under: Plane, over: Plane) -> bool:
    near = veil.explains(under, over)
    own = float(near.mean())
    if own >= _MOST_OWN:
        return True
    drawn = find_palette(over[~near])[0]
    return own >= _LEAST_OWN and own + (1 - own) * drawn >= _LEAST_EXPLAINED


def find_veil(under: Plane, over: Plane) -> Veil | None:
    """Return the half-transparent ink that explains most of some pixels, (n, 3), if one does."""
    step = 1 + len(under) // _SAMPLE
    under, over = under[::step], over[::step]
    veil = max(
        (_commonest(under, over, float(opacity)) for opacity in _OPACITIES),
        key=lambda veil: int(veil.explains(under, over).sum()),
    )
    for _ in range(_ROUNDS):
        near = veil.explains(under, over)
        if near.sum() < _LEAST_PIXELS:
            return None
        veil = _fit(under[near], over[near])
    near = veil.explains(under, over)
    cover = float(near.mean())
    if cover < _LEAST_COVER or near.sum() < _LEAST_PIXELS:
        return None
    line = _CERTAIN_LINE if cover >= _CERTAIN_COVER else _LINE
    return veil if _is_ink(veil, under[near], over[near], line) else None


def _commonest(under: Plane, over: Plane, opacity: float) -> Veil:
    """Return the ink of an opacity that most pixels have, to 16 grey levels."""
    added = over - np.float32(1 - opacity) * under
    cells = np.clip(added + 256, 0, 511).astype(np.int32) >> 4
    codes = (cells[:, 0] << 10) + (cells[:, 1] << 5) + cells[:, 2]
    common = np.bincount(codes).argmax()
    return Veil(opacity, np.median(added[codes == common], axis=0).astype(np.float32))


def _fit(under: Plane, over: Plane) -> Veil:
    """Return the opacity and ink of least squares, one opacity for all three colours."""
    middle, target = under.mean(axis=0), over.mean(axis=0)
    x, y = under - middle, over - target
    slope = float((x * y).sum()) / max(1.0, float((x * x).sum()))
    slope = min(max(slope, 0.0), 1.0)
    return Veil(1 - slope, (target - np.float32(slope) * middle).astype(np.float32))


def _is_ink(veil: Veil, under: Plane, over: Plane, least_correlation: float) -> bool:
    """Return whether a veil is of a colour there is, and shows what varies under it."""
    if not _LEAST_OPACITY <= veil.opacity <= _MOST_OPACITY:
        return False
    least, most = float(veil.added.min()), float(veil.added.max())
    if least < -_INK_SLACK or most > 255 * veil.opacity + _INK_SLACK:
        return False
    x, y = under - under.mean(axis=0), over - over.mean(axis=0)
    if (1 - veil.opacity) * float(np.sqrt((x * x).mean())) < _LEAST_CONTRAST:
        return False
    shared = float((x * y).sum())
    return shared > least_correlation * float(np.sqrt((x * x).sum() * (y * y).sum()))
