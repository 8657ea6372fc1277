# SPDX-License-Identifier: Apache-2.0
"""kill -9, second servers, full disks: nothing acknowledged is lost, nothing half is shown."""

import http.client
import os
import random
import subprocess
import threading

import pytest
from harness import BIN, EXAMPLE, REFUSED, Server, clean_environment


@pytest.mark.slow
def test_kill_at_any_moment_loses_nothing_acknowledged(tmp_path):
    rng = random.Random(20)
    server = Server(tmp_path)
    pushed, live = 0, 0
    for turn in range(25):
        told = {"pushed": pushed, "live": live}

        def work():
            while True:
                try:
                    sent = server.http("POST", "/api/v1/blobs", (EXAMPLE / "linear.onnx").read_bytes())
                    reply = server.http("POST", "/api/v1/models/cells/versions", {"artifact": sent.json["sha256"]})
                    assert reply.status == 201, reply.body
                    told["pushed"] = reply.json["version"]
                    reply = server.http("POST", "/api/v1/models/cells/deployments", {})
                    assert reply.status == 200, reply.body
                    told["live"] = reply.json["version"]
                except (OSError, ValueError, AttributeError, http.client.HTTPException):
                    return

        worker = threading.Thread(target=work)
        worker.start()
        worker.join(rng.uniform(0.01, 0.25))
        server.kill()
        worker.join()
        server.start()
        versions = server.get("/api/v1/models").get("models")
        if told["pushed"]:
            numbers = [v["version"] for v in server.get("/api/v1/models/cells/versions")["versions"]]
            assert numbers[0] >= told["pushed"]
            assert numbers == list(range(numbers[0], 0, -1))
            pushed = numbers[0]
        if told["live"]:
            deployment = versions[0]["deployment"]
            assert deployment["state"] == "live" and deployment["version"] >= told["live"]
            live = deployment["version"]
            assert server.http("GET", "/v2/models/cells/ready").status == 200
        states = {r["state"] for r in server.get("/api/v1/models/cells/deployments")["revisions"]} if pushed else set()
        assert "loading" not in states, turn
    assert pushed > 5 and live > 5
    server.stop()
    assert not list((server.data / "blobs" / "incoming").iterdir())


def test_a_second_server_on_the_same_folder_or_address_fails_clearly(server, tmp_path):
    def second(data, listen):
        return subprocess.run([BIN, "serve", "--data", str(data), "--listen", listen], capture_output=True,
                              text=True, timeout=20, env=clean_environment())

    done = second(server.data, "127.0.0.1:0")
    assert done.returncode == REFUSED and "data" in done.stderr and str(server.pid) in done.stderr
    done = second(tmp_path / "other", f"127.0.0.1:{server.port}")
    assert done.returncode == REFUSED and str(server.port) in done.stderr
    assert server.http("GET", "/readyz").status == 200


def can_mount():
    return os.geteuid() == 0 and subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode == 0


@pytest.mark.skipif(not can_mount(), reason="needs root for a small file system of its own")
def test_a_full_disk_refuses_writes_and_goes_on_serving(tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "none", str(small)], check=True)
    try:
        server = Server(small)
        server.ok("push", "cells", EXAMPLE / "linear.onnx", "--profile", EXAMPLE / "train.csv")
        server.ok("deploy", "cells")
        with open(small / "ballast", "wb") as ballast:
            try:
                while True:
                    ballast.write(b"x" * 65536)
                    ballast.flush()
            except OSError:
                pass
        reply = server.http("POST", "/api/v1/blobs", os.urandom(1 << 20))
        assert reply.status >= 500 and "space" in reply.error, reply.body
        name = server.get("/v2/models/cells")["inputs"][0]["name"]
        body = {"inputs": [{"name": name, "shape": [1, 30], "datatype": "FP32", "data": [0.5] * 30}]}
        for _ in range(50):
            assert server.http("POST", "/v2/models/cells/infer", body).status == 200
        (small / "ballast").unlink()
        assert server.http("POST", "/api/v1/blobs", os.urandom(1 << 18)).status == 201
        server.ok("push", "cells", EXAMPLE / "linear-strict.onnx")
        server.ok("deploy", "cells@2")
        server.stop()
    finally:
        subprocess.run(["umount", "-l", str(small)], check=True)
