"""The real command that serves an index, as a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

TOKEN = "0123456789abcdef0123456789abcdef"


@dataclass
class Served:
    """A library, its index, and the page of it."""

    folder: Path
    index: Path
    url: str
    process: subprocess.Popen[str]

    @property
    def start(self) -> str:
        """The address that lets one in."""
        return f"{self.url}/?token={TOKEN}"

    def stop(self) -> None:
        """End the server, as Ctrl-C does."""
        if self.process.poll() is None:
            self.process.terminate()
        self.process.communicate(timeout=30)


ServedMaker = Callable[..., Served]


def start_server(
    index: Path, *options: str, port: int = 0, trash: Path | None = None
) -> tuple[subprocess.Popen[str], str]:
    """Serve an index, and return the process and where it is."""
    command = [sys.executable, "-m", "mobisearch", "serve", "--index", str(index), "--json"]
    command += ["--no-open", "--port", str(port), "--token", TOKEN, *options]
    variables = {**os.environ, **({"XDG_DATA_HOME": str(trash)} if trash else {})}
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=variables
    )
    assert process.stdout is not None
    giving_up = threading.Timer(60, process.kill)
    giving_up.start()
    said = ""
    for line in process.stdout:
        said += line
        if line.rstrip() == "}":
            break
    giving_up.cancel()
    assert said, "the server did not start"
    return process, f"http://127.0.0.1:{json.loads(said)['port']}"
