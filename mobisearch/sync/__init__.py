"""Bringing a catalog up to date with folders: scan, compare, read what changed, store, settle."""

from mobisearch.sync.folders import scan_settings_of
from mobisearch.sync.synchroniser import Synchroniser

__all__ = ["Synchroniser", "scan_settings_of"]
