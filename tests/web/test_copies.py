"""Copies on the page: found, decided on, planned, carried out, taken back, with all safeguards."""

from __future__ import annotations

import io
import json
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mobisearch import ImageIndex
from mobisearch.cleanup import KeptFile, Plan, PlannedFile, PlannedGroup
from mobisearch.types import Progress
from mobisearch.web.copy_documents import describe_plan
from mobisearch.web.jobs import Job
from tests.web.conftest import Page, make_page, open_index


@dataclass
class Copies:
    """A library with one group of copies that was found, and the page that shows it."""

    folder: Path
    index: ImageIndex
    page: Page

    def find(self) -> dict[str, Any]:
        assert self.page.program.post("/api/copies", json={}).status_code == 202
        return wait_until_ready(self.page)

    @property
    def group(self) -> dict[str, Any]:
        groups = self.page.program.get("/api/copies/groups").json()["groups"]
        found: dict[str, Any] = groups[0]
        return found

    def chosen(self) -> list[dict[str, Any]]:
        """Return the images of the group as a plan names them, the one that is kept first."""
        images = [each["image"] for each in self.group["images"]]
        return [{"image": image["id"], "sha256": image["sha256"]} for image in images]

    def plan(self, **changes: Any) -> Any:
        kept, *others = [
            {"image": e["image"]["id"], "sha256": e["image"]["sha256"]}
            for e in self.group["images"]
        ]
        chosen = {"key": self.group["key"], "keep": kept, "trash": others, **changes}
        return self.page.program.post("/api/copies/plan", json={"groups": [chosen]})

    def path(self, place: int) -> Path:
        image = self.group["images"][place]["image"]
        return Path(image["folder"]) / image["name"]

    def apply(self, plan: str) -> Any:
        return self.page.program.post(f"/api/copies/plan/{plan}/apply")

    def undo(self, plan: str) -> Any:
        return self.page.program.post(f"/api/copies/plan/{plan}/undo")


def wait_until_ready(page: Page) -> dict[str, Any]:
    pause = threading.Event()
    for _ in range(600):
        state: dict[str, Any] = page.program.get("/api/copies").json()
        if state["state"] != "running":
            return state
        pause.wait(0.1)
    raise AssertionError("copies were not found in a minute")


@pytest.fixture
def copies(own_library: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Copies]:
    monkeypatch.setenv("XDG_DATA_HOME", str(own_library / "data"))
    with open_index(own_library) as index:
        made = Copies(own_library, index, make_page(index, may_trash=True))
        state = made.find()
        assert state["state"] == "ready", state
        assert state["groups"] == 1
        yield made


def test_a_group_shows_who_stays_and_why(copies: Copies) -> None:
    first, second = copies.group["images"]
    assert first["is_kept"]
    assert not second["is_kept"]
    assert second["verdict"] == "same file"
    assert {Path(e["image"]["name"]).name for e in (first, second)} == {"00.png", "twin.png"}
    assert copies.group["reclaimable_bytes"] == second["image"]["size_bytes"]


def test_the_same_images_are_a_group_of_the_same_key_again(copies: Copies) -> None:
    before = copies.group["key"]
    copies.find()
    assert copies.group["key"] == before


def test_the_difference_of_two_is_a_picture(copies: Copies) -> None:
    image = copies.group["images"][1]["image"]["id"]
    route = f"/api/copies/groups/{copies.group['key']}/difference"
    answer = copies.page.browser.get(route, params={"image": image})
    assert answer.headers["content-type"] == "image/jpeg"
    with Image.open(io.BytesIO(answer.content)) as picture:
        assert picture.size == (90, 60)
    assert copies.page.browser.get(route, params={"image": 9999}).status_code == 404


def test_planning_changes_nothing_and_applying_moves_to_the_trash_and_undo_back(
    copies: Copies,
) -> None:
    kept, copy = copies.path(0), copies.path(1)
    data = copy.read_bytes()
    planned = copies.plan().json()
    assert planned["steps"] == 1
    assert planned["bytes"] == len(data)
    assert copy.exists()
    done = copies.apply(planned["plan"]).json()
    assert (done["done"], done["refused"], done["failed"]) == (1, 0, 0)
    assert not copy.exists()
    assert kept.read_bytes() == data
    assert copies.page.program.get("/api/copies").json()["is_stale"]
    (told,) = copies.page.program.get("/api/copies/plans").json()["plans"]
    assert (told["plan"], told["done"], told["undone"]) == (planned["plan"], 1, 0)
    back = copies.undo(planned["plan"]).json()
    assert back["done"] == 1
    assert copy.read_bytes() == data
    (told,) = copies.page.program.get("/api/copies/plans").json()["plans"]
    assert (told["done"], told["undone"]) == (0, 1)


