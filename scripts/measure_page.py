"""Measure how quickly the local page answers, on an index that is there.

    python scripts/measure_page.py INDEX QUERY --output scripts/results/page.json

Starts ``mobisearch serve`` on INDEX (``scripts/measure_search.py --keep DIR`` leaves one in
DIR/index), uploads QUERY again and again as a program does, and asks for what the page asks for
first: the page itself, the status, and the first part of the listing with its thumbnails left out,
since those come afterwards.
"""

from __future__ import annotations

import argparse
import http.client
import json
import statistics
import subprocess
import sys
import time
import urllib.parse
from importlib.metadata import version
from pathlib import Path

from machine import describe_machine

N_UPLOADS = 100
N_PAGES = 20
FIRST = ("/", "/static/main.js", "/api/session", "/api/status", "/api/images?limit=200")


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("index", type=Path)
    parser.add_argument("query", type=Path)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    command = [sys.executable, "-m", "mobisearch", "serve", "--json", "--no-open", "--port", "0"]
    server = subprocess.Popen(
        [*command, "--index", str(arguments.index)], stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    told = ""
    while not told.rstrip().endswith("}"):
        told += server.stdout.readline()
    address = json.loads(told)
    place = urllib.parse.urlsplit(address["url"]).netloc
    headers = {"Authorization": f"Bearer {address['token']}", "Host": place}
    connection = http.client.HTTPConnection(place, timeout=60)

    def ask(method: str, route: str, body: bytes | None = None, kind: str = "") -> bytes:
        more = {"Content-Type": kind} if kind else {}
        connection.request(method, route, body, {**headers, **more})
        answer = connection.getresponse()
        data = answer.read()
        if answer.status >= 400:
            raise SystemExit(f"{route}: {answer.status} {data[:200]!r}")
        return data

    try:
        status = json.loads(ask("GET", "/api/status"))
        picture = arguments.query.read_bytes()
        body = b'--b\r\nContent-Disposition: form-data; name="image"; filename="x"\r\n\r\n'
        body += picture + b"\r\n--b--\r\n"
        uploads, pages = [], []
        for number in range(N_UPLOADS + 3):
            started = time.perf_counter()
            ask("POST", "/api/search/upload?k=20", body, "multipart/form-data; boundary=b")
            if number >= 3:
                uploads.append(1000 * (time.perf_counter() - started))
        for _ in range(N_PAGES):
            started = time.perf_counter()
            for route in FIRST:
                ask("GET", route)
            pages.append(1000 * (time.perf_counter() - started))
    finally:
        server.terminate()
        server.wait(30)
    document = {
        "command": "python scripts/measure_page.py INDEX QUERY --output FILE",
        "machine": describe_machine(),
        "versions": {
            name: version(name) for name in ("fastapi", "starlette", "uvicorn", "openvino")
        },
        "images": status["images"],
        "model": status["model"]["name"],
        "upload_search_ms": {
            "searches": len(uploads),
            "median": round(statistics.median(uploads), 1),
            "p95": round(percentile(uploads, 0.95), 1),
        },
        "first_page_ms": {
            "times": len(pages),
            "median": round(statistics.median(pages), 1),
            "most": round(max(pages), 1),
        },
    }
    arguments.output.write_text(json.dumps(document, indent=2) + "\n")
    print(json.dumps(document, indent=2))


if __name__ == "__main__":
    main()
