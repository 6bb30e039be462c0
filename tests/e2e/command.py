"""The real command, as a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

COMMAND = Path(sys.executable).parent / "mobisearch"
DEADLINE_SECONDS = 280.0


def run(*arguments: str | os.PathLike[str], **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the command, with variables of the environment besides those that there are."""
    environment = {k: v for k, v in os.environ.items() if k != "MOBISEARCH_INDEX"}
    return subprocess.run(
        [COMMAND, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**environment, **variables},
        timeout=DEADLINE_SECONDS,
    )


def document(*arguments: str | os.PathLike[str]) -> Any:
    """Run the command and return the JSON that it prints; it must succeed."""
    done = run(*arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
