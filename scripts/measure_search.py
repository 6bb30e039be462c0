"""Measure searches in a large index, and compare kinds of structures for approximate search.

    python scripts/measure_search.py --vectors 1000000 --seeds PHOTOS --output FILE

Embeds photos, and random crops and alterations of them, with the network. Widens these seeds to as
many vectors as are wanted: each is a mix of two of them, the first with a weight between 0.5 and 1,
every value multiplied by exp(x) with x from a normal distribution of deviation 0.25, then made a
unit vector. That keeps the shape of real embeddings, with many near each other. Queries are made in
the same way from other random numbers; they are not in the index.

Writes the vectors through the catalog's writer, as indexing does, and lets ``ImageIndex.tune``
build what searches need. All searches then go through ``ImageIndex``: one at a time in a fresh
process on one core, and from one thread for each core. Recall is judged by score: ties do not miss.

Last, kinds of structures are compared on a subset, through FAISS alone and on one core: time,
bytes, and recall before and after their best candidates are scored exactly.
An index of a million takes 12 GB on the disk, and comparing with all its images 6 GB of memory.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from machine import describe_machine
from PIL import Image, ImageEnhance, ImageOps

from mobisearch import Embedder, ImageIndex
from mobisearch.store import FileRow, IndexLayout, open_writer
from mobisearch.store.vectors import find_projection
from mobisearch.types import Embeddings, FileStamp, ImageFacts

K = 10
PER_COMMIT = 2_000
SUBSET = 100_000
CANDIDATES = (50, 100)
PROBES = (8, 32)
ENDINGS = {".jpg", ".jpeg", ".png", ".webp"}


def altered(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Return a part of a picture, at least a third of it, perhaps mirrored, lighter or darker."""
    share = np.sqrt(rng.uniform(0.33, 1))
    width, height = round(picture.width * share), round(picture.height * share)
    left = int(rng.integers(0, picture.width - width + 1))
    top = int(rng.integers(0, picture.height - height + 1))
    part = picture.crop((left, top, left + width, top + height))
    if rng.random() < 0.5:
        part = ImageOps.mirror(part)
    return ImageEnhance.Brightness(part).enhance(float(rng.uniform(0.7, 1.3)))


def make_seeds(folders: Sequence[Path], n_altered: int, embedder: Embedder) -> Embeddings:
    """Embed every photo below some folders, and as many alterations of each."""
    paths = sorted(
        p for folder in folders for p in folder.rglob("*") if p.suffix.lower() in ENDINGS
    )
    rng = np.random.default_rng(0)
    parts: list[Embeddings] = []
    for path in paths:
        with Image.open(path) as opened:
            picture = ImageOps.exif_transpose(opened).convert("RGB")
        picture.thumbnail((640, 640))
        made = [picture, *(altered(picture, rng) for _ in range(n_altered))]
        parts.append(embedder.embed([np.asarray(image) for image in made]))
    return np.concatenate(parts)


def widen(seeds: Embeddings, n: int, *, seed: int) -> Embeddings:
    """Return n vectors made of the seeds; see the top of this file."""
    rng = np.random.default_rng(seed)
    first, second = rng.integers(0, len(seeds), (2, n))
    weight = rng.uniform(0.5, 1, (n, 1)).astype(np.float32)
    rows = weight * seeds[first] + (1 - weight) * seeds[second]
    rows *= np.exp(rng.normal(0, 0.25, rows.shape).astype(np.float32))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def blocks(seeds: Embeddings, n: int) -> Iterator[tuple[int, Embeddings]]:
    """Give the vectors of the index, the same ones each time."""
    for start in range(0, n, PER_COMMIT):
        yield start, widen(seeds, min(PER_COMMIT, n - start), seed=1_000_000 + start)


