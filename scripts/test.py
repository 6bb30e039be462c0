"""Set up everything in .venv and run all checks: style, types, tests. The same as in CI.

python3 scripts/test.py            everything
python3 scripts/test.py tests/unit only some tests; more arguments go to pytest
"""

from __future__ import annotations

import subprocess
import sys

from environment import REPOSITORY, make_environment

CHECKS = (
    ("ruff", "format", "--check", "."),
    ("ruff", "check", "."),
    ("mypy",),
)


def main() -> None:
    python = make_environment(REPOSITORY / ".venv", extras="dev")
    arguments = sys.argv[1:]
    commands = [] if arguments else [["-m", *check] for check in CHECKS]
    # The whole suite takes every processor; a file stays together, for what its tests share.
    spread = [] if arguments else ["-n", "auto", "--dist", "loadfile"]
    commands.append(["-m", "pytest", *spread, *arguments])
    failed = []
    for command in commands:
        print(f"\n$ python {' '.join(command)}", flush=True)
        if subprocess.run([str(python), *command], cwd=REPOSITORY, check=False).returncode:
            failed.append(" ".join(command[1:]))
    if failed:
        raise SystemExit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
