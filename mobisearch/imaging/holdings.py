"""What a picture's file holds beside the pixels of its first picture, and what another one lacks.

What is written into files is read in ``annotations``, what is put behind pictures is found in
``attachments``, and what is put inside, in ``parts``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from PIL import Image

from mobisearch.imaging.annotations import read_annotations
from mobisearch.imaging.attachments import find_attachments
from mobisearch.imaging.decoding import open_picture
from mobisearch.imaging.depth import hash_depth, is_deep
from mobisearch.imaging.facts import SETTINGS
from mobisearch.imaging.parts import Part, find_parts
from mobisearch.imaging.reading import read_file
from mobisearch.imaging.xmp_names import UNKNOWN
from mobisearch.types import DecodeSettings

_REDUCED_PAGE = 1
_SUBFILE_TAG = 254
"""Bit 0: the page is a smaller form of another one. Source: TIFF 6.0, NewSubfileType."""

_MPO_THUMBNAIL = "Large Thumbnail"
"""Kinds of MPO picture that repeat the first. Source: CIPA DC-007, 5.2.3.3.1."""

_MAX_PAGES = 1000
"""Pages of a TIFF that are looked at to tell small forms from pages; the others count as pages."""

_FRAME_WORDS = {"TIFF": "pages", "GIF": "frames", "WEBP": "frames", "PNG": "frames"}

_PANORAMA = "what makes it a panorama"

_ENOUGH = {
    "date": ("date", "date taken"),
    "camera": ("camera",),
    "author": ("author",),
    "copyright": ("copyright",),
    "place": ("place",),
    _PANORAMA: (_PANORAMA,),
    **{name: (name,) for name in SETTINGS},
}
"""Facts that may differ, as long as the other has one of these. Of others, each value counts."""

_HOW = "how it was taken"
_WORDS = {"date taken": "date", **dict.fromkeys(SETTINGS, _HOW)}
_PHRASES = (_HOW, _PANORAMA)

_MAX_UNKNOWN = 3
"""Properties of XMP that are named; of more it is said how many."""


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a file holds beside the pixels of its first picture.

    Attributes:
        format: of the file, as Pillow calls it.
        n_frames: pictures, frames or pages; small forms of others left out.
        is_deep: more than 8 bits a colour.
        depth: a hash of all values then; "" if 8 bits would do for each of them.
        transparency: a hash of how opaque the pixels of the first picture are; "" if all are.
        attachments: in words, such as ``a film inside``.
        parts: of the inside that are not read, such as layers.
        facts: what is written in it, by name, such as ``date taken`` or ``keywords``: all values,
            cut short and with a hash where they are long.
    """

    format: str = ""
    n_frames: int = 1
    is_deep: bool = False
    depth: str = ""
    transparency: str = ""
    attachments: frozenset[str] = frozenset()
    parts: frozenset[Part] = frozenset()
    facts: Mapping[str, frozenset[str]] = field(default_factory=dict)


def read_holdings(path: str, settings: DecodeSettings) -> Holdings:
    """Read what a file holds. Pixels are decoded where they may be transparent, or are deep.

    What is written in a file and damaged raises nothing: it is told as a fact of its own.

    Raises:
        ImageError: it cannot be read, or is no picture that can be used.
    """
    content = read_file(path, max_bytes=settings.max_bytes)
    data = content.data
    with open_picture(data, name=path, settings=settings) as image:
        has_depth = is_deep(data, image)
        if image.format == "PNG":
            image.load()  # texts and EXIF may stand behind the pixels
        facts = read_annotations(image, data, content.sha256)
        depth = hash_depth(data, image, name=path, settings=settings) if has_depth else ""
        transparency = _transparency_of(image)
        attachments = find_attachments(data, image)
        return Holdings(
            format=str(image.format),
            n_frames=_count_frames(image),  # last, because it leaves the first frame
            is_deep=has_depth,
            depth=depth,
            transparency=transparency,
            attachments=attachments,
            parts=find_parts(data, image),
            facts={name: frozenset(values) for name, values in facts.items()},
        )


def find_missing(of: Holdings, in_kept: Holdings) -> str:
    """Say in words what one holds that another one, which is kept, does not; "" for nothing.

    For files of different bytes: further frames and films are not compared, and count as others.
    """
    found: list[str] = []
    if of.n_frames > 1:
        word = _FRAME_WORDS.get(of.format, "pictures")
        kept = f"{in_kept.n_frames:,}" if of.n_frames != in_kept.n_frames else "others, perhaps"
        found.append(f"{of.n_frames:,} {word} (the one kept has {kept})")
    if of.is_deep and not in_kept.is_deep:
        found.append("more than 8 bits a colour")
    elif of.is_deep and of.depth and of.depth != in_kept.depth:
        found.append("more than 8 bits a colour (the one kept has others, perhaps)")
    if of.transparency and of.transparency != in_kept.transparency:
        found.append("transparency")
    found += sorted(of.attachments)
    found += sorted(map(str, of.parts - in_kept.parts))
    lacking = [name for name in of.facts if _is_lacking(name, of.facts[name], in_kept.facts)]
    return ", ".join([*found, *_in_words(lacking)])


def _is_lacking(name: str, values: frozenset[str], in_kept: Mapping[str, frozenset[str]]) -> bool:
    if name in _ENOUGH:
        return not any(other in in_kept for other in _ENOUGH[name])
    kept = in_kept.get(name, frozenset())
    if name == "date taken":  # a day is in a date with hours: IPTC has days alone
        return not all(any(each.startswith(value) for each in kept) for value in values)
    return not values <= kept


def _in_words(lacking: Iterable[str]) -> Iterator[str]:
    words = dict.fromkeys(_WORDS.get(name, name) for name in lacking)
    unknown = [word for word in words if word.startswith(UNKNOWN)]
    if own := [word for word in words if word not in (*_PHRASES, *unknown)]:
        yield f"its {_listed(own)}"
    yield from (word for word in words if word in _PHRASES)
    yield from unknown[:_MAX_UNKNOWN]
    if len(unknown) > _MAX_UNKNOWN:
        yield f"{len(unknown) - _MAX_UNKNOWN:,} more properties of {UNKNOWN}"


def _listed(words: Iterable[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def _transparency_of(image: Image.Image) -> str:
    if not image.has_transparency_data:
        return ""
    image.load()
    if image.mode.startswith("I"):
        return "unknown"  # 16-bit grey with a value for what is transparent: Pillow finds it not
    if "transparency" in image.info or image.mode in ("P", "PA"):
        image = image.convert("RGBA")
    alpha = image.getchannel(image.getbands()[-1])
    if alpha.getextrema()[0] == 255:
        return ""
    return hashlib.sha256(repr(alpha.size).encode() + alpha.tobytes()).hexdigest()


def _count_frames(image: Image.Image) -> int:
    if image.format == "MPO":
        kinds = image.mpinfo[0xB002]  # type: ignore[attr-defined]
        names = [str(entry["Attribute"]["MPType"]) for entry in kinds[1:]]
        return 1 + sum(not name.startswith(_MPO_THUMBNAIL) for name in names)
    n_frames = int(getattr(image, "n_frames", 1))
    if image.format != "TIFF":
        return n_frames
    n_reduced = 0
    for number in range(1, min(n_frames, _MAX_PAGES)):
        image.seek(number)
        kind = image.tag_v2.get(_SUBFILE_TAG, 0)  # type: ignore[attr-defined]
        n_reduced += isinstance(kind, int) and bool(kind & _REDUCED_PAGE)
    return n_frames - n_reduced
