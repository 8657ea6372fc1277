# SPDX-License-Identifier: Apache-2.0
"""Alerts, from what is measured to who is told, against real receivers."""

import email
import email.header
import http.client
import json
import os
import random
import re
import socket
import subprocess
import time

import pytest
from harness import EXAMPLE, FAILED, NOT_FOUND, REFUSED, USAGE, Server, wait_until
from receivers import Hook

ALERTMANAGER = "/usr/bin/prometheus-alertmanager"

# A rule that holds at once on any machine, and one by which it does not.
RAISED = "  - {name: room, on: disk, measure: free, below: 100%, severity: critical, labels: {team: ops}}\n"
CLEARED = RAISED.replace("100%", "0%")
FAST = "defaults: false\nevery: 100ms\ngroups: {by: [model], wait: 0, interval: 0, repeat: 1h}\n"


def rules(notifiers, *, rule=RAISED, notify=None, more=""):
    names = notify or list(notifiers)
    lines = "".join(f"  {name}: {text}\n" for name, text in notifiers.items())
    return f"{FAST}notify: [{', '.join(names)}]\nnotifiers:\n{lines}rules:\n{rule}{more}"


def apply(server, yaml, status=200):
    reply = server.http("PUT", "/api/v1/alert-rules", yaml, {"Content-Type": "application/yaml"})
    assert reply.status == status, reply.body
    return reply


def active(server):
    return server.get("/api/v1/alerts?state=firing")["alerts"]


@pytest.fixture
def hooks():
    made = []

    def make(*answers, **more):
        made.append(Hook(*answers, **more))
        return made[-1]

    yield make
    for hook in made:
        hook.close()


# ---- The way of an alert ----

@pytest.mark.concurrent
def test_an_alert_is_told_acknowledged_explained_and_ends(tmp_path, hooks):
    hook = hooks(secret="s3cret")
    server = Server(tmp_path, environment={"HOOK_SECRET": "s3cret", "HOOK_URL": hook.url + "/in"})
    yaml = rules({"ops": "{webhook: '${HOOK_URL}', secret: '${HOOK_SECRET}'}"})
    apply(server, yaml)
    wait_until(lambda: hook.got)
    message = hook.messages()[0]
    assert hook.got[0][1] == "/in" and hook.signed()
    assert message["state"] == "firing" and message["firing"] == 1 and message["repeat"] is False
    told = message["alerts"][0]
    assert told["rule"] == "room" and told["severity"] == "critical" and told["labels"] == {"team": "ops"}

    alert = server.get(f"/api/v1/alerts/{told['id']}")
    assert alert["state"] == "firing" and alert["kind"] == "disk" and alert["unit"] == "share"
    assert alert["evidence"]["value"] == alert["value"] < alert["limit"] == 1
    assert "room" in server.ok("alerts") or "disk" in server.ok("alerts")

    text = server.ok("explain", told["id"])
    assert "the same to the last bit" in text and "next" in text
    exported = server.ok_json("explain", told["id"])
    assert exported["recomputed"]["same"] and exported["recomputed"]["raised"]

    server.ok("alerts", "ack", told["id"], "--note", "on it")
    assert server.get(f"/api/v1/alerts/{told['id']}")["acknowledged"]["note"] == "on it"
    assert "alert.acknowledged" in [e["kind"] for e in server.get("/api/v1/events")["events"]]

    apply(server, yaml.replace(RAISED, CLEARED))
    wait_until(lambda: len(hook.got) == 2)
    assert hook.messages()[1]["state"] == "resolved"
    assert not active(server)
    assert "no alert" in server.ok("alerts")
    assert "resolved" in server.ok("alerts", "--all")
    assert server.refuses(REFUSED, "alerts", "ack", told["id"])
    sent = wait_until(lambda: [d for d in server.get(f"/api/v1/deliveries?alert={told['id']}")["deliveries"]
                               if d["state"] == "sent"][1:] and
                      server.get(f"/api/v1/deliveries?alert={told['id']}")["deliveries"])
    assert [d["state"] for d in sent] == ["sent", "sent"] and {d["status"] for d in sent} == {200}
    assert {d["key"] for d in sent} == set(hook.keys())

    # What was exported is explained with no server at all; what was tampered with is found out.
    server.stop()
    file = tmp_path / "alert.json"
    file.write_text(json.dumps(exported))
    assert "the same to the last bit" in server.ok("explain", file)
    exported["alert"]["evidence"]["data"]["part"] += 1
    file.write_text(json.dumps(exported))
    assert "DIFFERS" in server.run("explain", file).stdout
    assert server.run("explain", file).returncode == FAILED
    file.write_text("{}")
    assert "this is no alert" in server.refuses(FAILED, "explain", file)


