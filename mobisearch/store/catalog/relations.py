"""What comparing two contents found: kept, so that each pair is compared once."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from sqlalchemy import select
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.engine import Connection

from mobisearch.store.catalog import schema
from mobisearch.store.catalog.upkeep import next_generation
from mobisearch.types import Relation, Verdict

_Connect = Callable[[], contextlib.AbstractContextManager[Connection]]
Pair: TypeAlias = tuple[int, int]
"""Two content ids, the smaller one first."""

_FIND = (
    "SELECT first_id, second_id, verdict, facts FROM relation"
    " WHERE version = ? AND (first_id, second_id) IN (VALUES {})"
)
_PAIRS_PER_QUERY = 250


class StoredRelations:
    """The relations of a catalog. Only a writer may put."""

    def __init__(self, connect: _Connect) -> None:
        self._connect = connect

    def find(self, pairs: Sequence[Pair], *, version: int) -> dict[Pair, Relation]:
        """Return the relations of pairs of contents that are known, and make sense."""
        found: dict[Pair, Relation] = {}
        for start in range(0, len(pairs), _PAIRS_PER_QUERY):
            batch = pairs[start : start + _PAIRS_PER_QUERY]
            statement = _FIND.format(",".join(["(?,?)"] * len(batch)))
            values = (version, *(number for pair in batch for number in pair))
            with self._connect() as connection:
                for first, second, verdict, facts in connection.exec_driver_sql(statement, values):
                    relation = read_relation(verdict, facts)
                    if relation is not None:
                        found[first, second] = relation
        return found

    def put(self, relations: Mapping[Pair, Relation], *, version: int) -> None:
        """Store relations in place of those that there are; contents that are gone are left out."""
        statement = upsert(schema.relation)
        names = ("version", "verdict", "facts")
        statement = statement.on_conflict_do_update(
            index_elements=["first_id", "second_id"],
            set_={name: statement.excluded[name] for name in names},
        )
        with self._connect() as connection:
            content_id = schema.content.c.content_id
            wanted = sorted({number for pair in relations for number in pair})
            there: set[int] = set()
            for start in range(0, len(wanted), 2 * _PAIRS_PER_QUERY):
                some = wanted[start : start + 2 * _PAIRS_PER_QUERY]
                there.update(
                    connection.execute(select(content_id).where(content_id.in_(some))).scalars()
                )
            rows = [
                {
                    "first_id": first,
                    "second_id": second,
                    "version": version,
                    "verdict": relation.verdict.value,
                    "facts": write_facts(relation),
                }
                for (first, second), relation in sorted(relations.items())
                if first in there and second in there
            ]
            if rows:
                connection.execute(statement, rows)
            next_generation(connection)


def write_facts(relation: Relation) -> str:
    """Return all of a relation but its verdict, as JSON; what is as usual is left out."""
    usual = Relation(relation.verdict)
    facts = {
        field.name: getattr(relation, field.name)
        for field in dataclasses.fields(relation)
        if field.name != "verdict" and getattr(relation, field.name) != getattr(usual, field.name)
    }
    if "changes" in facts:
        facts["changes"] = [change.value for change in relation.changes]
    return json.dumps(facts, separators=(",", ":"))


def read_relation(verdict: str, facts: object) -> Relation | None:
    """Return what :func:`write_facts` wrote, or None if it makes no sense."""
    try:
        given = json.loads(str(facts))
        changes = tuple(Verdict(change) for change in given.pop("changes", ()))
        usual = Relation(Verdict(verdict), changes)
        for name, value in given.items():
            kind = type(getattr(usual, name))
            if kind is float and isinstance(value, int) and not isinstance(value, bool):
                given[name] = float(value)
            elif type(value) is not kind or (kind is float and not math.isfinite(value)):
                return None
        return dataclasses.replace(usual, **given)
    except (AttributeError, TypeError, ValueError, RecursionError):
        return None
