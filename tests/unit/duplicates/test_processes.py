"""Comparing in processes of their own says what comparing here says, and ends when it should."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mobisearch import ImageIndex
from mobisearch.duplicates import comparing, processes
from mobisearch.duplicates.pairwise import ComparedPair, compare_pictures, prepare_picture
from mobisearch.duplicates.processes import ComparingProcesses, ProcessEndedError
from mobisearch.evaluation.alterations import ALTERATIONS, Alteration, alter
from mobisearch.imaging import encode_jpeg
from mobisearch.store import ContentPicture
from mobisearch.types import Verdict

ENDS_WITHIN_SECONDS = 30.0
WAYS = list(ALTERATIONS.values())[:3]


def _altered(photo: Image.Image, way: Alteration) -> Image.Image:
    return Image.open(io.BytesIO(alter(photo, way)))


@pytest.fixture(scope="module")
def pictures(shipped_photos: Path) -> dict[int, ContentPicture]:
    """Three photos with three altered copies each, and one that is damaged."""
    found: dict[int, ContentPicture] = {}
    for name in ("alps", "cat", "dogs"):
        with Image.open(shipped_photos / f"{name}.jpg") as image:
            photo = image.convert("RGB")
        for picture in (photo, *(_altered(photo, way) for way in WAYS)):
            small = picture.copy()
            small.thumbnail((192, 192))
            number = len(found) + 1
            found[number] = ContentPicture(
                number, f"{number:064x}", encode_jpeg(np.asarray(small), quality=88), *picture.size,
                "JPEG", None, None,
            )  # fmt: skip
    number = len(found) + 1
    found[number] = ContentPicture(number, "f" * 64, b"no picture", 9, 9, "JPEG", None, None)
    return found


def _facts(compared: ComparedPair) -> tuple[object, ...]:
    start = compared.outcome.start
    lies = None if start is None else (start.transform.tolist(), start.share, start.votes)
    return (
        compared.outcome.relation,
        lies,
        compared.needs_closer_look,
        compared.may_have_same_pixels,
    )


@pytest.fixture
def two() -> Iterator[ComparingProcesses]:
    made = ComparingProcesses(2)
    yield made
    made.close()


def test_processes_say_what_is_said_here(
    pictures: dict[int, ContentPicture], two: ComparingProcesses
) -> None:
    pairs = list(combinations(pictures, 2))
    here = {number: prepare_picture(row) for number, row in pictures.items()}
    expected = {pair: compare_pictures(here[pair[0]], here[pair[1]]) for pair in pairs}
    found = two.compare(pairs, pictures)
    assert list(map(_facts, map(found.__getitem__, pairs))) == list(
        map(_facts, map(expected.__getitem__, pairs))
    )
    verdicts = {compared.outcome.relation.verdict for compared in found.values()}
    assert Verdict.UNRELATED in verdicts
    assert len(verdicts) > 1


def test_a_process_holds_pictures(pictures: dict[int, ContentPicture]) -> None:
    one = ComparingProcesses(1)
    first, again = (one.compare([(1, 2), (2, 3)], given) for given in (pictures, {}))
    one.close()
    assert [_facts(again[pair]) for pair in first] == [_facts(first[pair]) for pair in first]


def test_a_process_takes_over_what_another_has_not_begun(
    monkeypatch: pytest.MonkeyPatch, pictures: dict[int, ContentPicture]
) -> None:
    """All pairs begin with an even content, so that all of them are the first process's."""
    monkeypatch.setattr(processes, "_PAIRS_PER_REQUEST", 1)
    pairs = [(2, 3), (2, 4), (2, 5), (4, 5)]
    made = ComparingProcesses(2)
    found = made.compare(pairs, pictures)
    n_started = sum(process is not None for process in made._processes)
    made.close()
    assert n_started == 2
    assert sorted(found) == pairs


def test_the_processes_end_with_the_object(
    pictures: dict[int, ContentPicture], two: ComparingProcesses
) -> None:
    two.compare([(1, 2), (2, 3)], pictures)
    ids = [process._process.pid for process in two._processes if process is not None]
    assert len(ids) == 2
    two.close()
    two.close()
    assert not any(_is_alive(process_id) for process_id in ids)


def test_a_process_that_was_killed_is_told(
    pictures: dict[int, ContentPicture], two: ComparingProcesses
) -> None:
    two.compare([(1, 2), (2, 3)], pictures)
    for process in two._processes:
        assert process is not None
        os.kill(process._process.pid, signal.SIGKILL)
    with pytest.raises(ProcessEndedError):
        two.compare([(1, 2)], pictures)


def test_the_processes_end_when_the_one_that_started_them_is_killed(tmp_path: Path) -> None:
    code = (
        "import time\n"
        "from mobisearch.duplicates.processes import _ComparingProcess\n"
        "made = [_ComparingProcess() for _ in range(2)]\n"
        "assert all(each.compare([(1, 2)], {}) for each in made)\n"
        "print(*(each._process.pid for each in made), flush=True)\n"
        "time.sleep(600)\n"
    )
    running = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert running.stdout is not None
    ids = [int(text) for text in running.stdout.readline().split()]
    assert len(ids) == 2
    running.kill()
    running.communicate()
    deadline = time.monotonic() + ENDS_WITHIN_SECONDS
    while any(map(_is_alive, ids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(_is_alive, ids))


def _is_alive(process_id: int) -> bool:
    try:
        state = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.fixture
def filled(index: ImageIndex, tmp_path: Path, shipped_photos: Path) -> ImageIndex:
    """Photos with altered copies."""
    (tmp_path / "photos").mkdir()
    for name in ("alps", "cat", "dogs"):
        with Image.open(shipped_photos / f"{name}.jpg") as image:
            photo = image.convert("RGB")
        photo.save(tmp_path / "photos" / f"{name}.png")
        for number, way in enumerate(WAYS):
            _altered(photo, way).save(tmp_path / "photos" / f"{name}-{number}.png")
    index.sync(tmp_path / "photos")
    return index


def _forget(index: ImageIndex) -> None:
    with index._writing() as catalog, catalog._transaction() as connection:
        connection.exec_driver_sql("DELETE FROM relation")


@pytest.mark.parametrize("is_broken", [False, True], ids=["processes", "none can be started"])
def test_groups_are_the_same_with_processes_and_without(
    filled: ImageIndex, monkeypatch: pytest.MonkeyPatch, is_broken: bool
) -> None:
    here = filled.duplicates()
    assert here
    _forget(filled)
    started: list[int] = []
    whole = processes._ComparingProcess

    class Noted(whole):  # type: ignore[misc, valid-type]
        def __init__(self) -> None:
            started.append(1)
            if is_broken:
                raise ProcessEndedError("there is none")
            super().__init__()

    monkeypatch.setattr(processes, "_ComparingProcess", Noted)
    monkeypatch.setattr(comparing, "_PAIRS_FOR_PROCESSES", 1)
    monkeypatch.setattr(comparing, "count_workers", lambda: 2)
    monkeypatch.setattr(comparing, "count_processors", lambda: 2)
    apart = filled.duplicates()
    assert started
    assert apart == here
    assert apart.curve == here.curve


def test_few_pairs_start_no_process(filled: ImageIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        processes, "_ComparingProcess", lambda: pytest.fail("a process was started")
    )
    assert filled.duplicates()
