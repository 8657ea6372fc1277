# SPDX-License-Identifier: Apache-2.0
"""How a model is watched is its owner's choice, and changing it drops no request."""

import threading

import pytest
from harness import EXAMPLE, FAILED, Server


@pytest.fixture
def server(tmp_path):
    server = Server(tmp_path)
    server.ok("push", "bc", EXAMPLE / "linear.onnx", "--profile", EXAMPLE / "train.csv")
    server.ok("deploy", "bc")
    yield server
    server.stop()


def settings(server):
    return server.get("/api/v1/models/bc/monitor")["settings"]


def test_settings_have_defaults_and_survive_a_restart(server):
    assert settings(server)["false_alarms_per_month"] == 1
    chosen = server.ok_json("monitor", "bc", "--set", "log.days=30", "--set", "segments=mean_radius",
                            "--set", "columns.mean_area.privacy=drop")["settings"]
    assert chosen["log"]["days"] == 30
    assert chosen["segments"] == ["mean_radius"]
    assert chosen["columns"] == {"mean_area": {"privacy": "drop"}}
    server.stop()
    server.start()
    assert settings(server) == chosen
    assert server.ok_json("monitor", "bc", "--reset")["settings"]["segments"] == []


def test_a_change_is_an_event_and_no_revision(server):
    server.ok("monitor", "bc", "--set", "tolerance=0.05")
    assert server.get("/api/v1/events?limit=1")["events"][0]["kind"] == "monitor.changed"
    assert len(server.get("/api/v1/models/bc/deployments")["revisions"]) == 1


@pytest.mark.parametrize("change, words", [
    ("tolerance=7", "from 0 to 1"),
    ("segments=nix", 'no feature "nix"'),
    ("columns.nix.privacy=drop", 'no output "nix"'),
    ("output=nix", 'no output "nix"'),
    ("typo=1", 'no field "typo"'),
])
def test_a_wrong_setting_is_refused_and_nothing_changes(server, change, words):
    before = settings(server)
    assert words in server.refuses(FAILED, "monitor", "bc", "--set", change)
    assert settings(server) == before


def test_changing_settings_under_load_fails_no_request(server):
    features = server.get("/api/v1/models/bc/versions/1")["signature"]["features"]
    row = {feature["name"]: 1.0 for feature in features}
    statuses, stop = [], threading.Event()

    def load():
        while not stop.is_set():
            statuses.append(server.http("POST", "/models/bc/predict", row).status)

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    for days in range(1, 11):
        server.ok("monitor", "bc", "--set", f"log.days={days}", "--set",
                  f"segments={['mean_radius', ''][days % 2]}")
    stop.set()
    for thread in threads:
        thread.join()
    assert set(statuses) == {200} and len(statuses) > 50
