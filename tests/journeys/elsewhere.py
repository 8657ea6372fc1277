# SPDX-License-Identifier: Apache-2.0
"""A model that is served elsewhere, told of minutes that are past: its inputs moved, and labels came."""

import random
import time

from harness import wait_until

MINUTE_MS = 60_000


def watch_elsewhere(server, folder):
    rng = random.Random(1)
    train = folder / "train.csv"
    train.write_text("a,score\n" + "".join(f"{rng.gauss(0, 1):.4f},{rng.random():.3f}\n" for _ in range(2000)))
    server.ok("push", "elsewhere", "--external", "--profile", train, "--prediction", "score", "--deploy")
    began = int(time.time() * 1000) - 10 * MINUTE_MS
    for minute in range(5):
        rows = [{"features": {"a": rng.gauss(3, 1)}, "prediction": rng.random(), "id": f"{minute}-{i}",
                 "at_ms": began + minute * MINUTE_MS} for i in range(300)]
        reply = server.http("POST", "/api/v1/models/elsewhere/observations", rows)
        assert reply.status == 200, reply.body
    labels = [{"id": f"{minute}-{i}", "label": i % 2} for minute in range(5) for i in range(300)]
    wait_until(lambda: server.http("POST", "/api/v1/models/elsewhere/labels", {"labels": labels}).json["joined"] > 300)
