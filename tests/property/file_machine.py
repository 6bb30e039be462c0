"""What happens to files between the uses of an index: the rules that know nothing of one."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from index_model import CONTENTS, DAMAGED, NAMES, Disk, deep

name = st.sampled_from(NAMES)
content = st.integers(0, CONTENTS - 1)
Changes = dict[str, int | None]
few_changes = st.dictionaries(name, content | st.none(), max_size=4)
"""None deletes, but never the last one: an empty folder is left as it is."""


class FileMachine(RuleBasedStateMachine):
    """Pictures that are added, changed, damaged, mended, moved, linked, deleted and unmounted."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(os.path.realpath(tempfile.mkdtemp(prefix="mobisearch-")))
        self.disk = Disk(self.folder)

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    @initialize(start=st.dictionaries(name, content, min_size=1))
    def begin(self, start: dict[str, int]) -> None:
        for where, what in start.items():
            self.disk.write(where, what)

    @rule(changes=few_changes)
    def change(self, changes: Changes) -> None:
        for where, what in changes.items():
            if what is not None:
                self.disk.write(where, what)
            elif self.disk.files.keys() - {where} and where in self.disk.files:
                self.disk.delete(where)

    @rule(where=name, what=st.sampled_from(DAMAGED))
    def damage(self, where: str, what: int) -> None:
        """Put a file in place that cannot be decoded; other names keep the one that was there."""
        if self.disk.twins(where):
            self.disk.delete(where)
        self.disk.write(where, what)

    def _damaged(self) -> list[str]:
        return [where for where, what in self.disk.files.items() if what in DAMAGED]

    @precondition(lambda self: self._damaged())
    @rule(data=st.data(), what=content)
    def mend(self, data: st.DataObject, what: int) -> None:
        self.disk.write(self._drawn(data, self._damaged()), what)

    @precondition(lambda self: self.disk.files)
    @rule(data=st.data(), to=name)
    def move(self, data: st.DataObject, to: str) -> None:
        self.disk.move(self._drawn(data, [*self.disk.files]), to)

    @precondition(lambda self: self.disk.files)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        self.disk.delete(self._drawn(data, [*self.disk.files]))

    @precondition(lambda self: self.disk.deleted.keys() - self.disk.files.keys())
    @rule(data=st.data())
    def put_back(self, data: st.DataObject) -> None:
        names = self.disk.deleted.keys() - self.disk.files.keys()
        self.disk.put_back(self._drawn(data, [*names]))

    def _good(self) -> list[str]:
        return [where for where, what in self.disk.files.items() if what not in DAMAGED]

    @precondition(lambda self: self._good())
    @rule(data=st.data(), to=name)
    def link(self, data: st.DataObject, to: str) -> None:
        if to not in self.disk.files:
            self.disk.link(self._drawn(data, self._good()), to)

    def _linked(self) -> list[str]:
        return [where for where in self.disk.files if self.disk.twins(where)]

    @precondition(lambda self: self._linked())
    @rule(data=st.data())
    def unlink(self, data: st.DataObject) -> None:
        self.disk.delete(self._drawn(data, self._linked()))

    @precondition(lambda self: not deep(self.disk.files if self.disk.away else self._linked()))
    @rule()
    def take_a_folder_away_or_bring_it_back(self) -> None:
        if self.disk.away:
            self.disk.bring_back()
        elif deep(self.disk.files):
            self.disk.take_away()

    def _drawn(self, data: st.DataObject, names: Sequence[str]) -> str:
        return data.draw(st.sampled_from(sorted(names)))
