# SPDX-License-Identifier: Apache-2.0
"""The monitor on a real server: what was observed in the past minutes is looked at as soon as it comes."""

import json
import random
import time

import pytest
from harness import Server, wait_until

PATH = "/api/v1/models/fraud"
NDJSON = {"Content-Type": "application/x-ndjson"}


def row(r, shift=0.0, sign=1):
    amount = r.gauss(50, 10)
    return {"amount": amount + 10 * shift, "balance": sign * (amount - 50) + r.gauss(0, 2), "country": r.choice(["DE", "FR"])}


@pytest.fixture
def server(tmp_path):
    r = random.Random(1)
    rows = [row(r) for _ in range(3000)]
    train = tmp_path / "train.csv"
    train.write_text("amount,balance,country,score\n" + "".join(
        f"{x['amount']:.6f},{x['balance']:.6f},{x['country']},{r.random():.6f}\n" for x in rows))
    server = Server(tmp_path)
    server.ok("push", "fraud", "--external", "--profile", train, "--prediction", "score", "--deploy")
    server.ok("monitor", "fraud", "--set", "log.rows_per_s=100000")  # log all of them
    yield server
    server.stop()


def observe(server, first, minutes, rows, seed, **fault):
    """`rows` a minute, `first` minutes ago and from then on."""
    r, now = random.Random(seed), int(time.time() * 1000)
    for ago in range(first, first - minutes, -1):
        body = "".join(json.dumps({"features": row(r, **fault), "prediction": r.random(),
                                   "at_ms": now - ago * 60000 + i}) + "\n" for i in range(rows))
        reply = server.http("POST", PATH + "/observations", body, NDJSON)
        assert reply.status == 200 and reply.json["accepted"] == rows, reply.body


def drift(server):
    return server.get(PATH + "/drift?evidence=true")


def seen(server, looks):
    return wait_until(lambda: (d := drift(server))["looks"] >= looks and d, within=30, every=0.3)


def classified(server, rows):
    def told():
        found = drift(server)["domain_classifier"]
        return found and found["rows"] >= rows and found
    return wait_until(told, within=30, every=0.3)


def findings(said):
    return {(f["column"], f["kind"]): f for f in said["findings"]}


def test_a_healthy_stream_is_the_same_and_a_shift_is_named(server):
    observe(server, 60, 20, 60, 2)
    said = seen(server, 20)
    assert said["state"] == "same" and said["drifted"] == 0
    observe(server, 40, 10, 60, 3, shift=1)
    said = seen(server, 30)
    found = findings(said)
    assert said["state"] == "drifted" and said["statement"] == "at most 1 false alarm a month"
    assert found["amount", "distribution"]["state"] == "drifted"
    assert found["balance", "missing"]["state"] == found["country", "distribution"]["state"] == "same"
    assert found["amount", "distribution"]["evidence"]["result"]["alarm"] is True
    assert "amount, distribution: PSI" in server.ok("watch", "fraud", "--minutes", "90")
    before = findings(said)["amount", "distribution"]
    server.kill()
    server.start()
    after = findings(seen(server, 30))["amount", "distribution"]
    assert after["evidence"] == before["evidence"] and after["since_ms"] == before["since_ms"]


def test_rows_as_ever_cannot_be_told_apart(server):
    observe(server, 60, 10, 100, 4)
    seen(server, 10)
    observe(server, 50, 1, 100, 5)  # where a look came in between, another one follows
    told = classified(server, 500)
    assert told["p"] > 1e-3 and 0.4 < told["auc"] < 0.6
    assert told["reference"] == f"the first {told['reference_rows']} logged rows of this version"
    assert "together" not in server.ok("watch", "fraud")


def test_columns_that_moved_against_each_other_are_told_by_the_classifier_alone(server):
    observe(server, 60, 5, 100, 5)
    observe(server, 50, 5, 100, 6, sign=-1)
    seen(server, 10)
    observe(server, 40, 1, 100, 7, sign=-1)
    told = classified(server, 500)
    assert told["auc"] > 0.8 and told["p_log10"] < -20
    assert {i["column"] for i in told["importances"][:2]} == {"amount", "balance"}
    found = findings(drift(server))
    assert found["amount", "distribution"]["state"] != "drifted"
    assert "rows can be told from the first " in server.ok("watch", "fraud")


def test_what_is_not_known_has_its_reason(server):
    said = drift(server)
    assert said["domain_classifier"] is None and said["domain_classifier_why"]
    observe(server, 60, 1, 20, 7)
    why = wait_until(lambda: "too few" in (w := drift(server).get("domain_classifier_why", "")) and w, within=30, every=0.3)
    assert why == "too few logged rows: 10, and 10 of the reference (50 of each)"
