"""Fetching weights, once for all processes: attempts, their bounds, and the hash at the end."""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import filelock

from mobisearch.errors import (
    WeightsAbsentError,
    WeightsAddressError,
    WeightsDownloadError,
    WeightsMismatchError,
)
from mobisearch.models.spec import ModelSpec, WeightsSpec
from mobisearch.models.stored_weights import original_path, read_original
from mobisearch.models.transfer import PartialFile, TransferError, transfer
from mobisearch.types import FetchProgress, WeightsSettings

_SCHEMES = ("https", "http", "file")
_FALSE = ("", "0", "false", "no", "off")


def is_offline(settings: WeightsSettings) -> bool:
    """Say whether nothing may be fetched."""
    if settings.offline is not None:
        return settings.offline
    return os.environ.get("MOBISEARCH_OFFLINE", "").strip().lower() not in _FALSE


def find_address(weights: WeightsSpec, settings: WeightsSettings) -> str:
    """Return the address of a weights file: its own, or below the one that was set instead.

    Raises:
        WeightsAddressError: what was set is no address.
    """
    base = settings.address or os.environ.get("MOBISEARCH_WEIGHTS_URL") or ""
    if not base:
        return weights.url
    try:
        parts = urlsplit(base)
        is_sound = parts.scheme in _SCHEMES and bool(parts.netloc) != (parts.scheme == "file")
    except ValueError:
        is_sound = False
    if not is_sound:
        raise WeightsAddressError(base)
    return f"{base.rstrip('/')}/{weights.file_name}"


def fetch_weights(spec: ModelSpec, settings: WeightsSettings) -> bytes:
    """Fetch the model's weights file into the user's cache folder, and return its bytes.

    It gets its name there when it is whole and its SHA-256 is the pinned one. Processes that want
    it at the same time wait for the one that fetches it.

    Raises:
        WeightsAbsentError: nothing may be fetched, or there is nowhere to fetch it from.
        WeightsAddressError: the address that is set is none.
        WeightsDownloadError: it could not be fetched.
        WeightsMismatchError: what came is not the pinned file; it was dropped.
    """
    weights = spec.weights
    target = original_path(weights)
    if weights.place != "address":
        raise _absent(spec, target, "they are a file of your own")
    if is_offline(settings):
        raise _absent(spec, target, "nothing is to be fetched (offline)")
    address = find_address(weights, settings)
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _turn(target, settings):
            found = read_original(weights)  # another process may have fetched it meanwhile
            return found if found is not None else _attempts(address, weights, target, settings)
    except TransferError as error:
        raise WeightsDownloadError(
            address, error.reason, path=str(target), expected=weights.sha256
        ) from error
    except OSError as error:
        reason = f"it cannot be stored ({error.strerror or error})"
        raise WeightsDownloadError(
            address, reason, path=str(target), expected=weights.sha256
        ) from error


def _absent(spec: ModelSpec, target: Path, reason: str) -> WeightsAbsentError:
    if target.exists():
        reason = f"{reason}, and the file that is there has another SHA-256"
    return WeightsAbsentError(spec.name, reason, path=str(target), expected=spec.weights.sha256)


@contextlib.contextmanager
def _turn(target: Path, settings: WeightsSettings) -> Iterator[None]:
    """Hold the right to fetch a file; whoever holds it and dies lets go of it."""
    lock = filelock.FileLock(
        target.parent / f".{target.name}.lock", timeout=settings.deadline_seconds, mode=0o600
    )
    try:
        lock.acquire()
    except filelock.Timeout:
        reason = f"another process has been fetching it for {settings.deadline_seconds:.0f} s"
        raise TransferError(reason, may_pass=False) from None
    try:
        yield
    finally:
        lock.release()


def _attempts(address: str, weights: WeightsSpec, target: Path, settings: WeightsSettings) -> bytes:
    part = PartialFile(target)
    deadline = time.monotonic() + settings.deadline_seconds

    def tell(done_bytes: int, total_bytes: int | None) -> None:
        if settings.on_progress is not None:
            settings.on_progress(FetchProgress(target.name, done_bytes, total_bytes))

    for attempt in range(1, max(settings.attempts, 1) + 1):
        try:
            was_resumed = transfer(address, part, settings, deadline=deadline, on_bytes=tell)
        except TransferError as error:
            if not error.may_pass or attempt >= settings.attempts:
                raise
            time.sleep(settings.pause_seconds * 2 ** (attempt - 1))
            continue
        data = part.path.read_bytes()
        actual = hashlib.sha256(data).hexdigest()
        if actual == weights.sha256:
            part.publish(target)
            return data
        part.clear()
        if not was_resumed:
            break  # the two parts of a resumed one may not belong together
    raise WeightsMismatchError(
        address,
        expected=weights.sha256,
        actual=actual,
        next_step=f"nothing of it was kept; put the right file at {target}",
    )
