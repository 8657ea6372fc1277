# SPDX-License-Identifier: Apache-2.0
"""A value of the wrong type: its row is refused, counted for its column, shown, and told of."""

import json
import random
import time

import pytest
from harness import EXAMPLE, Server, wait_until

NDJSON = {"Content-Type": "application/x-ndjson"}


def feature(server, model, name, minutes=15):
    told = server.ok_json("watch", model, "--minutes", minutes)
    return told, next(f for f in told["features"] if f["name"] == name)


def counted(server, model, name, mismatches, minutes=15):
    def told():
        whole, found = feature(server, model, name, minutes)
        return found["type_mismatches"] == mismatches and (whole, found)
    return wait_until(told, within=15, every=0.3)


def finding(server, model, column, kind="type"):
    told = server.get(f"/api/v1/models/{model}/drift?evidence=true")["findings"]
    return next((f for f in told if (f["column"], f["kind"]) == (column, kind)), {"state": "not looked at yet"})


def drifted(server, model, column, within):
    return wait_until(lambda: (f := finding(server, model, column))["state"] == "drifted" and f, within=within, every=0.5)


def alert(server, column):
    def raised():
        alerts = server.get("/api/v1/alerts")["alerts"]
        return next((a for a in alerts if a["rule"] == "data-quality" and a["column"] == column), None)
    return wait_until(raised, within=60, every=0.5)


def metrics(server):
    text = server.http("GET", "/metrics").body.decode()
    return [line for line in text.splitlines() if line.startswith("slipway_column_type_mismatches_total{")]


def serve(tmp_path):
    server = Server(tmp_path)
    server.ok("push", "cells", EXAMPLE / "linear.onnx", "--profile", EXAMPLE / "train.csv", "--deploy")
    header, *lines = (EXAMPLE / "train.csv").read_text().splitlines()
    rows = [{k: float(v) for k, v in zip(header.split(","), line.split(",")) if k != "malignant"} for line in lines]
    return server, rows


def test_a_refused_record_is_counted_for_its_column_and_nowhere_else(tmp_path):
    server, rows = serve(tmp_path)
    for row in rows[:20]:
        assert server.http("POST", "/models/cells/predict", row).status == 200
    counted(server, "cells", "mean_area", 0)
    assert metrics(server) == []
    assert "wrong type" not in server.ok("watch", "cells")
    for wrong in ("12.5", [1], {"value": 1}):
        reply = server.http("POST", "/models/cells/predict", {**rows[0], "mean_area": wrong})
        assert reply.status == 400 and "record 0, field 'mean_area': expected a number, found" in reply.error
    reply = server.http("POST", "/models/cells/predict", rows[:5] + [{**rows[5], "mean_radius": "wide"}])
    assert reply.status == 400 and "record 5, field 'mean_radius'" in reply.error
    for other in ({**rows[0], "mean_area": None}, {**rows[0], "mean_aera": "x"}, '{"mean_area": }'):
        assert server.http("POST", "/models/cells/predict", other).status == 400
    whole, area = counted(server, "cells", "mean_area", 3)
    assert whole["rows"] == area["rows"] == 20 and area["type_mismatch_share"] == round(3 / 23, 4)
    assert feature(server, "cells", "mean_radius")[1]["type_mismatches"] == 1
    assert feature(server, "cells", "mean_texture")[1]["type_mismatches"] == 0
    assert whole["outputs"][0]["type_mismatches"] is None
    assert "3 rows of the wrong type (13 %)" in server.ok("watch", "cells")
    label = 'slipway_column_type_mismatches_total{model="cells",version="1",column='
    assert sorted(metrics(server)) == [label + '"mean_area"} 3', label + '"mean_radius"} 1']
    time.sleep(2.5)  # counted within a second, stored within another
    server.kill()
    server.start()
    whole, area = counted(server, "cells", "mean_area", 3)
    assert whole["rows"] == 20
    assert metrics(server) == []  # a counter of this run
    assert server.http("POST", "/models/cells/predict", {**rows[0], "mean_area": True}).status == 200  # as ever: 1
    assert server.http("POST", "/models/cells/predict", {**rows[0], "mean_area": "1"}).status == 400
    counted(server, "cells", "mean_area", 4)
    server.stop()


