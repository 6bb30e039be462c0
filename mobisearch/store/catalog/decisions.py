"""What the user decided about contents. Kept by SHA-256, whatever becomes of files and contents."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable

from sqlalchemy import delete, insert, select
from sqlalchemy.engine import Connection

from mobisearch.store.catalog import schema
from mobisearch.store.catalog.upkeep import next_generation
from mobisearch.types import Decision

_Connect = Callable[[], contextlib.AbstractContextManager[Connection]]
_LISTING = (
    select(
        schema.decision.c.decision_id,
        schema.decision.c.kind,
        schema.decision.c.decided_at,
        schema.decision_member.c.sha256,
    )
    .join_from(schema.decision, schema.decision_member)
    .order_by(schema.decision.c.decision_id, schema.decision_member.c.sha256)
)


class StoredDecisions:
    """The decisions of a catalog. Only a writer may add or forget."""

    def __init__(self, connect: _Connect) -> None:
        self._connect = connect

    def all(self) -> list[Decision]:
        """Return every decision, the oldest first."""
        with self._connect() as connection:
            return _read(connection)

    def add(self, decisions: Iterable[tuple[str, Iterable[str], str]]) -> list[Decision]:
        """Store decisions, each a kind, contents by SHA-256 and a time; all of them or none.

        One that is there already is not stored twice.

        Returns:
            Those that were given, as they are stored.
        """
        with self._connect() as connection:
            known = {(found.kind, found.sha256s): found for found in _read(connection)}
            stored: dict[int, Decision] = {}
            for kind, contents, decided_at in decisions:
                sha256s = tuple(sorted(set(contents)))
                made = known.get((kind, sha256s))
                if made is None:
                    made = _insert(connection, kind, sha256s, decided_at)
                    known[kind, sha256s] = made
                stored[made.id] = made
            next_generation(connection)
        return list(stored.values())

    def forget(self, ids: Iterable[int]) -> int:
        """Forget decisions, and return how many there were."""
        n_forgotten = 0
        with self._connect() as connection:
            for decision_id in ids:
                for table in (schema.decision_member, schema.decision):
                    gone = delete(table).where(table.c.decision_id == decision_id)
                    n_rows = connection.execute(gone).rowcount
                n_forgotten += n_rows
            next_generation(connection)
        return n_forgotten


def _read(connection: Connection) -> list[Decision]:
    members: dict[tuple[int, str, str], list[str]] = {}
    for row in connection.execute(_LISTING):
        key = (row.decision_id, row.kind, row.decided_at)
        members.setdefault(key, []).append(row.sha256.hex())
    return [
        Decision(number, kind, tuple(sha256s), decided_at)
        for (number, kind, decided_at), sha256s in members.items()
    ]


def _insert(
    connection: Connection, kind: str, sha256s: tuple[str, ...], decided_at: str
) -> Decision:
    made = connection.execute(
        insert(schema.decision).values(kind=kind, decided_at=decided_at)
    ).inserted_primary_key
    assert made is not None
    decision_id = int(made[0])
    connection.execute(
        insert(schema.decision_member),
        [{"decision_id": decision_id, "sha256": bytes.fromhex(sha256)} for sha256 in sha256s],
    )
    return Decision(decision_id, kind, sha256s, decided_at)
