"""What the package promises about its own shape: who imports whom, what is public, which words."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import mobisearch

PACKAGE = Path(mobisearch.__file__).parent
SOURCES = sorted(PACKAGE.rglob("*.py"))

LAYERS = (
    ("types", "errors", "text", "capacity"),
    ("imaging", "inputs", "outputs"),
    ("results",),
    ("models",),
    ("runtimes",),
    ("embedding",),
    ("pipeline", "store", "classifying"),
    ("drift", "rereading"),
    ("sync", "inspection", "arguments", "labelling"),
    ("opened", "repairing", "upgrading", "journal", "duplicates", "client"),
    ("remembering",),
    ("comparing", "browsing"),
    ("labelled",),
    ("index",),
    ("evaluation", "cleanup", "mapping", "training"),
    ("reports",),
    ("web",),
    ("cli",),
    ("__main__",),
)
"""From the bottom up. A part may import parts of lower layers, never of its own or a higher one."""

HOMES = {
    "torch": ("models", "runtimes", "training"),
    "openvino": ("runtimes/openvino_library.py",),
    "platformdirs": ("models/cache_folder.py",),
    "torchvision": ("models", "runtimes", "training"),
    "safetensors": ("models", "runtimes", "training"),
    "faiss": ("store/vectors",),
    "sqlalchemy": ("store/catalog",),
    "sqlite3": ("store/catalog",),
    "PIL": ("imaging", "evaluation", "reports"),
    "pillow_heif": ("imaging",),
    "cv2": ("duplicates/verification",),
    "filelock": ("models/downloads.py", "store/layout.py"),
    "psutil": ("store/mounts.py",),
    "send2trash": ("cleanup/trash.py",),
    "click": ("cli",),
    "tqdm": ("cli",),
    "sklearn": ("mapping/layout.py",),
    "threadpoolctl": ("duplicates/verification/algebra.py",),
    "fastapi": ("web",),
    "starlette": ("web",),
    "pydantic": ("web",),
    "anyio": ("web",),
    "uvicorn": ("web",),
    "numpy": ("",),
}
"""Where each package may be imported. A package that is not here may be imported nowhere."""

MAX_LINES = 300
DRAWER_NAMES = {"utils", "util", "helpers", "helper", "common", "base", "misc", "manager"}
FORBIDDEN_WORDS = {"feature", "encoding", "descriptor", "item", "hit", "neighbour", "neighbor"}
FORBIDDEN_WORDS |= {"indice"}  # what is left of "indices" without its s
FOREIGN_ATTRIBUTES = {
    "features",  # torchvision's name for the convolutional part of a network
    "in_features",  # torch's name for the inputs of a linear layer
    "items",  # of every dict
}


@dataclass(frozen=True)
class Import:
    """One imported module, as seen in one source file."""

    source: str
    target: str

    @property
    def package(self) -> str:
        return self.target.partition(".")[0]


def _name(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def _imports(path: Path) -> Iterator[Import]:
    """Give every import, at any depth: in functions and under TYPE_CHECKING too."""
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(_name(path), alias.name)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{_name(path)}: imports are absolute"
            assert node.module is not None
            for alias in node.names:
                # "from mobisearch import errors" imports the module mobisearch.errors
                yield Import(_name(path), f"{node.module}.{alias.name}")


def _part(dotted: str) -> str:
    """Return the part of the package that a dotted name belongs to, "" for the root itself."""
    second = dotted.split(".")[1] if "." in dotted else ""
    is_part = (PACKAGE / f"{second}.py").is_file() or (PACKAGE / second / "__init__.py").is_file()
    return second if second and is_part else ""


def _layer(part: str) -> int:
    return next(number for number, parts in enumerate(LAYERS) if part in parts)


def _bound_and_used_names(tree: ast.Module) -> Iterator[str]:
    """Give the identifiers of a module; keywords of calls are named by who wrote the function."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            if node.attr not in FOREIGN_ATTRIBUTES:
                yield node.attr
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.alias):
            yield from (node.asname or node.name).split(".")


def _words(identifier: str) -> set[str]:
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", identifier)
    return {part.lower().removesuffix("s") for part in parts}


def test_every_part_of_the_package_has_a_layer() -> None:
    parts = {_name(path).partition("/")[0].removesuffix(".py") for path in SOURCES}
    assert parts - {"__init__"} == {part for layer in LAYERS for part in layer}


