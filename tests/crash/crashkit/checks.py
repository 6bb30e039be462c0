"""What must hold of an index after whatever happened to it. Runs in a forked child."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mobisearch.errors import ImageError, IndexNotFoundError
from mobisearch.index import ImageIndex
from mobisearch.types import Embeddings

from . import actions
from .state import CATALOG, State, digest, open_plainly, read_state

ROWS: dict[tuple[str, str], Embeddings] = {}
"""Embeddings by fingerprint and SHA-256 of the picture, made once in the process that forks."""

_OWN_FILES = frozenset({"CACHEDIR.TAG"})


def learn(photos: Path) -> None:
    """Embed each picture below a folder that has not been seen yet."""
    for path in photos.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            sha256 = hashlib.sha256(data).hexdigest()
            for fingerprint, embedder in actions.EMBEDDERS.items():
                if (fingerprint, sha256) not in ROWS:
                    try:
                        ROWS[fingerprint, sha256] = embedder.embed([data])[0]
                    except ImageError:
                        continue


def examine(
    photos: Path,
    index: Path,
    *,
    legal: Sequence[str] | None,
    stale: Collection[str],
    backup_of: str | None = None,
    n_searches: int = 1_000_000,
) -> tuple[State | None, list[str]]:
    """Open an index afresh, only to read, and check it.

    Args:
        legal: digests of the states that it may be in; None allows any.
        stale: names of cache files that may be missing or damaged.
        backup_of: digest of the state before a migration; in any other one there must be a backup.
        n_searches: how many images are searched by their own vector, at most.

    Returns:
        The state, None if there is no index; and what is wrong.
    """
    if not (index / CATALOG).exists():
        return None, _check_absent(index, legal)
    with_plain = open_plainly(index)
    try:
        problems = _check_structure(with_plain)
        state = read_state(with_plain)
        stored = {
            sha256.lower(): np.frombuffer(vec, "<f4")
            for sha256, vec in with_plain.execute(
                "SELECT hex(sha256), vec FROM vector JOIN content USING (content_id)"
            )
        }
        beside = _read_beside(with_plain)
    finally:
        with_plain.close()
    if legal is not None and digest(state) not in legal:
        problems.append(f"I2: not the state after any whole number of commits: {state}")
    problems += _check_backups(index, state, backup_of)
    learn(photos)
    in_use = state["in_use"] or actions.EMBEDDER.spec.fingerprint  # which an older format has not
    problems += _check_stored(state, stored, in_use)
    problems += [
        f"I4: the vector of {sha256} beside is not that of the picture"
        for (fingerprint, sha256), row in beside.items()
        if not np.array_equal(row, ROWS.get((fingerprint, sha256), row))
    ]
    with ImageIndex.open(index, actions.EMBEDDERS[in_use]) as opened:
        report = opened.verify()
        problems += [f"I1: verify: {line}" for line in report.damage]
        names = [line.split("/")[1].split(":")[0] for line in report.stale]
        problems += [f"listed but not whole: {name}" for name in names if name not in stale]
        problems += _check_searches(opened, state, stored, n_searches)
    return state, problems


def _check_absent(index: Path, legal: Sequence[str] | None) -> list[str]:
    problems = []
    if legal is not None and digest(None) not in legal:
        problems.append("I2: there is no index any more")
    try:
        ImageIndex.open(index, actions.EMBEDDER).close()
        problems.append("an index without a catalog was opened")
    except IndexNotFoundError:
        pass
    return problems


def _check_structure(connection: Any) -> list[str]:
    lines = [row[0] for row in connection.execute("PRAGMA integrity_check")]
    problems = [f"I1: {line}" for line in lines if line != "ok"]
    dangling = list(connection.execute("PRAGMA foreign_key_check"))
    return problems + [f"I1: foreign key: {row}" for row in dangling]


def _check_backups(index: Path, state: State, backup_of: str | None) -> list[str]:
    """Each backup is whole and of the format that its name says, and there is one if need be."""
    problems, kept = [], set()
    for path in sorted((index / "backups").glob("*.db")):
        connection = open_plainly(path.parent, "&immutable=1", name=path.name)
        try:
            problems += [f"backup {path.name}: {line}" for line in _check_structure(connection)]
            held = read_state(connection)
        except sqlite3.Error as error:
            problems.append(f"backup {path.name}: {error}")
            continue
        finally:
            connection.close()
        if not path.name.startswith(f"format-{held['version']}-"):
            problems.append(f"backup {path.name} has the format {held['version']}")
        kept.add(digest(held))
    if backup_of not in (None, digest(state), *kept):
        problems.append(f"format {state['version']} without a backup of what was before")
    return problems


def _read_beside(connection: sqlite3.Connection) -> dict[tuple[str, str], Embeddings]:
    """Return the embeddings by models that are not in use, by fingerprint and SHA-256."""
    there = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    if "beside_vector" not in there:
        return {}
    rows = connection.execute(
        "SELECT fingerprint, hex(sha256), vec FROM beside_vector JOIN model USING (model_id)"
        " JOIN content USING (content_id)"
    )
    return {(key, sha256.lower()): np.frombuffer(vec, "<f4") for key, sha256, vec in rows}


def _check_stored(state: State, stored: dict[str, Embeddings], in_use: str) -> list[str]:
    """Each file has a vector or an error, and each vector is what the picture gives again."""
    problems = []
    for path, kind, sha256, error in state["files"]:
        if kind == "error":
            if not error:
                problems.append(f"I2: {path} failed without a reason")
        elif sha256.lower() not in stored:
            problems.append(f"I2: {path} has no vector")
    for sha256, row in stored.items():
        if not np.array_equal(row, ROWS.get((in_use, sha256), row)):
            problems.append(f"I4: the vector of {sha256} is not that of the picture")
    return problems


def _check_searches(
    opened: ImageIndex, state: State, stored: dict[str, Embeddings], n_searches: int
) -> list[str]:
    """Each live image is found once by its own vector, first and with a score of one."""
    problems: list[str] = []
    live: dict[str, set[str]] = {}
    for path, kind, sha256, _ in state["files"]:
        if kind == "ok":
            live.setdefault(sha256.lower(), set()).add(path)
    n_live = sum(map(len, live.values()))
    if len(opened) != n_live:
        problems.append(f"I3: {len(opened)} images, not {n_live}")
    for number, (sha256, paths) in enumerate(list(live.items())[:n_searches]):
        if sha256 not in stored:
            continue
        # All images once; later only as many as share the content.
        k = n_live + 5 if not number else len(paths)
        matches = list(opened.search_by_vector(stored[sha256], k=k))
        first = matches[: len(paths)]
        if {match.image.path for match in first} != paths:
            problems.append(f"I5: {sorted(paths)} does not find itself first: {matches}")
        problems += [f"I5: {m.image.path} scores {m.score}" for m in first if m.score != 1]
        ids = [match.image.id for match in matches]
        if len(set(ids)) != len(ids) or (not number and len(ids) != n_live):
            problems.append(f"I3: found {ids}, {n_live} images")
    return problems


def complete(
    photos: Path, index: Path, action: str, arguments: dict[str, Any], generation: int
) -> tuple[State | None, list[str]]:
    """Do it again without a fault; nothing of the interrupted run may be left or in the way."""
    actions.act(action, photos, index, on_created=lambda _: None, **arguments)
    state, problems = examine(photos, index, legal=None, stale=(), n_searches=2)
    if state is None:
        return None, [*problems, "a whole run made no index"]
    if state["generation"] < generation:
        problems.append(f"I7: generation {state['generation']} after {generation}")
    connection = open_plainly(index)
    try:
        both = "SELECT name FROM segment UNION SELECT name FROM structure"
        listed = {row[0] for row in connection.execute(both)}
    finally:
        connection.close()
    there = {path.name for path in (index / "segments").iterdir()} - _OWN_FILES
    problems += [f"I6: segments/{name} is not listed" for name in sorted(there - listed)]
    problems += [f"I6: tmp/{path.name} was left" for path in (index / "tmp").iterdir()]
    return state, problems
