# SPDX-License-Identifier: Apache-2.0
"""A server under measurement: started pinned, asked until it answers, checked, stopped."""
import http.client
import json
import os
import signal
import socket
import subprocess
import time

from . import data, place
from .place import Unavailable

CHECKED_ROWS = 64
TOLERANCE = 1e-5


class Server:
    """Subclasses give `command()`; those that compute something also say how to check it."""
    name = ""
    start_timeout_s = 60
    environment: dict[str, str] = {}

    def __init__(self):
        self.port = place.free_port()
        self.process = None

    def prepare(self) -> None:
        """Builds or installs what the command needs."""

    def command(self) -> list:
        raise NotImplementedError

    def check(self) -> None:
        """Raises Unavailable unless the answers are right."""

    def start(self) -> "Server":
        self.prepare()
        place.LOGS.mkdir(parents=True, exist_ok=True)
        log = open(self.log_path(), "wb")
        with log:
            self.process = subprocess.Popen(
                place.pinned(self.command()), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, env={**os.environ, **self.environment})
        try:
            self.wait_until_up()
            self.check()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        process, self.process = self.process, None
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # its own session: nobody else is in it
            process.wait()

    def log_path(self):
        return place.LOGS / f"{self.name.replace(' ', '-')}.log"

    def is_up(self) -> bool:
        with socket.create_connection(("127.0.0.1", self.port), 1):
            return True

    def wait_until_up(self) -> None:
        end = time.monotonic() + self.start_timeout_s
        while time.monotonic() < end:
            if self.process.poll() is not None:
                break
            try:
                if self.is_up():
                    return
            except OSError:
                pass
            time.sleep(0.02)
        tail = self.log_path().read_text(errors="replace").strip()[-600:]
        raise Unavailable(f"{self.name} did not come up: {tail or 'it printed nothing'}")

    def processes(self) -> list[int]:
        """The process and its children (nginx works in a child)."""
        pids = [self.process.pid]
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                try:
                    with open(f"/proc/{entry}/stat", encoding="ascii", errors="replace") as file:
                        parent = int(file.read().rpartition(")")[2].split()[1])
                except OSError:
                    continue
                if parent == self.process.pid:
                    pids.append(int(entry))
        return pids

    def cpu_ns(self) -> int:
        """Time on the processor so far, all threads."""
        total = 0
        for pid in self.processes():
            for thread in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="ascii") as file:
                    total += int(file.read().split()[0])
        return total

    def rss_mb(self) -> float:
        total_kb = 0
        for pid in self.processes():
            with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
                total_kb += next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))
        return total_kb / 1024

    def post(self, path: str, body: str) -> tuple[bytes, dict]:
        return self.ask("POST", path, body, {"Content-Type": "application/json"})

    def ask(self, method: str, path: str, body=None, headers=None) -> tuple[bytes, dict]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, body, headers or {})
            reply = connection.getresponse()
            text = reply.read()
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(f"{self.name}: {path}: {error}") from error
        finally:
            connection.close()
        if reply.status != 200:
            raise Unavailable(f"{self.name}: {path} answered {reply.status}: {text[:300]!r}")
        return text, dict(reply.getheaders())


def _compare(name: str, scores: list[float]) -> None:
    for row, (score, right) in enumerate(zip(scores, data.expected(), strict=False)):
        if abs(score - right) > TOLERANCE:
            raise Unavailable(f"{name} answers row {row} with {score}, expected {right}")


def check_rest(server: Server) -> None:
    scores = []
    for row in data.exact_rows()[:CHECKED_ROWS]:
        text, _ = server.post(data.REST_PATH, data.exact_oip_body(row))
        scores.append(json.loads(text)["outputs"][0]["data"][0])
    _compare(server.name, scores)


def check_grpc(server: Server) -> None:
    from .clients import grpc_show
    replies = grpc_show(server.port, data.GRPC_EXACT, CHECKED_ROWS)
    _compare(server.name, [data.grpc_score(reply) for reply in replies])
