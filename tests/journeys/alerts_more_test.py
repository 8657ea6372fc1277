# SPDX-License-Identifier: Apache-2.0
"""Alerts about the disk, labels and storms, by TLS mail, in any time zone: each from its cause to its receiver."""

import random
import re
import socket
import ssl
import subprocess
import threading
import time

import pytest
from alerts_test import FAST, RAISED, Mailbox, active, apply, hooks, rules  # noqa: F401 (hooks is a fixture)
from crash_test import can_mount
from harness import FAILED, SANITIZED, Server, wait_until
from labels_test import deployed, label, logged, predict, quality, rows, score
from proxy_test import make_certificate


def metric(server, name):
    found = re.findall(rf"^{name}(?:{{.*}})? (\S+)$", server.http("GET", "/metrics").body.decode(), re.M)
    return sum(map(float, found))


def evaluated(server, times):
    """The rules have been looked at so many times from now on."""
    before = metric(server, "slipway_alert_evaluations_total")
    wait_until(lambda: metric(server, "slipway_alert_evaluations_total") >= before + times, within=30)


def told(hook, state, rule):
    """What a receiver was told of one rule's alerts."""
    return [a for m in hook.messages() for a in m["alerts"] if a["rule"] == rule and a["state"] == state]


# ---- Full disks ----

class SmallDisk:
    """A file system of its own, that can be filled to the last byte."""

    def __init__(self, folder, megabytes):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "none", str(folder)], check=True)

    def fill(self):
        with open(self.folder / "ballast", "ab", buffering=0) as ballast:
            for size in (65536, 4096, 1):
                try:
                    while ballast.write(b"x" * size):
                        pass
                except OSError:
                    pass

    def make_room(self):
        (self.folder / "ballast").unlink()

    def close(self):
        subprocess.run(["umount", "-l", str(self.folder)], check=True)


class Traffic:
    """Predicts on and on, and labels what was predicted. Remembers how each was answered."""

    def __init__(self, server):
        self.server = server
        self.predicted, self.refused, self.acknowledged = [], [], {}
        self.ended = threading.Event()
        self.threads = [threading.Thread(target=run) for run in (self.predict, self.label)]
        for thread in self.threads:
            thread.start()

    def predict(self):
        records, number = rows(20), 0
        while not self.ended.wait(0.02):
            batch = [dict(r, id=f"t{number}-{i}") for i, r in enumerate(records)]
            self.predicted.append(self.server.http("POST", "/models/cancer/predict", batch).status)
            number += 1

    def label(self):
        number = 0
        while not self.ended.wait(0.05):
            batch = [{"id": f"t{number}-{i}", "label": (number + i) % 2} for i in range(20)]
            reply = self.server.http("POST", "/api/v1/models/cancer/labels", {"labels": batch})
            if reply.status == 200:
                self.acknowledged.update({x["id"]: x["label"] for x in batch})
                number += 1
            else:
                self.refused.append((reply.status, reply.error))

    def stop(self):
        self.ended.set()
        for thread in self.threads:
            thread.join()


def check_nothing_acknowledged_is_lost(server, acknowledged):
    """A label that is there is a duplicate when it comes again."""
    again = label(server, [{"id": i, "label": v} for i, v in acknowledged.items()])
    assert (again["duplicates"], again["changed"]) == (len(acknowledged), 0)


DISK_RULES = ("every: 200ms\ngroups: {{by: [rule], wait: 0, interval: 0}}\nnotify: [ops]\n"
              "notifiers: {{ops: {{webhook: '{url}'}}}}\n"
              "rules: [{{name: disk-full, on: disk, below: 5%, severity: critical}}]\n")


