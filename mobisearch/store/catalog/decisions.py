"""What the user decided about contents. Kept by SHA-256, whatever becomes of files and contents."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterable, Mapping

from sqlalchemy import delete, func, insert, select, update
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
        schema.decision_member.c.n_files,
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

    def count_files(self, given: Mapping[str, int]) -> dict[str, int]:
        """Return how many files contents have: as the catalog shows now, or as given if more.

        Args:
            given: by SHA-256, how many files are known to whoever decides.
        """
        file, content = schema.file, schema.content
        statement = select(func.count()).select_from(file.join(content))
        with self._connect() as connection:
            return {
                sha256: max(
                    n_given,
                    connection.execute(
                        statement.where(
                            content.c.sha256 == bytes.fromhex(sha256), file.c.state == "ok"
                        )
                    ).scalar_one(),
                )
                for sha256, n_given in given.items()
            }

    def outgrown(self) -> frozenset[int]:
        """Return the ids of decisions to keep of which a content has more files now than then."""
        kept = [decision for decision in self.all() if decision.kind == "keep"]
        now = self.count_files({sha256: 0 for decision in kept for sha256 in decision.sha256s})
        return frozenset(
            decision.id
            for decision in kept
            if not decision.is_about_all({sha256: now[sha256] for sha256 in decision.sha256s})
        )

    def add(
        self, decisions: Iterable[tuple[str, Mapping[str, int] | Mapping[str, int | None], str]]
    ) -> list[Decision]:
        """Store decisions, all of them or none.

        One that is there already is not stored twice; what is counted anew replaces what was.

        Args:
            decisions: each a kind, contents by SHA-256 with their numbers of files, and a time.

        Returns:
            Those that were given, as they are stored.
        """
        with self._connect() as connection:
            known = {(found.kind, found.sha256s): found for found in _read(connection)}
            stored: dict[int, Decision] = {}
            for kind, contents, decided_at in decisions:
                sha256s = tuple(sorted(contents))
                made = known.get((kind, sha256s))
                if made is None:
                    made = _insert(connection, kind, contents, decided_at)
                else:
                    made = _count_anew(connection, made, contents)
                known[kind, sha256s] = stored[made.id] = made
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
    members: dict[tuple[int, str, str], dict[str, int | None]] = {}
    for row in connection.execute(_LISTING):
        key = (row.decision_id, row.kind, row.decided_at)
        members.setdefault(key, {})[row.sha256.hex()] = row.n_files
    return [
        Decision(number, kind, tuple(contents), decided_at, tuple(contents.values()))
        for (number, kind, decided_at), contents in members.items()
    ]


def _insert(
    connection: Connection, kind: str, contents: Mapping[str, int | None], decided_at: str
) -> Decision:
    made = connection.execute(
        insert(schema.decision).values(kind=kind, decided_at=decided_at)
    ).inserted_primary_key
    assert made is not None
    decision_id = int(made[0])
    connection.execute(
        insert(schema.decision_member),
        [
            {"decision_id": decision_id, "sha256": bytes.fromhex(sha256), "n_files": n_files}
            for sha256, n_files in contents.items()
        ],
    )
    ordered = dict(sorted(contents.items()))
    return Decision(decision_id, kind, tuple(ordered), decided_at, tuple(ordered.values()))


def _count_anew(
    connection: Connection, made: Decision, contents: Mapping[str, int | None]
) -> Decision:
    member = schema.decision_member
    before = dict(zip(made.sha256s, made.n_files, strict=True))
    now = {
        sha256: n if contents[sha256] is None else contents[sha256] for sha256, n in before.items()
    }
    for sha256, n_files in now.items():
        if n_files != before[sha256]:
            is_it = (member.c.decision_id == made.id) & (member.c.sha256 == bytes.fromhex(sha256))
            connection.execute(update(member).where(is_it).values(n_files=n_files))
    return dataclasses.replace(made, n_files=tuple(now.values()))
