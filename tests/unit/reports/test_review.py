"""The page to review copies in."""

from __future__ import annotations

import hashlib
import html.parser
import json
import os
import re
import shutil
import subprocess
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mobisearch.cleanup import Plan, draft_plan, parse_plan
from mobisearch.errors import ReportError
from mobisearch.reports import review, write_review
from mobisearch.types import DuplicateGroup, GroupMember, ImageRecord, Relation, Verdict

ODD_NAME = "</script><img src=x onerror=alert(1)>\u202egnp\x1b[31m.png"
BROWSER_SECONDS = 60


def member(path: Path, verdict: Verdict, **values: Any) -> GroupMember:
    data = path.read_bytes()
    image = ImageRecord(
        id=1,
        path=str(path),
        width=60,
        height=40,
        size_bytes=len(data),
        mtime_ns=1_700_000_000_123_456_789,
        sha256=hashlib.sha256(data).hexdigest(),
        format="PNG",
    )
    return GroupMember(image, verdict, 0.98, reason="largest: has 60 x 40 pixels", **values)


@pytest.fixture
def groups(tmp_path: Path, make_photo: Callable[..., Path]) -> list[DuplicateGroup]:
    """Two groups: three pictures with odd names, and two."""
    folder = tmp_path / "photos"
    a = make_photo(folder / "a.png", seed=1)
    odd = folder / ODD_NAME.replace("/", "_")
    shutil.copy(make_photo(folder / "b.png", seed=1, size=(30, 20)), odd)
    raw = folder / os.fsdecode(b"caf\xe9.png")
    shutil.copy(a, raw)
    x, y = make_photo(folder / "x.png", seed=2), make_photo(folder / "y.png", seed=2, size=(20, 30))
    turned = Relation(Verdict.ROTATED, turn_degrees=90)
    return [
        DuplicateGroup(
            member(a, Verdict.SAME_FILE),
            (member(odd, Verdict.RESIZED), member(raw, Verdict.SAME_FILE)),
        ),
        DuplicateGroup(
            member(x, Verdict.SAME_FILE), (member(y, Verdict.ROTATED, relation=turned),)
        ),
    ]


@pytest.fixture
def plan(groups: list[DuplicateGroup]) -> Plan:
    return draft_plan(groups)


def data_of(page: str) -> Any:
    (text,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)
    return json.loads(text)


def test_the_page_loads_nothing_and_allows_only_its_own_script_and_style(
    groups: list[DuplicateGroup], plan: Plan
) -> None:
    page = review.review_page(groups, plan, file_name="plan.json")
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    for kind, pattern in (
        ("script", r"<script>(.*?)</script>"),
        ("style", r"<style>(.*?)</style>"),
    ):
        (text,) = re.findall(pattern, page, re.S)
        digest = b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert "unsafe" not in policy
    assert not re.findall(r'(?:src|href)="(?!#)', page.partition("<style>")[0])
    assert "http://" not in page
    assert "https://" not in page


def test_names_cannot_become_markup_or_mislead(groups: list[DuplicateGroup], plan: Plan) -> None:
    page = review.review_page(groups, plan, file_name="plan.json")
    assert "onerror" in page
    tags: list[str] = []

    class Parser(html.parser.HTMLParser):
        def handle_starttag(self, tag: str, _: object) -> None:
            tags.append(tag)

    Parser().feed(page)
    assert tags.count("script") == 2
    assert "img" not in tags
    assert page.isascii() or "\u202e" not in page
    names = [m["name"] for group in data_of(page)["groups"] for m in group["members"]]
    assert any("\\u202e" in name and "\\x1b" in name for name in names)
    assert "caf\\xe9.png" in names


def test_groups_are_those_of_the_plan_with_pictures_and_reasons(
    groups: list[DuplicateGroup], plan: Plan
) -> None:
    data = data_of(review.review_page(groups, plan, file_name="plan.json"))
    assert len(data["groups"]) == len(plan.groups) == 2
    for shown, planned in zip(data["groups"], plan.groups, strict=True):
        assert os.path.basename(planned.keep.path) == shown["members"][0]["name"]
        assert [m["action"] for m in shown["members"]] == [
            "keep",
            *(file.action for file in planned.files),
        ]
        for shown_member in shown["members"]:
            assert b64decode(shown_member["thumbnail"]).startswith(b"\xff\xd8\xff")
            assert shown_member["reason"]


def test_pictures_beyond_the_size_of_a_page_are_left_out_and_counted(
    groups: list[DuplicateGroup],
) -> None:
    pictures = review._Pictures(100, room_bytes=1)
    path = groups[0].keep.image.path
    assert pictures.encode(path)[0] is not None
    assert pictures.encode(path) == (None, "left out: the page would be too large")
    assert pictures.n_left_out == 1


def test_a_picture_that_cannot_be_read_says_why(groups: list[DuplicateGroup], plan: Plan) -> None:
    os.unlink(groups[0].keep.image.path)
    data = data_of(review.review_page(groups, plan, file_name="plan.json"))
    shown = [m for group in data["groups"] for m in group["members"] if m["name"] == "a.png"]
    assert shown[0]["thumbnail"] is None
    assert "no such file" in shown[0]["note"]


