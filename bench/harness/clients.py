# SPDX-License-Identifier: Apache-2.0
"""The load clients, each one window at a time on the server's core."""
import json
import os
import re
import shutil
from dataclasses import dataclass

from . import data, place
from .place import BENCH, Unavailable


@dataclass
class Window:
    """What one client saw in one window."""
    rate: float  # requests a second
    p50_us: float
    p99_us: float
    requests: int


def _window(seen: dict) -> Window:
    failed = seen["failed"] + seen.get("failed_in_warmup", 0)
    if failed or not seen["requests"]:
        raise Unavailable(f"{failed} of {seen['requests']} requests failed under load")
    return Window(seen["requests"] / seen["seconds"], seen["p50_us"], seen["p99_us"],
                  seen["requests"])


def _need(program: str, package: str) -> str:
    path = shutil.which(program)
    if path is None:
        raise Unavailable(f"{program} is not installed: apt-get install {package}")
    return path


class Wrk:
    """wrk with a script that rotates over the bodies; `apart` gives it a core of its own."""

    def __init__(self, path: str, bodies, connections: int, apart: bool = False):
        self.path, self.bodies, self.connections = path, bodies, connections
        self.apart = apart

    def window(self, port: int, seconds: int) -> Window:
        text = place.run(
            place.pinned([_need("wrk", "wrk"), "-t1", f"-c{self.connections}", f"-d{seconds}s",
                          "-s", BENCH / "clients" / "rotate.lua", f"http://127.0.0.1:{port}"],
                         apart=self.apart),
            env={**os.environ, "BENCH_BODIES": str(self.bodies), "BENCH_PATH": self.path},
            timeout=seconds + 30)
        return _window(json.loads(text.strip().splitlines()[-1]))


def _grpc_load():
    return place.compile_c("grpc_load", [BENCH / "clients" / "grpc_load.c"], ["-lnghttp2"])


class GrpcLoad:
    """Our own client, because h2load sends one body for ever."""
    warmup_s = 0

    def __init__(self, connections: int, streams: int):
        self.connections, self.streams = connections, streams

    def window(self, port: int, seconds: int) -> Window:
        return _window(json.loads(place.run(
            place.pinned([_grpc_load(), port, data.GRPC_PATH, data.GRPC_MESSAGES,
                          self.connections, self.streams, self.warmup_s, seconds]),
            timeout=seconds + 30)))


def grpc_show(port: int, messages, count: int) -> list[bytes]:
    """Replies to the first `count` messages, one call after the other."""
    text = place.run([_grpc_load(), port, data.GRPC_PATH, messages, "--show", count], timeout=60)
    return [bytes.fromhex(line) for line in text.split()]


class H2load:
    """The well-known client as a cross-check. One body a run, so each window takes another row."""

    def __init__(self, connections: int, streams: int):
        self.connections, self.streams = connections, streams
        self.runs: dict[int, int] = {}

    def window(self, port: int, seconds: int) -> Window:
        row = self.runs.get(port, 0)
        self.runs[port] = row + 1
        text = place.run(
            place.pinned([_need("h2load", "nghttp2-client"), "-t1", f"-c{self.connections}",
                          f"-m{self.streams}", f"--duration={seconds}", "-d",
                          data.one_message(row), "-H", "te: trailers", "-H",
                          "content-type: application/grpc",
                          f"http://127.0.0.1:{port}{data.GRPC_PATH}"]), timeout=seconds + 30)
        took = re.search(r"finished in ([\d.]+)s", text)
        seen = re.search(r"(\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout", text)
        if took is None or seen is None:
            raise Unavailable(f"h2load printed something else: {text[-300:]}")
        good, *bad = map(int, seen.groups())
        return _window({"requests": good, "failed": sum(bad), "seconds": float(took.group(1)),
                        "p50_us": 0.0, "p99_us": 0.0})
