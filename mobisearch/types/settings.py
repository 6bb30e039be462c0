"""How pictures are decoded, prepared and embedded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How an upright RGB image becomes the network's input.

    Resize so that the shorter side is ``resize_px`` (bilinear with antialiasing), cut the centre
    square of ``crop_px``, scale to 0..1, subtract ``mean`` and divide by ``std`` per channel.

    Source: torchvision ``transforms._presets.ImageClassification``.
    """

    resize_px: int
    crop_px: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class WholePicture:
    """All of an upright RGB image, scaled down so that the longer side is ``longer_px``.

    Smaller images stay as they are.
    """

    longer_px: int


Framing: TypeAlias = Preprocessing | WholePicture
"""What is wanted of an image: the part that a network looks at, or all of it."""


@dataclass(frozen=True, slots=True)
class DecodeSettings:
    """Limits and choices for turning bytes into pixels.

    Attributes:
        max_bytes: larger files are refused unread.
        max_pixels: larger pictures are refused from their header, before any pixel is decoded.
            The default admits a 200-megapixel phone photo.
        max_pixels_other: the limit for every format but JPEG, which alone can be decoded at
            reduced size and so needs far less memory than its pixels suggest.
        exact: decode JPEGs at full size and resize whole pictures, as torchvision does, to the very
            pixel. Otherwise large JPEGs are decoded at 1/2, 1/4 or 1/8, never below
            ``reduced_oversampling`` times what the network looks at, and only the part of a picture
            that the network looks at is resized.
        reduced_oversampling: how many times larger than ``Preprocessing.resize_px`` the shorter
            side of a reduced JPEG stays at least. The README states the deviation measured at 2.
        deadline_seconds: decoding one picture may take this long. Held where files are decoded in
            worker processes, as indexing does.
        max_memory_bytes: decoding one picture may take this much memory. Held by the system, in
            workers, where it can (Linux). The default admits what ``max_pixels_other`` does.
        tolerant: take the part that is there of a picture that is cut short, and note that.
    """

    max_bytes: int = 500_000_000
    max_pixels: int = 256_000_000
    max_pixels_other: int = 128_000_000
    exact: bool = False
    reduced_oversampling: float = 2.0
    deadline_seconds: float = 60.0
    max_memory_bytes: int = 3 << 30
    tolerant: bool = False


@dataclass(frozen=True, slots=True)
class FetchProgress:
    """How much of a weights file has been fetched.

    Attributes:
        total_bytes: None where the server does not say.
    """

    file_name: str
    done_bytes: int
    total_bytes: int | None


OnFetch: TypeAlias = Callable[[FetchProgress], None]


@dataclass(frozen=True, slots=True)
class WeightsSettings:
    """Where weights come from that are not part of the package, and how they are fetched.

    Attributes:
        path: a file to take them from; it must have the SHA-256 that the model pins.
        offline: fetch nothing. None takes what the variable ``MOBISEARCH_OFFLINE`` says.
        address: the folder to fetch from, ``https://``, ``http://`` or ``file:///``, in place of
            the file's own. None takes what the variable ``MOBISEARCH_WEIGHTS_URL`` says.
        on_progress: called whenever some more has come. Exceptions that it raises end the fetching.
        timeout_seconds: how long to wait for a connection, and for each next piece.
        deadline_seconds: for a whole file, and for another process that is fetching it.
        max_bytes: larger files are refused.
        attempts: how often to try, each going on where the last one ended.
        pause_seconds: before the second attempt; twice as long before each further one.
    """

    path: str | None = None
    offline: bool | None = None
    address: str | None = None
    on_progress: OnFetch | None = field(default=None, compare=False, repr=False)
    timeout_seconds: float = 30.0
    deadline_seconds: float = 1800.0
    max_bytes: int = 256 << 20
    attempts: int = 4
    pause_seconds: float = 1.0


RUNTIMES = ("auto", "openvino", "torch")
PRECISIONS = ("auto", "f32", "bf16", "int8")
"""The names that :class:`RuntimeSettings` takes."""


@dataclass(frozen=True, slots=True)
class RuntimeSettings:
    """Where a network runs, and how precisely.

    Attributes:
        runtime: ``"openvino"``; ``"torch"``, the reference; ``"auto"`` takes torch on a CUDA device
            where there is one, else OpenVINO, else torch on the CPU.
        precision: ``"f32"``, ``"bf16"`` or ``"int8"``; ``"auto"`` takes bf16 where the processor
            computes in it and the runtime offers it, else f32. The README states what each does to
            embeddings and to what is found.
        device: of torch, such as ``"cpu"`` or ``"cuda:1"``; None chooses.
        n_threads: processors to use on the CPU; None takes all that this process may use.
        weights: where weights come from that are not part of the package.
    """

    runtime: str = "auto"
    precision: str = "auto"
    device: str | None = None
    n_threads: int | None = None
    weights: WeightsSettings = WeightsSettings()
