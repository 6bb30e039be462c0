"""A virtual environment with this checkout installed in it; for the other scripts."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
OLDEST_PYTHON = (3, 11)


def make_environment(folder: Path, *, extras: str) -> Path:
    """Create the environment unless it is there and up to date; return its Python.

    Args:
        extras: optional dependencies to install, such as ``"dev"``; empty for none.
    """
    if sys.version_info < OLDEST_PYTHON:
        wanted = ".".join(map(str, OLDEST_PYTHON))
        raise SystemExit(f"Python {wanted} or newer is needed; this is {sys.version.split()[0]}")
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = folder / "installed.txt"
    project = (REPOSITORY / "pyproject.toml").read_bytes()
    identity = hashlib.sha256(project).hexdigest()
    done = stamp.read_text().split() if python.exists() and stamp.exists() else []
    if done[:1] == [identity] and {extras} <= {"", *done[1:]}:
        return python
    print(f"Setting up {folder} (about 6 GB with torch; some minutes)", flush=True)
    try:
        venv.create(folder, with_pip=True, clear=not python.exists())
    except (OSError, subprocess.CalledProcessError) as error:
        raise SystemExit(
            f"cannot create {folder}: {error}\n"
            "On Debian and Ubuntu, python3-venv may be missing: apt install python3-venv"
        ) from error
    target = f"{REPOSITORY}[{extras}]" if extras else str(REPOSITORY)
    command = [str(python), "-m", "pip", "install", "--disable-pip-version-check"]
    if not sys.stdout.isatty():
        command.append("--quiet")
    if subprocess.run([*command, "--editable", target], check=False).returncode:
        raise SystemExit("the installation failed; what pip printed above says why")
    stamp.write_text(f"{identity} {extras}\n")
    return python
