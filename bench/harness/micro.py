# SPDX-License-Identifier: Apache-2.0
"""In-process benchmarks: the request codec and the watch, linked against the release's objects."""
import os

from . import data, figures, place, slipway
from .place import BENCH, BIN, ROOT, Unavailable

MICRO = BENCH / "micro"
INPUTS = BENCH / "data" / "logreg30.in.f32"
OUTPUTS = BENCH / "data" / "logreg30.out.f32"
#: The limit was set where simdjson took 312 ns; this is the same limit on a machine of any speed.
SIMDJSON_GOAL = 0.89
LIBRARIES = ["libuv", "libnghttp2", "openssl", "sqlite3", "jansson", "libprotobuf-c"]


def with_project(name: str):
    """bench/micro/NAME.c with the static libraries that the measured binary was made of."""
    archives = sorted(slipway.binary.parent.rglob("lib*.a"))
    if not archives:
        raise Unavailable("the project's libraries are not built: make build")
    BIN.mkdir(parents=True, exist_ok=True)
    target = BIN / f"micro_{name}"
    flags = place.run(["pkg-config", "--libs", *LIBRARIES]).split()
    place.run([os.environ.get("CC", "gcc"), "-std=c17", "-D_GNU_SOURCE", "-O2", "-I", ROOT / "src",
               "-o", target, MICRO / f"{name}.c", "-Wl,--start-group", *archives,
               "-Wl,--end-group", *flags, "-lm", "-ldl", "-lpthread"])
    return target


def _jansson():
    return place.compile_c("jansson_codec", [MICRO / "jansson_codec.c"], ["-ljansson"])


def _simdjson():
    target = BIN / "simdjson_codec"
    BIN.mkdir(parents=True, exist_ok=True)
    place.run(["g++", "-std=c++17", "-O2", "-march=native", "-o", target,
               MICRO / "simdjson_codec.cpp", "-lsimdjson"])
    return target


def _command(build, *arguments):
    """(command, "") or (None, why not)."""
    try:
        return [build(), *arguments], ""
    except Unavailable as error:
        figures.say(f"  {error}")
        return None, str(error)


def _interleaved(plan, commands: dict, items: int) -> dict[str, list[float]]:
    """Nanoseconds an item of each program, run in turn as the windows of the servers are."""
    seen = {name: [] for name in commands}
    for number in range(plan.rounds):
        names = list(commands)[::1 if number % 2 == 0 else -1]
        for name in names:
            if commands[name][0] is not None:
                text = place.run(place.pinned([*commands[name][0], min(plan.seconds, 1)]))
                seen[name].append(float(text) / items)
    return seen


def _rows(bench: str, plan, limit_ns: float | None, commands: dict, items: int = 1) -> list[dict]:
    """`items` are what one call of the program works on."""
    seen = _interleaved(plan, commands, items)
    ours, reason = seen.pop("ours"), commands["ours"][1]
    rows = []
    if limit_ns is not None:
        rows.append(figures.limit_row(bench, limit_ns, "ns", ours,
                                      **({"reason": reason} if reason else {})))
    for name, theirs in seen.items():
        why = reason or commands[name][1]
        goal = SIMDJSON_GOAL if name.startswith("simdjson") else None
        rows.append(figures.row(bench, name, goal, "ns", ours, theirs,
                                [b / a for a, b in zip(ours, theirs)],
                                **({"reason": why} if why else {})))
    return rows


def codec(plan) -> list[dict]:
    """From the 280 bytes of an Open Inference request to a typed tensor, and a reply's way back."""
    files = (data.OIP_BODIES, OUTPUTS)
    return _rows("codec_read_oip", plan, 350, {
        "ours": _command(lambda: with_project("codec"), "read", *files),
        "simdjson on demand": _command(_simdjson, data.OIP_BODIES),
        "jansson": _command(_jansson, "read", *files),
    }) + _rows("codec_write_oip", plan, None, {
        "ours": _command(lambda: with_project("codec"), "write", *files),
        "jansson": _command(_jansson, "write", *files)})


def watch(plan) -> list[dict]:
    """A row of 30 features, alone in its call and among 32 as a batch brings them."""
    rows = []
    for rows_a_call in (1, 32):
        commands = {"ours": _command(lambda: with_project("watch"), data.PROFILE,
                                     INPUTS, OUTPUTS, rows_a_call)}
        rows += _rows(f"watch_row_of_{rows_a_call}", plan, 300, commands, rows_a_call)
    return rows
