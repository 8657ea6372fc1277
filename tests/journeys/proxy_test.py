# SPDX-License-Identifier: Apache-2.0
"""`slipway proxy` in front of model servers: clients notice nothing, the Slipway server sees everything."""

import hashlib
import http.client
import json
import os
import random
import re
import signal
import socket
import ssl
import struct
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import grpc
import pytest
from harness import BIN, MODELS, USAGE, Server, clean_environment, wait_until
from observations_test import row, write_training


class Model(BaseHTTPRequestHandler):
    """A plain JSON model: one row or a list of them, as a web framework would have it."""
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two writes

    def send(self, status, body, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if "Transfer_Encoding" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def body(self):
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def do_POST(self):
        body = self.body()
        self.server.seen.append((self.path, dict(self.headers), body))
        if self.path == "/echo":
            return self.send(200, body, X_Sha=hashlib.sha256(body).hexdigest())
        if self.path == "/fails":
            return self.send(500, b'{"detail": "broken"}', X_Why="because")
        if self.path == "/chunks":
            self.send(200, b"", Transfer_Encoding="chunked", Content_Type="application/json")
            for piece in [b'{"score"', b": 0.", b"75}"]:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                time.sleep(0.02)
            return self.wfile.write(b"0\r\n\r\n")
        asked = json.loads(body)
        rows = asked["customers"] if "customers" in asked else asked
        many = isinstance(rows, list)
        said = [{"score": round(min(1, abs(r["amount"]) / 100), 6)} for r in (rows if many else [rows])]
        answer = {"results": said} if "customers" in asked else said if many else said[0]
        self.send(200, json.dumps(answer).encode(), Content_Type="application/json", X_Request_Id="from-the-model")

    def other(self):
        self.server.seen.append((self.path, dict(self.headers), self.body()))
        self.send(200, b"" if self.command == "HEAD" else self.command.encode(), X_Method=self.command)

    do_GET = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_PURGE = other

    def do_HEAD(self):
        self.send_response(200)
        self.send_header("Content-Length", "12345")
        self.end_headers()

    def log_message(self, *_):
        pass


class Upstream(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, tls=None):
        super().__init__(("127.0.0.1", 0), Model)
        self.seen = []
        self.scheme = "http"
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.socket = context.wrap_socket(self.socket, server_side=True)
            self.scheme = "https"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"{self.scheme}://127.0.0.1:{self.server_address[1]}"


class Proxy:
    def __init__(self, upstream, server_url, *options, model="fraud"):
        self.process = subprocess.Popen(
            [BIN, "proxy", "--upstream", upstream, "--model", model, "--listen", "127.0.0.1:0", "--server", server_url,
             *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=clean_environment())
        line = self.process.stdout.readline()
        assert "http://" in line, line + self.process.stderr.read()
        self.up = line
        self.port = int(re.search(r"http://[^ \"]*:(\d+)", line)[1])

    def stop(self):
        """What it says at its end."""
        self.process.send_signal(signal.SIGTERM)
        out, self.said = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, out + self.said
        return out

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)

    def http(self, method, path, body=None, headers=None):
        connection = self.connect()
        connection.request(method, path, json.dumps(body) if isinstance(body, (dict, list)) else body, headers or {})
        reply = connection.getresponse()
        body = reply.read()
        connection.close()
        return reply, body


@pytest.fixture
def upstream():
    server = Upstream()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def fraud(tmp_path):
    server = Server(tmp_path)
    server.ok("push", "fraud", "--external", "--profile", write_training(tmp_path / "train.csv"), "--prediction", "score",
              "--deploy")
    yield server
    if server.process.poll() is None:
        server.stop()


@pytest.fixture
def started():
    proxies = []

    def start(*arguments, **more):
        proxies.append(Proxy(*arguments, **more))
        return proxies[-1]

    yield start
    for proxy in proxies:
        if proxy.process.poll() is None:
            proxy.process.kill()
            proxy.process.communicate()


def test_json_says_where_it_is_and_what_it_counted(upstream, fraud, started):
    proxy = started(upstream.url, fraud.url, "--json")
    assert json.loads(proxy.up) == {"url": f"http://127.0.0.1:{proxy.port}", "upstream": upstream.url, "model": "fraud",
                                    "server": fraud.url}
    proxy.http("POST", "/predict", [row(random.Random(1)) for _ in range(5)])
    assert json.loads(proxy.stop()) == {"requests": 1, "connections": 1, "sent": 5, "rejected": 0, "unreadable": 0,
                                        "too_large": 0, "compressed": 0, "dropped": 0, "failed": 0}


def rows_watched(server, model="fraud"):
    return server.get(f"/api/v1/models/{model}/watch")["rows"]


def test_predictions_go_by_and_are_watched(upstream, fraud, started):
    proxy = started(upstream.url, fraud.url, "--id-header", "X-Request-Id")
    r = random.Random(1)
    connection = proxy.connect()
    for i in range(200):
        x = {**row(r), "user": "someone"}
        connection.request("POST", "/predict?a=b", json.dumps(x), {"Content-Type": "application/json", "X-Request-Id": f"r{i}"})
        reply = connection.getresponse()
        assert reply.status == 200 and json.loads(reply.read()) == {"score": round(min(1, abs(x["amount"]) / 100), 6)}
        assert reply.headers["X-Request-Id"] == "from-the-model"
    reply, body = proxy.http("POST", "/predict", [row(r) for _ in range(50)])
    assert len(json.loads(body)) == 50
    path, headers, _ = upstream.seen[0]
    assert path == "/predict?a=b" and headers["Host"] == upstream.url[7:]
    wait_until(lambda: rows_watched(fraud) == 250)
    watch = fraud.get("/api/v1/models/fraud/watch")
    assert {f["name"]: f["rows"] for f in watch["features"]} == {"amount": 250, "country": 250, "age": 250}
    traffic = wait_until(lambda: (t := fraud.get("/api/v1/models/fraud")["traffic"])["p50_ms"] and t)
    assert traffic["requests"] == 250
    end = proxy.stop()
    assert "201 requests over 2 connections · 250 observations sent, 0 not taken · 0 requests not observed" in end
    assert proxy.said == ""


def test_pointers_say_where_rows_and_predictions_are(upstream, fraud, started):
    proxy = started(upstream.url + "/", fraud.url, "--path", "/score", "--features", "/customers", "--prediction",
                    "/results/*/score")
    r = random.Random(2)
    proxy.http("POST", "/score", {"customers": [row(r) for _ in range(5)], "more": 1})
    proxy.http("POST", "/other", {"customers": [row(r) for _ in range(9)]})
    wait_until(lambda: rows_watched(fraud) == 5)
    assert "1 " not in proxy.stop().split("not observed")[1].split("unreadable")[0]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE"])
def test_any_method_and_path_pass(upstream, fraud, started, method):
    proxy = started(upstream.url + "/base", fraud.url)
    connection = proxy.connect()
    for _ in range(2):  # the connection stays in step, whatever has a body
        connection.request(method, "/a%20b/../c?x=%00&y", b"some" if method in ("PUT", "PATCH") else None)
        reply = connection.getresponse()
        body = reply.read()
        assert reply.status == 200
        if method == "HEAD":
            assert reply.headers["Content-Length"] == "12345" and body == b""
        else:
            assert body == method.encode() and reply.headers["X-Method"] == method
            assert upstream.seen[-1][0] == "/base/a%20b/../c?x=%00&y"


def test_large_and_chunked_bodies_pass_byte_for_byte(upstream, fraud, started):
    proxy = started(upstream.url, fraud.url)
    body = os.urandom(24 << 20)
    reply, got = proxy.http("POST", "/echo", body)
    assert got == body and reply.headers["X-Sha"] == hashlib.sha256(body).hexdigest()
    reply, got = proxy.http("POST", "/echo", iter([b"a" * 1000, b"b" * 100000, b"c"]))
    assert got == b"a" * 1000 + b"b" * 100000 + b"c"
    reply, got = proxy.http("POST", "/chunks", row(random.Random(3)))
    assert got == b'{"score": 0.75}' and reply.headers["Transfer-Encoding"] == "chunked"
    wait_until(lambda: rows_watched(fraud) == 1)
    end = proxy.stop()
    assert "1 too large" in end and "1 unreadable" in end


def test_errors_of_the_upstream_pass_unchanged(upstream, fraud, started):
    proxy = started(upstream.url, fraud.url)
    reply, body = proxy.http("POST", "/fails", row(random.Random(4)))
    assert reply.status == 500 and body == b'{"detail": "broken"}' and reply.headers["X-Why"] == "because"
    assert "1 failed" in proxy.stop()
    assert rows_watched(fraud) == 0


def test_pipelined_requests_keep_their_order(upstream, fraud, started):
    proxy = started(upstream.url, fraud.url)
    bodies = [json.dumps({"amount": i, "country": "DE", "age": 1}).encode() for i in range(20)]
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=20) as s:
        s.sendall(b"".join(b"POST /p HTTP/1.1\r\nHost: me\r\nContent-Length: %d\r\n\r\n%s" % (len(b), b) for b in bodies))
        got = b""
        while got.count(b'"score"') < 20:
            piece = s.recv(65536)
            assert piece, got
            got += piece
    scores = [float(x.split(b"}")[0]) for x in got.split(b'"score": ')[1:]]
    assert scores == [i / 100 for i in range(20)]
    wait_until(lambda: rows_watched(fraud) == 20)


