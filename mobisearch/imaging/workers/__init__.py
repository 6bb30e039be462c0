"""Decoding in processes of their own, so that a broken picture can break nothing else."""

from mobisearch.imaging.workers.halting import Halt, HaltedError
from mobisearch.imaging.workers.pool import DecodeWorkers, shared_workers

__all__ = ["DecodeWorkers", "Halt", "HaltedError", "shared_workers"]
