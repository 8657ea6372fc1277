# SPDX-License-Identifier: Apache-2.0
"""Rows of the result, the median and the spread, and how they are printed."""
import json
import statistics
import sys

from .place import OUT


def quartiles(values: list[float]) -> tuple[float, float]:
    if len(values) < 2:
        return values[0], values[0]
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, high


def _round(value):
    return None if value is None else float(f"{value:.5g}")


def row(bench: str, peer_name: str, goal, unit: str, ours: list, peers: list, ratios: list,
        **more) -> dict:
    """`ratio` is always such that more is better, and `goal` is the least ratio that will do."""
    ratio = statistics.median(ratios) if ratios else None
    return {
        "bench": bench,
        "ours": _round(statistics.median(ours)) if ours else None,
        "peer": _round(statistics.median(peers)) if peers else None,
        "peer_name": peer_name,
        "ratio": _round(ratio),
        "goal": goal,
        "met": None if goal is None or ratio is None else ratio >= goal,
        "spread": [_round(value) for value in quartiles(ratios)] if ratios else None,
        "unit": unit,
        "windows": len(ratios),
        **more,
    }


def limit_row(bench: str, limit: float, unit: str, ours: list, **more) -> dict:
    """Against a fixed limit where less is better: the ratio is limit over ours, the goal 1."""
    return row(bench, f"limit of {limit:g} {unit}", 1.0, unit, ours, [limit] if ours else [],
               [limit / value for value in ours], **more)


def _number(value) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 1000 else f"{value:.4g}"


COLUMNS = ("bench", "peer", "unit", "ours", "theirs", "ratio", "quartiles", "goal", "met")


def cells(one: dict) -> tuple:
    spread = one["spread"]
    return (one["bench"], one["peer_name"], one["unit"], _number(one["ours"]),
            _number(one["peer"]), "–" if one["ratio"] is None else f"{one['ratio']:.3f}",
            "–" if spread is None else f"{spread[0]:.3f}–{spread[1]:.3f}",
            "" if one["goal"] is None else f"{one['goal']:.2f}",
            {True: "yes", False: "NO", None: ""}[one["met"]])


def table(rows: list[dict]) -> str:
    lines = [COLUMNS, *map(cells, rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(COLUMNS))]
    texts = ["  ".join(cell.ljust(width) if i < 3 else cell.rjust(width)
                       for i, (cell, width) in enumerate(zip(line, widths))) for line in lines]
    texts.insert(1, "  ".join("─" * width for width in widths))
    reasons = {" ".join(one["reason"].split())[:300] for one in rows if one.get("reason")}
    return "\n".join(text.rstrip() for text in texts) + "".join(
        f"\n! not measured: {reason}" for reason in sorted(reasons))


def save(rows: list[dict]) -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "results.json").write_text(
        json.dumps(rows, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