def test_no_upstream_is_a_502_and_no_slipway_is_nothing(upstream, fraud, started, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{free.getsockname()[1]}"
    proxy = started(nowhere, fraud.url)
    reply, body = proxy.http("POST", "/predict", row(random.Random(5)))
    assert reply.status == 502 and "cannot be reached" in json.loads(body)["error"]
    away = started(upstream.url, nowhere, "--queue", "1")
    r = random.Random(6)
    connection = away.connect()
    for _ in range(2000):
        connection.request("POST", "/predict", json.dumps(row(r)))
        assert connection.getresponse().read().startswith(b'{"score"')
    end = away.stop()
    assert "0 observations sent" in end and "cannot be sent now" in away.said
    assert int(end.split(" dropped")[0].rsplit(" ", 1)[1].strip("(")) >= 1


def test_killing_the_slipway_server_is_felt_by_nobody(upstream, fraud, started):
    proxy = started(upstream.url, fraud.url)
    stop, wrong, asked, slow = threading.Event(), [], [0], [0.0]

    def client(seed):
        r = random.Random(seed)
        connection = proxy.connect()
        while not stop.is_set():
            began = time.monotonic()
            connection.request("POST", "/predict", json.dumps(row(r)))
            reply = connection.getresponse()
            body = reply.read()
            slow[0] = max(slow[0], time.monotonic() - began)
            asked[0] += 1
            if reply.status != 200 or b"score" not in body:
                wrong.append((reply.status, body))

    clients = [threading.Thread(target=client, args=(i,)) for i in range(4)]
    for c in clients:
        c.start()
    time.sleep(1)
    fraud.kill()
    time.sleep(2)
    fraud.start()
    time.sleep(1)
    stop.set()
    for c in clients:
        c.join()
    print(f"{asked[0]} requests, the slowest took {slow[0] * 1000:.0f} ms")
    assert not wrong and asked[0] > 100 and slow[0] < 5
    end = proxy.stop()
    sent = int(end.split(" observations sent")[0].rsplit("· ", 1)[1])
    # What the server had taken and not answered when it died was sent again: no fewer, hardly more.
    assert asked[0] * 0.99 <= sent <= asked[0] + 5000 and "0 dropped" in end, end


def test_open_inference_protocol_json_and_binary(tmp_path, started):
    server = Server(tmp_path)
    try:
        server.ok("push", "plain", MODELS / "logreg30.onnx", "--deploy")
        signature = server.get("/api/v1/models/plain/versions/1")["signature"]
        (tmp_path / "s.json").write_text(json.dumps(signature))
        server.ok("push", "shadowed", "--external", "--signature", tmp_path / "s.json", "--deploy")
        proxy = started(server.url, server.url, "--path", "/v2/models/plain/infer", model="shadowed")
        values = [float(i) for i in range(60)]
        body = {"id": "t-1", "inputs": [{"name": signature["inputs"][0]["name"], "shape": [2, 30], "datatype": "FP32",
                                         "data": values}]}
        direct = server.http("POST", "/v2/models/plain/infer", body).json
        reply, got = proxy.http("POST", "/v2/models/plain/infer", body)
        assert json.loads(got) == direct
        raw = struct.pack("<60f", *values)
        head = dict(body, parameters={"binary_data_output": True})
        head["inputs"] = [{k: v for k, v in body["inputs"][0].items() if k != "data"}]
        head["inputs"][0]["parameters"] = {"binary_data_size": len(raw)}
        head = json.dumps(head).encode()
        reply, got = proxy.http("POST", "/v2/models/plain/infer", head + raw,
                                {"Inference-Header-Content-Length": str(len(head))})
        assert reply.status == 200 and "Inference-Header-Content-Length" in reply.headers
        wait_until(lambda: rows_watched(server, "shadowed") == 4)
        with grpc.insecure_channel(f"127.0.0.1:{proxy.port}") as channel:  # HTTP/2 passes, unobserved
            answer = channel.unary_unary("/inference.GRPCInferenceService/ServerLive")(b"", timeout=10)
            assert answer == b"\x08\x01"
        assert "4 observations sent, 0 not taken" in proxy.stop()
    finally:
        server.stop()


def make_certificate(folder):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", folder / "k.pem", "-out",
                    folder / "c.pem", "-days", "2", "-subj", "/CN=model", "-addext", "subjectAltName=IP:127.0.0.1"],
                   check=True, capture_output=True)
    return folder / "c.pem", folder / "k.pem"


