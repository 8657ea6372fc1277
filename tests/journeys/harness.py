# SPDX-License-Identifier: Apache-2.0
"""A real server on a data folder of its own, for the journeys."""

import http.client
import json
import os
import pathlib
import signal
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = os.environ.get("SLIPWAY_BIN", str(ROOT / "build/release/slipway"))
EXAMPLE = ROOT / "examples/breast_cancer"
MODELS = ROOT / "tests/data/models"
SANITIZED = "SLIPWAY_SANITIZER" in os.environ  # such a build keeps hundreds of megabytes of what was freed
DONE, FAILED, USAGE, NOT_FOUND, REFUSED, UNREACHABLE = range(6)


def clean_environment(**more):
    kept = {k: v for k, v in os.environ.items() if not k.startswith("SLIPWAY_") or k in ("SLIPWAY_ORT", "SLIPWAY_DUCKDB")}
    return {**kept, **more}


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def error(self):
        return self.json["error"]


class Server:
    def __init__(self, folder, *options, environment=None, token=None):
        self.folder = pathlib.Path(folder)
        self.data = self.folder / "data"
        self.socket = self.folder / "s.sock"
        self.options = options
        self.environment = environment or {}
        self.token = token
        self.port = 0
        self.start()

    def start(self):
        """Again on the same port, once it has one."""
        self.process = subprocess.Popen(
            [BIN, "serve", "--json", "--data", str(self.data), "--listen", f"127.0.0.1:{self.port}",
             "--unix", str(self.socket), *self.options],
            stdout=subprocess.PIPE, stderr=open(self.folder / "stderr.txt", "ab"),
            env=clean_environment(**self.environment))
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError("serve said: " + (self.folder / "stderr.txt").read_text())
        up = json.loads(line)
        self.url, self.login = up["url"], up["login"]
        self.port = int(self.url.rsplit(":", 1)[1])

    @property
    def pid(self):
        return self.process.pid

    def stop(self, within=40):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=within)
        self.process.stdout.close()
        assert status == 0, f"serve ended with {status}: " + (self.folder / "stderr.txt").read_text()[-4000:]

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def rss_kib(self):
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1])
        raise AssertionError("no VmRSS")

    # ---- The command line ----

    def run(self, *arguments, stdin="", env=None, url=None):
        more = {"SLIPWAY_URL": url or self.url, "TZ": "UTC", **(env or {})}
        if self.token:
            more.setdefault("SLIPWAY_TOKEN", self.token)
        return subprocess.run([BIN, *map(str, arguments)], input=stdin, env=clean_environment(**more),
                              timeout=120, capture_output=True, text=True)

    def ok(self, *arguments, **more):
        done = self.run(*arguments, **more)
        assert done.returncode == DONE, done.stdout + done.stderr
        return done.stdout

    def ok_json(self, *arguments, **more):
        return json.loads(self.ok(*arguments, "--json", **more))

    def refuses(self, status, *arguments, **more):
        done = self.run(*arguments, **more)
        assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
        return done.stderr

    # ---- HTTP ----

    def http(self, method, path, body=None, headers=None, timeout=30):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            sent = {"Authorization": f"Bearer {self.token}"} if self.token else {}
            sent.update(headers or {})
            if isinstance(body, (dict, list)):
                body = json.dumps(body)
                sent.setdefault("Content-Type", "application/json")
            connection.request(method, path, body, sent)
            reply = connection.getresponse()
            return Reply(reply.status, reply.headers, reply.read())
        finally:
            connection.close()

    def get(self, path, **more):
        reply = self.http("GET", path, **more)
        assert reply.status == 200, (path, reply.status, reply.body)
        return reply.json

    def infer(self, model, tensor, name="X", **more):
        return self.http("POST", f"/v2/models/{model}/infer",
                         {"inputs": [{"name": name, "shape": list(tensor.shape), "datatype": "FP32",
                                      "data": [float(v) for v in tensor.reshape(-1)]}], **more})


def wait_until(check, within=10.0, every=0.05):
    end = time.monotonic() + within
    while time.monotonic() < end:
        found = check()
        if found:
            return found
        time.sleep(every)
    raise AssertionError("waited in vain")
