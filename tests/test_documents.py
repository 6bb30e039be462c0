"""The documents say what is so."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted(
    path
    for path in REPOSITORY.rglob("*.md")
    if not {".venv", "node_modules", ".git"} & set(path.relative_to(REPOSITORY).parts)
)


def test_the_figures_of_the_readme_are_those_that_were_measured() -> None:
    script = REPOSITORY / "scripts" / "update_readme.py"
    subprocess.run([sys.executable, script, "--check"], check=True)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_every_link_into_the_repository_leads_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), target


def test_every_script_is_listed_in_the_readme_beside_it() -> None:
    scripts = REPOSITORY / "scripts"
    text = (scripts / "README.md").read_text(encoding="utf-8")
    assert {path.name for path in scripts.glob("*.py")} == set(
        re.findall(r"^\| `(.+?)`", text, re.M)
    )


def test_every_dependency_has_its_reason() -> None:
    project = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    contributing = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")
    listed = re.search(r"^dependencies = \[(.*?)^\]", project, re.M | re.S)
    assert listed is not None
    for name in re.findall(r'"([a-z0-9-]+)', listed[1]):
        assert re.search(rf"^\| .*\b{name}\b", contributing, re.M), name


def test_the_python_of_the_readme_runs(tmp_path: Path, shipped_photos: Path) -> None:
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", text, re.S)
    names = {"query": "cat", "a": "dogs", "b": "alps", "new": "fig", "old": "fig"}
    for name, photo in names.items():
        (tmp_path / f"{name}.jpg").write_bytes((shipped_photos / f"{photo}.jpg").read_bytes())
    code = block.replace("~/Pictures", str(shipped_photos)).replace("(42)", "(4)")
    code += "\nassert len(index.__class__.open('indexes/photos')) == 23, 'the photos and new.jpg'\n"
    code += "assert rows.shape == (2, 1280)\n"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "22 0"
    assert done.stdout.splitlines()[1].startswith("1.0 ")
