"""Reading files that people name: regular ones only, and never without end."""

from __future__ import annotations

import errno
import os


def read_regular(path: str, most_bytes: int) -> bytes:
    """Return what a regular file holds; of a larger one a byte more than the most, and no more.

    Pipes and devices are refused: they may never end.

    Raises:
        OSError: it cannot be read; its ``strerror`` is a reason in words.
    """
    if not os.path.isfile(path):
        if os.path.exists(path):
            raise OSError(errno.EINVAL, "is not a file", path)
        raise FileNotFoundError(errno.ENOENT, "there is no such file", path)
    try:
        with open(path, "rb") as file:
            return file.read(most_bytes + 1)
    except OSError as error:
        raise OSError(error.errno, f"cannot be read: {error.strerror}", path) from error
