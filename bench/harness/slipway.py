# SPDX-License-Identifier: Apache-2.0
"""Our side: the release binary with the 30-feature model pushed, profiled and deployed."""
import json
import os
import shutil
import socket
import time

from . import data, place
from .place import OUT, ROOT, Unavailable
from .servers import CHECKED_ROWS, TOLERANCE, Server, check_grpc, check_rest

#: The binary to measure; bench/run --slipway changes it.
binary = ROOT / "build" / "release" / "slipway"


class Slipway(Server):
    """`engine` is native or onnxruntime; without `runtime` the library is not even loaded."""
    name = "slipway"

    def __init__(self, engine: str, runtime: bool = True, keep_data: bool = False):
        super().__init__()
        self.engine = engine
        self.keep_data = keep_data
        self.folder = OUT / f"slipway-{engine}{'' if runtime else '-bare'}"
        self.environment = {} if runtime else {"SLIPWAY_ORT": "none"}

    def prepare(self) -> None:
        if not os.access(binary, os.X_OK):
            shown = binary.relative_to(ROOT) if binary.is_relative_to(ROOT) else binary
            raise Unavailable(f"{shown} is not built: make build")
        if not self.keep_data:
            shutil.rmtree(self.folder, ignore_errors=True)

    def command(self) -> list:
        return [binary, "serve", "--data", self.folder, "--listen", f"127.0.0.1:{self.port}"]

    def is_up(self) -> bool:
        with socket.create_connection(("127.0.0.1", self.port), 1) as up:
            up.sendall(b"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            return up.recv(64).startswith(b"HTTP/1.1 200")

    def cli(self, *words) -> str:
        return place.run([binary, *words], timeout=60, env={
            **os.environ, "SLIPWAY_URL": f"http://127.0.0.1:{self.port}"})

    def check(self) -> None:
        if not self.keep_data:
            self.cli("push", "logreg30", data.MODEL, "--profile", data.PROFILE)
            self.cli("deploy", "logreg30@1", "--engine", self.engine)
        self.check_engine()
        check_rest(self)
        check_grpc(self)
        self.check_records()
        if not self.keep_data:
            self.check_watching()

    def get(self, path: str) -> dict:
        return json.loads(self.ask("GET", path)[0])

    def check_engine(self) -> None:
        """A figure for the wrong engine would be worse than none."""
        live = self.get("/api/v1/models/logreg30")["deployment"]
        if live["engine"] != self.engine:
            raise Unavailable(f"slipway serves with {live['engine']} instead of {self.engine}")

    def check_watching(self) -> None:
        """Counts are merged once a second, so they may take a moment to show."""
        for _ in range(50):
            seen = self.get("/api/v1/models/logreg30/watch")
            if seen["rows"] >= CHECKED_ROWS and len(seen["features"]) == data.FEATURES:
                return
            time.sleep(0.1)
        raise Unavailable("slipway does not watch: its rows and features do not show up")

    def check_records(self) -> None:
        row = data.exact_rows()[0]
        text, _ = self.post(data.RECORDS_PATH, data.record_body([repr(value) for value in row]))
        score = json.loads(text)["prediction"]["Y"]
        score = score[0] if isinstance(score, list) else score
        if abs(score - data.expected()[0]) > TOLERANCE:
            raise Unavailable(f"slipway answers a record with {text[:200]!r}")

    def middle_reply(self) -> tuple[bytes, bytes]:
        """(the whole reply, its body) of median length, for the limits to repeat."""
        replies = [self._raw_reply(row) for row in data.exact_rows()[:65]]
        whole = sorted(replies, key=len)[len(replies) // 2]
        return whole, whole.partition(b"\r\n\r\n")[2]

    def _raw_reply(self, row: list[float]) -> bytes:
        body = data.exact_oip_body(row)
        head = (f"POST {data.REST_PATH} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n")
        with socket.create_connection(("127.0.0.1", self.port), 5) as connection:
            connection.sendall((head + body).encode())
            return _whole_reply(connection)


def _whole_reply(connection: socket.socket) -> bytes:
    got = b""
    while True:
        part = connection.recv(65536)
        if not part:
            raise Unavailable("slipway closed a keep-alive connection after one request")
        got += part
        head, found, body = got.partition(b"\r\n\r\n")
        if not found:
            continue
        sizes = [line.split(b":")[1] for line in head.lower().split(b"\r\n")
                 if line.startswith(b"content-length:")]
        if sizes and len(body) >= int(sizes[0]):
            return got
