"""The real command as another program sees it: documents, exit codes, signals, closed pipes."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

COMMAND = Path(sys.executable).parent / "mobisearch"
HELP = Path(__file__).parent / "help"
DEADLINE_SECONDS = 120.0
"""For a process to reach a state, on a busy machine; it is asked again and again until then."""

SELF_SCORE_TOLERANCE = 1e-5
"""Of the score of a photo with itself: the network may run in other batches than when indexing."""

INDEX_FIELDS = {
    *("added", "updated", "moved", "unchanged", "missing", "failed", "seconds"),  # the contract
    *("returned", "pruned", "doubles", "failed_now", "images", "failures", "errors", "warnings"),
    *("unavailable", "unreadable", "interrupted"),
}
MATCH_FIELDS = {
    *("id", "path", "score"),  # the contract
    *("width", "height", "size_bytes", "sha256", "format"),
    *("taken_at", "camera", "latitude", "longitude", "labels"),
}


def _environment(**more: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k not in ("MOBISEARCH_INDEX", "COLUMNS")}
    return {**kept, "COLUMNS": "100", **more}


def run(
    *arguments: str | bytes | os.PathLike[str],
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
    **more: Any,
) -> subprocess.CompletedProcess[str]:
    """Run the command; its output is text in which bytes that are not UTF-8 are escaped."""
    return subprocess.run(
        [COMMAND, *arguments],
        capture_output="stdout" not in more,
        encoding="utf-8",
        errors="backslashreplace",
        cwd=cwd,
        env=_environment(**(environment or {})),
        timeout=DEADLINE_SECONDS,
        **more,
    )


def _check_sentence(done: subprocess.CompletedProcess[str], code: int, words: str) -> None:
    """Check that a command ended with a code and one sentence on stderr, and said nothing else."""
    assert done.returncode == code, done.stderr
    assert not done.stdout
    assert done.stderr.startswith("mobisearch: ")
    assert done.stderr.count("\n") == 1
    assert words in done.stderr


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory, shipped_photos: Path) -> Path:
    """Five photos, one of them twice, and a broken one."""
    folder = Path(os.path.realpath(tmp_path_factory.mktemp("photos")))
    for path in sorted(shipped_photos.glob("*.jpg"))[:5]:
        shutil.copy(path, folder)
    shutil.copy(folder / "boats.jpg", folder / "copy of boats.jpg")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no more than that")
    return folder


@pytest.fixture(scope="module")
def first_run(
    photos: Path, tmp_path_factory: pytest.TempPathFactory
) -> subprocess.CompletedProcess[str]:
    """What indexing the photos printed."""
    index = tmp_path_factory.mktemp("indexes") / "photos"
    done = run("index", photos, "--index", index, "--json")
    done.args.append(index)
    return done


@pytest.fixture(scope="module")
def index(first_run: subprocess.CompletedProcess[str]) -> Path:
    """The directory of the index of the photos."""
    return Path(first_run.args[-1])


# ---------------------------------------------------------------- documents


def test_the_document_of_index_is_that_of_the_contract(
    first_run: subprocess.CompletedProcess[str], photos: Path
) -> None:
    assert first_run.returncode == 1
    document = json.loads(first_run.stdout)
    assert set(document) == INDEX_FIELDS
    counts = {name: document[name] for name in ("added", "failed", "images", "unchanged")}
    assert counts == {"added": 6, "failed": 1, "images": 6, "unchanged": 0}
    [failure] = document["failures"]
    assert (failure["path"], failure["code"]) == (str(photos / "broken.jpg"), "truncated")


def test_a_piped_stderr_shows_no_progress_bar(
    first_run: subprocess.CompletedProcess[str],
) -> None:
    assert "images/s" not in first_run.stderr
    assert "\r" not in first_run.stderr
    assert first_run.stderr.startswith("failed: ")
    assert first_run.stderr.count("\n") == 1


def test_the_document_of_search_is_that_of_the_contract(photos: Path, index: Path) -> None:
    queries = [photos / "boats.jpg", photos / "alps.jpg"]
    done = run("search", *queries, "-k", "3", "--index", index, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(done.stdout)
    assert [entry["query"] for entry in document] == [str(query) for query in queries]
    for entry in document:
        assert set(entry) == {"query", "matches"}
        assert len(entry["matches"]) == 3
        assert all(set(match) == MATCH_FIELDS for match in entry["matches"])
    boats, alps = (entry["matches"] for entry in document)
    names = [os.path.basename(match["path"]) for match in boats]
    assert names[:2] == ["boats.jpg", "copy of boats.jpg"]
    assert boats[0]["score"] == boats[1]["score"] == pytest.approx(1, abs=SELF_SCORE_TOLERANCE)
    assert alps[0]["path"] == str(photos / "alps.jpg")
    assert boats[0]["sha256"] == hashlib.sha256(queries[0].read_bytes()).hexdigest()


def test_the_index_may_come_from_the_environment(photos: Path, index: Path) -> None:
    environment = {"MOBISEARCH_INDEX": str(index)}
    done = run("status", "--json", environment=environment)
    assert json.loads(done.stdout)["path"] == str(index)
    done = run("search", photos / "gone.jpg", environment=environment)
    assert done.returncode == 66
    assert "gone.jpg: no such file" in done.stderr


def test_the_module_is_the_command_too() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mobisearch", "--version"], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == run("--version").stdout


def test_a_search_writes_a_contact_sheet_and_leaves_photos_alone(
    photos: Path, index: Path, tmp_path: Path
) -> None:
    sheet = tmp_path / "sheet.jpg"
    done = run("search", photos / "alps.jpg", "-k", "5", "--sheet", sheet, "--index", index)
    assert done.returncode == 0
    with Image.open(sheet) as picture:
        assert picture.format == "JPEG"
        assert picture.width > 1_000
    before = (photos / "boats.jpg").read_bytes()
    done = run("search", photos / "alps.jpg", "--sheet", photos / "boats.jpg", "--index", index)
    assert done.returncode == 73
    assert "left alone" in done.stderr
    assert (photos / "boats.jpg").read_bytes() == before


@pytest.mark.parametrize("name", sorted(path.stem for path in HELP.glob("*.txt")))
def test_the_help_is_the_one_that_was_agreed_upon(name: str) -> None:
    """scripts/update_help.py writes the files that this compares."""
    done = run(*([] if name == "mobisearch" else name.split("-")), "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (HELP / f"{name}.txt").read_text(encoding="utf-8")


# ---------------------------------------------------------------- exit codes


def test_a_wrong_call_ends_with_2(tmp_path: Path) -> None:
    for arguments in (["search"], ["search", "a.jpg", "-k", "0"], ["no-such-command"]):
        done = run(*arguments, cwd=tmp_path)
        assert done.returncode == 2
        assert not done.stdout
        assert "Traceback" not in done.stderr
        assert "Usage:" in done.stderr
    assert os.listdir(tmp_path) == []


def test_a_foreign_or_damaged_catalog_ends_with_65_and_stays_as_it_is(
    photos: Path, index: Path, tmp_path: Path
) -> None:
    damaged = tmp_path / "damaged"
    shutil.copytree(index, damaged)
    data = (index / "mobisearch.db").read_bytes()
    for content, words in (
        (b"", "cut short"),
        (data[: len(data) // 2], "damaged"),
        (b"\xff\xd8\xff\xe0" * 100, "not a catalog"),
        (data[:60] + b"\0\0\0\x63" + data[64:], "format 99"),
    ):
        (damaged / "mobisearch.db").write_bytes(content)
        for arguments in (["index", photos], ["verify"], ["status"]):
            _check_sentence(run(*arguments, "--index", damaged), 65, words)
        assert (damaged / "mobisearch.db").read_bytes() == content


def test_what_is_missing_ends_with_66(photos: Path, index: Path, tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    _check_sentence(run("search", photos / "alps.jpg", "--index", nowhere), 66, "no index here")
    _check_sentence(run("index", nowhere, "--index", tmp_path / "new"), 66, "no such folder")
    assert os.listdir(tmp_path) == []


def test_another_model_ends_with_69(index: Path, tmp_path: Path, photos: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(index, other)
    with contextlib.closing(sqlite3.connect(other / "mobisearch.db")) as connection, connection:
        connection.execute("UPDATE model SET fingerprint = 'ffff', label = 'a better network'")
    for arguments in (["status"], ["search", photos / "alps.jpg"], ["index", photos]):
        _check_sentence(run(*arguments, "--index", other), 69, "a better network")


def test_a_place_where_nothing_can_be_made_ends_with_73(photos: Path, tmp_path: Path) -> None:
    _check_sentence(run("index", photos, "--index", photos), 73, "other files")
    (tmp_path / "file").write_text("somebody's")
    _check_sentence(run("index", photos, "--index", tmp_path / "file"), 73, "in the way")
    _check_sentence(run("index", photos, "--index", tmp_path / "file" / "x"), 73, "created")
    assert (tmp_path / "file").read_text() == "somebody's"


@pytest.mark.skipif(shutil.which("sh") is None, reason="limits are set with a POSIX shell")
@pytest.mark.parametrize("limit_kb", [32, 768])
def test_a_disk_that_takes_no_more_ends_with_74_and_the_same_command_finishes_later(
    photos: Path, tmp_path: Path, limit_kb: int
) -> None:
    """A limit on the size of files fails as a full disk does: here at creation, and after it."""
    index = tmp_path / "index"
    many = tmp_path / "many"
    many.mkdir()
    for number in range(200):  # the catalog of so many grows beyond the larger limit
        data = (photos / "alps.jpg").read_bytes()
        (many / f"{number}.jpg").write_bytes(data + bytes([number]))
    shell = f'ulimit -f {limit_kb * 2}; exec "$@"'  # in units of 512 bytes
    arguments = ["index", many, "--index", index, "--json"]
    done = subprocess.run(
        ["sh", "-c", shell, "sh", COMMAND, *arguments],
        capture_output=True,
        text=True,
        env=_environment(),
        timeout=DEADLINE_SECONDS,
    )
    _check_sentence(done, 74, str(index))
    is_made = (index / "mobisearch.db").exists()
    assert is_made == (limit_kb > 32)
    if is_made:
        assert run("verify", "--index", index).returncode == 0
        done = run(*arguments)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["images"] == 200
        assert run("verify", "--index", index).stderr == ""


def test_an_index_that_another_process_is_writing_ends_with_75(photos: Path, index: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom mobisearch.store import IndexLayout\n"
        "with IndexLayout(Path(sys.argv[1])).writer_lock():\n"
        "    print('locked', flush=True)\n    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, index], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"locked\n"
        try:
            _check_sentence(run("index", photos, "--index", index), 75, f"process {other.pid}")
            assert run("status", "--index", index).returncode == 0
        finally:
            other.kill()


# ---------------------------------------------------------------- signals


@pytest.fixture
def many_photos(shipped_photos: Path, tmp_path: Path) -> Path:
    """Enough different files to be indexing for a while."""
    folder = tmp_path / "many"
    folder.mkdir()
    paths = sorted(shipped_photos.glob("*.jpg"))
    for number in range(40):
        for path in paths:
            (folder / f"{number:02} {path.name}").write_bytes(path.read_bytes() + bytes([number]))
    return folder


def _count_images(index: Path) -> int:
    """Count what has been committed, while another process is writing."""
    try:
        uri = f"file:{index / 'mobisearch.db'}?mode=ro"
        with contextlib.closing(sqlite3.connect(uri, uri=True)) as connection:
            return int(connection.execute("SELECT count(*) FROM file").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


def _wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + DEADLINE_SECONDS
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < end, "the deadline has passed"
        pause.wait(0.02)


def _listen_to_interrupts() -> None:
    """A test run in the background has SIGINT ignored, and its children inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextlib.contextmanager
