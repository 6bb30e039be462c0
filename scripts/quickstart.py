"""Set up mobisearch in .venv and show it at work: one command, no download of weights.

    python3 scripts/quickstart.py                       the photos in tests/photos
    python3 scripts/quickstart.py ~/Pictures            your own photos
    python3 scripts/quickstart.py ~/Pictures cat.jpg    and your own query

Needs Python 3.11 or newer and nothing else. Builds an index (indexes/default of your photos, or
indexes/quickstart of those in tests/photos), prints the matches of a query with their scores, and
writes them as a contact sheet. Without a query it cuts the middle half out of one of the photos,
saves it at low quality, and looks for that.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from environment import REPOSITORY, make_environment

SHEET = REPOSITORY / "indexes" / "quickstart-matches.jpg"


def main() -> None:
    arguments = sys.argv[1:]
    if len(arguments) > 2 or (arguments and arguments[0].startswith("-")):
        raise SystemExit(__doc__)
    folder = Path(arguments[0]).expanduser() if arguments else REPOSITORY / "tests" / "photos"
    index = str(REPOSITORY / "indexes" / ("default" if arguments else "quickstart"))
    python = make_environment(REPOSITORY / ".venv", extras="")
    mobisearch = [str(python), "-m", "mobisearch"]
    run([*mobisearch, "index", "--index", index, str(folder)], accepted=(0, 1))
    if len(arguments) == 2:
        query = Path(arguments[1]).expanduser()
    else:
        query = REPOSITORY / "indexes" / "quickstart-query.jpg"
        run([str(python), str(Path(__file__).with_name("cut_query.py")), str(folder), str(query)])
    run([*mobisearch, "search", "--index", index, "-k", "5", "--sheet", str(SHEET), str(query)])
    if not arguments:
        print("\nTry it on your own photos:\n  python3 scripts/quickstart.py ~/Pictures")


def run(command: list[str], *, accepted: tuple[int, ...] = (0,)) -> None:
    """Show a command, run it, and stop with its exit code if it fails."""
    print(f"\n$ {' '.join(command)}", flush=True)
    code = subprocess.run(command, check=False).returncode
    if code not in accepted:
        raise SystemExit(code)


if __name__ == "__main__":
    main()