@pytest.mark.parametrize("is_accepted", [True, False])
def test_the_page_is_told_with_which_files_something_is_lost(is_accepted: bool) -> None:
    file = PlannedFile(
        1, "trash", "/a/b.jpg", "ab" * 32, 5, 7, "resized", is_loss_accepted=is_accepted
    )
    group = PlannedGroup(KeptFile("/a/a.jpg", "cd" * 32, 9, 7), (file,))
    [told] = describe_plan(Plan("0" * 32, "2026-01-31T12:00:00+00:00", (group,))).files
    assert told.loss_accepted is is_accepted


def test_a_plan_is_carried_out_once_however_often_it_is_sent(copies: Copies) -> None:
    plan = copies.plan().json()["plan"]
    statuses: list[int] = []
    threads = [
        threading.Thread(target=lambda: statuses.append(copies.apply(plan).status_code))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(statuses) == [200, 409, 409, 409]


def test_a_keeper_that_changed_after_the_plan_saves_the_copy(copies: Copies) -> None:
    kept, copy = copies.path(0), copies.path(1)
    plan = copies.plan().json()["plan"]
    kept.write_bytes(b"something else")
    done = copies.apply(plan).json()
    assert (done["done"], done["refused"]) == (0, 1)
    assert copy.exists()


def test_a_copy_that_was_replaced_after_the_plan_stays(copies: Copies) -> None:
    copy = copies.path(1)
    plan = copies.plan().json()["plan"]
    copy.write_bytes(b"a new picture")
    assert copies.apply(plan).json()["refused"] == 1
    assert copy.read_bytes() == b"a new picture"


def test_not_all_of_a_group_can_go(copies: Copies) -> None:
    first, second = copies.chosen()
    assert copies.plan(keep=first, trash=[first, second]).status_code == 422
    assert copies.plan(keep=first, trash=[second, second]).status_code == 422


def test_the_other_one_can_be_chosen_to_stay(copies: Copies) -> None:
    first, second = copies.chosen()
    kept, copy = copies.path(1), copies.path(0)
    plan = copies.plan(keep=second, trash=[first]).json()["plan"]
    assert copies.apply(plan).json()["done"] == 1
    assert kept.exists()
    assert not copy.exists()


def test_what_the_page_shows_no_more_is_refused_as_stale(copies: Copies) -> None:
    first, second = copies.chosen()
    assert copies.plan(key="0" * 24).status_code == 409
    assert copies.plan(trash=[{**second, "sha256": "0" * 64}]).status_code == 409
    assert copies.plan(keep={**first, "image": 9999}).status_code == 409


def test_two_tabs_cannot_take_both_copies(copies: Copies) -> None:
    first, second = copies.chosen()
    one = copies.plan(keep=first, trash=[second]).json()["plan"]
    other = copies.plan(keep=second, trash=[first]).json()["plan"]
    paths = [copies.path(0), copies.path(1)]
    assert copies.apply(one).json()["done"] == 1
    assert copies.apply(other).json()["refused"] == 1
    assert [path.exists() for path in paths] == [True, False]


def test_undoing_twice_and_with_the_place_taken_overwrites_nothing(copies: Copies) -> None:
    copy = copies.path(1)
    data = copy.read_bytes()
    plan = copies.plan().json()["plan"]
    copies.apply(plan)
    copy.write_bytes(b"somebody else's")
    assert copies.undo(plan).json()["done"] == 1
    assert copy.read_bytes() == b"somebody else's"
    restored = [p for p in copy.parent.iterdir() if p != copy and p.read_bytes() == data]
    assert len(restored) == 1
    assert copies.undo(plan).json()["done"] == 0


def test_all_groups_can_be_planned_by_the_rules(copies: Copies) -> None:
    answer = copies.page.program.post("/api/copies/plan", json={"by_rule": True})
    assert answer.json()["steps"] == 1
    both = {"by_rule": True, "groups": [{"key": "x"}]}
    assert copies.page.program.post("/api/copies/plan", json=both).status_code == 422
    assert copies.page.program.post("/api/copies/plan", json={}).status_code == 422


def test_of_a_folder_that_is_not_available_it_is_told_and_nothing_is_planned(
    copies: Copies,
) -> None:
    photos = copies.folder / "photos"
    photos.rename(copies.folder / "away")
    assert any(str(photos) in line for line in copies.find()["warnings"])
    answer = copies.page.program.post("/api/copies/plan", json={"by_rule": True}).json()
    assert (answer["steps"], len(answer["files"])) == (0, 1)
    assert "its folder is not available" in answer["files"][0]["reason"]
    assert copies.plan().json()["steps"] == 0


def test_a_decision_is_remembered_and_the_group_is_not_shown_again(copies: Copies) -> None:
    ids = [e["image"]["id"] for e in copies.group["images"]]
    answer = copies.page.program.post("/api/copies/decisions", json={"kind": "keep", "images": ids})
    assert answer.status_code == 201
    assert copies.page.program.get("/api/copies/groups").json()["total"] == 0
    assert copies.find()["groups"] == 0
    assert len(copies.index.decisions()) == 1


def test_without_leave_everything_but_carrying_out_can_be_done(own_library: Path) -> None:
    with open_index(own_library) as index:
        looking = Copies(own_library, index, make_page(index))
        looking.find()
        plan = looking.plan().json()["plan"]
        copy = looking.path(1)
        assert looking.apply(plan).status_code == 403
        assert looking.undo(plan).status_code == 403
        assert copy.exists()


def test_a_read_only_page_takes_no_decision(own_library: Path) -> None:
    with open_index(own_library) as index:
        looking = Copies(own_library, index, make_page(index, is_read_only=True))
        looking.find()
        ids = [e["image"]["id"] for e in looking.group["images"]]
        answer = looking.page.program.post(
            "/api/copies/decisions", json={"kind": "keep", "images": ids}
        )
        assert answer.status_code == 403
        assert not index.decisions()


def test_groups_before_a_search_are_a_sentence(own_library: Path) -> None:
    with open_index(own_library) as index:
        page = make_page(index)
        assert page.program.get("/api/copies").json()["state"] == "none"
        assert page.program.get("/api/copies/groups").status_code == 409


def test_rules_that_there_are_not_are_refused_before_the_work(own_library: Path) -> None:
    with open_index(own_library) as index:
        page = make_page(index)
        answer = page.program.post("/api/copies", json={"keep": ["prettiest"]})
        assert answer.status_code in (409, 422)
        assert page.program.get("/api/copies").json()["state"] == "none"


@pytest.mark.parametrize("body", [{"protect": ["{}"]}, {"keep": ["path:{}", "largest"]}])
@pytest.mark.parametrize(
    "folder", ["/a\0b", "relative", "", "../photos", "~nobody", "/no/such/folder", "/a\udcffb"]
)
def test_folders_that_are_none_of_the_index_are_refused_before_the_work(
    own_library: Path, body: dict[str, list[str]], folder: str
) -> None:
    with open_index(own_library) as index:
        page = make_page(index)
        given = {name: [value.format(folder) for value in of] for name, of in body.items()}
        answer = page.program.post("/api/copies", content=json.dumps(given))
        assert answer.status_code == 422, answer.text
        assert page.program.get("/api/copies").json()["state"] == "none"
        given = {"protect": [str(own_library / "photos")]}
        assert page.program.post("/api/copies", json=given).status_code == 202
        wait_until_ready(page)


def test_a_job_runs_once_at_a_time_and_keeps_its_last_result_after_a_failure() -> None:
    job: Job[int] = Job("test")
    begun, go = threading.Event(), threading.Event()

    def work(note: Callable[[Progress], None], stop: threading.Event) -> int:
        note(Progress(1, 2, 0, stage="half"))
        begun.set()
        assert go.wait(30)
        return 7

    def fail(note: Callable[[Progress], None], stop: threading.Event) -> int:
        raise ValueError("no")

    assert job.start(work)
    assert begun.wait(30)
    assert not job.start(work)
    assert (job.now.state, job.now.step, job.now.done) == ("running", "half", 1)
    go.set()
    _settle(job)
    assert (job.now.state, job.now.result) == ("ready", 7)
    assert job.start(fail)
    _settle(job)
    assert (job.now.state, job.now.result) == ("failed", 7)


def _settle(job: Job[int]) -> None:
    pause = threading.Event()
    for _ in range(300):
        if job.now.state != "running":
            return
        pause.wait(0.05)
    raise AssertionError("the job did not end")


def test_an_index_that_another_process_writes_to_can_still_be_looked_through(
    own_library: Path,
) -> None:
    shutil.copy(own_library / "photos/even/00.png", own_library / "photos/even/third.png")
    with open_index(own_library) as index, open_index(own_library) as other:
        looking = Copies(own_library, index, make_page(index))
        with other.journal():
            state = looking.find()
        assert state["state"] == "ready"
        assert state["warnings"]