def _indexing(folder: Path, index: Path) -> Iterator[subprocess.Popen[str]]:
    """The command at work on a folder, after its first commit."""
    with subprocess.Popen(
        [COMMAND, "index", folder, "--index", index],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=_environment(),
        preexec_fn=_listen_to_interrupts,
    ) as process:
        try:
            _wait_until(lambda: _count_images(index) > 0 or process.poll() is not None)
            yield process
        finally:
            process.kill()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGINT SIGINT", "SIGKILL"])
def test_an_interrupted_run_keeps_what_it_committed(
    many_photos: Path, tmp_path: Path, name: str
) -> None:
    index = tmp_path / "index"
    with _indexing(many_photos, index) as process:
        for number in name.split():
            process.send_signal(getattr(signal, number))
            time.sleep(0.05)  # or the system makes one signal of two
        stdout, stderr = process.communicate(timeout=DEADLINE_SECONDS)
    if name == "SIGKILL":
        assert process.returncode == -signal.SIGKILL
    else:
        assert process.returncode == 130
        assert ("; the index holds " in stdout) == (" " not in name)
        last = stderr.strip().splitlines()[-1]
        assert last.startswith("mobisearch: interrupted; what was finished is kept")
        assert ("stopping when the images in hand are stored" in stderr) == ("SIGINT" in name)
        assert "Traceback" not in stderr
    n_images = json.loads(run("status", "--index", index, "--json").stdout)["images"]
    assert 0 < n_images < 40 * 22
    done = run("verify", "--index", index, "--json")
    assert json.loads(done.stdout)["damage"] == []
    if name == "SIGTERM":
        return  # what follows would be as after SIGINT
    # The next run has the lock at once, and finds what is there: only a few files are left over.
    kept = sorted(many_photos.iterdir())
    for path in kept[n_images + 3 :]:
        path.unlink()
    document = json.loads(run("index", many_photos, "--index", index, "--json").stdout)
    assert (document["added"], document["unchanged"]) == (3, n_images)
    assert run("verify", "--index", index).stderr == ""


