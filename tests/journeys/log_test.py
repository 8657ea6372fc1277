# SPDX-License-Identifier: Apache-2.0
"""The request log: off by default, one line of JSON a request, and no secret in it."""

import json

from harness import EXAMPLE, Server, wait_until


def test_writes_one_line_a_request_and_no_secret(tmp_path):
    server = Server(tmp_path, "--log-requests")
    try:
        server.ok("push", "cells", EXAMPLE / "linear.onnx")
        assert server.http("GET", "/healthz?secret=query").status == 200
        assert server.http("GET", server.login[len(server.url):]).status == 303
        assert server.http("GET", "/nowhere", headers={"Authorization": "Bearer hush"}).status == 404
        log = wait_until(lambda: (lambda t: t if "/nowhere" in t else None)((tmp_path / "stderr.txt").read_text()))
        lines = [json.loads(line) for line in log.splitlines()]
        assert {"at_ms", "wire", "method", "path", "status", "reply_bytes", "took_ms", "who"} <= set(lines[0])
        assert [(line["method"], line["status"]) for line in lines if line["path"] == "/healthz"] == [("GET", 200)]
        for secret in ("query", "hush", server.login.rsplit("/", 1)[1]):
            assert secret not in log
    finally:
        server.stop()


def test_is_off_unless_asked_for(server):
    server.http("GET", "/healthz")
    assert (server.folder / "stderr.txt").read_text() == ""
