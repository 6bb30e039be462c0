"""What is said of measurements of what is found; for ``update_readme.py``."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

from mobisearch.evaluation.variations import STRENGTHS


def copies_text(document: dict[str, Any]) -> str:
    """Return the table of altered copies."""
    lines = [
        f"{document['altered_photos']} photos, each altered in {len(document['results'])} ways, "
        f"searched among {document['images_in_the_index']}:",
        "",
        "| altered copy | original first | among the first ten | its lowest score |",
        "|---|---|---|---|",
    ]
    for name, row in document["results"].items():
        shares = " | ".join(f"{100 * row[key]:.1f} %" for key in ("first", "among_ten"))
        lines.append(f"| {name} | {shares} | {row['lowest_score']:.2f} |")
    return "\n".join(lines)


def scores_text(document: dict[str, Any]) -> str:
    """Return what scores other photos get."""
    other = document["score_of_the_most_similar_other_image"]
    lowest = min(row["lowest_score"] for row in document["results"].values())
    return (
        f"  the most similar *other* photo scored {other['median']:.2f} at the median and up to "
        f"{other['highest']:.2f}, and a hard copy\n  of the *same* photo as little as {lowest:.2f}."
    )


def decoding_text(document: dict[str, Any]) -> str:
    """Return what reduced decoding and quick resizing change and save."""
    sizes = document["decoders"]["sizes"]
    large, small = sizes["4000 x 3000"], sizes["500 x 400"]
    reduced, cut = large["pillow"], small["pillow"]
    share = 100 * reduced["finds_itself_first"]
    lowest = math.ceil(1e4 * cut["cosine_min"] - 1) / 1e4  # rounded, one would seem to be reached
    return (
        f"On {large['n']} photos enlarged to 12 megapixels the cosine to the embedding of the\n"
        f"full size was {reduced['cosine_median']:.4f} at the median and "
        f"{reduced['cosine_min']:.4f} at the least, {share:.0f} % found themselves first,\n"
        f"and decoding took {reduced['ms'] / large['exact']['ms']:.0%} of the time. Of every "
        "picture only what the network looks at is resized:\n"
        f"for photos of 500 x 400 that keeps the cosine above {lowest:.4f} and "
        f"takes {cut['ms'] / small['exact']['ms']:.0%} of the time."
    )


def resolutions_text(document: dict[str, Any]) -> str:
    """Return the table of resolutions."""
    precision = document["precision"]
    lines = [
        f"The bundled weights; {document['copies']:,} altered copies of {document['originals']} "
        f"photos among {document['images']}, in {precision}; the network",
        f"alone in OpenVINO on {document['machine']['processors']} processors "
        f"({document['machine']['processor']}):",
        "",
        f"| model | multiply-adds | images/s in {precision} | in f32 | micro-average precision | "
        "original first |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| `{row['model']}` | {row['multiply_adds'] / 1e6:.0f} M | "
        f"{row['images_per_second']:.0f} | {row['images_per_second_f32']:.0f} | "
        f"{row['micro_average_precision']:.4f} | {100 * row['first']:.1f} % |"
        for row in document["results"].values()
    ]
    return "\n".join(lines)


def quantisation_text(document: dict[str, Any]) -> str:
    """Return what 8-bit integers do in torch, with and without the cap, and what follows."""
    rows = document["results"]
    step = {(row["relu6"], row["ranges"]): row for row in rows}
    whole, best = "least to largest", "best for most values"
    capped, free = step[True, whole], step[False, whole]
    good, good_free = step[True, best], step[False, best]
    lines = [
        f"{document['photos']}, ranges of {document['calibration']}, {document['bits']} bits:",
        "",
        "| activations end | ranges | largest end of a range | cosine to f32: median, least |",
        "|---|---|---|---|",
    ]
    for row in rows:
        end = "at 6, as trained" if row["relu6"] else "nowhere"
        lines.append(
            f"| {end} | {row['ranges']} | {row['largest']:.1f} | "
            f"{row['cosine_median']:.4f}, {row['cosine_least']:.3f} |"
        )
    lines += [
        "",
        "Why ReLU6 helps: 8 bits have 255 steps for a range, and one large value makes all steps "
        "coarse. ReLU6 says",
        "beforehand where a range ends, whatever the pictures, and costs nothing in integers, "
        "since what is larger than a",
        f"range becomes its end. Here {capped['at_the_cap']} of {capped['activations']} "
        "activations reach 6; without the cap the largest is "
        f"{free['largest']:.1f}, its steps are {free['largest'] / 6:.1f} times as",
        f"coarse, and the median cosine falls from {capped['cosine_median']:.4f} to "
        f"{free['cosine_median']:.4f}. Ranges that leave rare large values out do most of",
        f"the same: {good['cosine_median']:.4f} with the cap and {good_free['cosine_median']:.4f} "
        "without.",
    ]
    return "\n".join(lines)


def _change(change: float) -> str:
    return f"up to {change:.3f} off" if change else "the reference"


def labels_text(document: dict[str, Any]) -> str:
    """Return the table of what quicker ways do to labels."""
    lines = [
        f"{document['photos']} photos of one thing each, of ImageNet's kinds; the network may have "
        "been trained with some of them:",
        "",
        "| way | first label right | among the first five | same first label | its probability |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {way} | {100 * row['top1']:.1f} % | {100 * row['top5']:.1f} % | "
        f"{100 * row['same_first']:.1f} % | {_change(row['largest_change'])} |"
        for way, row in document["ways"].items()
    ]
    return "\n".join(lines)


def duplicates_text(document: dict[str, Any]) -> str:
    """Return the table of how copies are grouped, beside other tools."""
    found = document
    lines = [
        f"{found['images']:,} files: photos, altered copies of them, and pictures that only look "
        f"like copies, with {found['true_pairs']:,} pairs of copies.\n"
        f"{found['mixed_groups'] or 'No'} "
        f"{'group mixes' if found['mixed_groups'] < 2 else 'groups mix'} two originals, and "
        f"{100 * found['verdicts_right']:.1f} % of the verdicts are right:",
        "",
        "| tool | pairs found | of those right | micro-average precision | pairs found before the "
        "first wrong one | seconds |",
        "|---|---|---|---|---|---|",
        f"| **mobisearch** | {100 * found['pair_recall']:.1f} % | "
        f"{100 * found['pair_precision']:.1f} % | {found['micro_ap_of_scores_alone']:.3f} (scores "
        f"alone) | {100 * found['pair_recall']:.1f} % | {found['seconds']['first']:.0f} |",
    ]
    for name, peer in found["peers"].items():
        if "error" in peer:
            continue
        for key, words in (("at_default", "default"), ("at_best_threshold", "best threshold")):
            lines.append(
                f"| {name}, {words} | {100 * peer[key]['recall']:.1f} % | "
                f"{100 * peer[key]['precision']:.1f} % | {peer['micro_ap']:.3f} | "
                f"{100 * peer['recall_at_precision_1']:.1f} % | {peer['seconds']:.0f} |"
            )
    return "\n".join([*lines, *_other_libraries(found)])


_RARELY_MISSED = 0.97


def _other_libraries(found: dict[str, Any]) -> list[str]:
    """Return what is said of the libraries that other seeds made, and of all of them together."""
    every = [found, *found["also"]]
    if len(every) < 2:
        return []
    shares = ", ".join(f"{100 * library['pair_recall']:.1f} %" for library in found["also"])
    precision = min(library["pair_precision"] for library in every)
    n_mixed = sum(library["mixed_groups"] for library in every)
    right = [100 * library["verdicts_right"] for library in every]
    n_made: Counter[str] = Counter()
    n_found: Counter[str] = Counter()
    for library in every:
        for way, number in library["made_by_alteration"].items():
            n_made[way] += number
            n_found[way] += round(number * library["recall_by_alteration"][way])
    often = {
        way: n_found[way] / n_made[way]
        for way in n_made
        if way.rpartition(", ")[2] not in STRENGTHS  # those are parts of the others
    }
    missed = sorted((share, way) for way, share in often.items() if share < _RARELY_MISSED)
    words = ", ".join(f"{way} {100 * share:.0f} %" for share, way in missed) or "none"
    return [
        "",
        f"In {len(every) - 1} more libraries made in the same way: {shares} of the pairs. In all "
        f"{len(every)}, {100 * precision:.1f} % of the pairs found are right, "
        f"{n_mixed or 'no'} group{'s mix' if n_mixed > 1 else ' mixes'} two originals, and "
        f"{min(right):.1f} to {max(right):.1f} % of the verdicts are right. Of the alterations, "
        f"found in less than {100 * _RARELY_MISSED:.0f} % of the copies made by them: {words}.",
    ]
