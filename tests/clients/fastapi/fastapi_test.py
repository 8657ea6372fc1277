# SPDX-License-Identifier: Apache-2.0
"""A model in FastAPI, watched by Slipway: told by the application itself, or by a proxy in front of it."""
import pathlib
import random
import re
import subprocess
import sys

import httpx
import pytest
from harness import BIN, clean_environment, wait_until


def row(chance, mean=50):
    return {"amount": chance.gauss(mean, 10), "country": chance.choice(["DE", "FR", "US"]), "age": chance.randint(18, 80)}


def started(command, stream, **options):
    """The process, and the URL that it says it listens on."""
    process = subprocess.Popen(command, **{stream: subprocess.PIPE}, text=True, **options)
    for line in getattr(process, stream):
        if found := re.search(r"http://127\.0\.0\.1:\d+", line):
            return process, found[0]
    raise AssertionError(f"{command} said nothing of where it listens")


def stop(process):
    process.terminate()
    process.communicate(timeout=30)


@pytest.fixture
def fraud(server, tmp_path):
    chance, lines = random.Random(1), ["amount,country,age,score"]
    for _ in range(3000):
        x = row(chance)
        lines.append(f"{x['amount']:.4f},{x['country']},{x['age']},0.5")
    (tmp_path / "train.csv").write_text("\n".join(lines) + "\n")
    server.ok("push", "fraud", "--external", "--profile", tmp_path / "train.csv", "--prediction", "score", "--deploy")
    return server


@pytest.fixture
def app(fraud):
    process, url = started([sys.executable, "-m", "uvicorn", "app:app", "--port", "0", "--no-access-log"], "stderr",
                           cwd=pathlib.Path(__file__).parent, env=clean_environment(SLIPWAY=fraud.url))
    yield url
    stop(process)


def watched(server, rows):
    """What is known of each feature, once so many rows have come."""
    seen = wait_until(lambda: (w := server.get("/api/v1/models/fraud/watch?minutes=15"))["rows"] == rows and w, within=30)
    return {f["name"]: f for f in seen["features"]}


def test_an_application_tells_what_it_predicted(fraud, app):
    chance = random.Random(2)
    with httpx.Client(base_url=app) as client:
        for i in range(600):
            client.post("/predict", json=row(chance) | {"id": f"a{i}"}).raise_for_status()
    features = watched(fraud, 600)
    assert {name: f["state"] for name, f in features.items()} == dict.fromkeys(["amount", "country", "age"], "same")
    truth = [{"id": f"a{i}", "label": chance.randint(0, 1)} for i in range(600)]
    wait_until(lambda: len(fraud.ok("predictions", "fraud").splitlines()) > 100)
    assert fraud.http("POST", "/api/v1/models/fraud/labels", truth).json["accepted"] == 600
    quality = wait_until(lambda: (q := fraud.get("/api/v1/models/fraud/quality"))["window"]["labelled"] and q)
    assert quality["task"] == "binary" and 0.35 < quality["window"]["metrics"]["accuracy"] < 0.65
    with httpx.Client(base_url=app) as client:
        for i in range(900):
            client.post("/predict", json=row(chance, mean=65)).raise_for_status()
    features = watched(fraud, 1500)
    assert features["amount"]["state"] == "drifted" and features["age"]["state"] == "same"


def test_a_proxy_tells_of_an_application_that_knows_nothing(fraud, app):
    process, url = started([BIN, "proxy", "--upstream", app, "--model", "fraud", "--listen", "127.0.0.1:0", "--server",
                            fraud.url], "stdout", env=clean_environment())
    chance = random.Random(3)
    with httpx.Client(base_url=url) as through, httpx.Client(base_url=app) as direct:
        for _ in range(20):
            rows = [row(chance, mean=70) for _ in range(50)]
            told = through.post("/score", json=rows)
            assert told.status_code == 200 and told.json() == direct.post("/score", json=rows).json()
        assert through.get("/openapi.json").json() == direct.get("/openapi.json").json()
        wrong, as_ever = (c.post("/score", json={"no": "list"}) for c in (through, direct))
        assert wrong.status_code == as_ever.status_code == 422 and wrong.content == as_ever.content
    features = watched(fraud, 1000)
    assert features["amount"]["state"] == "drifted" and features["country"]["state"] == "same"
    stop(process)
