# SPDX-License-Identifier: Apache-2.0
"""Versions are swapped under load: nothing fails, and memory comes back."""

import http.client
import itertools
import json
import threading
import time

import pytest
from harness import EXAMPLE, MODELS, wait_until


class Load:
    """Keeps asking over persistent connections; counts answers and failures."""

    def __init__(self, server, path, bodies, threads=4):
        self.stopping = threading.Event()
        self.answers = self.failures = 0
        self.first_failure = None
        self.threads = [threading.Thread(target=self.ask, args=(server, path, bodies, i)) for i in range(threads)]
        for thread in self.threads:
            thread.start()

    def ask(self, server, path, bodies, at):
        answers = failures = 0
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        while not self.stopping.is_set():
            at += 1
            try:
                connection.request("POST", path, bodies[at % len(bodies)])
                reply = connection.getresponse()
                said = reply.read()
                good = reply.status == 200
            except OSError as broken:
                good, said = False, repr(broken)
                connection.close()
            answers += good
            failures += not good
            if not good:
                self.first_failure = self.first_failure or said
        connection.close()
        self.answers += answers
        self.failures += failures

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join()
        assert self.failures == 0, (self.failures, self.first_failure)
        assert self.answers > 0


def bodies(name, rows=64):
    return [json.dumps({"inputs": [{"name": name, "shape": [1, 30], "datatype": "FP32",
                                    "data": [(i * 7 + k) % 13 / 13 for k in range(30)]}]}) for i in range(rows)]


def input_name(server, model):
    return server.get(f"/v2/models/{model}")["inputs"][0]["name"]


@pytest.mark.slow
def test_two_hundred_swaps_fail_nothing_and_leave_memory_flat(server):
    for file in ("linear.onnx", "linear-strict.onnx"):
        server.ok("push", "cells", EXAMPLE / file, "--profile", EXAMPLE / "train.csv")
    server.ok("deploy", "cells@1")
    load = Load(server, "/v2/models/cells/infer", bodies(input_name(server, "cells")))

    def cycle():
        deployed = server.http("POST", "/api/v1/models/cells/deployments", {"version": "2"})
        assert deployed.status == 200, deployed.body
        rolled = server.http("POST", "/api/v1/models/cells/rollback")
        assert rolled.status == 200 and rolled.json["version"] == 1, rolled.body

    for _ in range(40):
        cycle()
    before = server.rss_kib()
    for _ in range(160):
        cycle()
    after = server.rss_kib()
    load.stop()
    assert after < before * 1.25 + 2048, (before, after)


@pytest.mark.concurrent
def test_a_version_that_cannot_serve_never_becomes_live(server):
    server.ok("push", "cells", EXAMPLE / "linear.onnx", "--profile", EXAMPLE / "train.csv")
    server.ok("push", "cells", EXAMPLE / "linear-strict.onnx", "--profile", EXAMPLE / "train.csv",
              "--check", EXAMPLE / "check-linear.csv")
    server.ok("deploy", "cells@1")
    load = Load(server, "/v2/models/cells/infer", bodies(input_name(server, "cells")), threads=2)
    for _ in range(5):
        reply = server.http("POST", "/api/v1/models/cells/deployments", {"version": "2"})
        assert reply.status == 422, reply.body
        assert "row " in reply.error and reply.json["revision"]["state"] == "failed"
    load.stop()
    revisions = server.get("/api/v1/models/cells/deployments")["revisions"]
    assert [r["state"] for r in revisions] == ["failed"] * 5 + ["live"]
    assert revisions[5]["current"]


@pytest.mark.concurrent
def test_a_stop_lets_requests_finish(server):
    server.ok("push", "plain", MODELS / "logreg30.onnx")
    server.ok("deploy", "plain")
    answered, refused, broken = [], [], []
    stopping = threading.Event()

    def ask():
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        for body in itertools.cycle(bodies("X")):
            try:
                connection.request("POST", "/v2/models/plain/infer", body)
                reply = connection.getresponse()
                reply.read()
                answered.append(reply.status)
                if reply.getheader("Connection") == "close":
                    connection.close()
                    return
            except ConnectionRefusedError:
                refused.append(1)
                return
            except OSError as problem:
                broken.append((stopping.is_set(), repr(problem)))
                return

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    stopping.set()
    server.stop()
    for thread in threads:
        thread.join()
    assert not broken
    assert answered and set(answered) == {200}


def test_a_slow_version_pushes_no_one_aside_while_it_loads(server):
    """What is live goes on answering while another version is pushed and loaded."""
    server.ok("push", "plain", MODELS / "logreg30.onnx")
    server.ok("deploy", "plain")
    load = Load(server, "/v2/models/plain/infer", bodies("X"), threads=2)
    for _ in range(5):
        server.ok("push", "cells", EXAMPLE / "linear.onnx", "--profile", EXAMPLE / "train.csv")
        server.ok("deploy", "cells")
    load.stop()


def test_the_watch_and_the_charts_see_the_traffic(server):
    server.ok("push", "cells", EXAMPLE / "linear.onnx", "--profile", EXAMPLE / "train.csv")
    server.ok("deploy", "cells")
    load = Load(server, "/v2/models/cells/infer", bodies(input_name(server, "cells")), threads=2)
    time.sleep(2.5)
    load.stop()
    seen = wait_until(lambda: (lambda w: w if w["rows"] >= load.answers else None)(
        server.get("/api/v1/models/cells/watch")))
    assert seen["rows"] == load.answers
    assert seen["state"] == "drifted"
    model = server.get("/api/v1/models/cells")
    assert model["traffic"]["requests"] == load.answers and model["traffic"]["failures"] == 0


    def traffic():
        told = server.get("/api/v1/models/cells/traffic?minutes=5")
        return told if sum(p["requests"] for p in told["points"]) == load.answers else None

    traffic = wait_until(traffic)
    assert [m["kind"] for m in traffic["marks"]][-1] == "deployment.live"
    page = server.http("GET", "/metrics").body.decode()
    assert f'slipway_requests_total{{model="cells",version="1"}} {load.answers}\n' in page
    for family in ("slipway_request_duration_seconds", "slipway_queue_duration_seconds",
                   "slipway_inference_duration_seconds"):
        assert f'{family}_bucket{{model="cells",version="1",le="+Inf"}} {load.answers}\n' in page
