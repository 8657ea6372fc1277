# SPDX-License-Identifier: Apache-2.0
"""The benchmarks, their rivals and their goals, in the order in which they run."""
import os
import time
from typing import Callable

from . import contest, data, figures, micro, offline, place
from .clients import GrpcLoad, H2load, Wrk, grpc_show
from .contest import Plan, Rival
from .peers import EpollEcho, FastApi, Fastify, GrpcJs, Nghttp2Echo, Nginx
from .place import BENCH, Unavailable
from .slipway import Slipway

REST_CONNECTIONS = 16
REST_CONNECTIONS_APART = 64  # with fewer, a server on a core of its own waits for wake-ups
GRPC_CONNECTIONS = 16
GRPC_CONNECTIONS_WIDE = 4  # with 32 streams each


class Replies:
    """What the limits repeat: our own replies where we can have them, else some of that shape."""

    def __init__(self):
        self.body = data.rest_reply()
        self.whole = (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                      b"Content-Length: %d\r\n\r\n" % len(self.body)) + self.body
        self.message = data.grpc_reply()
        try:
            server = Slipway("native").start()
        except (Unavailable, OSError):
            return
        try:
            self.whole, self.body = server.middle_reply()
            self.message = data.framed(grpc_show(server.port, data.GRPC_EXACT, 1)[0])
        finally:
            server.stop()


