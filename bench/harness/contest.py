# SPDX-License-Identifier: Apache-2.0
"""Paired, interleaved windows: ours and its rivals in turn, and the ratio within each round."""
from dataclasses import dataclass, replace
from typing import Callable

from . import figures
from .clients import Window
from .place import Unavailable
from .servers import Server


@dataclass
class Plan:
    """How long the caller is willing to wait."""
    rounds: int
    seconds: int
    starts: int


@dataclass
class Rival:
    make: Callable[[], Server] | None  # None: our own server, asked something else
    name: str
    goal: float | None = None
    client: object = None  # when it needs another request than ours


@dataclass
class _Side:
    name: str
    server: Server | None
    client: object
    windows: list
    cpu_ns: list
    reason: str = ""

    def run(self, seconds: int, keep: bool) -> None:
        if self.reason:
            return
        try:
            before = self.server.cpu_ns()
            window = self.client.window(self.server.port, seconds)
            spent = (self.server.cpu_ns() - before) / window.requests
        except (Unavailable, OSError) as error:
            self.reason = f"{self.name}: {error}"
            figures.say(f"  {self.reason}")
            return
        if keep:
            self.windows.append(window)
            self.cpu_ns.append(spent)


def _start(name: str, make: Callable[[], Server], client) -> _Side:
    try:
        return _Side(name, make().start(), client, [], [])
    except (Unavailable, OSError) as error:
        figures.say(f"  {error}")
        return _Side(name, None, client, [], [], reason=str(error))


def _rate(window: Window) -> float:
    return window.rate


def _p50(window: Window) -> float:
    return window.p50_us


def run(bench: str, plan: Plan, ours: Callable[[], Server], client, rivals: list[Rival],
        latency: bool = False) -> list[dict]:
    """One row a rival. With `latency` the figures are p50 and the ratio is theirs over ours."""
    sides = [_start("slipway", ours, client)]
    try:
        for rival in rivals:
            sides.append(_start(rival.name, rival.make, rival.client or client) if rival.make
                         else replace(sides[0], name=rival.name, client=rival.client,
                                      windows=[], cpu_ns=[]))
        for side in sides:
            side.run(1, keep=False)
        for number in range(plan.rounds):
            for side in sides[::1 if number % 2 == 0 else -1]:
                side.run(plan.seconds, keep=True)
    finally:
        for side in sides:
            if side.server is not None:
                side.server.stop()
    return [_row(bench, sides[0], side, rival.goal, latency)
            for side, rival in zip(sides[1:], rivals)]


def _row(bench: str, ours: _Side, peer: _Side, goal, latency: bool) -> dict:
    read = _p50 if latency else _rate
    mine, theirs = list(map(read, ours.windows)), list(map(read, peer.windows))
    usable = not ours.reason and not peer.reason
    pairs = list(zip(mine, theirs)) if usable else []
    ratios = [b / a if latency else a / b for a, b in pairs]
    more = {"ours_cpu_ns": _middle(ours.cpu_ns), "peer_cpu_ns": _middle(peer.cpu_ns)}
    if latency and usable:
        more["ours_mean_us"] = _middle([1e6 / window.rate for window in ours.windows])
        more["peer_mean_us"] = _middle([1e6 / window.rate for window in peer.windows])
    if not usable:
        more["reason"] = "; ".join(filter(None, (ours.reason, peer.reason)))
    return figures.row(bench, peer.name, goal, "p50 µs" if latency else "req/s",
                       [] if ours.reason else mine, [] if peer.reason else theirs, ratios, **more)


def _middle(values: list[float]):
    return round(sorted(values)[len(values) // 2], 1) if values else None
