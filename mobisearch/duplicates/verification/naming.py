"""Names what was done to one picture to get the other."""

from __future__ import annotations

import numpy as np

from mobisearch.duplicates.verification.colouring import compare_colours, compare_sharpness
from mobisearch.duplicates.verification.judgement import Findings
from mobisearch.duplicates.verification.overlap import Overlap
from mobisearch.duplicates.verification.windows import CELL_PX
from mobisearch.types.duplicates import Relation, Verdict

_SCALE = 0.02
"""By how much sides must differ to be called resized: twice what the fit is uncertain by."""

_STRETCH = 1.03
_CORNERS = 0.06
"""By how much a share may miss what turning alone leaves."""

_TURN_DEGREES = 0.7
_CROP = 0.025
"""Of a picture's area that the other does not have: twice what the fit is uncertain by."""

_FADED = 0.005
FADED_WORDS = "faded edges"
_WIDE = 0.8
_NOISE_LEVELS = 4.0
_BLUR_PX = 1.2
_DRAWN, _NOT_DRAWN = 0.7, 0.3
"""Of what differs, the share drawn in one picture, and in the other, from which on it is known on
which of them it was laid."""

_ORDER = tuple(Verdict)


def name_relation(found: Findings, overlap: Overlap) -> Relation:
    """Return the relation of two pictures that are copies."""
    geometry = found.geometry
    changes: set[Verdict] = set()
    details: list[str] = []
    if abs(np.log(geometry.scale)) > _SCALE or geometry.stretch > _STRETCH:
        changes.add(Verdict.RESIZED)
        if geometry.stretch > _STRETCH:
            details.append("stretched" if geometry.bend < 1.15 else "bent")
    if geometry.is_mirrored:
        changes.add(Verdict.MIRRORED)
    if abs(geometry.turn_degrees) > _TURN_DEGREES:
        changes.add(Verdict.ROTATED)
    _name_surroundings(found, changes, details)
    if found.differences.patches:
        changes.add(Verdict.OVERLAID)
        details.append(_name_patches(found))
    if found.differences.faded_share > _FADED:
        changes.add(Verdict.RECOLOURED)
        details.append(FADED_WORDS)
    _name_looks(found, overlap, changes, details)
    if not changes:
        changes.add(Verdict.RECOMPRESSED)
    ordered = tuple(sorted(changes, key=_ORDER.index))
    return Relation(
        ordered[-1],
        ordered,
        agreement=round(found.differences.outside_share, 4),
        first_share=round(found.first_share, 4),
        second_share=round(found.second_share, 4),
        scale=round(geometry.scale, 4),
        turn_degrees=round(geometry.turn_degrees, 2),
        is_mirrored=geometry.is_mirrored,
        detail=", ".join(dict.fromkeys(details)),
    )


def _name_surroundings(found: Findings, changes: set[Verdict], details: list[str]) -> None:
    """Tell more of the picture from something put around it."""
    geometry = found.geometry
    for around, share in (
        (found.first_around, geometry.first_share),
        (found.second_around, geometry.second_share),
    ):
        if share > 1 - _CROP:
            continue
        if around.is_frame and _is_corners(geometry.turn_degrees, share):
            continue  # the verdict is that it was turned
        if around.is_frame or around.is_collage:
            changes.add(Verdict.OVERLAID)
            details.append("collage" if around.is_collage else "border")
        else:
            changes.add(Verdict.CROPPED)


def _is_corners(turn_degrees: float, share: float) -> bool:
    """Say whether what is around is just the corners that turning by a few degrees leaves."""
    turn = np.deg2rad(abs((turn_degrees + 45) % 90 - 45))
    left = 1 / (np.cos(turn) + np.sin(turn)) ** 2  # of a square; of other shapes nearly the same
    is_turned = turn > np.deg2rad(_TURN_DEGREES)
    return bool(is_turned and abs(share - left) < _CORNERS)


def _name_patches(found: Findings) -> str:
    """Return how large what was laid over is, and whether it is on the first, or on one of both."""
    what, differences = _name_size(found), found.differences
    in_coarse, in_fine = differences.drawn_shares
    in_first, in_second = (
        (in_fine, in_coarse) if found.alignment.is_swapped else (in_coarse, in_fine)
    )
    if in_second >= _DRAWN and in_first <= _NOT_DRAWN:
        return what
    return f"without {what}" if in_first >= _DRAWN and in_second <= _NOT_DRAWN else f"{what} on one"


def _name_size(found: Findings) -> str:
    width = found.alignment.evidence.windows.inside.shape[1]
    for patch in found.differences.patches:
        left, _, right, _ = patch.box
        if right - left > _WIDE * CELL_PX * width:
            return "caption"
    return "mark" if len(found.differences.patches) < 4 else "marks"


def _name_looks(
    found: Findings, overlap: Overlap, changes: set[Verdict], details: list[str]
) -> None:
    """Name what was done to colours and sharpness, of the second as seen from the first."""
    alignment, evidence = found.alignment, found.alignment.evidence
    planes = [overlap.first, overlap.second]
    sign = 1
    if alignment.is_swapped:
        planes.reverse()
        sign = -1
    geometry = found.geometry
    is_resampled = (
        alignment.shrink[0, 0] < 1
        or Verdict.RESIZED in changes
        or geometry.stretch > _STRETCH
        or abs((geometry.turn_degrees + 45) % 90 - 45) > _TURN_DEGREES
        or max(geometry.first_share, geometry.second_share) < 1 - _CROP
        or min(geometry.first_share, geometry.second_share) < 1 - _CROP
    )
    _, word = compare_sharpness(planes[0], planes[1], overlap.agreeing, is_resampled=is_resampled)
    colouring = compare_colours(
        planes[0],
        planes[1],
        overlap.agreeing,
        is_negative=alignment.is_negative,
        is_sharpened=bool(word),
    )
    if colouring.words:
        changes.add(Verdict.RECOLOURED)
        details.extend(colouring.words)
    if word:
        changes.add(Verdict.RETOUCHED)
        details.append(word)
    elif abs(evidence.noise) > _NOISE_LEVELS:
        changes.add(Verdict.RETOUCHED)
        details.append("noisier" if sign * evidence.noise > 0 else "less noise")
    elif abs(evidence.blur_px) >= _BLUR_PX:
        changes.add(Verdict.RETOUCHED)
        details.append("sharper" if sign * evidence.blur_px > 0 else "softer")