def fill(index_dir: Path, seeds: Embeddings, n: int) -> float:
    """Write vectors into an index; return the seconds that this took, making them left out."""
    layout = IndexLayout.at(index_dir)
    facts = ImageFacts("JPEG", 4000, 3000, "2024-05-06T07:08:09", "Acme Camera 5")
    seconds = 0.0
    with layout.writer_lock():
        writer = open_writer(layout.catalog_path)
        for start, rows in blocks(seeds, n):
            files = [
                FileRow(
                    f"/photos/{number // 1000:05}/IMG_{number:08}.jpg",
                    FileStamp(
                        3_000_000 + number, 10**18 + number, 10**18 + number, str(number + 1)
                    ),
                    sha256=hashlib.sha256(str(number).encode()).hexdigest(),
                    facts=facts,
                    embedding=row,
                )
                for number, row in enumerate(rows, start)
            ]
            began = time.perf_counter()
            writer.put_files(files)
            seconds += time.perf_counter() - began
        began = time.perf_counter()
        writer.close()
    return seconds + time.perf_counter() - began


def peak_mb() -> float:
    """Return the most memory that this process has held."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1000
    return float("nan")


def ask(index_dir: Path, queries: Embeddings, *, is_exact: bool) -> dict[str, Any]:
    """Search one query after the other, then all from as many threads as there are cores."""
    with ImageIndex.open(index_dir) as index:
        began = time.perf_counter()
        index.search_by_vector(queries[0], K, exact=is_exact)
        cold = time.perf_counter() - began
        seconds: list[float] = []
        scores: list[list[float]] = []
        for query in queries:
            began = time.perf_counter()
            matches = index.search_by_vector(query, K, exact=is_exact)
            seconds.append(time.perf_counter() - began)
            scores.append([match.score for match in matches])
        n_threads = len(os.sched_getaffinity(0))
        with ThreadPoolExecutor(n_threads) as pool:
            began = time.perf_counter()
            list(pool.map(lambda query: index.search_by_vector(query, K, exact=is_exact), queries))
            together = time.perf_counter() - began
    return {
        "cold_ms": 1e3 * cold,
        "median_ms": 1e3 * float(np.median(seconds)),
        "p95_ms": 1e3 * float(np.percentile(seconds, 95)),
        "threads": n_threads,
        "queries_per_second": len(queries) / together,
        "peak_mb": peak_mb(),
        "scores": scores,
    }


def ask_in_fresh_process(index_dir: Path, queries: Path, *, is_exact: bool) -> dict[str, Any]:
    """Do :func:`ask` where nothing has been loaded yet, each search on one core."""
    command = [sys.executable, __file__, "--ask", str(index_dir), "--queries", str(queries)]
    done = subprocess.run(
        [*command, *(["--exact"] if is_exact else [])],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(json.loads(done.stdout))


def recall_by_score(found: list[list[float]], true: list[list[float]]) -> float:
    """Return the share of the true best ten that was found, or scores as much as the tenth."""
    shares = [
        sum(score >= best[-1] for score in scores[: len(best)]) / len(best)
        for scores, best in zip(found, true, strict=True)
    ]
    return float(np.mean(shares))


def _probing(n: int) -> Any:
    return faiss.SearchParametersIVF(nprobe=n)  # type: ignore[call-arg]


def compare_kinds(rows: Embeddings, queries: Embeddings) -> list[dict[str, Any]]:
    """Measure kinds of structures over the same vectors, on one core."""
    faiss.omp_set_num_threads(1)
    true, _ = faiss.knn(queries, rows, K, metric=faiss.METRIC_INNER_PRODUCT)
    d = rows.shape[1]
    few = find_projection([rows[:16_384]], min(384, d), seed=1)
    kinds: list[tuple[str, Embeddings | None]] = [
        *((f"IVF256,{inner}", None) for inner in ("Flat", "RaBitQfs")),
        *((kind, few) for kind in ("SQ8", "RaBitQfs", "IVF256,RaBitQfs")),
        ("RaBitQfs", None),
    ]
    results = []
    for kind, projection in kinds:
        stored = rows if projection is None else rows @ projection
        asked = queries if projection is None else queries @ projection
        index: Any = faiss.index_factory(stored.shape[1], kind, faiss.METRIC_INNER_PRODUCT)
        began = time.perf_counter()
        index.train(stored[: 256 * 256])
        index.add(stored)
        build = time.perf_counter() - began
        for probes in PROBES if kind.startswith("IVF") else (1,):
            settings = _probing(probes) if kind.startswith("IVF") else None
            began = time.perf_counter()
            for query in asked:
                index.search(query[None], max(CANDIDATES), params=settings)
            each = (time.perf_counter() - began) / len(asked)
            _, places = index.search(asked, max(CANDIDATES), params=settings)
            result: dict[str, Any] = {
                "kind": kind,
                "dimensions": stored.shape[1],
                "probes": probes,
                "build_seconds": build,
                "bytes_per_vector": len(faiss.serialize_index(index)) / len(rows),
                "ms_per_query": 1e3 * each,
            }
            for n in (K, *CANDIDATES):
                best = [
                    sorted(rows[own[own >= 0][:n]] @ query, reverse=True)[:K]
                    for query, own in zip(queries, places, strict=True)
                ]
                result[f"recall_of_best_{n}"] = recall_by_score(
                    [[float(score) + 1e-6 for score in scores] for scores in best], true.tolist()
                )
            results.append(result)
    return results


def measure(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    embedder = Embedder()
    seeds = make_seeds(options.seeds, options.altered, embedder)
    queries = widen(seeds, options.n_queries, seed=7)
    np.save(folder / "queries.npy", queries)
    index_dir = folder / "index"
    ImageIndex.create(index_dir, embedder).close()
    write = fill(index_dir, seeds, options.vectors)
    with ImageIndex.open(index_dir, embedder) as index:
        began = time.perf_counter()
        status = index.tune(0.99)
        build = time.perf_counter() - began
    answers = {
        name: ask_in_fresh_process(index_dir, folder / "queries.npy", is_exact=name == "exact")
        for name in ("usual", "exact")
    }
    scores = {name: answer.pop("scores") for name, answer in answers.items()}
    subset = [rows for _, rows in blocks(seeds, min(SUBSET, options.vectors))]
    return {
        "machine": describe_machine(),
        "faiss": faiss.__version__,
        "vectors": options.vectors,
        "seeds": len(seeds),
        "queries": len(queries),
        "write_seconds": write,
        "build_seconds": build,
        "catalog_bytes": status.catalog_bytes,
        "structure": status.structure and dataclasses.asdict(status.structure),
        "searches": answers,
        "recall_at_10": recall_by_score(scores["usual"], scores["exact"]),
        "kinds": compare_kinds(np.concatenate(subset), queries),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    default_seeds = [Path(__file__).resolve().parent.parent / "tests" / "photos"]
    parser.add_argument("--vectors", type=int, default=1_000_000)
    parser.add_argument("--seeds", type=Path, nargs="+", default=default_seeds)
    parser.add_argument("--altered", type=int, default=20, help="alterations of each photo")
    parser.add_argument("--n-queries", type=int, default=256)
    parser.add_argument("--directory", type=Path, help="where to make the index, for a while")
    parser.add_argument("--keep", type=Path, help="a new folder, for an index that stays")
    parser.add_argument("--output", type=Path)
    parser.add_argument("--ask", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--queries", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--exact", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.ask is not None:
        queries = np.load(options.queries)
        sys.stdout.write(json.dumps(ask(options.ask, queries, is_exact=options.exact)))
        return
    if options.keep is not None:
        options.keep.mkdir(parents=True)
        text = json.dumps(measure(options, options.keep), indent=1)
    else:
        with tempfile.TemporaryDirectory(dir=options.directory) as folder:
            text = json.dumps(measure(options, Path(folder)), indent=1)
    sys.stdout.write(f"{text}\n")
    if options.output is not None:
        options.output.write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
