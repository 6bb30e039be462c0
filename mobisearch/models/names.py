"""Names of models: ``mobilenet_v2``, ``mobilenet_v2@160``, ``mobilenet_v2x0.5+SHA256@160``.

A name says everything that tells a model from others: architecture and training, then the width,
the hash of a weights file of one's own, and the resolution, where they are not the usual ones.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mobisearch.errors import ModelVariantError

WIDTHS = (0.25, 1.4)
"""From, to. Source: arXiv:1801.04381 (0.35 to 1.4) and arXiv:1704.04861 (from 0.25)."""

RESOLUTIONS_PX = (96, 288)
"""From, to. Source: arXiv:1801.04381 (96 to 224); beyond, as far as was measured."""

_NAME = re.compile(
    r"(?P<base>.*?)(?:x(?P<width>[0-9.]+))?(?:\+(?P<sha256>[^+@]*))?(?:@(?P<resolution>[^@]*))?",
    re.DOTALL,
)
_SHA256 = re.compile(r"[0-9a-f]{64}")
_WIDTH = re.compile(r"[0-9](\.[0-9]{1,3})?")
_RESOLUTION = re.compile(r"[0-9]{2,3}")


@dataclass(frozen=True, slots=True)
class NameParts:
    """A name taken apart, nothing of it checked; None for what is not in it."""

    base: str
    width: str | None
    sha256: str | None
    resolution: str | None

    @property
    def is_variant(self) -> bool:
        """Say whether there is anything but the base."""
        return (self.width, self.sha256, self.resolution) != (None, None, None)

    @property
    def without_resolution(self) -> str:
        """The name with everything in front of the resolution."""
        width = "" if self.width is None else f"x{self.width}"
        return self.base + width + ("" if self.sha256 is None else f"+{self.sha256}")


def split_name(name: str) -> NameParts:
    """Take a name apart."""
    found = _NAME.fullmatch(name)
    assert found is not None  # the base takes whatever the rest does not
    return NameParts(found["base"], found["width"], found["sha256"], found["resolution"])


def read_width(name: str, text: str) -> float:
    """Return the width that a part of a name says, or raise ModelVariantError."""
    if _WIDTH.fullmatch(text) is None:
        raise ModelVariantError(name, f"the width must be a number from {_range(WIDTHS)}")
    check_width(name, float(text))
    return float(text)


def read_resolution(name: str, text: str) -> int:
    """Return the resolution that a part of a name says, in pixels, or raise ModelVariantError."""
    if _RESOLUTION.fullmatch(text) is None:
        reason = f"the resolution must be a whole number of pixels from {_range(RESOLUTIONS_PX)}"
        raise ModelVariantError(name, reason)
    check_resolution(name, int(text))
    return int(text)


def check_width(name: str, width: float) -> None:
    """Raise ModelVariantError unless there are networks of this width."""
    if not WIDTHS[0] <= width <= WIDTHS[1]:
        raise ModelVariantError(name, f"the width must be from {_range(WIDTHS)}")


def check_resolution(name: str, resolution_px: int) -> None:
    """Raise ModelVariantError unless pictures of this size are taken."""
    if not RESOLUTIONS_PX[0] <= resolution_px <= RESOLUTIONS_PX[1]:
        reason = f"the resolution must be from {_range(RESOLUTIONS_PX)} pixels"
        raise ModelVariantError(name, reason)


def check_sha256(name: str, sha256: str) -> None:
    """Raise ModelVariantError unless it is a SHA-256."""
    if _SHA256.fullmatch(sha256) is None:
        raise ModelVariantError(name, "a SHA-256 is 64 digits from 0 to 9 and a to f")


def _range(ends: tuple[float, float]) -> str:
    return f"{ends[0]:g} to {ends[1]:g}"