def test_latency_is_explained_from_its_histogram(tmp_path):
    server = Server(tmp_path)
    server.ok("push", "cells", EXAMPLE / "linear.onnx", "--profile", EXAMPLE / "train.csv")
    server.ok("deploy", "cells@1")
    row = dict(zip(*[line.split(",") for line in (EXAMPLE / "train.csv").read_text().splitlines()[:2]]))
    row = {k: float(v) for k, v in row.items() if k != "malignant"}
    assert server.http("POST", "/models/cells/predict", row).status == 200
    apply(server, FAST + "rules:\n"
          "  - {name: slow, on: latency, above: 0.0001ms, window: 1m, model: cells}\n"
          "  - {name: busy, on: error_rate, above: 50%, window: 1m}\n")
    time.sleep(1.5)
    for _ in range(50):
        server.http("POST", "/models/cells/predict", row)
    alert = wait_until(lambda: active(server))[0]
    assert (alert["rule"], alert["model"], alert["version"]) == ("slow", "cells", 1)
    explained = server.ok_json("explain", alert["id"])
    assert explained["recomputed"]["same"] and explained["recomputed"]["raised"]
    data = explained["alert"]["evidence"]["data"]
    assert sum(n for _, n in data["buckets"]) == data["count"] == data["requests"] >= 10
    server.stop()


@pytest.mark.slow
def test_drift_is_explained_from_the_monitors_own_numbers(tmp_path):
    server = Server(tmp_path)
    server.ok("push", "cells", EXAMPLE / "linear.onnx", "--profile", EXAMPLE / "train.csv")
    server.ok("deploy", "cells@1")
    header, *lines = (EXAMPLE / "train.csv").read_text().splitlines()
    rows = [{k: float(v) for k, v in zip(header.split(","), line.split(",")) if k != "malignant"} for line in lines]
    for row in rows:
        row["mean_radius"] *= 100  # a change of unit

    def found():  # the monitor looks once a minute
        assert server.http("POST", "/models/cells/predict", rows[:300]).status == 200
        return active(server)

    alerts = wait_until(found, within=150, every=1)
    assert "mean_radius" in {a["column"] for a in alerts} and {a["kind"] for a in alerts} <= {"drift", "quality"}
    for alert in alerts:
        explained = server.ok_json("explain", alert["id"])["recomputed"]
        assert explained["same"] and explained["raised"], alert
    server.stop()


def test_dashboards_hear_of_alerts(tmp_path):
    server = Server(tmp_path)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("GET", "/api/v1/stream")
    stream = connection.getresponse()
    apply(server, FAST + "rules:\n" + RAISED)
    while True:
        line = stream.readline().decode()
        assert line, "the stream ended"
        if line.startswith("event: alert"):
            alert = json.loads(stream.readline().decode()[len("data: "):])
            assert alert["rule"] == "room" and alert["state"] == "firing"
            break
    connection.close()
    server.stop()


# ---- Receivers that misbehave ----

def test_a_receiver_that_fails_is_tried_again_with_the_same_key(tmp_path, hooks):
    flaky = hooks(500, "close", 200)
    server = Server(tmp_path)
    apply(server, rules({"flaky": f"{{webhook: '{flaky.url}'}}"}))
    wait_until(lambda: len(flaky.got) == 3, within=20)
    assert len(set(flaky.keys())) == 1
    done = wait_until(lambda: [d for d in server.get("/api/v1/deliveries")["deliveries"] if d["state"] == "sent"])
    assert done[0]["attempts"] == 3
    time.sleep(1)
    assert len(flaky.got) == 3
    server.stop()