# The public names in __init__.py come from all layers, and lazily.
@pytest.mark.parametrize("path", [p for p in SOURCES if _name(p) != "__init__.py"], ids=_name)
def test_imports_go_only_downward(path: Path) -> None:
    own = _name(path).partition("/")[0].removesuffix(".py")
    for found in _imports(path):
        if found.package != "mobisearch":
            continue
        part = _part(found.target)
        if part == "":
            assert own == "cli", f"{found.source} imports the package's public names"
        elif part != own:
            message = f"{found.source} imports {found.target}, which is not below it"
            assert _layer(part) < _layer(own), message


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_a_library_is_imported_only_in_its_home(path: Path) -> None:
    for found in _imports(path):
        if found.package == "mobisearch" or (
            found.package in sys.stdlib_module_names and found.package not in HOMES
        ):
            continue
        assert found.package in HOMES, f"{found.source} imports {found.package}, which has no home"
        homes = HOMES[found.package]
        message = f"{found.source} imports {found.package}, whose home is {homes}"
        is_home = any(
            home == "" or found.source == home or found.source.startswith(f"{home}/")
            for home in homes
        )
        assert is_home, message


def test_every_home_is_lived_in() -> None:
    used = {found.package for path in SOURCES for found in _imports(path)}
    assert used >= set(HOMES), "a package with a home that nobody imports"


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_only_the_output_module_prints(path: Path) -> None:
    for node in ast.walk(_tree(path)):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        assert called != "print", f"{_name(path)}:{node.lineno} prints"
        if called in ("click.echo", "click.secho", "echo"):
            assert _name(path) == "cli/output.py", f"{_name(path)}:{node.lineno} prints"


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_a_module_is_of_readable_length(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_LINES


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_a_module_is_named_for_what_is_in_it(path: Path) -> None:
    assert not {path.stem, path.parent.name} & DRAWER_NAMES


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_a_concept_has_one_word(path: Path) -> None:
    for name in _bound_and_used_names(_tree(path)):
        assert not _words(name) & FORBIDDEN_WORDS, f"{_name(path)}: {name}"


def _public_order(name: str) -> tuple[int, str]:
    """Constants, then classes, then the rest, as the linter sorts them."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)


PACKAGES = [path for path in SOURCES if path.name == "__init__.py"]


@pytest.mark.parametrize("path", PACKAGES, ids=_name)
def test_the_public_names_are_sorted_complete_and_there(path: Path) -> None:
    dotted = ".".join(("mobisearch", *path.parent.relative_to(PACKAGE).parts))
    module = importlib.import_module(dotted)
    tree = _tree(path)
    offered = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("mobisearch")
        for alias in node.names
    }
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            offered.add(node.name)
        elif isinstance(node, ast.Assign):
            offered |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    public = {name for name in offered if not name.startswith("_") or name == "__version__"}
    assert list(module.__all__) == sorted(module.__all__, key=_public_order)
    assert set(module.__all__) == public
    for name in module.__all__:
        assert hasattr(module, name), f"{dotted}.{name}"


def test_an_unknown_public_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = mobisearch.nothing  # type: ignore[attr-defined]
    assert dir(mobisearch) == sorted(mobisearch.__all__)


def _loaded_after(code: str) -> set[str]:
    """Return the names of all modules that a fresh interpreter has loaded after some code."""
    shown = f"{code}\nimport sys\nprint('LOADED', *sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", shown], capture_output=True, text=True, check=True, timeout=120
    )
    return set(done.stdout.rpartition("LOADED")[2].split())


def test_importing_the_package_loads_no_heavy_library() -> None:
    loaded = _loaded_after("import mobisearch")
    assert "mobisearch" in loaded
    assert not loaded & {"torch", "faiss", "openvino", "sqlalchemy", "PIL", "torchvision"}


def test_the_help_of_the_command_loads_no_heavy_library() -> None:
    code = (
        "import mobisearch.cli\nfrom mobisearch.cli.app import cli\n"
        "cli.main(['--help'], standalone_mode=False)"
    )
    loaded = _loaded_after(code)
    assert "mobisearch.cli.app" in loaded
    assert not loaded & {"torch", "faiss", "openvino", "sqlalchemy", "torchvision"}


def test_opening_an_index_and_its_status_load_no_torch(tmp_path: Path) -> None:
    code = (
        "from mobisearch import Embedder, ImageIndex\n"
        "from mobisearch.runtimes import FAKE_MODEL, FakeRuntime\n"
        "embedder = Embedder(FAKE_MODEL, runtime=FakeRuntime())\n"
        f"path = {str(tmp_path / 'index')!r}\n"
        "ImageIndex.create(path, embedder).close()\n"
        "with ImageIndex.open(path, embedder) as index:\n"
        "    assert index.status().images == 0 and len(index) == 0\n"
    )
    loaded = _loaded_after(code)
    assert "mobisearch.index" in loaded
    assert not loaded & {"torch", "torchvision", "openvino", "cv2"}
