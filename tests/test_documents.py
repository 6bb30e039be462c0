"""The documents say what is so."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mobisearch.models import MODELS, DepthwiseSeparable, count_cost, full_convolution
from mobisearch.models.facts import find_costs

REPOSITORY = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted(
    path
    for path in REPOSITORY.rglob("*.md")
    if not {".venv", "node_modules", ".git"} & set(path.relative_to(REPOSITORY).parts)
)


def test_the_figures_of_the_documents_are_those_that_were_measured() -> None:
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


MOBILENET = REPOSITORY / "docs" / "mobilenet.md"
KINDS = {
    "animals": ("cat", "dogs"),
    "mountains": ("alps", "mountain", "trail", "stream"),
    "plants": ("dahlia", "dandelion", "allium", "acanthus"),
}


def test_the_python_of_the_page_about_mobilenet_runs_and_prints_what_it_says(
    tmp_path: Path, shipped_photos: Path
) -> None:
    shutil.copy(shipped_photos / "cat.jpg", tmp_path)
    for kind, names in KINDS.items():
        (tmp_path / "kinds" / kind).mkdir(parents=True)
        for name in names:
            shutil.copy(shipped_photos / f"{name}.jpg", tmp_path / "kinds" / kind)
    code = "".join(re.findall(r"```python\n(.*?)```", MOBILENET.read_text(encoding="utf-8"), re.S))
    expected = re.findall(r"# -> (.+)", code)
    assert expected
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == expected


def test_the_costs_of_blocks_in_the_page_about_mobilenet_are_those_that_are_counted() -> None:
    text = MOBILENET.read_text(encoding="utf-8")
    rows = re.findall(
        r"^\| (\d+), (\d+), (\d+) \| (\S+), (\S+) \| (\S+), (\S+) \| (\S+) %", text, re.M
    )
    assert len(rows) == 3
    for into, out, side, *said, share in rows:
        found: list[int] = []
        for make in (DepthwiseSeparable, full_convolution):
            cost = count_cost(make(int(into), int(out)), int(side), in_ch=int(into))
            found += [cost.parameters, cost.multiply_adds]
        assert [int(number.replace(",", "")) for number in said] == found
        assert f"{100 * found[1] / found[3]:.1f}" == share


def test_the_networks_in_the_page_about_mobilenet_are_those_of_the_registry() -> None:
    text = MOBILENET.read_text(encoding="utf-8")
    said = re.findall(r"^\| `(\w+(?:\.\w+)?)` \| (\d+) \| (.+?) \| (.+?) \| (.+?) \|$", text, re.M)
    assert {name for name, *_ in said} == set(MODELS)
    for name, dim, top1, multiply_adds, weights in said:
        spec = MODELS[name]
        known = spec.weights.top1
        assert int(dim) == spec.dim
        assert top1 == ("not known" if known is None else f"{known:.1f} %")
        assert multiply_adds == f"{find_costs(spec).multiply_adds / 1e6:.1f} M"
        size = f"fetched, {spec.weights.n_bytes / 1e6:.1f} MB"
        assert weights == ("bundled" if spec.weights.place == "bundled" else size)