@pytest.mark.concurrent
def test_a_receiver_that_hangs_delays_only_itself(tmp_path, hooks):
    hang, refuse, slow, well = hooks("hang"), hooks(400), hooks(("slow", 1)), hooks()
    server = Server(tmp_path)
    apply(server, rules({"hang": f"{{webhook: '{hang.url}', timeout: 30s}}",
                         "refuse": f"{{webhook: '{refuse.url}'}}",
                         "slow": f"{{webhook: '{slow.url}'}}",
                         "nobody": "{webhook: 'http://127.0.0.1:1/'}",
                         "well": f"{{webhook: '{well.url}'}}"}))
    begin = time.monotonic()
    wait_until(lambda: well.got, within=5)
    assert time.monotonic() - begin < 3
    states = wait_until(lambda: {d["notifier"]: d for d in server.get("/api/v1/deliveries")["deliveries"]
                                 if d["notifier"] != "slow" or d["state"] == "sent"}, within=5)
    states = wait_until(lambda: (lambda s: s if s["slow"]["state"] == "sent" and s["refuse"]["state"] == "failed"
                                 and s["nobody"]["attempts"] else None)(
        {d["notifier"]: d for d in server.get("/api/v1/deliveries")["deliveries"]}))
    assert states["well"]["state"] == "sent" and states["hang"]["state"] == "queued"
    assert states["refuse"]["attempts"] == 1 and "400" in states["refuse"]["error"]  # a client's mistake stays one
    assert states["nobody"]["state"] == "queued" and states["nobody"]["error"]
    begin = time.monotonic()
    server.stop()  # a hanging receiver does not hold it up
    assert time.monotonic() - begin < 10


def test_what_was_not_sent_is_sent_after_a_restart(tmp_path, hooks):
    down = hooks(503)
    server = Server(tmp_path)
    apply(server, rules({"down": f"{{webhook: '{down.url}'}}"}))
    wait_until(lambda: down.got)
    server.kill()
    keys = set(down.keys())
    down.answers[:] = [200]
    server.start()
    done = wait_until(lambda: [d for d in server.get("/api/v1/deliveries")["deliveries"] if d["state"] == "sent"])
    assert len(done) == 1 and {done[0]["key"]} == keys == set(down.keys())
    server.stop()


