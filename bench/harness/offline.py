# SPDX-License-Identifier: Apache-2.0
"""Files: `slipway profile`, `drift` and `evaluate` beside the libraries that read the same ones.

Whole processes are measured, from start to end, on one core: who reads a file has to load first.
"""
import json
import os
import random
import subprocess
import time
from pathlib import Path

from . import detect, figures, place, slipway
from .place import BENCH, OUT, Unavailable

HOME = OUT / "offline"
PEERS = BENCH / "peers" / "offline"
PROFILE_NS_MAX = 50  # 20 million values a second

WIDE_COLUMNS, WIDE_BLOCK_ROWS, WIDE_BLOCKS = 1000, 5000, 20
DRIFT_COLUMNS, DRIFT_ROWS = 50, 100_000
LABELLED_ROWS = 500_000


def _write(name: str, lines) -> Path:
    """Made once; the same at every run."""
    path = HOME / name
    if not path.exists():
        HOME.mkdir(parents=True, exist_ok=True)
        with open(path.with_suffix(".part"), "w", encoding="ascii") as out:
            out.writelines(lines)
        os.replace(path.with_suffix(".part"), path)
    return path


def _wide():
    """100 million values of 6 to 9 significant digits; a block of rows comes 20 times, scaled anew."""
    rng = random.Random(1)
    yield ",".join(f"f{i}" for i in range(WIDE_COLUMNS)) + "\n"
    for block in range(WIDE_BLOCKS):
        for _ in range(WIDE_BLOCK_ROWS // 50):
            base = [rng.lognormvariate(0, 1) * (1 + block) for _ in range(WIDE_COLUMNS)]
            texts = [f"{value:.6f}" for value in base]
            for shift in range(50):
                yield ",".join(texts[shift:] + texts[:shift]) + "\n"


def _table(seed: int, moved: int):
    """Normal columns; the first `moved` of them by a third of their deviation."""
    rng = random.Random(seed)
    yield ",".join(f"f{i}" for i in range(DRIFT_COLUMNS)) + "\n"
    for _ in range(DRIFT_ROWS):
        yield ",".join(f"{rng.gauss(0.33 if i < moved else 0, 1):.5f}"
                       for i in range(DRIFT_COLUMNS)) + "\n"


def _labelled():
    rng = random.Random(4)
    yield "label,score\n"
    for _ in range(LABELLED_ROWS):
        score = rng.random()
        yield f"{int(rng.random() < score)},{score:.6f}\n"


def _measured(command: list) -> tuple[float, float, str]:
    """Seconds, megabytes at most resident, and what it printed."""
    began = time.monotonic()
    with subprocess.Popen(place.pinned(command), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as process:
        out, errors = process.stdout.read(), process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise Unavailable(f"`{' '.join(map(str, command[:4]))}`: {errors.decode()[-500:]}")
    return time.monotonic() - began, usage.ru_maxrss / 1024, out.decode()


def _beside(bench: str, plan, ours: list, theirs: list, peer: str, agree) -> list[dict]:
    """Runs both in turn; two rows, of time and of memory."""
    rounds = max(3, plan.rounds // 5)
    seen, reason = {"ours": [], "theirs": []}, {}
    try:
        for _ in range(rounds):
            seen["ours"].append(_measured(ours))
            seen["theirs"].append(_measured(theirs))
        agree(seen["ours"][0][2], seen["theirs"][0][2])
    except Unavailable as error:
        seen, reason = {"ours": [], "theirs": []}, {"reason": str(error)}
    rows = []
    for name, at, unit in ((bench, 0, "s"), (f"{bench}_memory", 1, "MB")):
        mine, other = ([one[at] for one in seen[who]] for who in ("ours", "theirs"))
        rows.append(figures.row(name, peer, 1.0, unit, mine, other,
                                [b / a for a, b in zip(mine, other)], **reason))
    return rows


def profile(plan) -> list[dict]:
    path, values = _write("wide.csv", _wide()), WIDE_COLUMNS * WIDE_BLOCK_ROWS * WIDE_BLOCKS
    try:
        seen = [_measured([slipway.binary, "profile", path, "--json"])
                for _ in range(max(3, plan.rounds // 5))]
        reason = {}
    except Unavailable as error:
        seen, reason = [], {"reason": str(error)}
    return [figures.limit_row("profile_file_a_value", PROFILE_NS_MAX, "ns",
                              [1e9 * one[0] / values for one in seen], **reason),
            figures.limit_row("profile_file_memory", 1024, "MB", [one[1] for one in seen],
                              **reason)]


def drift(plan) -> list[dict]:
    reference, current = _write("reference.csv", _table(2, 0)), _write("current.csv", _table(3, 10))

    def agree(ours: str, theirs: str) -> None:
        mine = sum(bool(c["drift"]) for c in json.loads(ours)["columns"])
        if mine != int(theirs.split()[-1]):
            raise Unavailable(f"{mine} columns drifted, and by Evidently {theirs.split()[-1]}")

    try:
        theirs = [detect.peers_python(), PEERS / "evidently_drift.py", reference, current]
    except Unavailable as error:
        return [figures.row("drift_files", "Evidently", 1.0, "s", [], [], [], reason=str(error))]
    ours = [slipway.binary, "drift", reference, current, "--compat", "evidently", "--json"]
    return _beside("drift_files", plan, ours, theirs, "Evidently", agree)


def evaluate(plan) -> list[dict]:
    path = _write("labelled.csv", _labelled())

    def agree(ours: str, theirs: str) -> None:
        metrics = json.loads(ours)["metrics"]
        for mine, other in zip((metrics["roc_auc"], metrics["f1"]), map(float, theirs.split()[-2:])):
            if abs(mine - other) > 1e-9:
                raise Unavailable(f"{mine}, and by NannyML {other}")

    try:
        theirs = [detect.peers_python(), PEERS / "nannyml_quality.py", path]
    except Unavailable as error:
        return [figures.row("evaluate_file", "NannyML", 1.0, "s", [], [], [], reason=str(error))]
    ours = [slipway.binary, "evaluate", path, "--label", "label", "--score", "score", "--json"]
    return _beside("evaluate_file", plan, ours, theirs, "NannyML", agree)
