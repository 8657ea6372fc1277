# SPDX-License-Identifier: Apache-2.0
"""What people do in a browser, by clicking; the screenshots are kept in build/screenshots."""

import csv
import os
import pathlib
import subprocess

import pytest
from elsewhere import watch_elsewhere
from harness import EXAMPLE, ROOT, clean_environment, wait_until
from receivers import Hook

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def run_in_browser(server, script, model):
    screenshots = ROOT / "build/screenshots"
    screenshots.mkdir(parents=True, exist_ok=True)
    folder = pathlib.Path(__file__).parent / "browser"
    done = subprocess.run(["node", "--test", script], cwd=folder, capture_output=True, text=True, timeout=300,
                          env=clean_environment(SLIPWAY_URL=server.url, MODEL=model, SCREENSHOT_DIR=str(screenshots)))
    (screenshots / f"{script}.txt").write_text(done.stdout + done.stderr)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr
    assert len(os.listdir(screenshots)) > 4


def test_a_person_deploys_and_rolls_back_by_clicking(server):
    for file in ("linear.onnx", "linear-strict.onnx"):
        server.ok("push", "cells", EXAMPLE / file, "--profile", EXAMPLE / "train.csv")
    server.ok("deploy", "cells@1")
    with open(EXAMPLE / "test.csv") as file:
        records = [{k: float(v) * (1.6 if k.startswith("mean_r") else 1) for k, v in row.items() if k != "malignant"}
                   for row in csv.DictReader(file)]
    for _ in range(6):
        assert server.http("POST", "/models/cells/predict", records).status == 200
    run_in_browser(server, "dashboard.test.mjs", "cells")


def test_a_person_follows_an_alert_to_what_moved(server, tmp_path):
    watch_elsewhere(server, tmp_path)
    wait_until(lambda: server.get("/api/v1/alerts?state=firing&model=elsewhere")["alerts"], within=40)
    run_in_browser(server, "monitoring.test.mjs", "elsewhere")


def test_a_person_writes_alert_rules(server):
    hook = Hook()
    yaml = f"# ours\nnotify: [ops]\nnotifiers:\n  ops: {{webhook: '{hook.url}/in'}}\n"
    assert server.http("PUT", "/api/v1/alert-rules", yaml, {"Content-Type": "application/yaml"}).status == 200
    told = server.http("POST", "/api/v1/alert-rules/check", yaml + "rules:\n  - {name: own, on: drift, labels: {a: b}}\n").json
    assert [(r["line"], r["labels"], r["builtin"]) for r in told["rules"] if r["name"] == "own"] == [(6, {"a": "b"}, False)]
    assert server.http("POST", "/api/v1/alert-rules/check", "rules:\n  - {name: own}\n").status == 400
    assert {"on": "disk", "measure": "free", "unit": "share", "windowed": False, "verdict": False} in server.get(
        "/api/v1/alert-rules")["measures"]
    try:
        run_in_browser(server, "rules.test.mjs", "none")
    finally:
        hook.close()
    assert "alert_rules.changed" in [e["kind"] for e in server.get("/api/v1/events")["events"]]
