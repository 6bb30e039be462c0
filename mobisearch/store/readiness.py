"""What has to happen to an index before it can be read: roll back, and bring to this format."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from mobisearch.errors import IndexLockedError, IndexReadOnlyError
from mobisearch.store.backups import keep_backup
from mobisearch.store.catalog import check_log, migrate, open_writer, read_version
from mobisearch.store.catalog.connection import check_header
from mobisearch.store.catalog.schema import FORMAT_VERSION
from mobisearch.store.layout import IndexLayout
from mobisearch.store.mounts import journal_mode


def make_ready(layout: IndexLayout) -> None:
    """Make an index readable for this program, whatever version wrote it and however that ended.

    Raises:
        IndexFormatError: it is foreign, or newer than this program; it was left untouched.
        IndexReadOnlyError: something has to be done first, and nothing can be written here.
        IndexLockedError: it is older, and another process is writing, perhaps this very upgrade.
        IndexDamagedError: it has the log of another index; or, as StorageError, the backup could
            not be made. Nothing was changed.
    """
    check_header(layout.catalog_path)
    check_log(layout.catalog_path)
    roll_back(layout)
    upgrade_index(layout)


def roll_back(layout: IndexLayout) -> None:
    """Undo a commit that was cut off, where the catalog has a rollback journal.

    Readers cannot do that. A write-ahead log, which catalogs have on disks of this machine, needs
    nothing of the kind.
    """
    journal = f"{layout.catalog_path}-journal"
    try:
        if not os.path.getsize(journal):
            return
    except OSError:
        return
    reason = "its last commit was cut off and has to be undone"
    with contextlib.suppress(IndexLockedError), _writable(layout, reason):  # locked: a live commit
        open_writer(layout.catalog_path, journal=journal_mode(layout.directory)).close()


def upgrade_index(layout: IndexLayout) -> bool:
    """Bring an index to the present format, and say whether there was anything to do.

    The catalog as it was is kept in ``backups`` first. Stopped at any moment, the index has its old
    format or the new one, whole.
    """
    if read_version(layout.catalog_path) == FORMAT_VERSION:
        return False
    with _writable(layout, "the index has an older format"):
        if read_version(layout.catalog_path) == FORMAT_VERSION:  # another process was faster
            return False
        keep_backup(layout)
        migrate(layout.catalog_path, journal=journal_mode(layout.directory))
    return True


@contextlib.contextmanager
def _writable(layout: IndexLayout, reason: str) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(layout.writer_lock())
        except IndexReadOnlyError as error:
            raise IndexReadOnlyError(
                layout.directory,
                f"{reason}, and nothing can be written here; open it once, or a copy of it, where "
                "it can",
            ) from error
        yield
