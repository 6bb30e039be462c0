"""Reading a plan file, which people may have changed: strictly, all of it or nothing."""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
from collections.abc import Callable, Mapping
from typing import Any

from mobisearch.cleanup.plans import (
    ACTIONS,
    MARK,
    PLAN_VERSION,
    KeptFile,
    Plan,
    PlannedFile,
    PlannedGroup,
)
from mobisearch.errors import PlanError, PlanNotFoundError
from mobisearch.inputs import read_regular
from mobisearch.types import DECISION_KINDS

MAX_PLAN_BYTES = 1_000_000_000
"""A million files take some 500 MB."""

_MAX_TEXT = 4_000
_MAX_PATH = 32_768
_MAX_NUMBER = 2**63 - 1
_ID = re.compile(r"[0-9a-f]{32}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def read_plan(path: str | os.PathLike[str]) -> Plan:
    """Read a plan file and check that it makes sense in itself; no photo is looked at.

    Raises:
        PlanNotFoundError: there is no such file, or it cannot be read.
        PlanError: it is no plan, or it contradicts itself.
    """
    name = os.path.expanduser(os.fspath(path))
    try:
        data = read_regular(name, MAX_PLAN_BYTES)
    except OSError as error:
        raise PlanNotFoundError(name, str(error.strerror)) from error
    return parse_plan(data, name=name)


def parse_plan(data: bytes, *, name: str = "<plan>") -> Plan:
    """Return the plan that some bytes hold; see :func:`read_plan`.

    Raises:
        PlanError: they hold none.
    """
    if len(data) > MAX_PLAN_BYTES:
        raise PlanError(name, f"is larger than {MAX_PLAN_BYTES:,} bytes")
    try:
        document = json.loads(
            data.decode("utf-8-sig"),
            object_pairs_hook=_unique_keys,
            parse_constant=_refuse_constant,
        )
    except (ValueError, RecursionError) as error:
        raise PlanError(name, f"is not JSON ({error})") from error
    if not isinstance(document, dict) or MARK not in document:
        raise PlanError(name, "is no plan of mobisearch")
    if document[MARK] != PLAN_VERSION:
        raise PlanError(
            name,
            f"is a plan of version {document[MARK]!r}, this mobisearch reads {PLAN_VERSION}; use "
            "the mobisearch that made it, or make a new plan",
        )
    plan = _Reader(name).plan(document)
    _check_sense(name, plan)
    return plan


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key is given twice in one object")
    return made


def _refuse_constant(word: str) -> None:
    raise ValueError(f"{word} is no number of JSON")


class _Reader:
    """Turns JSON values into records, and knows where it is for messages."""

    def __init__(self, name: str) -> None:
        self._name = name

    def fail(self, where: str, reason: str) -> PlanError:
        return PlanError(self._name, reason, where)

    def plan(self, document: Mapping[str, Any]) -> Plan:
        self._check_keys(document, "the plan", {MARK, "id", "created_at", "protect", "groups"})
        groups = self._list(document["groups"], "groups")
        protect = self._list(document["protect"], "protect")
        return Plan(
            id=self._text(document, "id", "", _ID),
            created_at=self._text(document, "created_at", ""),
            groups=tuple(self._group(group, f"groups[{n}]") for n, group in enumerate(groups)),
            protect=tuple(self._folder(found, f"protect[{n}]") for n, found in enumerate(protect)),
        )

    def _folder(self, value: Any, where: str) -> str:
        self._check_keys(value, where, {"path"}, {"path_b64"})
        return self._path(value, where)

    def _group(self, value: Any, where: str) -> PlannedGroup:
        self._check_keys(value, where, {"keep", "files"}, {"decision"})
        decision = self._text(value, "decision", where) if "decision" in value else ""
        if decision and decision not in DECISION_KINDS:
            raise self.fail(f"{where}.decision", f"expected one of {', '.join(DECISION_KINDS)}")
        files = self._list(value["files"], f"{where}.files")
        return PlannedGroup(
            self._kept(value["keep"], f"{where}.keep"),
            tuple(self._planned(file, f"{where}.files[{n}]") for n, file in enumerate(files)),
            decision,
        )

    def _kept(self, value: Any, where: str) -> KeptFile:
        self._check_keys(
            value, where, {"path", "sha256", "size_bytes", "mtime_ns"}, {"path_b64", "reason"}
        )
        return KeptFile(
            path=self._path(value, where),
            sha256=self._text(value, "sha256", where, _SHA256),
            size_bytes=self._number(value, "size_bytes", where, low=0),
            mtime_ns=self._number(value, "mtime_ns", where),
            reason=self._text(value, "reason", where) if "reason" in value else "",
        )

    def _planned(self, value: Any, where: str) -> PlannedFile:
        self._check_keys(
            value,
            where,
            {"step", "action", "path", "sha256", "size_bytes", "mtime_ns"},
            {"path_b64", "verdict", "score", "reason", "companion_of", "loss_accepted"},
        )
        action = self._text(value, "action", where)
        if action not in ACTIONS:
            raise self.fail(f"{where}.action", f"expected one of {', '.join(ACTIONS)}")
        score = value.get("score", 0.0)
        if isinstance(score, bool) or not isinstance(score, int | float) or abs(score) > 2:
            raise self.fail(f"{where}.score", "expected a number")
        is_loss_accepted = value.get("loss_accepted", False)
        if not isinstance(is_loss_accepted, bool):
            raise self.fail(f"{where}.loss_accepted", "expected true or false")
        return PlannedFile(
            step=self._number(value, "step", where, low=1),
            action=action,
            path=self._path(value, where),
            sha256=self._text(value, "sha256", where, _SHA256),
            size_bytes=self._number(value, "size_bytes", where, low=0),
            mtime_ns=self._number(value, "mtime_ns", where),
            verdict=self._text(value, "verdict", where) if "verdict" in value else "",
            score=float(score),
            reason=self._text(value, "reason", where) if "reason" in value else "",
            companion_of=(
                self._number(value, "companion_of", where, low=1)
                if "companion_of" in value
                else None
            ),
            is_loss_accepted=is_loss_accepted,
        )

    def _check_keys(
        self, value: Any, where: str, needed: set[str], allowed: set[str] | None = None
    ) -> None:
        if not isinstance(value, dict):
            raise self.fail(where, "expected an object")
        missing = needed - value.keys()
        if missing:
            raise self.fail(where, f"lacks {', '.join(sorted(missing))}")
        strange = value.keys() - needed - (allowed or set())
        if strange:
            raise self.fail(where, f"has unknown keys: {', '.join(sorted(strange))[:200]}")

    def _list(self, value: Any, where: str) -> list[Any]:
        if not isinstance(value, list):
            raise self.fail(where, "expected a list")
        return value

    def _text(
        self, value: Mapping[str, Any], key: str, where: str, pattern: re.Pattern[str] | None = None
    ) -> str:
        text = value[key]
        place = f"{where}.{key}" if where else key
        if not isinstance(text, str) or len(text) > _MAX_TEXT:
            raise self.fail(place, f"expected text of at most {_MAX_TEXT:,} characters")
        if pattern is not None and not pattern.fullmatch(text):
            raise self.fail(place, "expected hexadecimal digits in lower case")
        return text

    def _number(
        self, value: Mapping[str, Any], key: str, where: str, *, low: int = -_MAX_NUMBER
    ) -> int:
        number = value[key]
        is_whole = isinstance(number, int) and not isinstance(number, bool)
        if not is_whole or not low <= number <= _MAX_NUMBER:
            raise self.fail(
                f"{where}.{key}", f"expected a whole number from {low} to {_MAX_NUMBER}"
            )
        return int(number)

    def _path(self, value: Mapping[str, Any], where: str) -> str:
        path = value["path"]
        if not isinstance(path, str) or len(path) > _MAX_PATH:
            raise self.fail(f"{where}.path", "expected a path")
        if "path_b64" in value:
            try:
                encoded = str(value["path_b64"])[: 2 * _MAX_PATH]
                path = os.fsdecode(base64.b64decode(encoded, validate=True))
            except (binascii.Error, ValueError) as error:
                raise self.fail(f"{where}.path_b64", f"is not base64 ({error})") from None
        if "\0" in path or not os.path.isabs(path) or os.path.normpath(path) != path:
            raise self.fail(f"{where}.path", "expected an absolute path without '..' or doubles")
        try:
            os.fsencode(path)
        except UnicodeEncodeError:
            raise self.fail(f"{where}.path", "is no path of this system") from None
        return path


def _check_sense(name: str, plan: Plan) -> None:
    """Refuse a plan that says two things of one file, or takes away what it keeps."""
    places: dict[str, str] = {}
    steps: dict[int, PlannedFile] = {}

    def at(number: int, group: PlannedGroup) -> Callable[[str], PlanError]:
        return lambda reason: PlanError(name, reason, f"groups[{number}] ({group.keep.path})")

    for number, group in enumerate(plan.groups):
        fail = at(number, group)
        for path in (group.keep.path, *(file.path for file in group.files)):
            if path in places:
                raise fail(f"{path} is in the plan twice: here and as part of {places[path]}")
            places[path] = f"groups[{number}]"
        for file in group.files:
            if file.step in steps:
                raise fail(f"the step {file.step} is given twice")
            steps[file.step] = file
            if group.decision and file.action != "none":
                raise fail(f"{file.path} is to be moved, but was decided to stay")
            if file.action == "link" and file.sha256 != group.keep.sha256:
                raise fail(f"{file.path} cannot become a link: the one kept has other bytes")
            if file.action == "link" and file.companion_of is not None:
                raise fail(f"{file.path} is a companion, and cannot become a link")
        own = {file.step: file for file in group.files if file.companion_of is None}
        for file in group.files:
            if file.companion_of is not None and file.companion_of not in own:
                raise fail(f"{file.path} belongs to step {file.companion_of}, not in its group")
