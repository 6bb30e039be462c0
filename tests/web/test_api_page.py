"""The examples of docs/api.md run as they are written."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from mobisearch import ImageIndex
from mobisearch.web import WebSettings, create_app
from tests.conftest import REPOSITORY
from tests.web.conftest import HOST, N_PHOTOS, Server

PAGE = (REPOSITORY / "docs" / "api.md").read_text(encoding="utf-8")


def test_the_python_of_the_page_runs(server: Server, library: Path, tmp_path: Path) -> None:
    shutil.copy(library / "photos" / "odd" / "07.jpg", tmp_path / "cat.jpg")
    code = "".join(re.findall(r"```python\n(.*?)```", PAGE, re.S))
    code = f"url, token = {server.url!r}, {server.token!r}\n{code}"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("1.000 ")
    assert lines[3] == f"{N_PHOTOS + 2} 5"
    assert lines[4].startswith(f"{N_PHOTOS + 2} [")


def test_every_route_that_the_page_names_is_there_and_every_one_there_is_named(
    served: ImageIndex,
) -> None:
    paths = create_app(served, WebSettings(frozenset({HOST}))).openapi()["paths"]
    told = PAGE.replace("/ID/", "/{}/").replace("/ID", "/{}").replace("/KEY/", "/{}/")
    for path in paths:
        plain = re.sub(r"\{\w+\}", "{}", path)
        if plain.endswith("/{}/undo"):
            plain = plain.replace("/undo", "/apply")  # named beside it
        if plain == "/api/queries/{}/preview":
            continue  # what the page shows of an upload
        assert plain in told, path
