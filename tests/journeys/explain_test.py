# SPDX-License-Identifier: Apache-2.0
"""Alerts of every kind are computed again from what they carry, far from the server that raised them."""

import json
import random
import re

import pytest
from alerts_test import FAST, active, apply
from harness import EXAMPLE, FAILED, Server, wait_until
from labels_test import deployed, label, logged, predict, quality, rows, score

EVIDENCE_BYTES_MAX = 64 << 10


def raised(server, *names, within=20):
    """The alerts of these rules, once all of them fire."""
    def all_fire():
        found = {a["rule"]: a for a in active(server)}
        return found if set(names) <= set(found) else None
    return wait_until(all_fire, within=within)


def exported(server, alert):
    text = server.ok("explain", alert["id"], "--json")
    found = json.loads(text)
    assert found["recomputed"] == dict(found["recomputed"], possible=True, same=True, raised=True), text[:2000]
    assert len(text) < EVIDENCE_BYTES_MAX
    return found


def notices(server, file, text, number):
    """That the last digit of `number` is another one in the text."""
    at = text.index(number) + len(number) - 1
    file.write_text(text[:at] + str((int(text[at]) + 1) % 10) + text[at + 1:])
    found = server.run("explain", file)
    return found.returncode == FAILED and "DIFFERS" in found.stdout


@pytest.mark.concurrent
def test_decay_and_metrics_are_computed_again_without_a_server(tmp_path):
    server = deployed(tmp_path, log={"rows_per_s": 100000})
    for part, share_wrong in enumerate((0.05, 0.5)):
        mine = {predict(server, rows(50, 100 * part + k))["id"] for k in range(30)}
        found = [r for r in logged(server, 1500 * (part + 1)) if r["prediction_id"].split(".")[0] in mine]
        chance = random.Random(part)
        label(server, [{"id": r["prediction_id"], "label": int((score(r) >= 0.5) != (chance.random() < share_wrong))}
                       for r in found])
        # What is joined first is the baseline, so that how many rows are tested is not certain.
        wait_until(lambda: quality(server)["decay"]["baseline_rows"] and quality(server)["decay"]["rows"] >= 1500 * part)
    metrics = ["accuracy", "roc_auc", "average_precision", "log_loss_clip_eps", "ece_10_equal_width", "tp"]
    apply(server, FAST + "rules:\n  - {name: worse, on: decay}\n" + "".join(
        f"  - {{name: {m}, on: metric, column: {m}, above: 0}}\n" for m in metrics))
    alerts = raised(server, "worse", *metrics)
    told = {name: exported(server, alerts[name]) for name in alerts}
    shown = quality(server)["window"]["metrics"]
    for name in metrics:  # roc_auc and average_precision are binned
        assert abs(told[name]["recomputed"]["computed"] - shown[name]) < 0.01 * max(1, shown[name])
    assert told["accuracy"]["recomputed"]["computed"] == shown["accuracy"]
    decay = told["worse"]["alert"]["evidence"]
    assert decay["value"] >= decay["limit"] == quality(server)["decay"]["threshold_log10"]
    assert decay["data"]["baseline"] < 0.1 and 0.2 < decay["data"]["now"] < 0.7 and decay["data"]["looks"]
    server.stop()

    file = tmp_path / "alert.json"
    for name, alert in told.items():
        file.write_text(json.dumps(alert))
        text = server.ok("explain", file)
        assert "the same to the last bit" in text and "next" in text
        assert server.ok_json("explain", file)["recomputed"] == alert["recomputed"]
    text = json.dumps(told["worse"])
    assert notices(server, file, text, re.search(r'"looks": \[\[\d+, \d+', text).group())
    assert notices(server, file, text, re.search(r'"baseline_sums": \[\d+, \d+', text).group())
    assert notices(server, file, text, re.search(r'"tolerance": 0.02', text).group())
    assert notices(server, file, json.dumps(told["accuracy"]), '"matrix": [' + str(
        told["accuracy"]["alert"]["evidence"]["data"]["sums"]["counted"]["matrix"][0]))
    losses = re.search(r'"losses": \[\d+\.\d{6}', json.dumps(told["log_loss_clip_eps"])).group()
    assert notices(server, file, json.dumps(told["log_loss_clip_eps"]), losses)


