"""Thumbnails compared in processes of their own.

What is done with small arrays holds Python's lock, so that threads of one process take turns at it
and a second one gains nothing; a second process gains all that its processor has.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import BinaryIO

from mobisearch.duplicates.pairwise import (
    ComparedPair,
    PreparedPictures,
    compare_pictures,
    prepare_picture,
)
from mobisearch.store import ContentPicture, Pair

_PAIRS_PER_REQUEST = 16
"""So few that no process is still busy for long when the others have nothing left to do."""

_MOST_HELD = 2_000
"""Pictures that each process holds ready: 400 MB."""

_ENDING_SECONDS = 2.0
_PROGRAM = (
    "import sys; sys.path[:] = sys.argv[1:]; from mobisearch.duplicates.processes import main; "
    "main()"
)


class ProcessEndedError(RuntimeError):
    """A process for comparing could not be started, or ended before it had answered."""


class ComparingProcesses:
    """Some processes that compare pairs of thumbnails; each is started when it is first needed.

    A pair goes to a process by its first content, so that each holds pictures of its own; one that
    has nothing left to do takes over what is another's. They end with this object, and with this
    process, however it ends.
    """

    def __init__(self, n_processes: int) -> None:
        self._processes: list[_ComparingProcess | None] = [None] * n_processes

    def compare(
        self, pairs: Sequence[Pair], pictures: Mapping[int, ContentPicture]
    ) -> dict[Pair, ComparedPair]:
        """Compare pairs of contents.

        Args:
            pictures: of all contents in them, by id; a content without one is damaged.

        Raises:
            ProcessEndedError: they have to be compared in another way.
        """
        n = len(self._processes)
        shares: list[list[Pair]] = [[] for _ in range(n)]
        for pair in pairs:
            shares[pair[0] % n].append(pair)
        requests = [deque(_cut(share)) for share in shares]
        found: dict[Pair, ComparedPair] = {}
        with ThreadPoolExecutor(n, thread_name_prefix="mobisearch-compare") as pool:
            for answers in pool.map(self._ask, range(n), [requests] * n, [pictures] * n):
                found |= answers
        return found

    def _ask(
        self,
        number: int,
        requests: Sequence[deque[list[Pair]]],
        pictures: Mapping[int, ContentPicture],
    ) -> dict[Pair, ComparedPair]:
        """Let a process answer its own requests, then, the last ones first, those of the others."""
        found: dict[Pair, ComparedPair] = {}
        while (pairs := _next_request(number, requests)) is not None:
            try:
                process = self._processes[number]
                if process is None:
                    process = self._processes[number] = _ComparingProcess()
                found |= zip(pairs, process.compare(pairs, pictures), strict=True)
            except ProcessEndedError:
                for left in requests:
                    left.clear()  # what the others have begun is the last that they do
                raise
        return found

    def close(self) -> None:
        """End the processes. Closing twice does nothing."""
        for number, process in enumerate(self._processes):
            if process is not None:
                process.close()
            self._processes[number] = None


def _cut(pairs: list[Pair]) -> Iterator[list[Pair]]:
    for start in range(0, len(pairs), _PAIRS_PER_REQUEST):
        yield pairs[start : start + _PAIRS_PER_REQUEST]


def _next_request(number: int, requests: Sequence[deque[list[Pair]]]) -> list[Pair] | None:
    """Take a request of one's own, or of who has most of them left; None if there are no more."""
    with contextlib.suppress(IndexError):  # another thread took the last one
        return requests[number].popleft()
    for other in sorted(requests, key=len, reverse=True):
        with contextlib.suppress(IndexError):
            return other.pop()
    return None


class _ComparingProcess:
    """One process, for one thread at a time."""

    def __init__(self) -> None:
        path = [os.path.abspath(entry) for entry in sys.path]
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own program, no shell
                [sys.executable, "-P", "-c", _PROGRAM, *path],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
                start_new_session=True,  # Ctrl-C is for us; we end it when we are ready
            )
        except (OSError, TypeError) as error:  # TypeError: a program without an interpreter
            raise ProcessEndedError(str(error)) from error

    def compare(
        self, pairs: Sequence[Pair], pictures: Mapping[int, ContentPicture]
    ) -> list[ComparedPair]:
        requests, answers = self._process.stdin, self._process.stdout
        assert requests is not None
        assert answers is not None
        wanted = {content_id for pair in pairs for content_id in pair}
        sent = [pictures[content_id] for content_id in sorted(wanted) if content_id in pictures]
        try:
            pickle.dump((list(pairs), sent), requests, pickle.HIGHEST_PROTOCOL)
            requests.flush()
            found = pickle.load(answers)  # noqa: S301 - of our own process
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            raise ProcessEndedError(f"{type(error).__name__}: {error}") from error
        assert isinstance(found, list)
        return found

    def close(self) -> None:
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            with contextlib.suppress(OSError):
                stream.close()  # which is what it waits for
        try:
            self._process.wait(_ENDING_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def main() -> None:
    """Answer requests on stdin on stdout until stdin ends."""
    answers: BinaryIO = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints is no answer
    requests = sys.stdin.buffer
    held = PreparedPictures(_MOST_HELD)
    with contextlib.suppress(EOFError, BrokenPipeError, KeyboardInterrupt):
        while True:
            pairs, pictures = pickle.load(requests)  # noqa: S301 - of the process that started us
            for row in pictures:
                if row.content_id not in held:
                    held.put(row.content_id, prepare_picture(row))
            found = [compare_pictures(held[first], held[second]) for first, second in pairs]
            pickle.dump(found, answers, pickle.HIGHEST_PROTOCOL)
            answers.flush()
            held.tidy()