def test_an_upstream_behind_tls(fraud, started, tmp_path):
    tls = make_certificate(tmp_path)
    upstream = Upstream(tls)
    trusting = started(upstream.url, fraud.url, "--upstream-ca", str(tls[0]))
    r = random.Random(7)
    connection = trusting.connect()
    for _ in range(30):
        connection.request("POST", "/predict", json.dumps(row(r)))
        assert connection.getresponse().read().startswith(b'{"score"')
    body = os.urandom(3 << 20)
    assert trusting.http("POST", "/echo", body)[1] == body
    wait_until(lambda: rows_watched(fraud) == 30)
    wary = started(upstream.url, fraud.url)
    reply, body = wary.http("POST", "/predict", row(r))
    assert reply.status == 502 and "not to be trusted" in json.loads(body)["error"]
    upstream.shutdown()


def test_a_stop_lets_what_is_in_hand_finish(fraud, started):
    release = threading.Event()

    class Slow(Model):
        def do_POST(self):
            self.body()
            release.wait(10)
            self.send(200, b'{"score": 0.5}')

    upstream = ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    upstream.daemon_threads = True
    threading.Thread(target=upstream.serve_forever, daemon=True).start()
    proxy = started(f"http://127.0.0.1:{upstream.server_address[1]}", fraud.url)
    got = []
    caller = threading.Thread(target=lambda: got.append(proxy.http("POST", "/predict", row(random.Random(8)))[1]))
    caller.start()
    time.sleep(0.5)
    proxy.process.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", proxy.port), timeout=2).close()
    release.set()
    caller.join()
    out, _ = proxy.process.communicate(timeout=20)
    assert got == [b'{"score": 0.5}'] and "1 observations sent" in out
    upstream.shutdown()


@pytest.mark.parametrize("arguments,word", [
    (["--model", "fraud"], "--upstream"), (["--upstream", "http://x"], "--model"),
    (["--upstream", "ftp://x", "--model", "m"], "http://HOST"), (["--upstream", "http://u:p@x", "--model", "m"], "http://HOST"),
    (["--upstream", "http://x", "--model", "a/b"], "name"), (["--upstream", "http://x", "--model", "m", "--features", "rows"], "'/'"),
    (["--upstream", "http://x", "--model", "m", "--listen", "nine"], "ADDRESS:PORT"),
    (["--upstream", "http://x", "--model", "m", "--path", "p"], "'/'"),
])
def test_what_is_wrong_with_the_command_is_said(arguments, word):
    done = subprocess.run([BIN, "proxy", *arguments], capture_output=True, text=True, timeout=20, env=clean_environment())
    assert done.returncode == USAGE and word in done.stderr, done
