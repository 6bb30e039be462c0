"""Bringing an index of an older format to the present one, with a backup first."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from mobisearch.errors import IndexReadOnlyError
from mobisearch.store.backups import keep_backup
from mobisearch.store.catalog import migrate, read_version
from mobisearch.store.catalog.schema import FORMAT_VERSION
from mobisearch.store.layout import IndexLayout
from mobisearch.store.mounts import journal_mode


def upgrade_index(layout: IndexLayout) -> bool:
    """Bring an index to the present format, and say whether there was anything to do.

    The catalog as it was is kept in ``backups`` first. Stopped at any moment, the index has its old
    format or the new one, whole.

    Raises:
        IndexFormatError: it is foreign, or newer than this program; it was left untouched.
        IndexReadOnlyError: it is older, and cannot be written here.
        IndexLockedError: another process is writing, perhaps this very upgrade.
        IndexDamagedError, StorageError: the backup could not be made; nothing was changed.
    """
    if read_version(layout.catalog_path) == FORMAT_VERSION:
        return False
    with _writable(layout):
        if read_version(layout.catalog_path) == FORMAT_VERSION:  # another process was faster
            return False
        keep_backup(layout)
        migrate(layout.catalog_path, journal=journal_mode(layout.directory))
    return True


@contextlib.contextmanager
def _writable(layout: IndexLayout) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(layout.writer_lock())
        except IndexReadOnlyError as error:
            raise IndexReadOnlyError(
                layout.directory,
                "the index has an older format and cannot be brought to the present one here, "
                "where nothing can be written; open it once, or a copy of it, where it can",
            ) from error
        yield