@pytest.mark.skipif(not can_mount(), reason="needs root for a small file system of its own")
@pytest.mark.parametrize("full", ["predictions", pytest.param("data", marks=pytest.mark.slow)])
def test_a_full_disk_stops_the_log_with_an_alert_and_never_the_serving(tmp_path, hooks, full):
    hook, whole = hooks(), full == "data"
    disk = SmallDisk(tmp_path / "data" / ("" if whole else "predictions"), 16 if whole else 2)
    server = traffic = None
    try:
        server = deployed(tmp_path, log={"rows_per_s": 100000})
        apply(server, DISK_RULES.format(url=hook.url))
        traffic = Traffic(server)
        wait_until(lambda: metric(server, "slipway_log_rows_total") > 100 and len(traffic.acknowledged) > 100)
        disk.fill()
        wait_until(lambda: metric(server, "slipway_log_stopped") == 1)
        # Alerts cannot be stored now if the database's disk is the full one. They are told all the same.
        alert = wait_until(lambda: told(hook, "firing", "log-stopped"), within=30)[0]
        assert alert["severity"] == "critical"
        if whole:
            wait_until(lambda: told(hook, "firing", "disk-full"))
        else:
            assert "log-stopped" in {a["rule"] for a in active(server)}
        so_far = len(traffic.predicted), len(traffic.acknowledged), metric(server, "slipway_log_rows_dropped_total")
        wait_until(lambda: len(traffic.predicted) > so_far[0] + 50)
        wait_until(lambda: metric(server, "slipway_log_rows_dropped_total") > so_far[2])
        assert metric(server, "slipway_log_stopped") == 1
        if not whole:  # labels are in the database, on a disk with room
            wait_until(lambda: len(traffic.acknowledged) > so_far[1] + 100)
        disk.make_room()
        wait_until(lambda: metric(server, "slipway_log_stopped") == 0, within=20)
        wait_until(lambda: told(hook, "resolved", "log-stopped"), within=20)
        # The rows that come are always the same, so that there may be drift too, rightly.
        wait_until(lambda: not {"log-stopped", "disk-full"} & {a["rule"] for a in active(server)})
        # The log goes on, and labels find their rows in it.
        number, accepted = len(traffic.predicted), len(traffic.acknowledged)
        wait_until(lambda: len(traffic.predicted) > number + 20 and len(traffic.acknowledged) > accepted)
        traffic.stop()
        assert set(traffic.predicted) == {200}
        assert not traffic.refused or whole
        assert all(status == 500 and "Free some space" in why for status, why in traffic.refused)
        record = dict(rows(1)[0], id="after")
        predict(server, record)
        label(server, [{"id": "after", "label": 1}])
        export = wait_until(lambda: (lambda text: "after" in text and text)(server.ok("predictions", "cancer")))
        assert "t0-0," in export and f"t{number}-0," in export
        last = next(line for line in export.splitlines() if ",after," in line)
        assert last.endswith(",1"), last
        assert [a["rule"] for a in server.get("/api/v1/alerts?state=resolved")["alerts"]].count("log-stopped") == 1
        check_nothing_acknowledged_is_lost(server, traffic.acknowledged)
        server.kill()
        server.start()
        check_nothing_acknowledged_is_lost(server, traffic.acknowledged)
        server.stop()
    finally:
        if traffic:
            traffic.stop()
        if server and server.process.poll() is None:
            server.kill()
        disk.close()


@pytest.mark.skipif(not can_mount(), reason="needs root for a small file system of its own")
def test_the_log_of_an_idle_server_goes_on_once_there_is_room(tmp_path):
    disk = SmallDisk(tmp_path / "data" / "predictions", 4)
    server = None
    try:
        server = deployed(tmp_path, log={"rows_per_s": 100000})
        predict(server, rows(20))
        disk.fill()
        wait_until(lambda: predict(server, rows(20)) and metric(server, "slipway_log_stopped") == 1)
        disk.make_room()
        wait_until(lambda: metric(server, "slipway_log_stopped") == 0, within=20)
        server.stop()
    finally:
        if server and server.process.poll() is None:
            server.kill()
        disk.close()


# ---- Labels ----


