"""The tree of errors: as drawn, picklable, and with its values."""

from __future__ import annotations

import builtins
import copy
import inspect
import pickle
import re
from pathlib import Path

import pytest

from mobisearch import errors
from mobisearch.errors import ImageError, ImageTooLargeError, MobisearchError

CLASSES = [getattr(errors, name) for name in errors.__all__]

EXAMPLES: dict[str, object] = {
    "path": "/photos/caf\udce9.jpg",
    "reason": "the reason",
    "message": "what happened; what to do next",
    "actual": 5,
    "limit": 4,
    "unit": "bytes",
    "name": "resnet",
    "known": ("mobilenet_v2", "mobilenet_v3"),
    "expected": "one",
    "index": "/indexes/a",
    "model": "mobilenet_v2",
    "holder": "process 7",
    "k": 0,
    "recall": 1.5,
    "image_id": 42,
    "lacking": 3,
    "deadline_seconds": 60.0,
    "runtime": "openvino",
    "next_step": "use torch",
    "precision": "bf16",
    "available": ("f32",),
    "what": "runtime",
    "rule": "biggest",
    "where": "groups[0]",
    "decision_id": 7,
    "wrong_groups": 0,
    "scope": "everywhere",
    "found": 1,
    "needed": 2,
    "address": "https://example.org/a.pth",
    "classifier": "pets",
    "label": "cat",
    "candidates": ("tiger cat", "Persian cat"),
    "probability": 1.5,
    "host": "127.0.0.1",
    "port": 8017,
    "url": "http://127.0.0.1:8017/api/search",
    "status": 422,
    "code": "no_image",
}
"""A value for every argument that an error's constructor may have."""

LINE = re.compile(
    r"^(?P<indent>[│ ]*)[├└]── (?P<name>\w+) +(?:\+ (?P<builtin>\w+) +)?(?P<what>.+)$"
)


def arguments_of(cls: type[MobisearchError]) -> dict[str, object]:
    return {name: EXAMPLES[name] for name in inspect.signature(cls).parameters}


def made(cls: type[MobisearchError]) -> MobisearchError:
    positional, named = [], {}
    for name, parameter in inspect.signature(cls).parameters.items():
        if parameter.kind is parameter.KEYWORD_ONLY:
            named[name] = EXAMPLES[name]
        else:
            positional.append(EXAMPLES[name])
    return cls(*positional, **named)


def drawn_tree() -> dict[str, tuple[str, str | None]]:
    """Return for each class in the module's drawing its parent and the builtin beside it."""
    tree: dict[str, tuple[str, str | None]] = {"MobisearchError": ("Exception", None)}
    at_depth = {0: "MobisearchError"}
    for line in inspect.getdoc(errors).splitlines():  # type: ignore[union-attr]
        match = LINE.match(line.strip("\n").removeprefix("    "))
        if match:
            depth = len(match["indent"]) // 4 + 1
            tree[match["name"]] = (at_depth[depth - 1], match["builtin"])
            at_depth[depth] = match["name"]
    return tree


def test_the_drawing_shows_every_public_error_and_no_other() -> None:
    assert sorted(drawn_tree()) == errors.__all__


def test_the_list_of_public_errors_is_sorted_and_complete() -> None:
    defined = {
        name
        for name, value in vars(errors).items()
        if inspect.isclass(value) and issubclass(value, Exception)
    }
    assert errors.__all__ == sorted(defined)


@pytest.mark.parametrize("cls", CLASSES)
def test_every_error_derives_from_what_the_drawing_says(cls: type[MobisearchError]) -> None:
    parent, builtin = drawn_tree()[cls.__name__]
    expected = [parent] if builtin is None else [parent, builtin]
    assert [base.__name__ for base in cls.__bases__] == expected
    if builtin is not None:
        assert issubclass(cls, getattr(builtins, builtin))


@pytest.mark.parametrize("cls", CLASSES)
def test_every_leaf_derives_from_a_builtin_error(cls: type[MobisearchError]) -> None:
    if not cls.__subclasses__():
        builtin = [base for base in cls.__mro__ if base.__module__ == "builtins"]
        assert builtin[0] is not Exception


@pytest.mark.parametrize("cls", CLASSES)
def test_every_error_survives_pickling_and_copying(cls: type[MobisearchError]) -> None:
    error = made(cls)
    error.add_note("a note")
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(error, protocol))
        assert type(again) is cls
        assert str(again) == str(error)
        assert again.args == error.args
        assert vars(again) == vars(error)
    assert str(copy.copy(error)) == str(copy.deepcopy(error)) == str(error)


@pytest.mark.parametrize("cls", CLASSES)
def test_every_argument_is_kept_as_an_attribute(cls: type[MobisearchError]) -> None:
    error = made(cls)
    for name, value in arguments_of(cls).items():
        if name == "message":
            assert str(value) in error.message
        else:
            assert getattr(error, name) == value


@pytest.mark.parametrize("cls", CLASSES)
def test_every_message_is_one_line_with_its_values(cls: type[MobisearchError]) -> None:
    error = made(cls)
    assert str(error) == error.message
    assert "\n" not in str(error)
    for name in ("path", "reason", "index", "expected", "holder", "name"):
        if name in arguments_of(cls):
            assert str(EXAMPLES[name]) in str(error)


def test_a_subclass_of_a_users_own_survives_pickling() -> None:
    error = ImageError("a.jpg", "why")
    error.extra = [1, 2]  # type: ignore[attr-defined]
    assert pickle.loads(pickle.dumps(error)).extra == [1, 2]


def test_every_kind_of_image_error_has_a_code_of_its_own() -> None:
    codes = [cls.code for cls in CLASSES if issubclass(cls, ImageError)]
    assert len(set(codes)) == len(codes)
    assert all(code.isidentifier() and code.islower() for code in codes)


def test_a_path_like_object_is_kept_as_text() -> None:
    error = errors.IndexNotFoundError(Path("indexes") / "a")
    assert error.path == str(Path("indexes") / "a")


def test_an_error_over_a_limit_tells_both_numbers_and_what_they_count() -> None:
    error = ImageTooLargeError("a.png", actual=2_500_000, limit=1_000, unit="pixels")
    assert "2,500,000 pixels" in str(error)
    assert "1,000" in str(error)


def test_an_operating_system_error_of_ours_prints_its_message() -> None:
    assert str(errors.StorageError("/indexes/a", "the disk is full")).endswith("the disk is full")