def test_only_an_earlier_page_is_replaced(
    groups: list[DuplicateGroup], plan: Plan, tmp_path: Path
) -> None:
    target = tmp_path / "out.html"
    for _ in range(2):
        write_review(target, groups, plan)
    target.write_text("my own page")
    with pytest.raises(ReportError, match="left alone"):
        write_review(target, groups, plan)
    assert target.read_text() == "my own page"
    with pytest.raises(ReportError, match=r"\.html"):
        write_review(tmp_path / "out.jpg", groups, plan)


def browse(page: str, folder: Path, script: str) -> Any:
    """Let a browser run the page, then a script, and return what that puts into the title."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("there is no Chromium to try the page in")
    before = (
        "<script>window.saved = [];"
        "URL.createObjectURL = (blob) => { window.saved.push(blob); return '#'; };</script>"
    )
    after = f"<script>{script}</script></body>"
    page = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', before, page)
    (folder / "page.html").write_text(page.replace("</body>", after), encoding="utf-8")
    done = subprocess.run(
        [
            browser,
            *("--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=5000"),
            *(f"--user-data-dir={folder / 'browser'}", "--dump-dom"),
            (folder / "page.html").as_uri(),
        ],
        capture_output=True,
        timeout=BROWSER_SECONDS,
        check=True,
    )
    (told,) = re.findall(r'<output id="told">(.*?)</output>', done.stdout.decode(), re.S)
    return json.loads(b64decode(told))


TELL = """
const press = (key) => document.activeElement.dispatchEvent(
  new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true}));
const tell = (text) => {
  const told = document.createElement("output");
  told.id = "told";
  told.textContent = btoa(unescape(encodeURIComponent(text)));
  document.body.append(told);
};
const saved = async () => tell(await window.saved.at(-1).text());
"""


def test_what_the_page_saves_untouched_is_the_plan(
    groups: list[DuplicateGroup], plan: Plan, tmp_path: Path
) -> None:
    page = review.review_page(groups, plan, file_name="plan.json")
    told = browse(page, tmp_path, TELL + 'press("s"); saved();')
    assert parse_plan(json.dumps(told).encode()) == plan


def test_the_page_keeps_a_loss_accepted_as_long_as_the_same_one_is_kept(
    groups: list[DuplicateGroup], plan: Plan, tmp_path: Path
) -> None:
    first = plan.groups[0]
    files = tuple(replace(file, is_loss_accepted=True) for file in first.files)
    plan = replace(plan, groups=(replace(first, files=files), *plan.groups[1:]))
    page = review.review_page(groups, plan, file_name="plan.json")
    untouched = browse(page, tmp_path, TELL + 'press("s"); saved();')
    assert parse_plan(json.dumps(untouched).encode()) == plan
    keys = ["ArrowUp", "ArrowRight", "k", "s"]
    other = browse(page, tmp_path, TELL + f"{json.dumps(keys)}.forEach(press); saved();")
    changed = parse_plan(json.dumps(other).encode())
    assert not any(file.is_loss_accepted for file in changed.groups[0].files)


def test_a_copy_that_stays_goes_with_its_loss_accepted_once_it_is_marked(
    groups: list[DuplicateGroup], plan: Plan, tmp_path: Path
) -> None:
    first = plan.groups[0]
    files = (replace(first.files[0], action="none"), *first.files[1:])
    plan = replace(plan, groups=(replace(first, files=files), *plan.groups[1:]))
    page = review.review_page(groups, plan, file_name="plan.json")
    keys = ["ArrowUp", "ArrowRight", "t", "s"]
    told = browse(page, tmp_path, TELL + f"{json.dumps(keys)}.forEach(press); saved();")
    marked = parse_plan(json.dumps(told).encode()).groups[0].files
    assert (marked[0].action, marked[0].is_loss_accepted) == ("trash", True)
    assert not any(file.is_loss_accepted for file in marked[1:])


def test_marking_by_keys_becomes_a_plan_that_is_accepted(
    groups: list[DuplicateGroup], plan: Plan, tmp_path: Path
) -> None:
    """The second picture of the first group is kept, the third left; the second group is none."""
    page = review.review_page(groups, plan, file_name="plan.json")
    keys = ["ArrowUp", "ArrowRight", "k", "ArrowRight", "l", "ArrowDown", "n", "s"]
    told = browse(page, tmp_path, TELL + f"{json.dumps(keys)}.forEach(press); saved();")
    marked = parse_plan(json.dumps(told).encode())
    first, second = marked.groups
    old, others = plan.groups[0].keep, plan.groups[0].files
    assert first.keep.path == others[0].path
    assert {file.path: file.action for file in first.files} == {
        old.path: "trash",
        others[1].path: "none",
    }
    assert (first.keep.mtime_ns, first.files[0].mtime_ns) == (others[0].mtime_ns, old.mtime_ns)
    assert second.decision == "different"
    assert [file.action for file in second.files] == ["none"]
    assert marked.id == plan.id


def test_the_difference_of_turned_copies_is_small(
    groups: list[DuplicateGroup], plan: Plan, tmp_path: Path
) -> None:
    page = review.review_page(groups, plan, file_name="plan.json")
    script = TELL + (
        'document.getElementById("difference").click();'
        'const count = () => tell(String(document.querySelectorAll("canvas").length));'
        "setTimeout(count, 800);"
    )
    assert browse(page, tmp_path, script) == 3
