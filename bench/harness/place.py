# SPDX-License-Identifier: Apache-2.0
"""Where things lie, what runs on which core, and the one exception of the harness."""
import os
import socket
import subprocess
from pathlib import Path

BENCH = Path(__file__).resolve().parent.parent
ROOT = BENCH.parent
OUT = ROOT / "build" / "bench"
BIN = OUT / "bin"
LOGS = OUT / "logs"

#: The one core that a server and its client share; set by bench/run.
core = 0


class Unavailable(Exception):
    """Something could not be built, started or trusted; the text says why and what to do."""


def pinned(command: list, apart: bool = False) -> list[str]:
    """The command on the measured core, or `apart` from it on another one."""
    others = os.sched_getaffinity(0) - {core}
    if apart and not others:
        raise Unavailable("a client apart from its server needs a second core")
    return ["taskset", "-c", str(min(others) if apart else core), *map(str, command)]


def keep_off_the_core() -> None:
    """The harness itself stays off the measured core, where there is another one."""
    others = os.sched_getaffinity(0) - {core}
    if others:
        os.sched_setaffinity(0, others)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run(command: list, timeout: float = 600, **options) -> str:
    """Standard output of a command that must succeed within its time."""
    words = [str(word) for word in command]
    try:
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, **options)
    except OSError as error:
        raise Unavailable(f"{words[0]}: {error}") from error
    try:
        out, errors = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired as error:
        note = _note_sockets()
        raise Unavailable(f"`{' '.join(words[:6])}` did not end in {timeout} s{note}") from error
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
    if process.returncode != 0:
        tail = (errors or out).strip()[-800:]
        raise Unavailable(f"`{' '.join(words[:6])}` ended with {process.returncode}: {tail}")
    return out


def _note_sockets() -> str:
    """Who waits for whom, kept before the stuck client is stopped."""
    try:
        seen = subprocess.run(["ss", "-tnopi"], capture_output=True, timeout=10, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""
    LOGS.mkdir(parents=True, exist_ok=True)
    (LOGS / "stuck-sockets.txt").write_bytes(seen)
    return "; its sockets at that moment are in build/bench/logs/stuck-sockets.txt"


def compile_c(name: str, sources: list, flags: list) -> Path:
    """A C program of ours in build/bench/bin, rebuilt when a source or header is newer."""
    target = BIN / name
    watched = [*sources, *BENCH.rglob("*.h")]
    if target.exists() and all(target.stat().st_mtime > Path(s).stat().st_mtime for s in watched):
        return target
    BIN.mkdir(parents=True, exist_ok=True)
    compiler = os.environ.get("CC", "gcc")
    run([compiler, "-std=c17", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra",
         "-o", target, *sources, *flags])
    return target
