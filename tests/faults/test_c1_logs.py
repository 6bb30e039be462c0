"""A catalog whose log is missing, newer, or of another index; and backups."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from faultkit.questions import answers

from mobisearch import Embedder, ImageIndex
from mobisearch.errors import IndexDamagedError, IndexFormatError
from mobisearch.types import Progress

N_COMMITTED = 64
"""Images in a commit."""


N_FIRST = 150
"""Images that are older than the log: enough that the log does not hold every page."""


@pytest.fixture(scope="module")
def catalog(
    tmp_path_factory: pytest.TempPathFactory,
    make_photo: Callable[..., Path],
    make_embedder: Callable[..., Embedder],
) -> bytes:
    """The catalog of an index of twenty photos."""
    folder = tmp_path_factory.mktemp("catalog")
    for seed in range(20):
        make_photo(folder / "photos" / f"{seed}.png", seed=seed, size=(8, 8))
    with ImageIndex.create(folder / "index", make_embedder()) as index:
        index.sync(folder / "photos")
    return (folder / "index" / "mobisearch.db").read_bytes()


# ---------------------------------------------------------------- logs and backups


@pytest.fixture
def states(
    index: ImageIndex,
    tmp_path: Path,
    make_photo: Callable[..., Path],
    ids_of: Callable[..., dict[str, int]],
) -> dict[str, Path]:
    """Copies of one index directory: ``oldest``, ``old``, ``killed`` while it wrote, ``new``.

    ``oldest`` holds 5 images, ``old`` 150, ``killed`` 64 more in its log, ``new`` all.
    """
    for seed in range(N_FIRST):
        make_photo(tmp_path / "first" / f"{seed}.png", seed=500 + seed, size=(8, 8))
    for seed in range(N_COMMITTED + 1):
        make_photo(tmp_path / "many" / f"{seed:03}.png", seed=seed, size=(8, 8))
    found = {name: tmp_path / name for name in ("oldest", "old", "killed", "new")}

    def copy_late(progress: Progress) -> None:
        if progress.done > N_COMMITTED and not found["killed"].exists():
            shutil.copytree(tmp_path / "index", found["killed"])

    index.add([tmp_path / "first" / f"{seed}.png" for seed in range(5)])
    shutil.copytree(tmp_path / "index", found["oldest"])
    index.sync(tmp_path / "first")
    shutil.copytree(tmp_path / "index", found["old"])
    index.sync(tmp_path / "many", on_progress=copy_late)
    shutil.copytree(tmp_path / "index", found["new"])
    assert (found["killed"] / "mobisearch.db-wal").stat().st_size
    return found


def _folders(ids: dict[str, int]) -> dict[str, int]:
    """Count images by the folder that they are in."""
    names = [os.path.basename(os.path.dirname(path)) for path in ids]
    return {name: names.count(name) for name in set(names)}


def test_case_24_what_a_killed_writer_had_committed_is_there(
    states: dict[str, Path],
    fake_embedder: Embedder,
    ids_of: Callable[..., dict[str, int]],
    check_sound: Callable[..., None],
) -> None:
    with ImageIndex.open(states["killed"], fake_embedder) as index:
        assert _folders(ids_of(index)) == {"first": N_FIRST, "many": N_COMMITTED}
        check_sound(index, fake_embedder)


@pytest.mark.parametrize("is_shm_left", [False, True], ids=["", "shm left"])
def test_case_24_without_the_log_of_a_killed_writer_the_state_before_it_opens(
    states: dict[str, Path],
    tmp_path: Path,
    fake_embedder: Embedder,
    ids_of: Callable[..., dict[str, int]],
    check_sound: Callable[..., None],
    is_shm_left: bool,
) -> None:
    (states["killed"] / "mobisearch.db-wal").unlink()
    if not is_shm_left:
        (states["killed"] / "mobisearch.db-shm").unlink()
    with ImageIndex.open(states["killed"], fake_embedder) as index:
        assert _folders(ids_of(index)) == {"first": N_FIRST}
        check_sound(index, fake_embedder)
        assert index.sync(tmp_path / "many").added == N_COMMITTED + 1
        check_sound(index, fake_embedder)


def test_case_24_a_catalog_from_a_backup_ignores_the_newer_files_beside_it(
    states: dict[str, Path],
    tmp_path: Path,
    fake_embedder: Embedder,
    ids_of: Callable[..., dict[str, int]],
    check_sound: Callable[..., None],
) -> None:
    newer = {path.name for path in (states["new"] / "segments").glob("*.faiss")}
    newer -= {path.name for path in (states["old"] / "segments").glob("*.faiss")}
    assert newer
    shutil.copy(states["old"] / "mobisearch.db", states["new"] / "mobisearch.db")
    with ImageIndex.open(states["new"], fake_embedder) as index:
        assert _folders(ids_of(index)) == {"first": N_FIRST}
        check_sound(index, fake_embedder)
        (tmp_path / "many" / "000.png").unlink()
        assert index.sync(tmp_path / "many").added == N_COMMITTED
        check_sound(index, fake_embedder)
        assert index.verify().stale == ()
    left = {path.name for path in (states["new"] / "segments").glob("*.faiss")}
    assert not left & newer, "files of the future are gone, however much their names look like ours"


def _answers_of(
    catalog: Path, place: Path, embedder: Embedder, *, log: Path | None = None
) -> object:
    """Return what a catalog and a log answer in a new place, None if they are refused."""
    place.mkdir()
    shutil.copy(catalog, place / "mobisearch.db")
    if log is not None:
        shutil.copy(log, place / "mobisearch.db-wal")
    try:
        with ImageIndex.open(place, embedder) as index:
            return answers(index)
    except (IndexDamagedError, IndexFormatError):
        return None


def test_case_24_the_log_of_a_newer_state_gives_one_of_the_states_or_is_refused(
    states: dict[str, Path], tmp_path: Path, fake_embedder: Embedder
) -> None:
    """As after putting back the catalog from a backup, and not its log."""
    oldest, killed = (states[name] / "mobisearch.db" for name in ("oldest", "killed"))
    log = killed.with_name("mobisearch.db-wal")
    allowed = [
        _answers_of(oldest, tmp_path / "alone", fake_embedder),
        _answers_of(killed, tmp_path / "newer", fake_embedder, log=log),
    ]
    assert None not in allowed
    answers = _answers_of(oldest, tmp_path / "mixed", fake_embedder, log=log)
    assert answers in (None, *allowed), "neither the one state nor the other"


@pytest.mark.parametrize("n_mine", [3, 300])
@pytest.mark.parametrize("n_before", [0, N_FIRST])
def test_case_24_the_log_of_another_index_is_not_taken_for_its_own(
    tmp_path: Path,
    fake_embedder: Embedder,
    make_photo: Callable[..., Path],
    n_mine: int,
    n_before: int,
) -> None:
    for seed in range(max(n_mine, n_before, N_COMMITTED + 1)):
        make_photo(tmp_path / "photos" / f"{seed}.png", seed=seed, size=(8, 8))
    photos = sorted((tmp_path / "photos").iterdir())
    log = tmp_path / "other.wal"

    def copy_late(progress: Progress) -> None:
        if progress.done > N_COMMITTED:
            shutil.copy(tmp_path / "other" / "mobisearch.db-wal", log)

    with ImageIndex.create(tmp_path / "other", fake_embedder) as other:
        other.add(photos[:n_before])
        other.add(
            [shutil.copy(photo, tmp_path / photo.name) for photo in photos[: N_COMMITTED + 1]],
            on_progress=copy_late,
        )
    with ImageIndex.create(tmp_path / "mine", fake_embedder) as mine:
        mine.add(photos[:n_mine])
    catalog = tmp_path / "mine" / "mobisearch.db"
    expected = _answers_of(catalog, tmp_path / "alone", fake_embedder)
    answers = _answers_of(catalog, tmp_path / "mixed", fake_embedder, log=log)
    assert answers in (None, expected), "images that were never in this index"


def test_case_24_a_backup_made_while_somebody_writes_is_a_whole_index(
    index: ImageIndex,
    photos: Path,
    tmp_path: Path,
    fake_embedder: Embedder,
    check_sound: Callable[..., None],
) -> None:
    index.sync(photos / "deep")

    def back_up(progress: Progress) -> None:
        if progress.done == 1:
            with ImageIndex.open(tmp_path / "index", fake_embedder) as reader:
                reader.backup(tmp_path / "backup")

    index.sync(photos, on_progress=back_up)
    with ImageIndex.open(tmp_path / "backup", fake_embedder) as copy:
        assert len(copy) == 1
        check_sound(copy, fake_embedder)
        assert copy.sync(photos).added == 3
