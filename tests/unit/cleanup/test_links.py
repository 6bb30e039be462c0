"""Copies that become hard links: whatever changes meanwhile, no content is lost."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from typing import Any

import pytest

from mobisearch.cleanup import CleanupReport, Plan, apply_plan
from mobisearch.cleanup.links import link_name, spare_name, tidy_link
from mobisearch.types import FileAction

Library = Any
NAMES = ["a.png", "b.png", "c.png", "s.png", "x.png"]


def apply(library: Library, plan: Plan | None = None) -> CleanupReport:
    plan = plan or library.plan(library.group("a.png", "b.png"))
    return apply_plan(library.index, plan, is_real=True, as_links=True)


def replace(library: Library, name: str, data: bytes) -> None:
    """Save a file as editors do: under another name, which then takes its place."""
    (library.photos.parent / "new").write_bytes(data)
    os.replace(library.photos.parent / "new", library.photos / name)


def write_unseen(library: Library, name: str, data: bytes) -> None:
    """Write into a file so that only its bytes tell."""
    path = library.photos / name
    status = path.stat()
    with path.open("r+b") as file:
        file.write(data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def before(function: str, ending: str, do: Callable[[], None], patch: pytest.MonkeyPatch) -> None:
    """Do something right before a function of the system takes or gives a name."""
    real = getattr(os, function)

    def late(source: str, target: str, **values: Any) -> None:
        if ending in (source[-len(ending) :], target[-len(ending) :]):
            do()
        real(source, target, **values)

    patch.setattr(os, function, late)


def action_of(library: Library) -> FileAction:
    """Return a step that was cut off: ``b.png`` was to become a link to ``a.png``."""
    record = library.record("b.png")
    kept = library.record("a.png")
    return FileAction(
        id=7,
        plan="0" * 32,
        step=1,
        kind="link",
        path=record.path,
        sha256=record.sha256,
        size_bytes=record.size_bytes,
        mtime_ns=record.mtime_ns,
        mode=0o644,
        keeper=kept.path,
        keeper_sha256=kept.sha256,
    )


def test_a_keeper_that_is_replaced_while_its_copy_is_read_costs_nothing(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = library.contents()["b.png"]
    with monkeypatch.context() as patch:
        before("link", ".link", lambda: replace(library, "a.png", b"edited"), patch)
        report = apply(library)
    assert [outcome.state for outcome in report.outcomes] == ["refused"]
    assert "the one kept changed at the last moment" in report.outcomes[0].reason
    assert (library.contents()["a.png"], library.contents()["b.png"]) == (b"edited", old)
    assert sorted(library.contents()) == NAMES


def test_a_keeper_that_is_written_to_at_the_last_moment_costs_nothing(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = library.contents()["b.png"]
    with monkeypatch.context() as patch:
        before("rename", ".link", lambda: write_unseen(library, "a.png", b"late"), patch)
        report = apply(library)
    assert [outcome.state for outcome in report.outcomes] == ["refused"]
    assert "the one kept changed at the last moment; it was put back" in report.outcomes[0].reason
    assert library.contents()["a.png"].startswith(b"late")
    assert library.contents()["b.png"] == old
    assert sorted(library.contents()) == NAMES


def test_an_exchange_that_is_interrupted_keeps_what_the_path_does_not_have(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = library.contents()["b.png"]
    rename = os.rename

    def interrupt(source: str, target: str) -> None:
        write_unseen(library, "a.png", b"late")
        rename(source, target)
        raise KeyboardInterrupt

    plan = library.plan(library.group("a.png", "b.png"))
    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", interrupt)
        with pytest.raises(KeyboardInterrupt):
            apply(library, plan)
    assert old in library.contents().values()
    report = apply(library, plan)
    assert "it had not been replaced" in report.settled[0]
    assert library.contents()["b.png"] == old
    assert sorted(library.contents()) == NAMES


@pytest.mark.parametrize("is_linked", [False, True])
def test_a_cut_off_exchange_whose_keeper_has_changed_is_taken_back(
    library: Library, is_linked: bool
) -> None:
    action = action_of(library)
    old = library.contents()["b.png"]
    os.link(action.path, spare_name(action))
    os.link(action.keeper, link_name(action))
    if is_linked:
        os.rename(link_name(action), action.path)
    write_unseen(library, "a.png", b"late")
    assert not tidy_link(action)
    assert library.contents()["b.png"] == old
    assert sorted(library.contents()) == NAMES


def test_the_only_name_of_a_copy_is_never_deleted(library: Library) -> None:
    """Killed after the exchange; then the one kept is replaced, after it was written to."""
    action = action_of(library)
    old = library.contents()["b.png"]
    os.link(action.path, spare_name(action))
    os.unlink(action.path)
    shutil.copy(library.photos / "x.png", action.path)
    assert not tidy_link(action)
    assert library.contents()[os.path.basename(spare_name(action))] == old


def test_a_link_to_a_keeper_that_was_replaced_since_is_cleared_away(library: Library) -> None:
    action = action_of(library)
    os.link(action.path, spare_name(action))
    os.link(action.keeper, link_name(action))
    replace(library, "a.png", b"edited")
    assert not tidy_link(action)
    assert sorted(library.contents()) == NAMES