class Suite:
    def __init__(self, plan: Plan):
        self.plan = plan
        self._replies = None

    @property
    def replies(self) -> Replies:
        if self._replies is None:
            self._replies = Replies()
        return self._replies

    # Rivals.

    def nginx(self, goal=None) -> Rival:
        return Rival(lambda: Nginx(self.replies.body), Nginx.name, goal)

    def epoll_echo(self, goal=None) -> Rival:
        return Rival(lambda: EpollEcho(self.replies.whole), EpollEcho.name, goal)

    def nghttp2_echo(self, goal=None) -> Rival:
        return Rival(lambda: Nghttp2Echo(self.replies.message), Nghttp2Echo.name, goal)

    # REST.

    def _rest(self, bench: str, engine: str, rivals: list[Rival], apart=False) -> list[dict]:
        connections = REST_CONNECTIONS_APART if apart else REST_CONNECTIONS
        wrk = Wrk(data.REST_PATH, data.OIP_BODIES, connections, apart)
        return contest.run(bench, self.plan, lambda: Slipway(engine), wrk, rivals)

    def rest_native(self) -> list[dict]:
        return self._rest("rest_native", "native", [self.nginx(1.00), self.epoll_echo(0.90)])

    def rest_ort(self) -> list[dict]:
        return self._rest("rest_ort", "onnxruntime", [self.nginx(0.85), self.epoll_echo()])

    def rest_peers(self) -> list[dict]:
        return self._rest("rest_peers", "native", [Rival(FastApi, FastApi.name, 25.0),
                                                   Rival(Fastify, Fastify.name, 4.0)])

    def rest_peers_apart(self) -> list[dict]:
        """The client on a core of its own: on a shared one its cost hides the faster server's."""
        return self._rest("rest_peers_client_apart", "native",
                          [Rival(FastApi, FastApi.name, 25.0), Rival(Fastify, Fastify.name, 4.0)],
                          apart=True)

    def rest_peers_ort(self) -> list[dict]:
        return self._rest("rest_peers_ort", "onnxruntime", [Rival(Fastify, Fastify.name)])

    def rest_p50(self) -> list[dict]:
        wrk = Wrk(data.REST_PATH, data.OIP_BODIES, 1)
        return contest.run("rest_p50_1_connection", self.plan, lambda: Slipway("native"), wrk,
                           [self.nginx(1.00)], latency=True)

    def records(self) -> list[dict]:
        oip = Wrk(data.REST_PATH, data.OIP_BODIES, REST_CONNECTIONS)
        named = Wrk(data.RECORDS_PATH, data.RECORD_BODIES, REST_CONNECTIONS)
        rival = Rival(None, "OIP JSON of the same rows", 1.00, client=oip)
        return contest.run("records_native", self.plan, lambda: Slipway("native"), named, [rival])

    # gRPC.

    def _grpc(self, bench: str, engine: str, streams: int, rivals: list[Rival],
              client=GrpcLoad) -> list[dict]:
        connections = GRPC_CONNECTIONS if streams == 1 else GRPC_CONNECTIONS_WIDE
        return contest.run(bench, self.plan, lambda: Slipway(engine),
                           client(connections, streams), rivals)

    def grpc_native_1(self) -> list[dict]:
        return self._grpc("grpc_native_1_stream", "native", 1, [self.nghttp2_echo(0.90)])

    def grpc_native_32(self) -> list[dict]:
        return self._grpc("grpc_native_32_streams", "native", 32, [self.nghttp2_echo(0.80)])

    def grpc_ort_1(self) -> list[dict]:
        return self._grpc("grpc_ort_1_stream", "onnxruntime", 1, [self.nghttp2_echo()])

    def grpc_ort_32(self) -> list[dict]:
        return self._grpc("grpc_ort_32_streams", "onnxruntime", 32, [self.nghttp2_echo(0.75)])

    def grpc_peers(self) -> list[dict]:
        return self._grpc("grpc_peers_32_streams", "onnxruntime", 32, [Rival(GrpcJs, GrpcJs.name)])

    def h2load_1(self) -> list[dict]:
        return self._grpc("grpc_native_1_stream_h2load", "native", 1, [self.nghttp2_echo(0.90)],
                          H2load)

    def h2load_32(self) -> list[dict]:
        return self._grpc("grpc_native_32_streams_h2load", "native", 32,
                          [self.nghttp2_echo(0.80)], H2load)

    def h2load_ort_32(self) -> list[dict]:
        return self._grpc("grpc_ort_32_streams_h2load", "onnxruntime", 32,
                          [self.nghttp2_echo(0.75)], H2load)

    # Starting and resting.

    def _first_answers(self, make: Callable, count: int) -> list[float]:
        server = make()
        server.prepare()
        body = data.exact_oip_body(data.exact_rows()[0])
        request = data.FILES / "first.http"
        request.write_text(
            f"POST {data.REST_PATH} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
            f"Content-Type: application/json\r\nConnection: close\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}", encoding="utf-8", newline="")
        program = place.compile_c("first_answer", [BENCH / "clients" / "first_answer.c"], [])
        environment = {**os.environ, **server.environment}
        return [float(place.run(place.pinned([program, server.port, request, 60,
                                              *server.command()]),
                                env=environment, timeout=90)) for _ in range(count)]

    def _start(self, bench: str, limit_ms: float, engine: str, runtime: bool) -> list[dict]:
        rows = []
        try:
            Slipway(engine, runtime).start().stop()  # leaves a folder with a live deployment
            ours = self._first_answers(lambda: Slipway(engine, runtime, keep_data=True),
                                       self.plan.starts)
            rows.append(figures.limit_row(bench, limit_ms, "ms", ours))
        except (Unavailable, OSError) as error:
            ours = []
            figures.say(f"  {error}")
            rows.append(figures.limit_row(bench, limit_ms, "ms", [], reason=str(error)))
        for peer in (Fastify, FastApi):
            rows.append(self._start_row(bench, peer, ours))
        return rows

    def _start_row(self, bench: str, peer, ours: list[float]) -> dict:
        reason = {} if ours else {"reason": "slipway did not start"}
        try:
            theirs = self._first_answers(peer, max(3, self.plan.starts // 4))
        except (Unavailable, OSError) as error:
            theirs, reason = [], {"reason": str(error)}
        ratios = [b / a for a, b in zip(ours, theirs)]
        return figures.row(bench, peer.name, None, "ms", ours, theirs, ratios, **reason)

    def start_bare(self) -> list[dict]:
        return self._start("first_answer_no_runtime", 15, "native", runtime=False)

    def start_ort(self) -> list[dict]:
        return self._start("first_answer_onnxruntime", 60, "onnxruntime", runtime=True)

    def idle_rss(self) -> list[dict]:
        bench, rows, ours = "idle_rss", [], []
        try:
            Slipway("native", runtime=False).start().stop()
            ours = [_idle_mb(lambda: Slipway("native", runtime=False, keep_data=True))]
            rows.append(figures.limit_row(bench, 8, "MB", ours))
        except (Unavailable, OSError) as error:
            figures.say(f"  {error}")
            rows.append(figures.limit_row(bench, 8, "MB", [], reason=str(error)))
        for peer in (self.nginx(), Rival(Fastify, Fastify.name), Rival(FastApi, FastApi.name)):
            reason, theirs = {}, []
            try:
                theirs = [_idle_mb(peer.make)]
            except (Unavailable, OSError) as error:
                reason = {"reason": str(error)}
            rows.append(figures.row(bench, peer.name, None, "MB", ours, theirs,
                                    [b / a for a, b in zip(ours, theirs)], **reason))
        return rows

    # In process.

    def codec(self) -> list[dict]:
        return micro.codec(self.plan)

    def watch(self) -> list[dict]:
        return micro.watch(self.plan)

    # Files.

    def profile_file(self) -> list[dict]:
        return offline.profile(self.plan)

    def drift_files(self) -> list[dict]:
        return offline.drift(self.plan)

    def evaluate_file(self) -> list[dict]:
        return offline.evaluate(self.plan)

    def all(self) -> dict[str, Callable[[], list[dict]]]:
        return {name: getattr(self, name) for name in (
            "rest_native", "rest_ort", "rest_p50", "records", "rest_peers", "rest_peers_apart",
            "rest_peers_ort",
            "grpc_native_1", "grpc_native_32", "grpc_ort_1", "grpc_ort_32", "grpc_peers",
            "h2load_1", "h2load_32", "h2load_ort_32", "start_bare", "start_ort", "idle_rss",
            "codec", "watch", "profile_file", "drift_files",
            "evaluate_file")}


def _idle_mb(make: Callable) -> float:
    """Resident memory two seconds after the server has answered its checks."""
    server = make().start()
    try:
        time.sleep(2)
        return server.rss_mb()
    finally:
        server.stop()
