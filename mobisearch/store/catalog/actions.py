"""The journal: what is done to files, written before each step and after it.

Each call is one transaction that is on the disk when it returns.
"""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.engine import Connection

from mobisearch.store.catalog import schema
from mobisearch.store.catalog.upkeep import next_generation
from mobisearch.types import FileAction, PlanSummary

_Connect = Callable[[], contextlib.AbstractContextManager[Connection]]
_ALL = select(schema.action).order_by(schema.action.c.action_id)


class StoredActions:
    """The journal of a catalog. Only a writer may add to it."""

    def __init__(self, connect: _Connect, now: Callable[[], str]) -> None:
        self._connect = connect
        self._now = now

    def of_plan(self, plan: str) -> list[FileAction]:
        """Return everything that was done for a plan, the oldest first."""
        with self._connect() as connection:
            rows = connection.execute(_ALL.where(schema.action.c.plan == plan)).all()
        return [_action(row) for row in rows]

    def plans(self) -> list[PlanSummary]:
        """Return what became of each plan that was begun, the newest first."""
        action = schema.action.c
        counting = (
            select(action.plan, action.state, func.count(), func.max(action.changed_at))
            .where(
                action.action_id.in_(
                    select(func.max(action.action_id)).group_by(
                        action.plan, action.step, action.path
                    )
                )
            )
            .group_by(action.plan, action.state)
        )
        counts: dict[str, Counter[str]] = {}
        changed: dict[str, str] = {}
        with self._connect() as connection:
            for plan, state, n, changed_at in connection.execute(counting):
                counts.setdefault(plan, Counter())[state] = n
                changed[plan] = max(changed.get(plan, ""), changed_at)
        found = [
            PlanSummary(
                plan,
                done=counts[plan]["done"] + counts[plan]["begun"],
                undone=counts[plan]["undone"] + counts[plan]["undoing"],
                failed=counts[plan]["failed"],
                changed_at=changed[plan],
            )
            for plan in counts
        ]
        return sorted(found, key=lambda summary: (summary.changed_at, summary.plan), reverse=True)

    def unsettled(self) -> list[FileAction]:
        """Return the steps of all plans of which it is not known how they ended."""
        with self._connect() as connection:
            open_states = schema.action.c.state.in_(("begun", "undoing"))
            rows = connection.execute(_ALL.where(open_states)).all()
        return [_action(row) for row in rows]

    def begin(self, action: FileAction) -> int:
        """Write down what is about to be done, and return its id."""
        with self._connect() as connection:
            made = connection.execute(
                insert(schema.action).values(
                    plan=action.plan,
                    step=action.step,
                    kind=action.kind,
                    state="begun",
                    path=os.fsencode(action.path),
                    sha256=bytes.fromhex(action.sha256),
                    size_bytes=action.size_bytes,
                    mtime_ns=action.mtime_ns,
                    mode=action.mode,
                    keeper=os.fsencode(action.keeper),
                    keeper_sha256=bytes.fromhex(action.keeper_sha256),
                    destination=_encoded(action.destination),
                    changed_at=self._now(),
                )
            ).inserted_primary_key
            assert made is not None
            next_generation(connection)
        return int(made[0])

    def settle(
        self,
        action_id: int,
        state: str,
        *,
        reason: str | None = None,
        destination: str | None = None,
        restored: str | None = None,
        missing: Sequence[str] = (),
    ) -> None:
        """Write down how a step stands, and what that makes of files in the index.

        Args:
            destination, restored: None leaves what is there.
            missing: paths of files that are gone from there now.
        """
        values: dict[str, Any] = {"state": state, "reason": reason, "changed_at": self._now()}
        if destination is not None:
            values["destination"] = _encoded(destination)
        if restored is not None:
            values["restored"] = _encoded(restored)
        file = schema.file
        with self._connect() as connection:
            is_it = schema.action.c.action_id == action_id
            connection.execute(update(schema.action).where(is_it).values(**values))
            for path in missing:
                is_there = (file.c.path == os.fsencode(path)) & (file.c.state == "ok")
                connection.execute(update(file).where(is_there).values(state="missing"))
            next_generation(connection)


def _encoded(path: str | None) -> bytes | None:
    return None if path is None else os.fsencode(path)


def _decoded(path: bytes | None) -> str | None:
    return None if path is None else os.fsdecode(path)


def _action(row: Row[Any]) -> FileAction:
    return FileAction(
        id=row.action_id,
        plan=row.plan,
        step=row.step,
        kind=row.kind,
        path=os.fsdecode(row.path),
        sha256=row.sha256.hex(),
        size_bytes=row.size_bytes,
        mtime_ns=row.mtime_ns,
        mode=row.mode,
        keeper=os.fsdecode(row.keeper),
        keeper_sha256=row.keeper_sha256.hex(),
        destination=_decoded(row.destination),
        restored=_decoded(row.restored),
        state=row.state,
        reason=row.reason,
    )
