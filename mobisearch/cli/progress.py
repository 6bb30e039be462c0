"""Progress bars: on a terminal only, silent when piped."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Never, Self

from mobisearch.cli.output import format_bytes, print_message
from mobisearch.types import FetchProgress, Progress

if TYPE_CHECKING:
    from tqdm import tqdm


class ProgressBar:
    """Shows images done, images a second and the time left on stderr, if that is a terminal."""

    def __init__(self) -> None:
        self._bar: tqdm[Never] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.close()

    def __call__(self, progress: Progress) -> None:
        """Move the bar to where the work is."""
        if self._bar is None:
            from tqdm import tqdm  # takes longer to import than a search may

            self._bar = tqdm(
                total=progress.total,
                unit=" images",
                disable=not sys.stderr.isatty(),
                dynamic_ncols=True,
                smoothing=0.1,
            )
        if progress.failed:
            self._bar.set_postfix_str(f"{progress.failed} failed", refresh=False)
        self._bar.update(progress.done - self._bar.n)


class FetchBar:
    """Says what is being fetched, and shows how much of it has come, if stderr is a terminal."""

    def __init__(self) -> None:
        self._bar: tqdm[Never] | None = None

    def __call__(self, progress: FetchProgress) -> None:
        """Move the bar to where the work is."""
        if self._bar is None:
            from tqdm import tqdm

            size = format_bytes(progress.total_bytes) if progress.total_bytes else "size unknown"
            print_message(f"fetching {progress.file_name} ({size}) ...")
            self._bar = tqdm(
                total=progress.total_bytes,
                unit="B",
                unit_scale=True,
                disable=not sys.stderr.isatty(),
                dynamic_ncols=True,
            )
        self._bar.update(progress.done_bytes - self._bar.n)
        if progress.done_bytes == progress.total_bytes:
            self._bar.close()
            self._bar = None


class StagedProgress:
    """Shows work of several stages, each with a bar of its own."""

    def __init__(self) -> None:
        self._bar: ProgressBar | None = None
        self._last: Progress | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.__exit__(kind, error, traceback)

    def __call__(self, progress: Progress) -> None:
        """Move the bar to where the work is, or begin the next one."""
        last = self._last
        if last is None or last.total != progress.total or progress.done < last.done:
            self.__exit__(None, None, None)
            self._bar = ProgressBar()
        self._last = progress
        assert self._bar is not None
        self._bar(progress)
