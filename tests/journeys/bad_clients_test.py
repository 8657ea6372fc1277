# SPDX-License-Identifier: Apache-2.0
"""Clients that break the rules get an answer or a closed door, and everybody else goes on."""

import json
import os
import socket
import struct
import time

import pytest
from harness import EXAMPLE, MODELS

BODY = json.dumps({"inputs": [{"name": "X", "shape": [1, 30], "datatype": "FP32", "data": [0.5] * 30}]}).encode()
HEAD = b"POST /v2/models/plain/infer HTTP/1.1\r\nHost: localhost\r\n"
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def connect(live, timeout=15):
    s = socket.create_connection(("127.0.0.1", live.port))
    s.settimeout(timeout)
    return s


def read_all(s):
    got = b""
    try:
        while piece := s.recv(65536):
            got += piece
    except (ConnectionResetError, socket.timeout):
        pass
    return got


@pytest.fixture(autouse=True)
def goes_on(live):
    yield
    assert live.http("POST", "/v2/models/plain/infer", BODY).status == 200


SMUGGLING = {
    "length and chunks": b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde",
    "a length with a plus": b"Content-Length: +4\r\n\r\nabcd",
    "a length with a space": b"Content-Length : 4\r\n\r\nabcd",
    "chunks twice": b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "an unknown coding": b"Transfer-Encoding: gzip\r\n\r\n",
    "a coding after chunked": b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "a folded header": b"X-A: b\r\n c: d\r\nContent-Length: 0\r\n\r\n",
    "a bare line feed": b"X-A: b\nContent-Length: 0\r\n\r\n",
    "a NUL": b"X-A: b\0c\r\nContent-Length: 0\r\n\r\n",
    "two hosts": b"Host: other\r\nContent-Length: 0\r\n\r\n",
    "a bad chunk size": b"Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
    "a huge chunk size": b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
}


