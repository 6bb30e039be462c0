"""An index against a dictionary: whatever is done in whatever order, both hold the same images."""

from __future__ import annotations

import os
import shutil
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import pytest
from crashkit.client import Fault, Zygote
from file_machine import Changes, FileMachine, few_changes, name
from hypothesis import event, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule
from index_model import (
    CONTENTS,
    NAMES,
    PICTURES,
    Moment,
    Row,
    Run,
    is_as_told,
    read_rows,
)

from mobisearch import Embedder, ImageIndex
from mobisearch.runtimes import FAKE_MODEL, FakeRuntime
from mobisearch.types import Progress, SyncReport

COUNTED = ("added", "updated", "moved", "returned", "unchanged", "failed")
any_fault = st.one_of(
    st.builds(Fault.kill, st.integers(1, 300)),
    st.builds(Fault.kill, st.integers(30, 80)),  # where most of these syncs store files
    st.builds(Fault.kill_before_commit, st.integers(8, 24)),
    st.builds(Fault.kill_after_commit, st.integers(8, 24)),
)
EMBEDDER = Embedder(FAKE_MODEL, runtime=FakeRuntime(), batch_size=1)
ROWS = EMBEDDER.embed(PICTURES[:CONTENTS])


class IndexMachine(FileMachine):
    """Files on disk, an index, and what the index should hold."""

    def __init__(self) -> None:
        super().__init__()
        self.photos = self.disk.photos
        self.rows: dict[str, Row] = {}
        self.used_ids: set[int] = set()
        self.is_settled = True
        self.index = ImageIndex.create(self.folder / "index", EMBEDDER)

    def teardown(self) -> None:
        self.index.close()
        super().teardown()

    def _take_over(self, moments: Sequence[Moment]) -> Moment:
        """Find out which of several legal moments it is, and go on from there."""
        actual = read_rows(self.folder / "index", self.photos)
        for moment in moments:
            if is_as_told(actual, moment.rows, used_ids=self.used_ids):
                self.rows = actual
                self.used_ids |= {row.image_id or 0 for row in actual.values()}
                return moment
        told = "\n".join(str(dict(moment.rows)) for moment in moments)
        raise AssertionError(f"the index holds {actual}, expected one of\n{told}")

    def _check_report(self, report: SyncReport, moment: Moment) -> None:
        assert {key: getattr(report, key) for key in COUNTED} == {
            key: moment.counts[key] for key in COUNTED
        }
        assert (report.doubles, report.pruned) == (
            moment.counts["doubles"],
            moment.counts["pruned"],
        )
        for key in moment.counts:
            event(f"counted: {key}")

    def _n_missing(self) -> int:
        return sum(row.state == "missing" for row in self.rows.values())

    @precondition(lambda self: self.disk.files)
    @rule(changes=few_changes, prune=st.booleans(), rehash=st.sampled_from([False, False, True]))
    def sync(self, changes: Changes, prune: bool, rehash: bool) -> None:
        self.change(changes)
        moments = Run(self.rows, self.disk).sync(prune=prune, rehash=rehash)
        report = self.index.sync(self.photos, prune=prune, rehash=rehash)
        self._check_report(report, self._take_over(moments[-1:]))
        assert report.missing == self._n_missing()
        assert not report.interrupted
        self.is_settled = True

    @precondition(lambda self: self.disk.files)
    @rule(changes=few_changes, after=st.integers(1, 12), prune=st.booleans())
    def stop(self, changes: Changes, after: int, prune: bool) -> None:
        """What a sync has stored until it is stopped is there, and nothing is marked missing."""
        self.change(changes)
        stopping = threading.Event()
        told: list[Progress] = []

        def on_progress(progress: Progress) -> None:
            told.append(progress)
            if len(told) == after:
                stopping.set()

        moments = Run(self.rows, self.disk, batch=1).sync(prune=prune)
        report = self.index.sync(self.photos, prune=prune, stop=stopping, on_progress=on_progress)
        assert report.interrupted == (len(told) >= after)
        self._check_report(
            report, self._take_over(moments[:-1] if report.interrupted else moments[-1:])
        )
        assert report.missing == self._n_missing()
        assert not told or told[-1].done == told[-1].stored
        self.is_settled = not report.interrupted
        if report.interrupted:
            event("stopped early" if told[-1].done < told[-1].total else "stopped at the end")

    def _alone(self, names: Sequence[str]) -> list[str]:
        return [where for where in names if not self.disk.twins(where)]

    @rule(names=st.lists(name, min_size=1, max_size=3, unique=True))
    def add(self, names: list[str]) -> None:
        names = self._alone(names)
        report = self.index.add([self.photos / where for where in names])
        self._check_report(report, self._take_over([Run(self.rows, self.disk).read(names)]))
        self.is_settled = True

    @rule()
    def retry_errors(self) -> None:
        failed = self._failed()
        if not failed or failed != self._alone(failed):
            return  # no precondition: where a kill struck must not decide what is drawn next
        report = self.index.retry_errors()
        self._check_report(report, self._take_over([Run(self.rows, self.disk).read(failed)]))
        self.is_settled = True

    def _failed(self) -> list[str]:
        return sorted(where for where, row in self.rows.items() if row.state == "error")

    @rule(names=st.lists(st.sampled_from([*NAMES, "deep"]), max_size=2, unique=True))
    def remove(self, names: list[str]) -> None:
        gone = {where for where in self.rows if where in names or os.path.dirname(where) in names}
        left = {where: row for where, row in self.rows.items() if where not in gone}
        assert self.index.remove([self.photos / where for where in names]) == len(gone)
        self._take_over([Moment(left, Counter())])
        self.is_settled = True

    # ---- what changes nothing

    def _repair(self) -> None:
        report = self.index.repair()
        assert (report.mended, report.reread, report.missing, report.backup) == ((), 0, (), None)
        assert report.check.damage == report.check.stale == ()

    def _back_up(self) -> None:
        copied = self.folder / "copy"
        assert self.index.backup(copied) == str(copied)
        with ImageIndex.open(copied, EMBEDDER) as copy:
            assert found_in(copy) == found_in(self.index)
            assert copy.errors() == self.index.errors()
            assert copy.verify().damage == ()
        assert read_rows(copied, self.photos) == self.rows
        shutil.rmtree(copied)

    def _reopen(self) -> None:
        self.index.close()
        self.index = ImageIndex.open(self.folder / "index", EMBEDDER)

    def _lose_the_cache(self) -> None:
        """Two of every three files."""
        segments = self.folder / "index" / "segments"
        for number, path in enumerate(sorted(segments.glob("*"))):
            if number % 3:
                path.unlink()

    def _restore_only_the_catalog(self) -> None:
        """As from a backup of what matters: the catalog, and its log after a crash."""
        self.index.close()
        folder = self.folder / "index"
        kept = {path.name: path.read_bytes() for path in folder.glob("mobisearch.db*")}
        shutil.rmtree(folder)
        folder.mkdir()
        for file_name, data in kept.items():
            (folder / file_name).write_bytes(data)
        self.index = ImageIndex.open(folder, EMBEDDER)

    ways = (_repair, _back_up, _reopen, _lose_the_cache, _restore_only_the_catalog)

    @rule(how=st.sampled_from(ways))
    def disturb(self, how: Callable[[IndexMachine], None]) -> None:
        how(self)
        event(how.__name__)
        assert read_rows(self.folder / "index", self.photos) == self.rows

    # ---- what holds at any time

    @invariant()
    def the_index_holds_what_it_should(self) -> None:
        visible = {where: row for where, row in self.rows.items() if row.state == "ok"}
        expected = {
            str(self.photos / where): (row.image_id, row.content) for where, row in visible.items()
        }
        assert found_in(self.index) == expected
        assert len(self.index) == len(expected)
        failed = [str(self.photos / where) for where in self._failed()]
        assert [failure.path for failure in self.index.errors()] == failed

    @invariant()
    def the_catalog_is_sound(self) -> None:
        report = self.index.verify()
        assert report.damage == ()
        n_contents = len({row.content for row in self.rows.values()} - {None})
        assert report.checked == n_contents or (report.checked > n_contents and not self.is_settled)
        status = self.index.status()
        assert (status.missing, status.errors) == (self._n_missing(), len(self._failed()))