@pytest.mark.slow
def test_kill_at_any_moment_loses_no_alert_and_doubles_none(tmp_path, hooks):
    rng = random.Random(5)
    hook = hooks()
    server = Server(tmp_path)
    flips = 0
    for turn in range(12):
        raised = turn % 2 == 0
        # Another rule each round: one that comes back soon would be the same alert, and held longer.
        rule = (RAISED if raised else CLEARED).replace("room", f"room{turn // 2}")
        try:
            apply(server, rules({"ops": f"{{webhook: '{hook.url}'}}"}, rule=rule))
            time.sleep(rng.uniform(0, 0.4))
        finally:
            server.kill()
        server.start()
        wait_until(lambda: bool(active(server)) == raised)
        flips += 1
        wait_until(lambda: hook.messages() and hook.messages()[-1]["state"] == ("firing" if raised else "resolved"))
    deliveries = server.get("/api/v1/deliveries?limit=1000")["deliveries"]
    assert len({d["key"] for d in deliveries}) == len(deliveries) == flips
    # Each was told once; the one that the kill cut off at most once more, by the same key.
    assert set(hook.keys()) == {d["key"] for d in deliveries}
    order = []
    for message, key in zip(hook.messages(), hook.keys()):
        if not order or order[-1][0] != key:
            order.append((key, message["state"]))
    assert [state for _, state in order] == ["firing", "resolved"] * (flips // 2)
    server.stop()


# ---- Kinds of receivers ----

def test_slack_is_told_in_its_words(tmp_path, hooks):
    slack = hooks()
    server = Server(tmp_path, environment={"SLACK_URL": slack.url + "/services/T0/B0/hidden"})
    apply(server, rules({"chat": "{slack: '${SLACK_URL}'}"}))
    wait_until(lambda: slack.got)
    assert slack.got[0][1] == "/services/T0/B0/hidden"
    assert "FIRING" in slack.messages()[0]["text"] and "slipway explain 1" in slack.messages()[0]["text"]
    server.ok("rules", "test", "chat")
    assert "a test of this notifier" in slack.messages()[-1]["text"]
    server.refuses(NOT_FOUND, "rules", "test", "nobody")
    slack.answers[:] = [403]
    assert "403" in server.refuses(FAILED, "rules", "test", "chat")
    server.stop()


def test_secrets_are_shown_nowhere(tmp_path, hooks):
    echo = hooks(500)
    secrets = {"A_PASSWORD": "pw-3f9a", "A_SECRET": "hm-77aa"}
    server = Server(tmp_path, environment={**secrets, "A_URL": echo.url + "/token-5511"})
    apply(server, rules({"echo": "{webhook: '${A_URL}', user: ann, password: '${A_PASSWORD}', secret: '${A_SECRET}'}"}))
    wait_until(lambda: echo.got)
    wait_until(lambda: [d for d in server.get("/api/v1/deliveries")["deliveries"] if d["error"]])
    shown = "".join([server.ok("rules", "show", "--json"), server.ok("rules", "show", "--yaml"),
                     server.http("GET", "/api/v1/deliveries").body.decode(),
                     server.run("rules", "test", "echo").stderr, server.ok("events"),
                     json.dumps(echo.messages())])
    server.stop()
    shown += (tmp_path / "stderr.txt").read_text()
    for secret in ["pw-3f9a", "hm-77aa", "token-5511"]:
        assert secret not in shown
    stored = b"".join(p.read_bytes() for p in server.data.glob("slipway.db*"))
    for secret in [b"pw-3f9a", b"hm-77aa", b"token-5511"]:
        assert secret not in stored


class Mailbox:
    def __init__(self):
        self.mails, self.refuse = [], 0

    async def handle_DATA(self, server, session, envelope):
        if self.refuse:
            self.refuse -= 1
            return "451 try again later"
        self.mails.append((envelope, session))
        return "250 taken"


def test_mail_goes_out_by_smtp(tmp_path):
    controller = pytest.importorskip("aiosmtpd.controller")
    smtp = pytest.importorskip("aiosmtpd.smtp")
    box = Mailbox()
    box.refuse = 1

    def check(server, session, envelope, mechanism, data):
        return smtp.AuthResult(success=data.login == b"ann" and data.password == b"pw")

    mail = controller.Controller(box, hostname="127.0.0.1", port=0, authenticator=check, auth_required=True,
                                 auth_require_tls=False)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        mail.port = probe.getsockname()[1]
    mail.start()
    try:
        server = Server(tmp_path, environment={"MAIL_PASSWORD": "pw"})
        apply(server, rules({"mail": f"{{email: 'smtp://127.0.0.1:{mail.port}', from: slipway@example.org, "
                                     "to: [ops@example.org, on-call@example.org], tls: none, user: ann, "
                                     "password: '${MAIL_PASSWORD}'}"}))
        wait_until(lambda: box.mails, within=20)
        envelope, session = box.mails[0]
        assert envelope.mail_from == "slipway@example.org"
        assert envelope.rcpt_tos == ["ops@example.org", "on-call@example.org"]
        parsed = email.message_from_bytes(envelope.content)
        subject = str(email.header.make_header(email.header.decode_header(parsed["Subject"])))
        assert subject.startswith("[slipway] FIRING: this server: free on the disk")
        body = parsed.get_payload(decode=True).decode()
        assert "slipway explain 1" in body and parsed["Message-ID"]
        # TLS that is asked for and not to be had is a failure, not a fall-back.
        apply(server, rules({"mail": f"{{email: 'smtp://127.0.0.1:{mail.port}', from: slipway@example.org, "
                                     "to: ops@example.org}"}))
        assert server.refuses(FAILED, "rules", "test", "mail")
        assert len(box.mails) == 1
        server.stop()
    finally:
        mail.stop()


def test_a_command_is_run_where_that_is_allowed(tmp_path):
    script = tmp_path / "page.sh"
    script.write_text(f"#!/bin/sh\ncat > {tmp_path}/$1.new; mv {tmp_path}/$1.new {tmp_path}/$1.json\n")
    script.chmod(0o755)
    yaml = rules({"page": f"{{command: [{script}, note]}}"},
                 rule=RAISED.replace("}}\n", f"}}, action: {{command: [{script}, act], timeout: 5s}}}}\n"))
    server = Server(tmp_path)
    assert "--allow-commands" in apply(server, yaml, status=400).error
    server.stop()
    server.options = ("--allow-commands",)
    server.start()
    apply(server, yaml)
    for name in ["note", "act"]:
        message = json.loads(wait_until((tmp_path / f"{name}.json").exists) and (tmp_path / f"{name}.json").read_text())
        assert message["alerts"][0]["rule"] == "room"
    broken = tmp_path / "broken.sh"
    broken.write_text("#!/bin/sh\necho no pager here >&2; exit 7\n")
    broken.chmod(0o755)
    apply(server, rules({"page": f"{{command: [{broken}]}}"}, rule=CLEARED))
    said = server.refuses(FAILED, "rules", "test", "page")
    assert "status 7" in said and "no pager here" in said
    server.stop()


@pytest.mark.skipif(not os.path.exists(ALERTMANAGER), reason="needs prometheus-alertmanager")
def test_alertmanager_holds_our_alerts(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = tmp_path / "am.yml"
    config.write_text("route: {receiver: none}\nreceivers: [{name: none}]\n")
    manager = subprocess.Popen(
        [ALERTMANAGER, f"--config.file={config}", f"--storage.path={tmp_path}/am", "--cluster.listen-address=",
         f"--web.listen-address=127.0.0.1:{port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def held():
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/api/v2/alerts")
            return json.loads(connection.getresponse().read())
        except OSError:
            return None
        finally:
            connection.close()

    try:
        wait_until(lambda: held() is not None, within=20)
        server = Server(tmp_path)
        yaml = rules({"am": f"{{alertmanager: 'http://127.0.0.1:{port}'}}"})
        apply(server, yaml)
        alert = wait_until(held)[0]
        assert alert["labels"]["alertname"] == "room" and alert["labels"]["team"] == "ops"
        assert alert["labels"]["severity"] == "critical" and alert["status"]["state"] == "active"
        assert alert["annotations"]["explain"] == "slipway explain 1"
        apply(server, yaml.replace(RAISED, CLEARED))
        wait_until(lambda: held() == [])
        server.stop()
    finally:
        manager.terminate()
        manager.wait()


# ---- Silences, rules, rights ----

def test_a_silence_keeps_an_alert_from_being_told(tmp_path, hooks):
    hook = hooks()
    server = Server(tmp_path)
    assert "silence 1" in server.ok("silence", "add", "rule=ro*", "--for", "1h", "--why", "moving disks")
    apply(server, rules({"ops": f"{{webhook: '{hook.url}'}}"}))
    alert = wait_until(lambda: active(server))[0]
    wait_until(lambda: active(server)[0]["silenced"])
    assert active(server)[0]["silenced_by"] == 1 and not hook.got
    assert "moving disks" in server.ok("silence", "list") and "silenced" in server.ok("alerts")
    server.kill()
    server.start()
    time.sleep(0.5)
    assert active(server)[0]["id"] == alert["id"] and active(server)[0]["silenced"] and not hook.got
    server.ok("silence", "remove", "1")
    wait_until(lambda: hook.got)
    server.refuses(NOT_FOUND, "silence", "remove", "1")
    assert "nothing is silenced" in server.ok("silence", "list")
    server.refuses(FAILED, "silence", "add", "nonsense")
    server.stop()


def test_a_silence_may_begin_later(tmp_path, hooks):
    hook = hooks()
    server = Server(tmp_path)
    apply(server, rules({"ops": f"{{webhook: '{hook.url}'}}"}))
    alert = wait_until(lambda: active(server))[0]
    moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
    assert re.match(r"silence 1 from .* until ", server.ok("silence", "add", "rule=ro*", "--from", moment, "--for", "1h"))
    assert "silence 2 from" in server.ok("silence", "add", "rule=ro*", "--from", "3s", "--for", "1h")
    later, soon = server.ok_json("silence", "list")["silences"]
    assert not later["holds"] and later["until_ms"] - later["from_ms"] == 3600000
    assert abs(later["from_ms"] / 1000 - time.time() - 3600) < 60
    assert re.search(r"from .* until ", server.ok("silence", "list").splitlines()[0])
    wait_until(lambda: active(server)[0]["silenced_by"] == 2)
    assert time.time() * 1000 >= soon["from_ms"] and active(server)[0]["id"] == alert["id"]
    assert server.ok_json("silence", "list")["silences"][1]["holds"]
    server.ok("silence", "remove", "1")  # before it began
    assert [s["id"] for s in server.ok_json("silence", "list")["silences"]] == [2]
    for wrong in ["yesterday", "2026-13-01T00:00:00Z", "2026-01-01T00:00:00", "-5m"]:
        server.refuses(USAGE, "silence", "add", "rule=x", f"--from={wrong}")
    late = {"matchers": ["rule=x"], "from_ms": int(time.time() * 1000) + 60000, "until_ms": int(time.time() * 1000) + 30000}
    assert server.http("POST", "/api/v1/silences", late).status == 400
    server.stop()


def test_rules_that_are_only_checked_hear_of_variables_that_are_not_set(tmp_path):
    server = Server(tmp_path)
    yaml = "notifiers:\n  ops: {slack: '${NO_SUCH_NAME}'}\n"
    for method, path in [("POST", "/api/v1/alert-rules/check"), ("PUT", "/api/v1/alert-rules")]:
        reply = server.http(method, path, yaml)
        assert reply.status == 400 and "${NO_SUCH_NAME}: the server's environment has no such variable" in reply.error
    server.stop()


def test_wrong_rules_say_where_and_change_nothing(tmp_path):
    server = Server(tmp_path)
    file = tmp_path / "rules.yaml"
    file.write_text("rules:\n  - name: slow\n    on: latency\n    above: 5 apples\n")
    for command in ["check", "apply"]:
        said = server.refuses(FAILED, "rules", command, file)
        assert "line 4, column 12" in said and "200ms" in said
    assert len(server.ok_json("rules", "show")["rules"]) >= 9
    file.write_text("rules:\n  - {name: slow, on: latency, above: 50ms}\n")
    assert "fine" in server.ok("rules", "check", file)
    server.ok("rules", "apply", file)
    shown = {r["name"]: r for r in server.ok_json("rules", "show")["rules"]}
    assert shown["slow"]["above"] == 50 and not shown["slow"]["builtin"] and shown["errors"]["builtin"]
    server.kill()
    server.start()
    assert {r["name"]: r for r in server.ok_json("rules", "show")["rules"]} == shown
    server.stop()


def test_rules_whose_secret_is_gone_do_not_keep_a_server_from_starting(tmp_path, hooks):
    hook = hooks()
    server = Server(tmp_path, environment={"GONE": hook.url})
    apply(server, rules({"ops": "{slack: '${GONE}'}"}))
    server.stop()
    server.environment = {}
    server.start()
    shown = server.ok_json("rules", "show")
    assert "${GONE}" in shown["error"] and len(shown["rules"]) >= 9
    assert "not in force" in server.ok("rules", "show")
    server.stop()


def test_only_admins_change_rules(tmp_path):
    server = Server(tmp_path)
    admin = server.ok_json("token", "create", "root", "--scopes", "admin")["secret"]
    server.token = admin
    reader = server.ok_json("token", "create", "r", "--scopes", "read")["secret"]
    deployer = server.ok_json("token", "create", "d", "--scopes", "deploy")["secret"]
    apply(server, FAST + "rules:\n" + RAISED)
    alert = wait_until(lambda: active(server))[0]["id"]
    silence = {"matchers": ["rule=x"], "for_s": 60}
    for token, wanted in [(reader, {"rules": 403, "ack": 403, "silence": 403, "list": 200}),
                          (deployer, {"rules": 403, "ack": 200, "silence": 201}),
                          ("sw_wrong", {"rules": 401, "ack": 401, "silence": 401, "list": 401})]:
        server.token = token
        assert server.http("PUT", "/api/v1/alert-rules", "").status == wanted["rules"]
        assert server.http("POST", f"/api/v1/alerts/{alert}/acknowledge", {}).status == wanted["ack"]
        assert server.http("POST", "/api/v1/silences", silence).status == wanted["silence"]
        if "list" in wanted:
            assert server.http("GET", "/api/v1/alerts").status == wanted["list"]
    server.token = admin
    server.stop()


def test_nonsense_is_answered(tmp_path):
    server = Server(tmp_path)
    for path in ["/api/v1/alerts/0", "/api/v1/alerts/x", "/api/v1/alerts/99"]:
        assert server.http("GET", path).status == 404
    assert server.http("GET", "/api/v1/alerts?state=odd").status == 400
    for body in [{}, {"matchers": []}, {"matchers": ["model=x"]}, {"matchers": [1], "for_s": 5},
                 {"matchers": ["model=x"], "for_s": 5, "until_ms": 5}, {"matchers": ["=x"], "for_s": 5},
                 {"matchers": ["model=x"], "until_ms": 5}]:
        assert server.http("POST", "/api/v1/silences", body).status == 400, body
    assert server.http("PUT", "/api/v1/alert-rules", b"\xff\xfe").status == 400
    server.stop()