# ---------------------------------------------------------------- terminals, pipes, names


@pytest.mark.parametrize("arguments", [["status"], ["errors"], ["status", "--json"], ["--help"]])
def test_a_reader_that_has_seen_enough_is_no_error(index: Path, arguments: list[str]) -> None:
    where = [] if arguments == ["--help"] else ["--index", index]
    with subprocess.Popen(
        [COMMAND, *arguments, *where],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=_environment(),
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        stderr = process.stderr.read()
        assert process.wait(DEADLINE_SECONDS) == 0
    assert stderr == b""


@pytest.mark.skipif(shutil.which("sh") is None, reason="streams are closed with a POSIX shell")
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_error(index: Path, closed: str) -> None:
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {closed}', "sh", COMMAND, "status", "--index", index],
        capture_output=True,
        text=True,
        env=_environment(),
        timeout=DEADLINE_SECONDS,
    )
    assert done.returncode == 0
    assert done.stderr == ""
    assert ("images" in done.stdout) == (">&-" not in closed.replace("2>&-", ""))


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_an_output_that_takes_no_more_ends_with_74(index: Path) -> None:
    with open("/dev/full", "w") as full:
        done = run("status", "--index", index, stdout=full, stderr=subprocess.PIPE)
        _check_sentence(done, 74, "the output: cannot be written")
        done = run("status", "--index", "nowhere", stdout=subprocess.PIPE, stderr=full)
        assert done.returncode == 66