def found_in(index: ImageIndex) -> dict[str, tuple[int, int]]:
    """Return path -> (id, content) of all that searches find by their own embedding."""
    return {
        match.image.path: (match.image.id, number)
        for number, row in enumerate(ROWS)
        for match in index.search_by_vector(row, k=100)
        if match.score == 1
    }


class KilledIndexMachine(IndexMachine):
    """The same, where some syncs run in another process and are killed."""

    zygote: ClassVar[Zygote]
    settings_there: ClassVar[dict[str, Any]]

    @precondition(lambda self: self.disk.files)
    @rule(changes=few_changes, fault=any_fault, prune=st.booleans(), is_open=st.booleans())
    def kill(self, changes: Changes, fault: Fault, prune: bool, is_open: bool) -> None:
        """The index is as after some commit of the sync, or as before."""
        self.change(changes)
        moments = Run(self.rows, self.disk).sync(prune=prune)
        if not is_open:
            self.index.close()
        outcome = self.zygote.run(
            "sync",
            self.photos,
            self.folder / "index",
            fault=fault,
            settings=self.settings_there,
            prune=prune,
        )
        self._reopen()
        if not outcome.signal:
            assert outcome.code == 0, outcome.text
            moment = self._take_over(moments[-1:])
            counts = {key: moment.counts[key] for key in COUNTED}
            assert outcome.report == {**counts, "missing": self._n_missing()}
            self.is_settled = True
            event("killed: not at all")
            return
        before = Moment(dict(self.rows), Counter())
        moment = self._take_over([before, *moments])
        self.is_settled = False
        if any(other.rows != before.rows for other in moments):
            is_last = moment.rows == moments[-1].rows
            where = "at the start" if moment is before else "at the end" if is_last else "between"
            event(f"killed: {where}")
        else:
            event("killed: nothing to do")


def try_out(machine: type[IndexMachine], *, n_examples: int) -> None:
    test = machine.TestCase
    test.settings = settings(deadline=None, max_examples=n_examples, stateful_step_count=30)
    test().runTest()


@pytest.mark.timeout(900)  # making a failing example small takes up to five minutes
def test_an_index_behaves_like_a_dictionary_of_its_files(steps: dict[str, Any]) -> None:
    try_out(IndexMachine, n_examples=8)


@pytest.mark.timeout(900)
def test_it_still_does_when_syncs_are_killed(steps: dict[str, Any], zygote: Zygote) -> None:
    KilledIndexMachine.zygote, KilledIndexMachine.settings_there = zygote, steps
    try_out(KilledIndexMachine, n_examples=18)
