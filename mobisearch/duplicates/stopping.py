"""Ending a search for copies early, on request."""

from __future__ import annotations


class StoppedError(Exception):
    """What was to be done was stopped. Never leaves ``ImageIndex.duplicates``."""