def test_odd_names_are_shown_escaped_even_where_nothing_but_ascii_can_be(
    shipped_photos: Path, tmp_path: Path
) -> None:
    folder = os.fsencode(os.path.realpath(tmp_path)) + b"/\xff photos"
    os.mkdir(folder)
    names = ["Bücher 🐈.jpg".encode(), b"\x1b[31mred\n.jpg", b"not \xfe utf8.jpg"]
    for number, name in enumerate(names):
        with open(folder + b"/" + name, "wb") as file:
            file.write((shipped_photos / "alps.jpg").read_bytes() + bytes([number]))
    with open(folder + b"/\x1b[0m ruined.jpg", "wb") as file:
        file.write(b"ruined")
    environment = {
        "LC_ALL": "C",
        "PYTHONCOERCECLOCALE": "0",
        "PYTHONUTF8": "0",
        "MOBISEARCH_INDEX": os.path.join(tmp_path, "index"),
    }
    done = run("index", folder, environment=environment)
    assert done.returncode == 1, done.stderr
    assert "3 added" in done.stdout
    assert r"\x1b[0m ruined.jpg" in done.stderr
    done = run("errors", environment=environment)
    assert r"\xff photos/\x1b[0m ruined.jpg" in done.stdout
    assert "\x1b" not in done.stdout
    query = folder + b"/" + names[1]
    done = run("search", query, "--json", environment=environment)
    assert done.returncode == 0, done.stderr
    [entry] = json.loads(done.stdout)
    assert done.stdout.isascii()
    assert base64.b64decode(entry["query_b64"]) == query
    found = {base64.b64decode(match["path_b64"]) for match in entry["matches"]}
    assert found == {folder + b"/" + name for name in names}


@pytest.mark.slow
def test_a_folder_of_bad_images_is_indexed_without_a_crash(
    bad_images: Path, tmp_path: Path
) -> None:
    before = {path: path.stat().st_mtime_ns for path in bad_images.rglob("*")}
    done = run("index", bad_images, "--index", tmp_path / "index", "--json")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    document = json.loads(done.stdout)
    assert document["failed"] == len(document["failures"]) > 0
    assert all(failure["reason"] and failure["code"] for failure in document["failures"])
    assert document["added"] == document["images"] > 0
    done = run("errors", "--index", tmp_path / "index", "--json")
    assert len(json.loads(done.stdout)) == document["failed"]
    assert run("verify", "--index", tmp_path / "index").returncode == 0
    assert {path: path.stat().st_mtime_ns for path in bad_images.rglob("*")} == before