def test_a_version_that_became_worse_is_told_and_explained(tmp_path, hooks):
    hook = hooks()
    server = deployed(tmp_path, log={"rows_per_s": 100000})
    try:
        apply(server, FAST.replace("false", "true") + f"notify: [ops]\nnotifiers: {{ops: {{webhook: '{hook.url}'}}}}\n")
        for part, share_wrong in enumerate((0.05, 0.5)):
            mine = {predict(server, rows(50, 100 * part + k))["id"] for k in range(30)}
            found = [r for r in logged(server, 1500 * (part + 1)) if r["prediction_id"].split(".")[0] in mine]
            chance = random.Random(part)
            wrong = [chance.random() < share_wrong for _ in found]
            label(server, [{"id": r["prediction_id"], "label": int((score(r) >= 0.5) != w)}
                           for r, w in zip(found, wrong)])
            wait_until(lambda: quality(server)["decay"]["rows"] >= 450 + 1500 * part, within=30)
            if part == 0:  # as good as ever: nobody is told
                evaluated(server, 12)
                assert not told(hook, "firing", "decay")
        alert = wait_until(lambda: told(hook, "firing", "decay"))[0]
        assert (alert["model"], alert["version"], alert["column"]) == ("cancer", 1, "error rate")
        assert alert["severity"] == "critical" and alert["value"] > alert["limit"] > 0
        shown = server.ok_json("explain", alert["id"])["alert"]
        evidence, now = shown["evidence"]["data"], quality(server)["decay"]
        assert now["state"] == "decayed" and evidence["baseline_rows"] == 1000
        assert evidence["baseline"] == now["baseline"] and abs(evidence["baseline"] - 0.05) < 0.03
        assert evidence["now"] > 0.15 and evidence["evidence_log10"] == shown["value"] > shown["limit"]
        assert f"the error rate went from {now['baseline']:.4g} to {now['now']:.4g}" in server.ok("quality", "cancer")
        text = server.ok("explain", alert["id"])
        assert "rule decay" in text and "cancer@1" in text and "error rate" in text and "next" in text
        assert f"{alert['id']}  firing" in server.ok("alerts")
    finally:
        server.stop()


def test_labels_that_stop_are_told_and_late_ones_end_it(tmp_path, hooks):
    hook = hooks()
    server = deployed(tmp_path, log={"rows_per_s": 100000})
    try:
        apply(server, rules({"ops": f"{{webhook: '{hook.url}'}}"},
                            rule="  - {name: few-labels, on: coverage, below: 20%, for: 200ms, severity: info}\n"))
        first = predict(server, rows(500))["id"]
        ids = [f"{first}.{i}" for i in range(500)]
        logged(server, 500)
        evaluated(server, 12)
        assert not told(hook, "firing", "few-labels")  # whoever never labelled is not told that labels are few
        label(server, [{"id": i, "label": 1} for i in ids[:250]])
        wait_until(lambda: quality(server)["window"]["coverage"] == 0.5)
        evaluated(server, 12)
        assert not told(hook, "firing", "few-labels")
        late = predict(server, rows(2000))["id"]  # and now labels stop
        alert = wait_until(lambda: told(hook, "firing", "few-labels"))[0]
        assert (alert["model"], alert["unit"], alert["limit"]) == ("cancer", "share", 0.2)
        exported = server.ok_json("explain", alert["id"])
        data = exported["alert"]["evidence"]["data"]
        assert (data["part"], data["whole"]) == (250, 2500) and alert["value"] == 0.1
        assert exported["recomputed"]["same"] and exported["recomputed"]["raised"]
        label(server, [{"id": f"{late}.{i}", "label": 0} for i in range(1000)])
        wait_until(lambda: told(hook, "resolved", "few-labels"))
        assert quality(server)["window"]["coverage"] == 0.5
        assert len(told(hook, "firing", "few-labels")) == 1
    finally:
        server.stop()


# ---- Mail over TLS ----

class TlsMailServer:
    """Takes mail from whoever knows the password, encrypted from the start (`implicit`) or by STARTTLS."""

    def __init__(self, certificate, implicit):
        controller, smtp = pytest.importorskip("aiosmtpd.controller"), pytest.importorskip("aiosmtpd.smtp")
        self.box, self.logins = Mailbox(), []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)

        def check(_server, _session, _envelope, _mechanism, data):
            self.logins.append(data.login)
            return smtp.AuthResult(success=data.login == b"ann" and data.password == b"pw-8c1e",
                                   handled=False)  # the refusal is aiosmtpd's to say

        more = {"ssl_context": context, "auth_require_tls": False} if implicit else {
            "tls_context": context, "require_starttls": True}
        self.controller = controller.Controller(self.box, hostname="127.0.0.1", authenticator=check, auth_required=True,
                                                **more)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.controller.port = probe.getsockname()[1]
        self.controller.start()
        self.url = f"{'smtps' if implicit else 'smtp'}://127.0.0.1:{self.controller.port}"


