"""What is known of a file and of the picture in it."""

from __future__ import annotations

from dataclasses import dataclass

from mobisearch.types.labels import Label


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What the bytes of a picture say about it.

    Attributes:
        format: such as ``"JPEG"``.
        width, height: pixels of the upright picture.
        taken_at: EXIF date and time as written by the camera, ISO 8601 without a zone, or with
            one where EXIF has it.
        camera: maker and model.
        latitude, longitude: degrees, north and east positive.
        is_truncated: the file ends before the picture does, and what there is was taken.
    """

    format: str
    width: int
    height: int
    taken_at: str | None = None
    camera: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    is_truncated: bool = False


@dataclass(frozen=True, slots=True)
class FileStamp:
    """What the file system says about a file: enough to see, without reading, that it changed."""

    size_bytes: int
    mtime_ns: int
    ctime_ns: int = 0
    inode: str = ""


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """One image in an index.

    Attributes:
        id: stable for the life of the index, kept across moves, never reused.
        path: absolute. Bytes that are not UTF-8 are surrogate-escaped, as ``os.fsdecode`` does, so
            that the path always opens.
        width, height: pixels of the upright picture.
        sha256: of the file's bytes, hexadecimal. Copies share it.
        is_truncated: only a part of the picture was there to be embedded.
        labels: what it was labelled with, classifier by classifier, the most probable category of
            each first. Filled in results of searches and by ``ImageIndex.image``.
    """

    id: int
    path: str
    width: int
    height: int
    size_bytes: int
    mtime_ns: int
    sha256: str
    format: str
    taken_at: str | None = None
    camera: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    is_truncated: bool = False
    labels: tuple[Label, ...] = ()


@dataclass(frozen=True, slots=True)
class FileFailure:
    """A file that could not be indexed, and why."""

    path: str
    code: str
    reason: str
