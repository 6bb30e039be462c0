"""What is said of measurements of speed, memory and safety; for ``update_readme.py``."""

from __future__ import annotations

import statistics
from typing import Any

CASES = {
    "C.1": "disks, several processes, damaged files of the index",
    "C.2": "folders, links, names, terminals",
    "C.3": "broken, hostile and enormous pictures",
    "C.4": "models, vectors, questions",
    "C.5": "clearing away copies",
}


def faults_text(document: dict[str, Any]) -> str:
    """Return the table of what was tried, how often, and what was lost."""
    rows: dict[str, list[int]] = {}
    for group, entries in document["groups"].items():
        for what, counts in entries.items():
            name = f"cases of {CASES[group]}" if group in CASES else what.partition(":")[0]
            row = rows.setdefault(name, [0, 0])
            row[0] += counts["tried"]
            row[1] += counts["lost"]
    lines = ["| what was tried | how many times | what was lost |", "|---|---|---|"]
    lines += [f"| {name} | {n:,} | {lost or 'nothing'} |" for name, (n, lost) in rows.items()]
    return "\n".join(lines)


def growth_text(document: dict[str, Any]) -> str:
    """Return what adding a few images to many writes."""
    once, most = document["once"], document["ten_times"]["largest_share_of_index"]
    return (
        f"  Adding {document['added']} images to {document['images']:,} wrote "
        f"{once['bytes_written'] / 1e6:.1f} MB, {once['share_of_index']:.2%} of the index; of ten\n"
        f"  such additions in a row the largest wrote {most:.2%}."
    )


def runtimes_text(document: dict[str, Any]) -> str:
    """Return the table of runtimes and precisions."""
    lines = [
        f"{document['copies']:,} altered copies of {document['originals']} photos among "
        f"{document['images']}, {document['machine']['processors']} processors "
        f"({document['machine']['processor']}):",
        "",
        "| runtime and precision | cosine to the reference: median, least | micro-average "
        "precision | lost | the network alone |",
        "|---|---|---|---|---|",
    ]
    default = f"openvino {document['default']}"
    for name, row in document["results"].items():
        shown = f"**{name}** (default)" if name == default else name
        lines.append(
            f"| {shown} | {row['cosine_median']:.4f}, {row['cosine_least']:.3f} | "
            f"{row['micro_average_precision']:.4f} | {row['lost']:+.4f} | "
            f"{row['images_per_second']:.0f} images/s |"
        )
    return "\n".join(lines)


SETS = {"photos": "500 x 400", "12 megapixels": "12 megapixels", "thumbnails": "64 x 64"}


def index_text(document: dict[str, Any]) -> str:
    """Return the table of mobisearch and other tools."""
    sets = document["sets"]
    rounds = document["rounds"]
    how = "one round" if rounds == 1 else f"the median of {rounds} rounds"
    counts = " | ".join(
        f"{SETS[name]} ({found['kilobytes_each']:,} kB)" for name, found in sets.items()
    )
    lines = [f"| images/s, {how} | {counts} |", "|---|" + "---|" * len(sets)]
    for way in sets["photos"]["ways"]:
        rates = " | ".join(f"{s['ways'][way]['images_per_second']:.0f}" for s in sets.values())
        lines.append(f"| {WAYS.get(way, way)} | {rates} |")
    took = {
        way: found["processor_ms_each"]
        for way, found in sets["photos"]["ways"].items()
        if "processor_ms_each" in found
    }
    if not took:
        return "\n".join(lines)
    lines += [
        "",
        f"Where the time goes: of {took['mobisearch V2']:.1f} ms of processor time that a photo of "
        f"{SETS['photos']} takes, {took['network alone']:.1f} are the network and",
        f"{took['decoding alone']:.1f} are reading and decoding; with int8 it takes "
        f"{took['mobisearch V2 int8']:.1f} ms. fastdup takes {took['fastdup']:.1f}. Starting",
        "the process is in all of them.",
    ]
    return "\n".join(lines)