@pytest.fixture
def mail_server():
    made = []

    def make(*arguments, **more):
        made.append(TlsMailServer(*arguments, **more))
        return made[-1]

    yield make
    for mail in made:
        mail.controller.stop()


def mailing(mail, more=""):
    return rules({"mail": f"{{email: '{mail.url}', from: slipway@example.org, to: ops@example.org, user: ann, "
                          f"password: '${{MAIL_PASSWORD}}'{more}}}"})


@pytest.mark.parametrize("implicit", [False, True], ids=["starttls", "smtps"])
def test_mail_goes_out_encrypted_to_whom_is_trusted_alone(tmp_path, mail_server, implicit):
    for name in ("own", "foreign"):
        (tmp_path / name).mkdir()
    certificate, foreign = make_certificate(tmp_path / "own"), make_certificate(tmp_path / "foreign")
    mail = mail_server(certificate, implicit)
    server = Server(tmp_path, "--log-requests", environment={"MAIL_PASSWORD": "pw-8c1e"})
    try:
        apply(server, mailing(mail, f", ca_file: {foreign[0]}"))  # what it shows is signed by somebody else
        refused = wait_until(lambda: [d for d in server.get("/api/v1/deliveries")["deliveries"] if d["error"]])[0]
        assert refused["state"] == "queued" and "certificate" in refused["error"], refused
        apply(server, mailing(mail))  # nor do the system's authorities know it
        assert "certificate" in server.refuses(FAILED, "rules", "test", "mail")
        assert not mail.logins and not mail.box.mails  # and so it was told no password
        apply(server, mailing(mail, f", ca_file: {certificate[0]}"))
        assert "took it" in server.ok("rules", "test", "mail")
        sent = wait_until(lambda: [d for d in server.get("/api/v1/deliveries")["deliveries"]
                                   if d["id"] == refused["id"] and d["state"] == "sent"], within=20)
        assert sent[0]["attempts"] >= 2 and not sent[0]["error"]
        assert len(mail.box.mails) == 2 and set(mail.logins) == {b"ann"}
        for envelope, session in mail.box.mails:
            assert (session.ssl or implicit) and envelope.mail_from == "slipway@example.org"
        server.environment["MAIL_PASSWORD"] = "wrong-3b90"
        server.stop()
        server.start()
        assert "the mail server answered 535" in server.refuses(FAILED, "rules", "test", "mail")
        shown = "".join([server.http("GET", "/api/v1/deliveries").body.decode(), server.ok("rules", "show", "--json"),
                         server.ok("rules", "show", "--yaml"), server.ok("events"),
                         server.run("rules", "test", "mail").stderr, (tmp_path / "stderr.txt").read_text(),
                         *(e.content.decode() for e, _ in mail.box.mails)])
        stored = b"".join(p.read_bytes() for p in server.data.rglob("*") if p.is_file())
        for secret in ("pw-8c1e", "wrong-3b90", "cHctOGMxZQ", "AGFubgBwdy04YzFl"):  # as SMTP writes them, too
            assert secret not in shown and secret.encode() not in stored
    finally:
        server.stop()


# ---- Time zones ----

AUCKLAND, LOS_ANGELES = "NZST-12NZDT,M9.5.0,M4.1.0/3", "PST8PDT,M3.2.0,M11.1.0"  # needs no zone files
MINUTE_MS, DAY_MS = 60_000, 24 * 3600_000


def push_columns(server, folder, columns, count=2000):
    r = random.Random(1)
    train = folder / "train.csv"
    train.write_text(",".join([*columns, "score"]) + "\n" + "".join(
        ",".join(f"{r.gauss(0, 1):.4f}" for _ in columns) + f",{r.random():.4f}\n" for _ in range(count)))
    server.ok("push", "away", "--external", "--profile", train, "--prediction", "score", "--deploy")


