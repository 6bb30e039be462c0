"""Measure how well copies are found and grouped, on a library of originals and altered copies.

    python scripts/measure_duplicates.py FOLDER --output scripts/results/duplicates.json

With ``--also`` the same is done with the libraries that other seeds make.

Takes photos of a folder, makes altered copies of them in three strengths (see
``mobisearch.evaluation.variations``) and lookalikes that are no copies, indexes all of it, and
compares the groups that ``ImageIndex.duplicates`` forms with what was made of what. With
``--peers`` other tools score pairs of the same files, too.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

from copies_library import Made, make_library, make_strangers
from machine import describe_machine

from mobisearch import ImageIndex
from mobisearch.duplicates import CopyFinder, DuplicateGroups
from mobisearch.evaluation.metrics import micro_average_precision
from mobisearch.types import DuplicateSettings

_IMAGE_ENDINGS = (".jpg", ".jpeg", ".png", ".webp")


def pairs_of(groups: DuplicateGroups) -> Iterator[tuple[str, str]]:
    for group in groups:
        names = sorted(Path(member.image.path).name for member in group.members)
        yield from itertools.combinations(names, 2)


def judge(groups: DuplicateGroups, made: list[Made]) -> dict[str, object]:
    """Compare groups with the truth."""
    by_name = {entry.name: entry for entry in made}
    truth = defaultdict(list)
    for entry in made:
        truth[entry.original].append(entry.name)
    true_pairs = {p for names in truth.values() for p in itertools.combinations(sorted(names), 2)}
    found = set(pairs_of(groups))
    wrong = sorted(found - true_pairs)
    group_of = {
        Path(member.image.path).name: number
        for number, group in enumerate(groups)
        for member in group.members
    }
    mixed = [
        group
        for group in groups
        if len({by_name[Path(member.image.path).name].original for member in group.members}) > 1
    ]
    tried: Counter[str] = Counter()
    linked: Counter[str] = Counter()
    for entry in made:
        if entry.way and entry.original >= 0:
            home = group_of.get(truth[entry.original][0])
            for key in (entry.way, f"{entry.way}, {entry.strength}"):
                tried[key] += 1
                linked[key] += home is not None and group_of.get(entry.name) == home
    right = total = 0
    for group in groups:
        keep = by_name[Path(group.keep.image.path).name]
        if keep.way:
            continue
        for member in group.copies:
            entry = by_name[Path(member.image.path).name]
            if entry.original == keep.original and entry.verdicts:
                total += 1
                right += member.verdict.value in entry.verdicts
    return {
        "images": len(made),
        "true_pairs": len(true_pairs),
        "found_pairs": len(found),
        "pair_precision": round(len(found & true_pairs) / max(1, len(found)), 5),
        "pair_recall": round(len(found & true_pairs) / max(1, len(true_pairs)), 5),
        "mixed_groups": len(mixed),
        "verdicts_right": round(right / max(1, total), 4),
        "recall_by_alteration": {way: round(linked[way] / tried[way], 4) for way in sorted(tried)},
        "made_by_alteration": {way: tried[way] for way in sorted(tried)},
        "wrong_pairs": wrong[:20],
        "missed": sorted(
            f"{e.name} {e.original:04} {e.way}, {e.strength}"
            for e in made
            if e.way
            and e.original >= 0
            and group_of.get(e.name, -1) != group_of.get(truth[e.original][0], -2)
        )[:200],
    }


def micro_ap(scores: list[float], marks: list[bool], n_true: int) -> float:
    """Return the micro-average precision; true pairs that were not scored count as never found."""
    if not any(marks):
        return 0.0
    return round(micro_average_precision(scores, marks) * sum(marks) / n_true, 4)


def rank_pairs(index: ImageIndex, made: list[Made]) -> float:
    """Return the micro-average precision of the scores alone, before anything is verified."""
    finder = CopyFinder(index._catalog, index._embedder, DuplicateSettings(), is_writable=False)
    looks = finder.looks()
    pairs = finder.candidates(looks).pairs
    paths = looks.catalog.looks.paths(looks.ids, 0)
    by_name = {entry.name: entry.original for entry in made}
    originals = [by_name[Path(paths[number]).name] for number in looks.ids]
    counts = Counter(by_name.values())
    n_true = sum(n * (n - 1) // 2 for n in counts.values())
    marks = [
        originals[first] == originals[second]
        for first, second in zip(pairs.first.tolist(), pairs.second.tolist(), strict=True)
    ]
    return micro_ap(pairs.scores.tolist(), marks, n_true)


def judge_peers(
    python: Path, library: Path, made: list[Made], weights: Path | None
) -> dict[str, object]:
    """Let other tools score pairs of the same files, and compare those with the truth."""
    truth = defaultdict(list)
    for entry in made:
        truth[entry.original].append(entry.name)
    true_pairs = {p for names in truth.values() for p in itertools.combinations(sorted(names), 2)}
    with tempfile.TemporaryDirectory() as directory:
        output = Path(directory) / "pairs.json"
        command = [str(python), str(Path(__file__).with_name("find_copies_peers.py"))]
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        command += [str(library), str(output)]
        command += [str(weights)] if weights is not None else []
        subprocess.run(command, check=True, env=environment, stdout=sys.stderr)
        found = json.loads(output.read_text())
    results: dict[str, object] = {}
    for name, peer in found.items():
        if weights is not None and name == "imagededup CNN":
            name = "imagededup CNN, with MobileNetV2"
        if "error" in peer:
            results[name] = peer
            continue
        pairs = sorted(
            ((score, min(a, b), max(a, b)) for a, b, score in peer["pairs"]), reverse=True
        )
        marks = [(a, b) in true_pairs for _, a, b in pairs]
        at_default = [
            mark
            for mark, (score, _, _) in zip(marks, pairs, strict=True)
            if score >= peer["default"]
        ]
        n_clean = marks.index(False) if False in marks else len(marks)
        best = (
            max(
                (2 * right / (number + len(true_pairs)), number)
                for number, right in enumerate(itertools.accumulate(marks), start=1)
            )
            if marks
            else (0.0, 0)
        )
        results[name] = {
            "seconds": peer["seconds"],
            "at_default": {
                "precision": round(sum(at_default) / max(1, len(at_default)), 4),
                "recall": round(sum(at_default) / max(1, len(true_pairs)), 4),
            },
            "at_best_threshold": {
                "precision": round(sum(marks[: best[1]]) / max(1, best[1]), 4),
                "recall": round(sum(marks[: best[1]]) / max(1, len(true_pairs)), 4),
            },
            "micro_ap": micro_ap([score for score, _, _ in pairs], marks, len(true_pairs)),
            "recall_at_precision_1": round(n_clean / max(1, len(true_pairs)), 4),
        }
    return results


def measure(
    arguments: argparse.Namespace, seed: int, keep: Path | None, peers: Path | None
) -> dict[str, object]:
    """Return what is found in the library that a seed makes."""
    paths = sorted(p for p in arguments.folder.rglob("*") if p.suffix.lower() in _IMAGE_ENDINGS)
    random.Random(seed).shuffle(paths)
    strangers, paths = paths[: arguments.strangers], paths[arguments.strangers :]
    if arguments.photos:
        paths = paths[: arguments.photos]
    with tempfile.TemporaryDirectory() as directory:
        library = keep or Path(directory) / "library"
        library.mkdir(parents=True)
        made = make_library(paths, library, copies=arguments.copies, seed=seed)
        made += make_strangers(strangers, library, seed=seed)
        with ImageIndex.create(Path(directory) / "index") as index:
            index.sync(library)
            seconds = []
            for _ in range(2):
                started = time.perf_counter()
                groups = index.duplicates()
                seconds.append(round(time.perf_counter() - started, 2))
            ranked = rank_pairs(index, made)
        of_peers = judge_peers(peers, library, made, arguments.peer_weights) if peers else {}
    curve = groups.curve
    return {
        "seed": seed,
        "seconds": {"first": seconds[0], "again": seconds[1]},
        "accepted_score": curve.accepted_score,
        "candidate_score": curve.candidate_score,
        "mistakes": [curve.mistakes, curve.trials],
        **judge(groups, made),
        "micro_ap_of_scores_alone": ranked,
        "peers": of_peers,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--photos", type=int, default=0, help="how many; 0: all")
    parser.add_argument("--copies", type=int, default=10, help="of each photo")
    parser.add_argument("--strangers", type=int, default=48, help="photos for lookalikes")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--also", type=int, nargs="*", default=[], help="seeds of other libraries, without peers"
    )
    parser.add_argument("--about", default="", help="what the photos are, kept in the output")
    parser.add_argument(
        "--peers",
        type=Path,
        help="the Python of an environment with imagededup, image-dedup-ai and fastdup",
    )
    parser.add_argument(
        "--peer-weights",
        type=Path,
        help="torchvision's file of MobileNetV2, for imagededup where it cannot fetch its own",
    )
    parser.add_argument("--keep", type=Path, help="make the library in this folder")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    document = {
        "command": "python scripts/measure_duplicates.py FOLDER --output FILE",
        "machine": describe_machine(),
        "photos": arguments.about,
        **measure(arguments, arguments.seed, arguments.keep, arguments.peers),
        "also": [measure(arguments, seed, None, None) for seed in arguments.also],
    }
    arguments.output.write_text(json.dumps(document, indent=2) + "\n")
    shown = {k: v for k, v in document.items() if not isinstance(v, list | dict)}
    print(json.dumps(shown, indent=2))


if __name__ == "__main__":
    main()