@pytest.mark.parametrize("case", SMUGGLING)
def test_refuses_what_two_parsers_may_read_two_ways(live, case):
    with connect(live) as s:
        s.sendall(HEAD + SMUGGLING[case] + b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        s.shutdown(socket.SHUT_WR)
        got = read_all(s)
        assert got.startswith(b"HTTP/1.1 4") or got.startswith(b"HTTP/1.1 501"), got[:200]
        assert b"200 OK" not in got and got.count(b"HTTP/1.1") == 1, got


def test_refuses_a_request_without_a_host(live):
    with connect(live) as s:
        s.sendall(b"GET /healthz HTTP/1.1\r\n\r\n")
        assert s.recv(4096).startswith(b"HTTP/1.1 400")


def test_answers_an_h2c_upgrade_in_http_1(live):
    with connect(live) as s:
        s.sendall(HEAD + b"Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"
                  b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY)
        assert s.recv(65536).startswith(b"HTTP/1.1 200")


def test_bounds_headers_and_targets(live):
    for request, status in ((b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 100000 + b"\r\n\r\n", b"431"),
                            (b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", b"414"),
                            (b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + b"X: a\r\n" * 5000 + b"\r\n", b"431")):
        with connect(live) as s:
            try:
                s.sendall(request)
            except OSError:
                pass
            got = read_all(s)
            assert got.startswith(b"HTTP/1.1 " + status) or got == b"", got[:100]


def test_refuses_a_body_that_is_announced_too_large(live):
    with connect(live) as s:
        s.sendall(HEAD + b"Content-Length: 4294967296\r\n\r\n")
        assert s.recv(4096).startswith(b"HTTP/1.1 413")


def test_answers_a_client_that_sends_a_byte_at_a_time(live):
    with connect(live) as s:
        request = HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
        for at in range(len(request)):
            s.sendall(request[at:at + 1])
        assert s.recv(65536).startswith(b"HTTP/1.1 200")


def test_answers_a_client_that_has_closed_its_sending_side(live):
    with connect(live) as s:
        s.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY)
        s.shutdown(socket.SHUT_WR)
        assert read_all(s).startswith(b"HTTP/1.1 200")


def test_bears_clients_that_leave_in_the_middle(live):
    for cut in (1, 20, len(HEAD), len(HEAD) + 30):
        for _ in range(20):
            with connect(live) as s:
                s.sendall((HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY)[:cut])
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def test_bounds_what_a_client_that_never_reads_can_hold(live):
    before = live.rss_kib()
    one = HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY
    with connect(live) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.setblocking(False)
        sent, end = 0, time.monotonic() + 3
        while time.monotonic() < end and sent < 256 << 20:
            try:
                sent += s.send(one * 50)
            except BlockingIOError:
                time.sleep(0.01)
        assert live.rss_kib() - before < 32 * 1024


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def flood(live, pieces, seconds=5):
    """Sends until the server closes the door; returns what it said."""
    with connect(live, timeout=5) as s:
        s.sendall(PREFACE + frame(4, 0, 0))
        end = time.monotonic() + seconds
        try:
            while time.monotonic() < end:
                s.sendall(pieces() if callable(pieces) else pieces)
        except OSError:
            return True
        return False


def test_closes_the_door_on_http_2_floods(live):
    headers = bytes.fromhex("828684") + b"\x41\x09localhost"
    at = [1]

    def resets():
        out = b""
        for _ in range(200):
            out += frame(1, 5, at[0], headers) + frame(3, 0, at[0], struct.pack(">I", 8))
            at[0] += 2
        return out

    assert flood(live, resets)
    assert flood(live, frame(4, 0, 0) * 500)
    assert flood(live, frame(6, 0, 0, b"12345678") * 500)
    first = [True]

    def continuations():
        begin = frame(1, 0, 1, headers) if first[0] else b""
        first[0] = False
        return begin + frame(9, 0, 1, b"\x40\x01a\x01b" * 1000) * 20

    assert flood(live, continuations)
    assert flood(live, frame(0, 0, 1, b"x" * 16000))


def test_refuses_files_that_are_no_models(live):
    good = (EXAMPLE / "linear.onnx").read_bytes()
    for bad in (b"", b"hello", good[:100], good[:-7], os.urandom(5000), b"\x0a\xff\xff\xff\xff\x0f" + good,
                b"\x3a\xff\xff\xff\xff\x0f" + b"x" * 100):
        sha = live.http("POST", "/api/v1/blobs", bad).json["sha256"]
        reply = live.http("POST", "/api/v1/models/bad/versions", {"artifact": sha})
        assert reply.status in (400, 422, 501), (bad[:20], reply.status, reply.body)
        assert len(reply.error) > 20
    assert live.http("GET", "/api/v1/models/bad").status == 404
    assert live.http("POST", "/api/v1/models/bad/versions", {"artifact": "0" * 64}).status == 404


def test_says_which_methods_a_path_knows(live):
    reply = live.http("DELETE", "/api/v1/status")
    assert reply.status == 405 and "GET" in reply.headers["Allow"]
    for method in ("GET", "POST", "DELETE"):
        reply = live.http(method, "/nothing/here")
        assert reply.status == 404 and "nothing at /nothing/here" in reply.error
    reply = live.http("POST", "/v2/models/plain/infer/", BODY)
    assert reply.status == 404 and "GET" not in reply.error
    reply = live.http("GET", "/models/plain/predict")
    assert reply.status == 405 and reply.headers["Allow"] == "POST"


def test_holds_two_thousand_idle_connections(live):
    before = live.rss_kib()
    held = []
    try:
        for _ in range(2000):
            held.append(connect(live))
        assert live.http("POST", "/v2/models/plain/infer", BODY).status == 200
        assert live.rss_kib() - before < 16 * 1024
    finally:
        for s in held:
            s.close()


def test_refuses_names_that_are_no_names(live):
    sha = live.http("POST", "/api/v1/blobs", (MODELS / "logreg30.onnx").read_bytes()).json["sha256"]
    for name in ("..", "a%2Fb", "%00", "a" * 129, ".hidden", "-x", "a%20b"):
        reply = live.http("POST", f"/api/v1/models/{name}/versions", {"artifact": sha})
        assert reply.status in (400, 404), (name, reply.status, reply.body)