def observe(server, columns, at_ms, count, mean, r):
    observations = [{"features": {c: round(r.gauss(mean, 1), 4) for c in columns}, "prediction": round(r.random(), 4),
                     "id": f"{at_ms}-{i}", "at_ms": at_ms} for i in range(count)]
    reply = server.http("POST", "/api/v1/models/away/observations", observations)
    assert reply.status == 200 and reply.json["accepted"] == count, reply.body
    return [o["id"] for o in observations]


def stored_times(server, to_ms):
    """All that is shown by time, as of one moment."""
    model = "/api/v1/models/away"
    heat = server.get(f"{model}/heatmap?hours=240")
    by_time = {at: (heat["rows"][i], [[c[k][i] for k in ("psi", "state", "missing_share")] for c in heat["columns"]])
               for i, at in enumerate(heat["times"]) if heat["rows"][i]}
    assert len(by_time) >= 3 and not any(at % 3600_000 for at in by_time)
    series = [w for w in server.get(f"{model}/quality?hours=240&step_minutes=60&to={to_ms}")["series"] if w["logged"]]
    drift = server.get(f"{model}/drift")
    shown = ("id", "rule", "column", "state", "started_ms", "fired_ms", "ended_ms", "value", "quiet")
    alerts = [{k: a[k] for k in shown} for a in server.get("/api/v1/alerts?state=all")["alerts"]]
    return {"hour": server.get(f"{model}/watch?minutes=60&to_ms={to_ms}"),
            "ten days": server.get(f"{model}/watch?minutes=14400&to_ms={to_ms}"), "heatmap": by_time, "quality": series,
            "drift": [(f["column"], f["kind"], f["state"], f["since_ms"], f["alarm_ms"]) for f in drift["findings"]],
            "looks": (drift["since_ms"], drift["last_ms"], drift["looks"]), "alerts": alerts,
            "events": [(e["id"], e["at_ms"]) for e in server.get("/api/v1/events")["events"] if e["model"] == "away"]}


def quiet_at(hour):
    """Two hours each way, by the clock that shows `hour` now."""
    return f"quiet: [{{from: '{(hour - 2) % 24:02}:00', to: '{(hour + 3) % 24:02}:00', severity: [critical]}}]\n"


def test_the_servers_time_zone_changes_nothing(tmp_path, hooks):
    hook, r = hooks(), random.Random(3)
    server = Server(tmp_path, environment={"TZ": AUCKLAND})
    try:
        push_columns(server, tmp_path, ["a"])
        server.ok("monitor", "away", "--set", "log.rows_per_s=100000")
        ops, began_ms = {"ops": f"{{webhook: '{hook.url}'}}"}, int(time.time() * 1000)
        watched_rules = "  - {name: drift, on: drift}\n"
        apply(server, rules(ops, rule=RAISED + watched_rules))
        ids = observe(server, ["a"], began_ms - 9 * DAY_MS, 200, 0, r)
        ids += observe(server, ["a"], began_ms - DAY_MS, 200, 0, r)
        for minute in range(50, 40, -1):
            ids += observe(server, ["a"], began_ms - minute * MINUTE_MS, 100, 3, r)
        labels = {"labels": [{"id": i, "label": k % 2} for k, i in enumerate(ids)]}
        wait_until(lambda: server.http("POST", "/api/v1/models/away/labels", labels).json["joined"] >= len(ids))
        apply(server, rules(ops, rule=RAISED.replace("100%", "0%") + watched_rules))  # one ends, one goes on
        wait_until(lambda: {a["rule"] for a in active(server)} == {"drift"} and told(hook, "resolved", "room"),
                   within=30)
        judged = f"/api/v1/models/away/quality?hours=240&to={began_ms}"
        wait_until(lambda: server.get(judged)["window"]["labelled"] == len(ids))
        evaluated(server, 3)
        before = stored_times(server, began_ms)
        assert before["ten days"]["rows"] == len(ids) == sum(rows for rows, _ in before["heatmap"].values())
        now_ms = time.time() * 1000
        for alert in before["alerts"]:
            assert began_ms <= alert["started_ms"] <= alert["fired_ms"] <= (alert["ended_ms"] or now_ms) <= now_ms
        for zone in (LOS_ANGELES, "UTC"):
            server.stop()
            server.environment["TZ"] = zone
            server.start()
            wait_until(lambda: server.get("/api/v1/models/away/drift")["looks"] >= before["looks"][2])
            evaluated(server, 3)
            after = stored_times(server, began_ms)
            for what, was in before.items():
                assert after[what] == was, (zone, what)
        iso = time.strftime("%Y-%m-%dT%H:%M:00Z", time.gmtime((began_ms - 30 * MINUTE_MS) / 1000))
        late = {"features": {"a": 0.5}, "prediction": 0.5, "time": iso}
        assert server.http("POST", "/api/v1/models/away/observations", [late] * 7).json["accepted"] == 7
        assert server.get(f"/api/v1/models/away/watch?minutes=5&to_ms={began_ms - 28 * MINUTE_MS}")["rows"] == 7
    finally:
        server.stop()


