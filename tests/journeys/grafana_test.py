# SPDX-License-Identifier: Apache-2.0
"""Debian's Prometheus scrapes a real server, and every panel of the Grafana dashboards finds data."""

import json
import subprocess
import time
import urllib.parse
import urllib.request

import pytest
from elsewhere import watch_elsewhere
from harness import EXAMPLE, ROOT, Server, wait_until

BOARDS = sorted((ROOT / "examples/grafana").glob("*.json"))


class Prometheus:
    def __init__(self, folder, target):
        config = folder / "prometheus.yml"
        config.write_text("global: {scrape_interval: 1s}\n"
                          "scrape_configs:\n"
                          "  - job_name: slipway\n"
                          f"    static_configs: [{{targets: ['{target}']}}]\n")
        self.log = open(folder / "prometheus.txt", "wb")
        for self.port in range(19090, 19190):
            self.process = subprocess.Popen(
                ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder / 'tsdb'}",
                 f"--web.listen-address=127.0.0.1:{self.port}"], stderr=self.log)
            try:
                wait_until(self.is_up, within=15)
                return
            except AssertionError:
                self.stop()
        raise AssertionError((folder / "prometheus.txt").read_text()[-2000:])

    def is_up(self):
        assert self.process.poll() is None
        try:
            return self.ask("up")
        except OSError:
            return None

    def ask(self, expression):
        query = urllib.parse.urlencode({"query": expression})
        url = f"http://127.0.0.1:{self.port}/api/v1/query?{query}"
        with urllib.request.urlopen(url, timeout=10) as reply:
            return json.load(reply)["data"]["result"]

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=20)
        self.log.close()


@pytest.fixture(scope="module")
def scraped(tmp_path_factory):
    folder = tmp_path_factory.mktemp("grafana")
    server = Server(folder)
    server.ok("push", "cells", EXAMPLE / "linear.onnx", "--profile", EXAMPLE / "train.csv", "--deploy")
    rows = folder / "rows.csv"
    lines = (EXAMPLE / "test.csv").read_text().splitlines()
    rows.write_text("\n".join([lines[0]] + lines[1:] * 6) + "\n")
    watch_elsewhere(server, folder)
    prometheus = Prometheus(folder, f"127.0.0.1:{server.port}")
    for _ in range(3):
        server.ok("predict", "cells", rows)
        time.sleep(1.2)  # a rate needs two scrapes with traffic between them
    yield server, prometheus
    prometheus.stop()
    server.stop()


def panels():
    for board in BOARDS:
        for panel in json.loads(board.read_text())["panels"]:
            for target in panel["targets"]:
                yield pytest.param(panel["title"], target["expr"], id=f"{board.stem}: {panel['title']} {target['refId']}")


def filled_in(expression, model):
    for name, value in (("$__rate_interval", "30s"), ("$model", model), ("$version", ".*")):
        expression = expression.replace(name, value)
    assert "$" not in expression
    return expression


@pytest.mark.parametrize("title, expression", panels())
def test_every_panel_finds_its_data(scraped, title, expression):
    _, prometheus = scraped
    wait_until(lambda: any(prometheus.ask(filled_in(expression, m)) for m in ("cells", "elsewhere")),
               within=30, every=0.5)


def test_the_figures_are_the_servers_own(scraped):
    server, prometheus = scraped
    counted = {f["name"]: f for f in server.get("/api/v1/models")["models"]}["cells"]["traffic"]["requests"]
    wait_until(lambda: float(prometheus.ask('slipway_requests_total{model="cells"}')[0]["value"][1]) == counted)
