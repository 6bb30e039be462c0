"""``mobisearch apply`` and ``undo``: carry out a plan, and take it back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

import mobisearch
from mobisearch.cli import exit_codes
from mobisearch.cli.interrupts import stop_on_signals
from mobisearch.cli.options import common_options
from mobisearch.cli.output import (
    format_bytes,
    index_option,
    json_path,
    print_json,
    print_line,
    print_message,
)
from mobisearch.errors import PlanNotFoundError
from mobisearch.text import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mobisearch.cleanup import CleanupReport, StepOutcome
    from mobisearch.types import FileAction

_UNDONE = {"trash": "restore", "link": "unlink"}
_THE_PLAN_DONE = "name the plan that 'mobisearch apply' was given"
_STOPPING = "stopping after the file in hand; once more to stop at once"
_yes = click.option("--yes", is_flag=True, help="Do it. Without this, only say what would be done.")


@click.command("apply")
@click.argument("plan_path", metavar="PLAN")
@_yes
@click.option(
    "--link",
    "as_links",
    is_flag=True,
    help="Replace byte-identical copies by hard links to the image that is kept, instead of moving "
    "them to the trash. Other files of the plan are left alone.",
)
@common_options
def apply_command(plan_path: str, yes: bool, as_links: bool, index_path: str, as_json: bool) -> int:
    """Carry out PLAN, a file written by 'mobisearch duplicates --plan'.

    Copies are moved to the trash of the system, never deleted. Without --yes nothing is changed.
    Before each step both files are read again: a step is refused if either has changed, if the
    image that is kept is no whole picture, if the two are one file under two names, or if the file
    is protected. Exit code 1 says that some steps were refused or failed. Everything done is
    written in a journal; 'mobisearch undo PLAN' takes it back.
    """
    from mobisearch.cleanup import apply_plan, read_plan

    plan = read_plan(plan_path)
    with mobisearch.ImageIndex.open(index_path) as index, stop_on_signals(_STOPPING) as stop:
        report = apply_plan(
            index,
            plan,
            is_real=yes,
            as_links=as_links,
            stop=stop,
            on_outcome=None if as_json else _print_outcome,
        )
    n_decisions = sum(bool(group.decision) for group in plan.groups)
    if n_decisions:
        words = "is remembered" if yes else "would be remembered"
        print_message(f"of {counted(n_decisions, 'group')} {words} what you decided")
    hint = f"mobisearch apply{index_option(index_path)}{' --link' if as_links else ''} --yes PLAN"
    return _finish(report, as_json=as_json, hint=hint)


@click.command("undo")
@click.argument("plan_path", metavar="PLAN")
@_yes
@common_options
def undo_command(plan_path: str, yes: bool, index_path: str, as_json: bool) -> int:
    """Take back everything that was done for PLAN, the last step first.

    Files return from the trash to their old places; where something else is now, they get another
    name beside it: nothing is overwritten. Links become files of their own. Without --yes nothing
    is changed. On systems that do not tell where their trash keeps a file (Windows, macOS), files
    are restored there by hand; undo says which.
    """
    from mobisearch.cleanup import read_plan, undo_plan

    try:
        plan = read_plan(plan_path)
    except PlanNotFoundError as error:
        raise PlanNotFoundError(error.path, error.reason, _THE_PLAN_DONE) from error
    with mobisearch.ImageIndex.open(index_path) as index, stop_on_signals(_STOPPING) as stop:
        report = undo_plan(index, plan.id, is_real=yes, stop=stop)
        index_actions = index.actions(plan.id)
    if not as_json:
        for outcome in report.outcomes:
            _print_outcome(outcome, _UNDONE.get(outcome.action, outcome.action))
        if not report.outcomes:
            print_message(f"mobisearch: {_why_nothing(index_actions, index_path)}")
    hint = f"mobisearch undo{index_option(index_path)} --yes PLAN"
    code = _finish(report, as_json=as_json, hint=hint)
    return code if index_actions else exit_codes.INPUT_MISSING


def _why_nothing(actions: Sequence[FileAction], index_path: str) -> str:
    """Say why there is nothing to take back."""
    if not actions:
        return (
            f"this plan was never carried out with the index {index_path}; is it the plan, and the "
            "index, that 'apply' was given?"
        )
    if any(action.state in ("undoing", "undone") for action in actions):
        return "all of this plan was taken back before"
    return "nothing of this plan was done: each step was refused or failed"


def _finish(report: CleanupReport, *, as_json: bool, hint: str) -> int:
    for line in report.settled:
        print_message(f"note: {line}")
    n_done = report.count("would" if report.is_dry else "done")
    if as_json:
        print_json(
            {
                "dry_run": report.is_dry,
                "done": n_done,
                "done_before": report.count("before"),
                "left": report.count("left"),
                "refused": report.count("refused"),
                "failed": report.count("failed"),
                "freed_bytes": report.freed_bytes,
                "interrupted": report.interrupted,
                "steps": [_document(outcome) for outcome in report.outcomes],
            }
        )
    else:
        words = "would be done" if report.is_dry else "done"
        parts = [f"{n_done:,} {words}"]
        parts += [
            f"{report.count(state):,} {name}"
            for state, name in (
                ("before", "done before"),
                ("left", "left alone"),
                ("refused", "refused"),
                ("failed", "failed"),
            )
            if report.count(state)
        ]
        print_line(f"{', '.join(parts)}{_freed(report)}")
    if report.is_dry and n_done:
        print_message(f"nothing was changed; to do it: {hint}")
    if report.interrupted:
        print_message("mobisearch: interrupted; what was done stays done, run it again to go on")
        return exit_codes.INTERRUPTED
    return exit_codes.OK if report.ok else exit_codes.SOME_FAILED


def _freed(report: CleanupReport) -> str:
    """Say how much space there is to gain, and when."""
    if not report.freed_bytes:
        return ""
    freed = format_bytes(report.freed_bytes)
    if report.is_dry:
        return f"; {freed} to be freed"
    if any(o.action == "trash" and o.state == "done" for o in report.outcomes):
        return f"; {freed} will be free once the trash is emptied"
    return f"; {freed} freed"


def _document(outcome: StepOutcome) -> dict[str, object]:
    document: dict[str, object] = {
        "step": outcome.step,
        "action": outcome.action,
        "state": outcome.state,
        **json_path(outcome.path),
        "reason": outcome.reason,
    }
    if outcome.place is not None:
        place = json_path(outcome.place)
        document["place"] = place["path"]
        if "path_b64" in place:
            document["place_b64"] = place["path_b64"]
    return document


def _print_outcome(outcome: StepOutcome, action: str = "") -> None:
    if outcome.state == "before":
        print_line(f"{'before':9} {action or outcome.action:5}  {outcome.path}")
        return
    reason = f": {outcome.reason}" if outcome.reason else ""
    print_line(f"{outcome.state:9} {action or outcome.action:5}  {outcome.path}{reason}")