def test_quiet_hours_are_utc(tmp_path, hooks):
    hook = hooks()
    server = Server(tmp_path, environment={"TZ": AUCKLAND})
    try:
        here, there = time.gmtime().tm_hour, (time.gmtime().tm_hour + 12) % 24
        ops = {"ops": f"{{webhook: '{hook.url}'}}"}
        apply(server, rules(ops, rule=RAISED, more=quiet_at(here)))
        wait_until(lambda: [a["quiet"] for a in active(server)] == [True])
        evaluated(server, 10)
        assert not hook.got
        apply(server, rules(ops, rule=RAISED, more=quiet_at(there)))
        assert wait_until(lambda: told(hook, "firing", "room")) and not active(server)[0]["quiet"]
    finally:
        server.stop()


# ---- A storm ----

def test_three_hundred_columns_that_drift_at_once_are_few_messages(tmp_path, hooks):
    hook, r = hooks(), random.Random(4)
    columns = [f"c{i:03}" for i in range(300)]
    server = deployed(tmp_path)
    took, ended = [], threading.Event()

    def predict_on():
        record = rows(1)[0]
        while not ended.wait(0.01):
            began = time.monotonic()
            predict(server, record)
            took.append(time.monotonic() - began)

    client = threading.Thread(target=predict_on)
    try:
        push_columns(server, tmp_path, columns, 600)
        apply(server, "every: 200ms\ngroups: {by: [model], wait: 1s, interval: 1s}\nnotify: [ops]\n"
              f"notifiers: {{ops: {{webhook: '{hook.url}'}}}}\n"
              "rules: [{name: drift, on: drift, model: away}, {name: data-quality, on: quality, model: away}]\n")
        client.start()
        now_ms = int(time.time() * 1000)
        for minute in range(9, 4, -1):
            observe(server, columns, now_ms - minute * MINUTE_MS, 60, 4, r)

        def raised(rule):
            listed = server.get("/api/v1/alerts?state=firing&model=away&limit=1000")["alerts"]
            return {a["column"] for a in listed if a["rule"] == rule}

        wait_until(lambda: raised("drift") >= set(columns) and raised("data-quality") >= set(columns), within=60)
        last = wait_until(lambda: (m := hook.messages()) and m[-1]["firing"] >= 600 and m[-1])
        messages = len(hook.got)
        evaluated(server, 8)  # which takes longer than `interval`
        assert len(hook.got) == messages <= 8
        assert len(last["alerts"]) == 100 and last["more"] == last["firing"] + last["resolved"] - 100
        assert {a["model"] for m in hook.messages() for a in m["alerts"]} == {"away"}
        assert metric(server, "slipway_alerts_dropped_total") == 0
        ended.set()
        client.join()
        took.sort()
        print(f"{messages} messages, {len(took)} predictions, 99 % within {took[len(took) * 99 // 100] * 1000:.0f} ms")
        assert len(took) > 100 and (SANITIZED or took[len(took) * 9 // 10] < 0.2)
    finally:
        ended.set()
        server.stop()
