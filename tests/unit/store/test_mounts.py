"""What kind of file system an index is on, and what follows for it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from mobisearch import Embedder, ImageIndex
from mobisearch.store.catalog import CatalogReader
from mobisearch.store.mounts import file_system_of, is_network, journal_mode

PhotoMaker = Callable[..., Path]


def mount(*entries: tuple[str, str]) -> Callable[..., list[SimpleNamespace]]:
    made = [SimpleNamespace(mountpoint=place, fstype=kind, opts="rw") for place, kind in entries]
    return lambda **_: made


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "ext4"),
        ("/home/me/index", "ext4"),
        ("/mnt/nas/index", "nfs4"),
        ("/mnt/nas", "nfs4"),
        ("/mnt/nascent/index", "ext4"),
        ("/mnt/nas/usb/index", "vfat"),
        ("/over/index", "cifs"),
    ],
)
def test_the_nearest_mount_decides(monkeypatch: pytest.MonkeyPatch, path: str, kind: str) -> None:
    table = mount(
        ("/", "ext4"),
        ("/mnt/nas", "NFS4"),
        ("/mnt/nas/usb", "vfat"),
        ("/over", "xfs"),
        ("/over", "cifs"),
    )
    monkeypatch.setattr(psutil, "disk_partitions", table)
    assert file_system_of(Path(path)) == kind
    assert journal_mode(Path(path)) == ("DELETE" if kind in ("nfs4", "cifs") else "WAL")


def test_a_system_that_does_not_tell_counts_as_local(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: bool) -> None:
        raise OSError(2, "no /proc here")

    monkeypatch.setattr(psutil, "disk_partitions", fail)
    assert file_system_of(Path("/")) == ""
    assert not is_network(Path("/"))


def test_this_very_machine_can_be_asked(tmp_path: Path) -> None:
    assert isinstance(file_system_of(tmp_path), str)


def test_on_a_network_file_system_there_is_no_log_and_one_warning(
    tmp_path: Path, make_photo: PhotoMaker, fake_embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_photo(tmp_path / "photos" / "a.png", seed=1)
    with ImageIndex.create(tmp_path / "index", fake_embedder) as index:
        index.sync(tmp_path / "photos")
        assert _journal(index._catalog) == "wal"
        monkeypatch.setattr(psutil, "disk_partitions", mount((os.path.realpath(tmp_path), "nfs4")))
        make_photo(tmp_path / "photos" / "b.png", seed=2)
        report = index.sync(tmp_path / "photos")
        assert [line for line in report.warnings if "network file system" in line]
        assert len(report.warnings) == 1
        assert _journal(index._catalog) == "delete"
        assert not (tmp_path / "index" / "mobisearch.db-wal").exists()
        assert [match.score for match in index.search(tmp_path / "photos" / "b.png", k=1)] == [1]
        monkeypatch.undo()
        assert index.sync(tmp_path / "photos").warnings == ()
        assert _journal(index._catalog) == "wal"


def _journal(catalog: CatalogReader) -> str:
    with catalog._connected() as connection:
        return str(connection.exec_driver_sql("PRAGMA journal_mode").scalar_one())
