"""What a forked child does to an index: the calls that users make, and sabotage to try the tests.

Everything goes through ``mobisearch.ImageIndex``. Nothing here is imported by the tests' process.
"""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import event
from sqlalchemy.pool import Pool

from mobisearch import labelling  # noqa: F401 - so that its constants can be set
from mobisearch.cleanup import apply_plan, read_plan, trash, undo_plan
from mobisearch.embedding import Embedder
from mobisearch.index import ImageIndex
from mobisearch.models import Classifier, LinearLayer
from mobisearch.runtimes import FAKE_MODEL, FakeRuntime
from mobisearch.store import readiness
from mobisearch.store.catalog.writer import CatalogWriter
from mobisearch.upgrading import IndexModels

from .state import CATALOG


def make_embedder() -> Embedder:
    """Return the fake embedder, decoding in this process."""
    known = inspect.signature(Embedder.__init__).parameters
    extra: dict[str, Any] = {"isolated": False} if "isolated" in known else {}
    return Embedder(FAKE_MODEL, runtime=FakeRuntime(), **extra)


EMBEDDER = make_embedder()

OTHER_MODEL = replace(FAKE_MODEL, name="other", architecture="another", dim=48)
OTHER = Embedder(OTHER_MODEL, runtime=FakeRuntime(OTHER_MODEL), isolated=False)
EMBEDDERS = {each.spec.fingerprint: each for each in (EMBEDDER, OTHER)}

CLASSIFIER = Classifier(
    name="fake",
    sha256="0" * 64,
    fingerprint=FAKE_MODEL.fingerprint,
    model="fake",
    label=FAKE_MODEL.label,
    categories=("a", "b", "c"),
    layers=(LinearLayer(np.eye(3, FAKE_MODEL.dim, dtype=np.float32), np.zeros(3, np.float32)),),
    takes="pooled",
)

OnCreated = Callable[[Path], None]


def override(settings: Mapping[str, Any]) -> None:
    """Set private constants of the package by name, wherever they are now.

    Raises:
        LookupError: a name has moved out of the package; the tests would try something else.
    """
    modules = [module for name, module in sys.modules.items() if name.startswith("mobisearch")]
    for name, value in settings.items():
        owners = [module for module in modules if name in vars(module)]
        if not owners:
            raise LookupError(f"no module of mobisearch has a constant {name} any more")
        for module in owners:
            setattr(module, name, value)


def act(
    action: str, photos: Path, index: Path, *, on_created: OnCreated, **arguments: Any
) -> dict[str, Any]:
    """Do one thing to an index, made first if there is none; return the report's numbers."""
    if not (index / CATALOG).exists():
        ImageIndex.create(index, EMBEDDER).close()
        on_created(index)
    if action == "add model":
        return {"embedded": IndexModels(index).add(OTHER).embedded}
    if action == "use model":
        return {"embedded": IndexModels(index).use(OTHER_MODEL.name).embedded}
    if action == "replace model":
        models = IndexModels(index)
        models.use(OTHER_MODEL.name)
        old = [model.name for model in models.list() if not model.in_use]
        return {"dropped": sum(models.drop(name).embedded for name in old)}
    with ImageIndex.open(index, EMBEDDER) as opened:
        if action == "sync":
            report = opened.sync(photos / arguments.get("folder", ""), prune=arguments["prune"])
        elif action == "add":
            report = opened.add([photos / name for name in arguments["names"]])
        elif action == "remove":
            return {"removed": opened.remove([photos / name for name in arguments["names"]])}
        elif action == "duplicates":
            return {"groups": len(opened.duplicates())}
        elif action == "label":
            return {"labelled": opened.label(CLASSIFIER, k=2).labelled}
        elif action in ("apply", "undo"):
            return clear_away(opened, action, **arguments)
        else:
            raise LookupError(action)
        counts = ("added", "updated", "moved", "returned", "unchanged", "missing", "failed")
        return {name: getattr(report, name) for name in counts}


def clear_away(
    index: ImageIndex, action: str, *, plan: str, data_home: str, as_links: bool, **_: Any
) -> dict[str, Any]:
    """Carry out a plan or take it back, with a trash of the case's own."""
    os.environ["XDG_DATA_HOME"] = data_home
    trash._top_of = lambda *_: os.path.dirname(data_home)  # type: ignore[assignment]
    given = read_plan(plan)
    if action == "apply":
        report = apply_plan(index, given, is_real=True, as_links=as_links)
    else:
        report = undo_plan(index, given.id, is_real=True)
    states = ("done", "before", "left", "refused", "failed")
    return {state: report.count(state) for state in states}


# ---- what would be wrong, to see that the tests notice


def _commit_halves() -> None:
    whole = CatalogWriter.put_files

    def put_files(self: CatalogWriter, rows: Sequence[Any]) -> None:
        whole(self, rows[: len(rows) // 2])
        whole(self, rows[len(rows) // 2 :])

    CatalogWriter.put_files = put_files  # type: ignore[method-assign]


def _skip_catalog_syncs() -> None:
    event.listen(Pool, "connect", lambda made, _: made.execute("PRAGMA synchronous=OFF"))


def _skip_file_syncs() -> None:
    os.fsync = lambda _: None


def _remove_one_by_one() -> None:
    whole = CatalogWriter.remove_files

    def remove_files(self: CatalogWriter, paths: Sequence[str]) -> int:
        return sum(whole(self, [path]) for path in paths)

    CatalogWriter.remove_files = remove_files  # type: ignore[method-assign]


def _store_other_vectors() -> None:
    whole = CatalogWriter.put_files

    def put_files(self: CatalogWriter, rows: Sequence[Any]) -> None:
        whole(self, [_turned(row) for row in rows])

    CatalogWriter.put_files = put_files  # type: ignore[method-assign]


def _turned(row: Any) -> Any:
    return row if row.embedding is None else replace(row, embedding=row.embedding[::-1].copy())


def _skip_the_backup() -> None:
    readiness.keep_backup = lambda _: Path()


def _write_elsewhere() -> None:
    whole = CatalogWriter.put_files

    def put_files(self: CatalogWriter, rows: Sequence[Any]) -> None:
        whole(self, rows)
        (Path(self.location).parent / "elsewhere").write_text("here")

    CatalogWriter.put_files = put_files  # type: ignore[method-assign]


SABOTAGE: Mapping[str, Callable[[], None]] = {
    "commit halves": _commit_halves,
    "skip the catalog's syncs": _skip_catalog_syncs,
    "skip the files' syncs": _skip_file_syncs,
    "remove one by one": _remove_one_by_one,
    "skip the backup": _skip_the_backup,
    "store other vectors": _store_other_vectors,
    "write elsewhere": _write_elsewhere,
}
