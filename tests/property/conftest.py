"""What the state machine needs: small steps, and a process whose syncs can be killed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

_HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(_HERE), str(_HERE.parent / "crash")]  # for index_model and crashkit

from crashkit.client import Zygote  # noqa: E402
from crashkit.starting import build_library  # noqa: E402
from index_model import BATCH  # noqa: E402


@pytest.fixture(scope="module")
def zygote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zygote]:
    """A process that forks a child for each sync that is to be killed; one for all examples."""
    library = build_library(tmp_path_factory.mktemp("faults"))
    if isinstance(library, str):
        pytest.skip(library)
    with Zygote(library) as made:
        yield made


@pytest.fixture(params=[1, 64])
def steps(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, trusted_stamps: None
) -> dict[str, Any]:
    """Constants of the package, set so that a few files make several commits and merges.

    With cache files for every new vector, and with most vectors read from the catalog.
    """
    from mobisearch import pipeline
    from mobisearch.store import cache
    from mobisearch.sync import recording, synchroniser

    chosen = {
        "_FILES_PER_COMMIT": BATCH,
        "_MIN_SEGMENT": request.param,
        "_MERGE_AT": 3,
        "_MIN_GROWTH": 1,
        "_RACY_NS": recording._RACY_NS,
    }
    assert chosen["_RACY_NS"] < 0, "stamps must vouch for files: each write has a time of its own"
    for owner in (cache, synchroniser):
        for name, value in chosen.items():
            if name in vars(owner):
                monkeypatch.setattr(owner, name, value)
    monkeypatch.setattr(
        pipeline, "count_workers", lambda: 2
    )  # or all is read before a stop is seen
    return chosen