@pytest.mark.slow
def test_a_client_that_begins_to_send_texts_raises_an_alert(tmp_path):
    server, rows = serve(tmp_path)

    def found():  # the monitor looks once a minute
        for row in rows[:40]:
            assert server.http("POST", "/models/cells/predict", {**row, "mean_area": str(row["mean_area"])}).status == 400
        said = finding(server, "cells", "mean_area")
        return said["state"] == "drifted" and said

    said = wait_until(found, within=150, every=1)
    assert "100 % of the wrong type in" in said["reason"] and said["influence"] is None
    told = alert(server, "mean_area")
    assert told["kind"] == "quality" and told["model"] == "cells"
    assert "mean_area, type: 100 % of the wrong type" in server.ok("watch", "cells")
    server.stop()


def row(r):
    return {"amount": r.gauss(50, 10), "country": r.choice(["DE", "FR"])}


def observe(server, r, minutes_ago, good, bad):
    now = int(time.time() * 1000) - minutes_ago * 60000
    rows = [row(r) for _ in range(good)] + [{**row(r), "amount": "12.5"} for _ in range(bad)]
    r.shuffle(rows)
    body = "".join(json.dumps({"features": x, "prediction": r.random(), "at_ms": now + i}) + "\n"
                   for i, x in enumerate(rows))
    reply = server.http("POST", "/api/v1/models/fraud/observations", body, NDJSON)
    if good:
        assert reply.status == 200 and (reply.json["accepted"], reply.json["rejected_count"]) == (good, bad)
        if bad:
            assert "field 'amount': expected a number, found a string" in reply.json["rejected"][0]["error"]
    else:
        assert reply.status == 400 and "field 'amount'" in reply.error


def test_refused_observations_raise_an_alert_that_survives_a_restart(tmp_path):
    r = random.Random(1)
    train = tmp_path / "train.csv"
    train.write_text("amount,country,score\n" + "".join(
        f"{x['amount']:.6f},{x['country']},{r.random():.6f}\n" for x in (row(r) for _ in range(3000))))
    server = Server(tmp_path)
    server.ok("push", "fraud", "--external", "--profile", train, "--prediction", "score", "--deploy")
    for ago in range(60, 40, -1):
        observe(server, r, ago, 60, 0)
    wait_until(lambda: server.get("/api/v1/models/fraud/drift")["looks"] >= 20, within=30, every=0.3)
    assert finding(server, "fraud", "amount")["state"] == "same"
    for ago in range(40, 36, -1):
        observe(server, r, ago, 30, 30)
    observe(server, r, 36, 0, 25)  # a minute of nothing else
    said = drifted(server, "fraud", "amount", within=30)
    assert "% of the wrong type in" in said["reason"] and "(reference 0 %)" in said["reason"]
    assert said["evidence"]["kind"] == "type" and said["evidence"]["result"]["alarm"] is True
    assert finding(server, "fraud", "country")["state"] == "same"
    assert finding(server, "fraud", "amount", "missing")["state"] == "same"
    whole, amount = counted(server, "fraud", "amount", 145, minutes=90)
    assert whole["rows"] == 20 * 60 + 4 * 30 and amount["type_mismatch_share"] == round(145 / (1320 + 145), 4)
    assert "amount, type: " in server.ok("watch", "fraud", "--minutes", "90")
    told = alert(server, "amount")
    explained = server.ok_json("explain", told["id"])["recomputed"]
    assert explained["same"] and explained["raised"]
    server.kill()
    server.start()
    after = drifted(server, "fraud", "amount", within=30)
    assert after["evidence"] == said["evidence"] and after["since_ms"] == said["since_ms"]
    counted(server, "fraud", "amount", 145, minutes=90)
    server.stop()
