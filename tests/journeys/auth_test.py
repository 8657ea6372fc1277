# SPDX-License-Identifier: Apache-2.0
"""Tokens, sign-in, and what a foreign page may not do."""

import base64
import subprocess

import pytest
from harness import BIN, DONE, EXAMPLE, REFUSED, Server, clean_environment


@pytest.fixture
def guarded(tmp_path):
    """A server with one model and its first token, an admin's."""
    server = Server(tmp_path)
    server.ok("push", "cells", EXAMPLE / "linear.onnx", "--profile", EXAMPLE / "train.csv")
    server.ok("deploy", "cells")
    server.token = server.ok_json("token", "create", "ada", "--scopes", "admin")["secret"]
    yield server
    server.stop()


def as_nobody(server, method, path, **more):
    token, server.token = server.token, None
    try:
        return server.http(method, path, **more)
    finally:
        server.token = token


def bearer(secret):
    return {"Authorization": f"Bearer {secret}"}


def test_from_the_first_token_on_everybody_must_show_one(guarded):
    for method, path in (("GET", "/api/v1/models"), ("POST", "/v2/models/cells/infer"), ("GET", "/metrics"),
                         ("POST", "/models/cells/predict"), ("GET", "/v2/models/cells")):
        reply = as_nobody(guarded, method, path, body="{}" if method == "POST" else None)
        assert reply.status == 401, (path, reply.status)
        assert "WWW-Authenticate" in reply.headers
    for path in ("/healthz", "/readyz", "/v2/health/live"):
        assert as_nobody(guarded, "GET", path).status == 200
    assert guarded.http("GET", "/api/v1/models").status == 200
    assert guarded.run("models", env={"SLIPWAY_TOKEN": ""}).returncode == REFUSED
    assert guarded.run("models").returncode == DONE


def test_a_token_does_what_its_scopes_say(guarded):
    made = guarded.ok_json("token", "create", "app", "--scopes", "predict")
    name = guarded.get("/v2/models/cells")["inputs"][0]["name"]
    body = {"inputs": [{"name": name, "shape": [1, 30], "datatype": "FP32", "data": [0.5] * 30}]}
    asked = as_nobody(guarded, "POST", "/v2/models/cells/infer", body=body, headers=bearer(made["secret"]))
    assert asked.status == 200
    basic = base64.b64encode(b"anyone:" + made["secret"].encode()).decode()
    asked = as_nobody(guarded, "POST", "/v2/models/cells/infer", body=body, headers={"Authorization": f"Basic {basic}"})
    assert asked.status == 200
    for method, path in (("POST", "/api/v1/models/cells/rollback"), ("GET", "/api/v1/tokens"),
                         ("DELETE", "/api/v1/models/cells/deployments")):
        reply = as_nobody(guarded, method, path, headers=bearer(made["secret"]))
        assert reply.status == 403 and "scope" in reply.error
    other = guarded.ok_json("token", "create", "other", "--scopes", "track")
    reply = as_nobody(guarded, "GET", "/api/v1/models/cells", headers=bearer(other["secret"]))
    assert reply.status == 403 and reply.error == "'other' lacks the scope 'read' or 'predict'"
    guarded.ok("token", "revoke", made["id"])
    asked = as_nobody(guarded, "POST", "/v2/models/cells/infer", body=body, headers=bearer(made["secret"]))
    assert asked.status == 401


def test_the_secret_is_nowhere_on_the_disk_or_in_the_log(guarded):
    files = [p for p in guarded.data.rglob("*") if p.is_file()] + [guarded.folder / "stderr.txt"]
    for path in files:
        assert guarded.token.encode() not in path.read_bytes(), path


def test_wrong_secrets_are_refused(guarded):
    for headers in (bearer("x"), bearer(guarded.token + "x"), bearer(""), {"Authorization": "Basic !!!"},
                    {"Authorization": "Basic " + "QUJD" * 400}, {"Authorization": "Digest a"},
                    {"Cookie": "slipway_session=" + guarded.token}):
        reply = as_nobody(guarded, "GET", "/api/v1/models", headers=headers)
        assert reply.status == 401, headers


def test_the_link_that_serve_prints_signs_in_once(guarded):
    path = guarded.login[len(guarded.url):]
    reply = as_nobody(guarded, "GET", path)
    assert reply.status == 303 and reply.headers["Location"] == "/"
    cookie = reply.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie
    session = {"Cookie": cookie.split(";")[0]}
    assert as_nobody(guarded, "GET", "/api/v1/models", headers=session).status == 200
    assert as_nobody(guarded, "POST", "/api/v1/models/cells/deployments", body={}, headers=session).status == 200
    used = as_nobody(guarded, "GET", path)
    assert used.status == 403 and "slipway token link" in used.error
    assert as_nobody(guarded, "POST", "/api/v1/logout", headers=session).status == 204
    assert as_nobody(guarded, "GET", "/api/v1/models", headers=session).status == 401


FOREIGN = [{"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"},
           {"Origin": "http://127.0.0.1:1"}]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_a_foreign_page_changes_nothing(live, headers):
    for path in ("/api/v1/models/cells/deployments", "/models/cells/predict", "/api/v1/models/cells/rollback"):
        assert live.http("POST", path, "{}", headers).status == 403
    own = {"Origin": live.url}
    assert live.http("POST", "/api/v1/models/cells/deployments", {"version": "1"}, own).status == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "", "localhost:80@evil"])
def test_a_rebound_name_is_refused(live, host):
    reply = live.http("GET", "/api/v1/models", headers={"Host": host})
    assert reply.status in (400, 403, 421), reply.status


@pytest.mark.parametrize("listen", ["0.0.0.0:0", "127.example.com:0"])
def test_beyond_loopback_a_token_must_exist_first(tmp_path, listen):
    done = subprocess.run([BIN, "serve", "--data", str(tmp_path / "d"), "--listen", listen], capture_output=True,
                          text=True, timeout=20, env=clean_environment())
    assert done.returncode == REFUSED
    assert "token" in done.stderr
