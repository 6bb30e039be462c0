"""What became of the steps of a plan."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StepOutcome:
    """What became of one file.

    Attributes:
        action: ``trash`` or ``link``; of undoing, what was taken back.
        state: ``done``; ``would`` in a dry run; ``before``: it was done already; ``refused``: it
            was not safe, and nothing was done; ``left``: this run leaves such files alone;
            ``failed``: it was begun, and the system refused.
        reason: why it was refused or failed, or what else there is to say.
        place: where the file is now, if it is not at its path.
        freed_bytes: what the step frees once the trash is emptied.
    """

    step: int
    path: str
    action: str
    state: str
    reason: str = ""
    place: str | None = None
    freed_bytes: int = 0


@dataclass(frozen=True, slots=True)
class CleanupReport:
    """What a run over a plan did.

    Attributes:
        is_dry: nothing was changed.
        settled: a line for each step of an earlier run that had been cut off, and how it stands.
        interrupted: the run was stopped on request, between two steps.
    """

    outcomes: tuple[StepOutcome, ...]
    is_dry: bool = False
    settled: tuple[str, ...] = ()
    interrupted: bool = False

    def count(self, *states: str) -> int:
        """Count the steps that ended in one of some states."""
        return sum(outcome.state in states for outcome in self.outcomes)

    @property
    def freed_bytes(self) -> int:
        """What the steps that were done, or would be, free once the trash is emptied."""
        return sum(
            outcome.freed_bytes for outcome in self.outcomes if outcome.state in ("done", "would")
        )

    @property
    def ok(self) -> bool:
        """True when nothing was refused or failed."""
        return not self.count("refused", "failed")
