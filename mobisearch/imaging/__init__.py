"""Files to pixels: scan folders, read, decode, turn upright, cut, describe. Pillow and numpy only.

What a picture *means* to a network is in ``mobisearch.models``; nothing here knows a network.
"""

from mobisearch.imaging.decoding import PreparedImage, decode, prepare
from mobisearch.imaging.formats import is_read, unread_reason
from mobisearch.imaging.geometry import iter_resized
from mobisearch.imaging.holdings import Holdings, find_missing, read_holdings
from mobisearch.imaging.quantisation import Quantisation, read_quantisation
from mobisearch.imaging.reading import FileContent, read_file, read_start, stamp_of
from mobisearch.imaging.scanning import ScannedFile, ScanProblem, ScanSettings, scan_folder
from mobisearch.imaging.sources import ImageSource, as_sources, name_of, prepare_source
from mobisearch.imaging.system_folders import holds_no_originals, trash_of
from mobisearch.imaging.thumbnails import (
    decode_jpeg,
    encode_jpeg,
    read_thumbnail,
    read_thumbnail_jpeg,
    resize_pixels,
)
from mobisearch.imaging.workers import Halt, HaltedError, shared_workers

__all__ = [
    "FileContent",
    "Halt",
    "HaltedError",
    "Holdings",
    "ImageSource",
    "PreparedImage",
    "Quantisation",
    "ScanProblem",
    "ScanSettings",
    "ScannedFile",
    "as_sources",
    "decode",
    "decode_jpeg",
    "encode_jpeg",
    "find_missing",
    "holds_no_originals",
    "is_read",
    "iter_resized",
    "name_of",
    "prepare",
    "prepare_source",
    "read_file",
    "read_holdings",
    "read_quantisation",
    "read_start",
    "read_thumbnail",
    "read_thumbnail_jpeg",
    "resize_pixels",
    "scan_folder",
    "shared_workers",
    "stamp_of",
    "trash_of",
    "unread_reason",
]