def test_what_was_read_is_compared_again(tmp_path):
    server = Server(tmp_path)
    apply(server, FAST + "rules:\n"
          "  - {name: lag, on: lag, below: 10s}\n"
          "  - {name: log, on: log, below: 1}\n"
          "  - {name: room, on: disk, measure: free_bytes, above: 1B}\n")
    alerts = raised(server, "lag", "log", "room")
    for alert in alerts.values():
        exported(server, alert)
    assert "the same to the last bit" in server.ok("explain", alerts["lag"]["id"])
    server.stop()


@pytest.mark.slow
def test_thresholds_on_columns_are_computed_again_from_counts(tmp_path):
    server = Server(tmp_path)
    server.ok("push", "cells", EXAMPLE / "linear.onnx", "--profile", EXAMPLE / "train.csv")
    server.ok("deploy", "cells@1")
    header, *lines = (EXAMPLE / "train.csv").read_text().splitlines()
    sent = [{k: float(v) for k, v in zip(header.split(","), line.split(",")) if k != "malignant"} for line in lines]
    for row in sent[::5]:
        row["mean_radius"] *= 100
    apply(server, FAST + "rules:\n"
          "  - {name: tenth, on: quality, measure: range, column: mean_radius, above: 10%}\n"
          "  - {name: half, on: quality, measure: range, column: mean_radius, above: 50%}\n"
          "  - {name: any, on: quality, column: mean_radius, above: 10%}\n"
          "  - {name: moved, on: drift, column: mean_radius, above: 0.1}\n"
          "  - {name: own, on: drift, column: mean_radius}\n")

    def found():  # the monitor looks once a minute
        assert server.http("POST", "/models/cells/predict", sent[:300]).status == 200
        alerts = {a["rule"]: a for a in active(server)}
        return alerts if {"tenth", "any", "moved", "own"} <= set(alerts) else None

    alerts = wait_until(found, within=150, every=1)
    assert "half" not in alerts
    told = {name: exported(server, alert) for name, alert in alerts.items()}
    assert alerts["tenth"]["unit"] == "share" and "20" in alerts["tenth"]["summary"]
    data = told["tenth"]["alert"]["evidence"]["data"]
    assert alerts["tenth"]["value"] == data["part"] / data["whole"] and 0.19 < alerts["tenth"]["value"] < 0.25
    server.stop()
    file = tmp_path / "alert.json"
    for alert in told.values():
        file.write_text(json.dumps(alert))
        assert "the same to the last bit" in server.ok("explain", file)
    assert re.search(r": mean_radius drifts: PSI [\d.]+, above PSI 0\.1$", alerts["moved"]["summary"]), alerts["moved"]
    assert re.search(r": mean_radius drifts \(PSI [\d.]+\), (far )?beyond chance", alerts["own"]["summary"]), alerts["own"]
    # Of a drift: PSI, its limit, and of how many rows, whether a threshold or the monitor's own test raised it.
    training = len(lines)
    moved, own = told["moved"], told["own"]
    for one, limit in ((moved, 0.1), (own, 0.02)):
        assert one["alert"]["kind"] == "drift", one["alert"]
        figures = one["figures"]
        assert figures["psi_limit"] == limit < figures["psi"], figures
        assert figures["reference_rows"] == training and figures["rows"] >= 300, figures
        file.write_text(json.dumps(one))
        text = server.ok("explain", file)
        assert re.search(rf"rows looked at +{figures['rows']}\n", text) and re.search(rf"reference +{training}\n", text), text
    assert re.search(r"PSI +0?\.\d|PSI +\d", text) and re.search(r"PSI that is tolerated +0.02\n", text), text
    assert "figures" not in told["tenth"]
