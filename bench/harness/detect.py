# SPDX-License-Identifier: Apache-2.0
"""Plays streams into Slipway's monitor and its peers, and says who told what when."""
import json
import shutil
import subprocess
from statistics import median

from . import detect_streams, figures, micro, place
from .place import BENCH, OUT, Unavailable

HOME = OUT / "detect"
PEERS = BENCH / "peers" / "drift"
FALSE_ALARMS_A_MONTH = 1
MINUTES_A_MONTH = 43830


def peers_python():
    """A venv of its own, made once for each state of the pins."""
    venv, pins = HOME / "venv", PEERS / "requirements.txt"
    stamp = venv / "requirements.txt"
    if not stamp.exists() or stamp.read_bytes() != pins.read_bytes():
        shutil.rmtree(venv, ignore_errors=True)
        place.run(["/usr/bin/python3", "-m", "venv", venv])
        place.run([venv / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", "-r",
                   pins], timeout=1800)
        shutil.copy(pins, stamp)
    return venv / "bin" / "python"


def _score(stream, window: int, found: list) -> dict:
    """`found`: for each window the columns named, and whether the whole was."""
    first = next((i for i, w in enumerate(found) if stream.onset is not None
                  and i * window >= stream.onset - window + 1 and
                  set(w["columns"]) & set(stream.columns)), None)
    clean = [w for i, w in enumerate(found)
             if stream.onset is None or (i + 1) * window <= stream.onset]
    return {
        "rows": None if first is None else (first + 1) * window - stream.onset,
        "windows": len(clean),
        "false_alarms": sum(bool(w["columns"]) for w in clean),
        "false_columns": sum(len(set(w["columns"])) for w in clean),
        "false_dataset": sum(w["dataset"] for w in clean),
        "errors": [w["error"] for w in found if w.get("error")][:1],
    }


class Contest:
    def __init__(self, rows_a_minute: int, windows: list[int]):
        self.rows, self.windows, self.trouble = rows_a_minute, windows, []
        self.seen: dict = {}
        self.ns = []
        HOME.mkdir(parents=True, exist_ok=True)
        self.program = micro.with_project("detect")
        self.python = None
        if windows:
            try:
                self.python = peers_python()
            except Unavailable as error:
                self.trouble.append(str(error))
                figures.say(f"Evidently and NannyML are left out: {error}")

    def play(self, stream) -> None:
        figures.say(f"  {stream.name}, {stream.seed}")
        files = {name: HOME / name for name in ("reference.csv", "live.csv", "live.bin")}
        detect_streams.write_csv(files["reference.csv"], stream.reference)
        detect_streams.write_csv(files["live.csv"], stream.live)
        detect_streams.write_binary(files["live.bin"], stream.live)
        self._ours(stream, files)
        for window in self.windows if self.python else []:
            for peer in ("evidently", "nannyml"):
                self._peer(peer, window, stream, files)

    def _keep(self, who: str, stream, score: dict) -> None:
        self.seen.setdefault(who, {}).setdefault(stream.name, []).append(score)

    def _ours(self, stream, files: dict) -> None:
        text = place.run([self.program, files["reference.csv"], files["live.bin"],
                          detect_streams.NUMBERS, detect_streams.WORDS, self.rows,
                          FALSE_ALARMS_A_MONTH])
        *alarms, end = map(json.loads, text.splitlines())
        found = [{"columns": [], "dataset": False} for _ in range(end["looks"])]
        for alarm in alarms:
            found[alarm["look"]]["columns"].append(alarm["column"])
        self.ns.append(end["ns_per_feature_look"])
        self._keep("slipway", stream, _score(stream, self.rows, found))

    def _peer(self, peer: str, window: int, stream, files: dict) -> None:
        try:
            text = place.run([self.python, PEERS / f"{peer}_windows.py", files["reference.csv"],
                              files["live.csv"], window], timeout=1800)
            self._keep(f"{peer}, windows of {window}", stream,
                       _score(stream, window, json.loads(text.splitlines()[-1])))
        except (Unavailable, ValueError, IndexError, subprocess.SubprocessError) as error:
            self.trouble.append(f"{peer}: {error}")
            figures.say(f"  {peer}: {error}")

    def results(self) -> dict:
        sides = {}
        for who, streams in self.seen.items():
            scores = [s for many in streams.values() for s in many]
            windows = sum(s["windows"] for s in scores)
            sides[who] = {
                "faults": {name: self._fault(many) for name, many in streams.items()
                           if name != "null"},
                "clean_windows": windows,
                "false_alarm_windows": sum(s["false_alarms"] for s in scores),
                "false_columns": sum(s["false_columns"] for s in scores),
                "false_dataset_windows": sum(s["false_dataset"] for s in scores),
            }
        return {"rows_a_minute": self.rows, "reference_rows": detect_streams.REFERENCE_ROWS,
                "features": detect_streams.NUMBERS + detect_streams.WORDS,
                "false_alarms_a_month_stated": FALSE_ALARMS_A_MONTH,
                "minutes_a_month": MINUTES_A_MONTH,
                "ns_per_feature_look": median(self.ns) if self.ns else None,
                "trouble": self.trouble, "sides": sides}

    def _fault(self, scores: list) -> dict:
        rows = sorted(s["rows"] for s in scores if s["rows"] is not None)
        return {"streams": len(scores), "seen": len(rows),
                "rows": median(rows) if rows else None,
                "minutes": median(rows) / self.rows if rows else None,
                "errors": [e for s in scores for e in s["errors"]][:1]}


def table(results: dict) -> list[str]:
    """Markdown: rows until the alarm (minutes), and windows with a false one."""
    names = list(detect_streams.FAULTS)
    heads = [*names, "windows with a false alarm", "columns named in them", "dataset called drifted"]
    lines = ["| | " + " | ".join(heads) + " |", "|---" * (len(heads) + 1) + "|"]
    for who, side in results["sides"].items():
        cells = []
        for name in names:
            fault = side["faults"].get(name)
            if not fault or fault["rows"] is None:
                cells.append("–" if not fault else "fails" if fault["errors"] else "never")
            else:
                part = "" if fault["seen"] == fault["streams"] else \
                    f", {fault['seen']} of {fault['streams']}"
                cells.append(f"{fault['rows']:,.0f} ({fault['minutes']:.0f} min{part})")
        clean = side["clean_windows"] or 1
        cells.append(f"{side['false_alarm_windows']} of {side['clean_windows']:,} "
                     f"({100 * side['false_alarm_windows'] / clean:.3g} %)")
        columns = detect_streams.NUMBERS + detect_streams.WORDS
        cells.append(f"{100 * side['false_columns'] / clean / columns:.3g} %")
        cells.append(f"{side['false_dataset_windows']}")
        lines.append(f"| {who} | " + " | ".join(cells) + " |")
    return lines
