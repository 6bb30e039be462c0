"""What a search returns, and how it shows itself in a notebook."""

from __future__ import annotations

import base64
import html
import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mobisearch.errors import ImageError
from mobisearch.imaging import read_thumbnail_jpeg
from mobisearch.text import printable
from mobisearch.types import ImageRecord

_THUMBNAIL_PX = 160
_MAX_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Match:
    """One search result.

    Attributes:
        score: cosine similarity, -1 to 1, higher is better; 1 for the same picture.
        image: what was found.
    """

    score: float
    image: ImageRecord

    def _repr_html_(self) -> str:
        return picture_row([_cell(self)])


class Matches(list[Match]):
    """A list of matches, best first, that shows its pictures in a notebook.

    Attributes:
        query: what was searched for, in words; empty where there are none.
        error: why there are no matches, when one query among several could not be used.
    """

    def __init__(
        self, matches: Iterable[Match] = (), *, query: str = "", error: ImageError | None = None
    ) -> None:
        super().__init__(matches)
        self.query = query
        self.error = error

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild_matches, (list(self), self.query, self.error)

    def _repr_html_(self) -> str:
        if self.error is not None:
            return f"<p>{safe_html(str(self.error))}</p>"
        title = f"<p>{safe_html(self.query)}: {len(self)} matches</p>" if self.query else ""
        if not self:
            return title or "<p>no matches</p>"
        more = f"<p>and {len(self) - _MAX_SHOWN} more</p>" if len(self) > _MAX_SHOWN else ""
        return title + picture_row([_cell(match) for match in self[:_MAX_SHOWN]]) + more


def _rebuild_matches(matches: list[Match], query: str, error: ImageError | None) -> Matches:
    return Matches(matches, query=query, error=error)


def safe_html(text: str) -> str:
    """Return text for HTML, without characters that change what is around it."""
    return html.escape(printable(text))


def picture_row(cells: list[str]) -> str:
    """Return pictures, each of them HTML, side by side."""
    return f'<div style="display:flex;flex-wrap:wrap;gap:8px">{"".join(cells)}</div>'


def picture_cell(image: ImageRecord, heading: str) -> str:
    """Return an image as HTML: small, under it a heading, which is HTML, its name and its size."""
    name = safe_html(os.path.basename(image.path))
    try:
        picture = base64.b64encode(read_thumbnail_jpeg(image.path, max_px=_THUMBNAIL_PX)).decode()
        shown = f'<img src="data:image/jpeg;base64,{picture}" alt="{name}">'
    except ImageError as error:
        shown = f"<em>{safe_html(error.reason)}</em>"
    return (
        f'<figure style="margin:0;width:{_THUMBNAIL_PX}px" title="{safe_html(image.path)}">{shown}'
        f'<figcaption style="font:12px sans-serif;overflow-wrap:anywhere">'
        f"<b>{heading}</b> {name}<br>{image.width} &times; {image.height}"
        "</figcaption></figure>"
    )


def _cell(match: Match) -> str:
    return picture_cell(match.image, f"{match.score:.3f}")
