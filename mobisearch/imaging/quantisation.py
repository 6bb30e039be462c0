"""By how much a JPEG's values were rounded when it was saved, and which way it lies in its file."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mobisearch.imaging.exif import read_tags, read_turn
from mobisearch.types import Pixels

_LUMA = 0
_RGB_TRANSFORM = 0
"""Adobe's mark of a JPEG whose colours are red, green and blue. Source: ITU-T T.872, 6.5.3."""

_BACK = {
    Image.Transpose.ROTATE_90: Image.Transpose.ROTATE_270,
    Image.Transpose.ROTATE_270: Image.Transpose.ROTATE_90,
}
"""All other turns are their own way back."""


@dataclass(frozen=True, eq=False, slots=True)
class Quantisation:
    """How the brightness of a JPEG was rounded.

    Attributes:
        steps: float32, shape (8, 8): of each frequency, down by across.
        turn: what turns its pixels upright, None for nothing.
    """

    steps: NDArray[np.float32]
    turn: Image.Transpose | None = None

    def as_stored(self, picture: Pixels) -> Pixels:
        """Return an upright picture, (h, w, 3), as it lies in the file."""
        if self.turn is None:
            return picture
        turned = Image.fromarray(picture).transpose(_BACK.get(self.turn, self.turn))
        return np.asarray(turned)


def read_quantisation(data: bytes) -> Quantisation | None:
    """Return how a picture was rounded when it was saved, None if it is no JPEG with brightness.

    Args:
        data: a file that Pillow can open.
    """
    with Image.open(io.BytesIO(data)) as image:
        tables = getattr(image, "quantization", None)
        if not tables or image.mode not in ("L", "RGB"):
            return None
        if image.mode == "RGB" and image.info.get("adobe_transform") == _RGB_TRANSFORM:
            return None
        layers = getattr(image, "layer", ())
        number = layers[0][3] if layers and isinstance(layers[0], tuple) else _LUMA
        table = tables.get(number)
        if table is None or len(table) != 64:
            return None
        steps = np.array(table, np.float32).reshape(8, 8)
        return Quantisation(steps, read_turn(read_tags(image)))
