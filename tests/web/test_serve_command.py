"""``mobisearch serve`` as people start and end it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from mobisearch import ImageIndex
from mobisearch.client import Client

COMMAND = [sys.executable, "-m", "mobisearch", "serve"]


@pytest.fixture(scope="module")
def real_index(tmp_path_factory: pytest.TempPathFactory, shipped_photos: Path) -> Path:
    folder = tmp_path_factory.mktemp("served") / "index"
    with ImageIndex.create(folder) as index:
        index.sync(shipped_photos)
    return folder


def _start(index: Path, *options: str) -> tuple[subprocess.Popen[str], dict[str, str]]:
    process = subprocess.Popen(
        [*COMMAND, "--index", str(index), "--json", "--no-open", "--port", "0", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    told = ""
    while not told.rstrip().endswith("}"):
        line = process.stdout.readline()
        assert line, process.communicate()[1]
        told += line
    return process, json.loads(told)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_says_where_it_is_answers_and_ends_when_it_is_asked_to(
    real_index: Path, shipped_photos: Path, number: signal.Signals
) -> None:
    process, told = _start(real_index)
    try:
        client = Client(told["url"])
        assert len(client) == 22
        best = client.search(shipped_photos / "cat.jpg", k=1)[0]
        assert os.path.basename(best.image.path) == "cat.jpg"
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"http://127.0.0.1:{told['port']}/")
        assert caught.value.code == 403
        caught.value.close()
    finally:
        process.send_signal(number)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "Traceback" not in said
    assert "ended" in said


def test_a_second_one_on_the_same_port_says_so(real_index: Path) -> None:
    process, told = _start(real_index)
    try:
        second = subprocess.run(
            [*COMMAND, "--index", str(real_index), "--no-open", "--port", str(told["port"])],
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        process.terminate()
        process.communicate(timeout=30)
    assert second.returncode == 73
    assert "another program has it" in second.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--host", "0.0.0.0"), "--token"),
        (("--token", "short"), "32 characters"),
        (("--allow-trash", "--read-only"), "contradict"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    real_index: Path, options: tuple[str, ...], words: str
) -> None:
    done = subprocess.run(
        [*COMMAND, "--index", str(real_index), "--no-open", *options],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert words in done.stderr


def test_no_index_is_exit_code_66(tmp_path: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "--index", str(tmp_path / "none"), "--no-open"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 66
