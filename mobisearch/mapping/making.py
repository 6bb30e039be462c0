"""Making the map of an index, here or in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable

import numpy as np

from mobisearch.browsing import BrowsingIndex
from mobisearch.errors import MappingError
from mobisearch.index import ImageIndex
from mobisearch.mapping.files import ImageMap, map_path, read_map, write_map
from mobisearch.mapping.layout import SAMPLE, lay_out, reduce_rows
from mobisearch.types import Embeddings, Progress

_PARTS = 1000
_PROGRAM = (
    "import sys; sys.path[:] = sys.argv[2:]; from mobisearch.mapping.making import main; main()"
)
_POLL_SECONDS = 0.2


def draw_map(index: BrowsingIndex, tell: Callable[[str, float], None]) -> ImageMap:
    """Lay out all images of an index that searches can return.

    Cost: reads all embeddings twice; holds a sample of them, and 200 bytes of each.
    """
    generation = index.generation()
    vector_ids, image_ids, owners = index.vectors_and_images()
    n = len(vector_ids)
    tell("reading", 0.0)
    reduced: Embeddings = np.empty((0, 1), np.float32)
    if n:
        wanted = np.unique(np.linspace(0, n - 1, min(n, SAMPLE)).round().astype(np.int64))
        reduce = reduce_rows(np.concatenate(list(index.rows_of(vector_ids[wanted]))))
        tell("reading", 0.1)
        reduced = np.concatenate([reduce(block) for block in index.rows_of(vector_ids)])
    places = lay_out(reduced, tell)
    order = np.argsort(image_ids)
    return ImageMap(generation, index.fingerprint, image_ids[order], places[owners[order]])


def make_map(
    index: ImageIndex,
    *,
    on_progress: Callable[[Progress], None] = lambda _: None,
    stop: threading.Event | None = None,
) -> ImageMap:
    """Make the map of an index in a process of its own, keep it in the cache folder, return it.

    Args:
        stop: set it, from another thread, to end early.

    Raises:
        MappingError: it could not be made, or was stopped.
    """
    stop = stop or threading.Event()
    path = [os.path.abspath(entry) for entry in sys.path]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    process = subprocess.Popen(  # noqa: S603 - our own program, no shell
        [sys.executable, "-P", "-c", _PROGRAM, index.directory, *path],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        text=True,
    )
    watcher = threading.Thread(target=_end_on_request, args=(process, stop), daemon=True)
    watcher.start()
    assert process.stdout is not None
    assert process.stderr is not None
    for line in process.stdout:
        step, share = json.loads(line)
        on_progress(Progress(round(_PARTS * share), _PARTS, 0, stage=step))
    said = process.stderr.read().strip()
    code = process.wait()
    if stop.is_set():
        raise MappingError("it was stopped")
    made = read_map(index.uuid, model=index.fingerprint) if code == 0 else None
    if made is None:
        raise MappingError(said.splitlines()[-1] if said else "the cache folder cannot be written")
    return made


def _end_on_request(process: subprocess.Popen[str], stop: threading.Event) -> None:
    while process.poll() is None:
        if stop.wait(_POLL_SECONDS):
            process.kill()


def main() -> None:
    """Make the map of the index that the first argument names, and tell how far it is."""

    def tell(step: str, share: float) -> None:
        sys.stdout.write(json.dumps([step, share]) + "\n")
        sys.stdout.flush()

    with ImageIndex.open(sys.argv[1]) as index:
        write_map(map_path(index.uuid), draw_map(index, tell))
