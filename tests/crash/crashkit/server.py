"""The process that forks one child for each case, with everything imported already.

Started with faults.c loaded before libc. Reads a request a line, answers a line, both JSON. It runs
no thread and no search itself, so that forking it is safe.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import select
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

import faiss  # noqa: F401 - so that no child has to
from sqlalchemy.engine.default import DefaultDialect

from mobisearch.cli.exit_codes import exit_code
from mobisearch.errors import MobisearchError
from mobisearch.store.catalog import connection, writer

from . import actions, checks
from .state import CATALOG, digest, open_plainly, read_state
from .workloads import picture

_HANGS_AFTER_SECONDS = 60.0

LIBRARY = ctypes.CDLL(None)
LIBRARY.faults_arm.argtypes = [ctypes.c_char_p, ctypes.c_int, ctypes.c_long, ctypes.c_uint]
LIBRARY.faults_arm.argtypes += [ctypes.c_int, ctypes.c_int, ctypes.c_char_p]
LIBRARY.faults_mark.argtypes = [ctypes.c_char_p]
LIBRARY.faults_count.restype = LIBRARY.faults_hit_op.restype = ctypes.c_long
LIBRARY.faults_hit_path.restype = LIBRARY.faults_outside.restype = ctypes.c_char_p


class Case:
    """What one child does, and tells over a pipe: a line after each commit, and one at the end."""

    def __init__(self, request: dict[str, Any], pipe: int) -> None:
        self.request = request
        self.pipe = pipe
        self.n_commits = 0
        fault = request.get("fault") or {}
        self.kill_before_commit = fault.get("before_commit", 0)
        self.kill_after_commit = fault.get("after_commit", 0)

    def tell(self, **line: Any) -> None:
        data = memoryview(json.dumps(line).encode() + b"\n")
        while data:
            data = data[os.write(self.pipe, data) :]

    def arm(self) -> None:
        fault = self.request.get("fault") or {}
        LIBRARY.faults_arm(
            os.fsencode(self.request["below"]),
            fault.get("kind", 0),
            fault.get("n", 0),
            fault.get("mask", 0xFF),
            fault.get("errno", 0),
            1,  # flushing to the disk is only noted: what a kill leaves does not depend on it
            os.fsencode(self.request.get("log") or ""),
        )

    def before_commit(self) -> None:
        if self.n_commits + 1 == self.kill_before_commit:
            os.kill(os.getpid(), signal.SIGKILL)

    def acknowledge(self, connection: Any) -> None:
        """Tell of a commit. Reading through the same connection, so that nothing else is opened."""
        self.n_commits += 1
        if self.n_commits == self.kill_after_commit:
            os.kill(os.getpid(), signal.SIGKILL)
        if self.request.get("wants_states"):
            self.tell(state=read_state(connection))
        else:
            self.tell(commit=self.n_commits)
        LIBRARY.faults_mark(str(self.n_commits).encode())

    def created(self, index: Path) -> None:
        connection = open_plainly(index, "&immutable=1")  # or reading it writes a log's index
        try:
            self.acknowledge(connection)
        finally:
            connection.close()

    def act(self) -> dict[str, Any]:
        request = self.request
        actions.override(request.get("settings") or {})
        for name in request.get("sabotage") or ():
            actions.SABOTAGE[name]()
        place = Path(request["photos"]), Path(request["index"])
        self.arm()
        result: dict[str, Any] = {"code": 0}
        try:
            result["report"] = actions.act(
                request["action"], *place, on_created=self.created, **request["arguments"]
            )
        except MobisearchError as error:
            result = {"code": exit_code(error), "error": type(error).__name__, "text": str(error)}
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test is told
            result = {"code": 70, "error": type(error).__name__, "text": traceback.format_exc()}
        result["n_operations"] = LIBRARY.faults_count()
        result["hit"] = [LIBRARY.faults_hit_op(), os.fsdecode(LIBRARY.faults_hit_path())]
        result["outside"] = os.fsdecode(LIBRARY.faults_outside())
        LIBRARY.faults_disarm()
        return result

    def check(self) -> dict[str, Any]:
        request = self.request
        actions.override(request.get("settings") or {})
        self.arm()
        place = Path(request["photos"]), Path(request["index"])
        try:
            state, problems = checks.examine(
                *place,
                legal=request.get("legal"),
                stale=request.get("stale", ()),
                backup_of=request["backup_of"],
                n_searches=request["n_searches"],
            )
            generation = state["generation"] if state else 0
            if request.get("action"):
                state, further = checks.complete(
                    *place, request["action"], request["arguments"], generation
                )
                problems += further
        except BaseException:  # noqa: BLE001 - a check that cannot be made has failed
            state, problems = None, [traceback.format_exc()]
        return {"problems": problems, "state": state, "digest": digest(state)}


current: Case | None = None


def watch_commits() -> None:
    """Let the current case see every commit of a catalog by whoever writes it."""
    whole = DefaultDialect.do_commit

    def do_commit(self: DefaultDialect, dbapi_connection: Any) -> None:
        if current is None or not _is_writer(dbapi_connection):
            whole(self, dbapi_connection)
            return
        current.before_commit()
        whole(self, dbapi_connection)
        current.acknowledge(dbapi_connection)

    DefaultDialect.do_commit = do_commit  # type: ignore[method-assign]


def _is_writer(connection: Any) -> bool:
    if connection.execute("PRAGMA query_only").fetchone()[0]:
        return False
    files = [row[2] for row in connection.execute("PRAGMA database_list") if row[1] == "main"]
    return os.path.basename(files[0]) == CATALOG


def run_child(request: dict[str, Any], pipe: int) -> None:
    global current
    case = Case(request, pipe)
    known = set(sys.modules)
    if request["job"] == "act":
        current = case
        end = case.act()
    else:
        end = case.check()
    case.tell(imported=[name for name in sys.modules if name not in known])
    case.tell(end=end)


def import_as(child: dict[str, Any]) -> None:
    """Import what a child had to, so that the next ones need not: much of their time otherwise."""
    imported = [name for line in child["lines"] for name in line.pop("imported", ())]
    child["lines"] = [line for line in child["lines"] if line]
    for name in imported:
        try:
            importlib.import_module(name)
        except ImportError:  # some are no modules of their own, but made by another one
            continue
    if imported:
        gc.collect()
        gc.freeze()


def serve(request: dict[str, Any]) -> dict[str, Any]:
    """Fork, wait, and return how the child ended and all whole lines that it told."""
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.close(reading)
            gc.disable()  # it would copy pages that are shared with the parent
            run_child(request, writing)
        except BaseException:  # noqa: BLE001 - the child must never go on as the server
            traceback.print_exc()
            os._exit(99)
        os._exit(0)
    os.close(writing)
    started = time.monotonic()
    limit = request.get("kill_after_s")
    deadline = started + (limit if limit is not None else _HANGS_AFTER_SECONDS)
    told, is_late = b"", False
    while True:
        ready, _, _ = select.select([reading], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            os.kill(pid, signal.SIGKILL)
            is_late, deadline = True, time.monotonic() + _HANGS_AFTER_SECONDS
            continue
        chunk = os.read(reading, 1 << 20)
        if not chunk:
            break
        told += chunk
    os.close(reading)
    _, status = os.waitpid(pid, 0)
    return {
        "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0,
        "exit": os.WEXITSTATUS(status) if os.WIFEXITED(status) else None,
        "is_hung": is_late and limit is None,
        "seconds": time.monotonic() - started,
        "lines": [json.loads(line) for line in told.split(b"\n")[:-1]],
    }


class SharedCache(dict[Any, Any]):
    """SQL by statement, whatever engine it was compiled for: they are all of one kind."""

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get(key[1:], default)

    def __setitem__(self, key: Any, compiled: Any) -> None:
        super().__setitem__(key[1:], compiled)


def share_compiled_statements() -> None:
    """Let a child find the statements that were compiled before it was forked."""
    make, cache = connection._make_engine, SharedCache()

    def make_engine(*arguments: Any, **options: Any) -> Any:
        return make(*arguments, **options).execution_options(compiled_cache=cache)

    connection._make_engine = make_engine


def warm_up() -> None:
    """Index pictures and check, so that what is made once in a process is there before a fork."""
    with tempfile.TemporaryDirectory() as folder:
        photos, index = Path(folder) / "photos", Path(folder) / "index"
        photos.mkdir()
        for number in range(3):
            (photos / f"{number}.png").write_bytes(picture(number))
            actions.act("sync", photos, index, on_created=lambda _: None, prune=bool(number))
            checks.examine(photos, index, legal=None, stale=())
            checks.complete(photos, index, "sync", {"prune": True}, 0)
    deadline = time.monotonic() + _HANGS_AFTER_SECONDS
    while len(os.listdir("/proc/self/task")) > 1:  # a joined thread takes a moment to be gone
        assert time.monotonic() < deadline, "threads still run: it is not safe to fork"
        time.sleep(0.01)


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever else is printed must not look like an answer
    watch_commits()
    share_compiled_statements()
    # Another time at each call, of the same length: else the pages that a commit writes depend on
    # whether a second has passed.
    writer.now = lambda: f"{time.time_ns():030}"
    warm_up()
    for embedder in actions.EMBEDDERS.values():  # once, not in every child: it takes a while
        probe = embedder.probe()
        embedder._probe_of = lambda _, probe=probe: probe  # type: ignore[misc]
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        request = json.loads(line)
        if request["job"] == "learn":
            checks.learn(Path(request["photos"]))
            answer = {"learned": len(checks.ROWS)}
        else:
            answer = serve(request)
            import_as(answer)
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
