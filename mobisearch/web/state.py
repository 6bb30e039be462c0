"""What all requests share: the open index, what may be done, and what is held in memory."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass, field

import anyio

from mobisearch.capacity import count_processors
from mobisearch.errors import IndexNotFoundError
from mobisearch.index import ImageIndex
from mobisearch.types import Embeddings, Pixels
from mobisearch.web.thumbnails import ThumbnailCache

_MAX_QUERIES = 32
_UPLOADS_AT_ONCE = 2
_UPLOADS_WAITING = 8
_STREAMS = 32


@dataclass(frozen=True, slots=True)
class WebSettings:
    """How the page is served.

    Attributes:
        hosts: what the ``Host`` header may be, each with its port.
        token: what every request must bring.
        may_trash: whether plans may be carried out.
        is_read_only: whether nothing may be changed, not even decisions.
    """

    hosts: frozenset[str]
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    may_trash: bool = False
    is_read_only: bool = False

    @property
    def csrf(self) -> str:
        """What pages send with every change, beside the cookie."""
        return hmac.new(self.token.encode(), b"csrf", hashlib.sha256).hexdigest()


@dataclass(frozen=True, eq=False, slots=True)
class QueryPicture:
    """An uploaded picture: its pixels, uint8, shape (h, w, 3), scaled down, and its embedding."""

    pixels: Pixels
    row: Embeddings
    width: int
    height: int


class HeldQueries:
    """The pictures that were uploaded last; the oldest go first. Safe from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: OrderedDict[str, QueryPicture] = OrderedDict()

    def put(self, picture: QueryPicture) -> str:
        """Keep a picture, and return what it is asked for by."""
        key = secrets.token_urlsafe(16)
        with self._lock:
            self._held[key] = picture
            while len(self._held) > _MAX_QUERIES:
                self._held.popitem(last=False)
        return key

    def find(self, key: str) -> QueryPicture | None:
        """Return a picture, or None if there is none such any more."""
        with self._lock:
            picture = self._held.get(key)
            if picture is not None:
                self._held.move_to_end(key)
            return picture


class Room:
    """A number of places; who finds none is told so, instead of waiting for ever."""

    def __init__(self, places: int) -> None:
        self._places = places

    def enter(self) -> bool:
        """Take a place, if there is one."""
        if self._places <= 0:
            return False
        self._places -= 1
        return True

    def leave(self) -> None:
        """Give a place back."""
        self._places += 1


class WebState:
    """The index that is served, and what requests share."""

    def __init__(self, index: ImageIndex, settings: WebSettings) -> None:
        self.index = index
        self.settings = settings
        self._identity = index.identity()
        self.folders: dict[str, str] = {}  # by what is shown of them
        self.queries = HeldQueries()
        self.thumbnails = ThumbnailCache()
        self.uploads = Room(_UPLOADS_AT_ONCE + _UPLOADS_WAITING)
        self.streams = Room(_STREAMS)
        self.decoding = anyio.CapacityLimiter(_UPLOADS_AT_ONCE)
        self.drawing = anyio.CapacityLimiter(max(2, count_processors()))
        self.searching = anyio.CapacityLimiter(max(4, count_processors()))

    def check_there(self) -> None:
        """Make sure that the index is still what is at its place.

        Raises:
            IndexNotFoundError: it is gone, or another one is there.
        """
        if self.index.identity() != self._identity:
            raise IndexNotFoundError(self.index.directory)