WAYS = {
    "mobisearch V2": "**mobisearch**, MobileNetV2, as it comes (bf16)",
    "mobisearch V2 int8": "mobisearch, MobileNetV2, int8",
    "mobisearch V2 f32": "mobisearch, MobileNetV2, f32",
    "mobisearch V3-Small": "mobisearch, MobileNetV3-Small",
    "decoding alone": "reading and decoding alone",
    "network alone": "the network alone, MobileNetV2 (bf16)",
    "seed loop V2": "a loop of torch and torchvision, MobileNetV2",
    "seed loop V3-Small": "a loop of torch and torchvision, MobileNetV3-Small",
    "fastdup": "fastdup",
    "imagededup": "imagededup CNN (MobileNetV3-Small)",
}


def cold_text(document: dict[str, Any]) -> str:
    """Return what a search takes."""
    cold, warm = document["cold"], document["warm"]
    imports = document.get("imports_ms", {})
    largest = sorted(imports, key=lambda name: -imports[name])
    listed = ", ".join(f"{name} {imports[name]:.0f} ms" for name in largest)
    return (
        f"  `mobisearch search` in an index of {document['images']:,} takes "
        f"{cold['seconds_median']:.2f} s as a whole process, from\n"
        f"  nothing to the matches, and {cold['peak_megabytes']:.0f} MB; with everything loaded "
        f"{warm['ms_median']:.1f} ms, picture in, matches out."
        + (f"\n  Most of a cold search is imports, taken alone: {listed}." if imports else "")
    )


def search_text(document: dict[str, Any]) -> str:
    """Return what searches in a large index take and find."""
    usual, exact = document["searches"]["usual"], document["searches"]["exact"]
    structure = document["structure"]
    return (
        f"  Among {document['vectors']:,} embeddings a search takes {usual['median_ms']:.1f} ms on "
        f"one processor and finds {document['recall_at_10']:.1%} of the\n"
        f"  true best ten, in {usual['peak_mb']:.0f} MB; comparing with all of them takes "
        f"{exact['median_ms']:.0f} ms and {exact['peak_mb'] / 1e3:.1f} GB. The compressed vectors\n"
        f"  take {structure['bytes'] / 1e6:.0f} MB and were made in "
        f"{document['build_seconds']:.0f} s; from several threads "
        f"{usual['queries_per_second']:.0f} searches/s."
    )


def memory_text(document: dict[str, Any]) -> str:
    """Return what indexing takes of memory."""
    return (
        f"  Indexing {document['added']:,} files took {document['peak_megabytes']:.0f} MB at most, "
        f"{document['peak_megabytes_with_workers']:.0f} MB with its worker\n"
        f"  processes: {document['second_quarter_median_megabytes']:.0f} MB in the second quarter, "
        f"{document['last_quarter_median_megabytes']:.0f} MB in the last."
    )


def grouping_text(document: dict[str, Any]) -> str:
    """Return what it takes to group very many images."""
    rounds = document["rounds"]
    seconds = statistics.median(found["seconds"] for found in rounds)
    how = "" if len(rounds) == 1 else f" (median of {len(rounds)} rounds)"
    first = rounds[0]
    most = max(found["peak_memory_mb"] for found in rounds)
    matching = statistics.median(found["seconds_at_the_end_of"]["matching"] for found in rounds)
    return (
        f"Among {first['images']:,} images, looked at before, {first['groups']:,} groups with "
        f"{first['copies']:,} copies were found in {seconds:.0f} s{how}:\n"
        f"{matching:.0f} s for all pairs that may be copies, the rest for comparing those, on "
        f"{document['machine']['processors']} processors; {most / 1000:.1f} GB at most."
    )


def page_text(document: dict[str, Any]) -> str:
    """Return how quickly the page answers."""
    search, first = document["upload_search_ms"], document["first_page_ms"]
    return (
        f"In an index of {document['images']:,} a dropped picture is answered in "
        f"{search['median']:.0f} ms (median of {search['searches']}), and\n"
        f"what the page asks for first in {first['median']:.0f} ms."
    )
