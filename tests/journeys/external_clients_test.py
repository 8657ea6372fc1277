# SPDX-License-Identifier: Apache-2.0
"""A model in a web service of its own, which tells Slipway what it was asked and said: all figures, counted again."""

import http.client
import json
import queue
import random
import statistics
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from harness import Server, wait_until
from sklearn import metrics
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

COUNTRIES = ["DE", "FR", "US"]


def customer(r):
    return {"amount": round(r.gauss(50, 10), 3), "age": r.randint(18, 80), "country": r.choice(COUNTRIES)}


def is_fraud(r, row):
    odds = (row["amount"] - 50) / 8 + (row["country"] == "US") - 0.5
    return int(r.random() < 1 / (1 + 2.718281828 ** -odds))


class Service(ThreadingHTTPServer):
    """What a team has already: POST /predict with one row of JSON. Only `report` is there for Slipway."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, model, slipway_port):
        self.model, self.slipway_port = model, slipway_port
        self.reports = queue.Queue()
        super().__init__(("127.0.0.1", 0), Predict)
        self.threads = [threading.Thread(target=self.serve_forever), threading.Thread(target=self.report)]
        for thread in self.threads:
            thread.start()

    def report(self):
        """In the background, some at a time, over one connection."""
        connection = http.client.HTTPConnection("127.0.0.1", self.slipway_port, timeout=20)
        while (first := self.reports.get()) is not None:
            some = [first]
            while len(some) < 50 and not self.reports.empty() and self.reports.queue[0] is not None:
                some.append(self.reports.get())
            connection.request("POST", "/api/v1/models/fraud/observations", json.dumps(some))
            reply = connection.getresponse()
            answer = json.loads(reply.read())
            assert reply.status == 200 and answer["accepted"] == len(some), answer
        connection.close()

    def close(self):
        self.shutdown()
        self.reports.put(None)
        for thread in self.threads:
            thread.join()
        self.server_close()


class Predict(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        row = {k: v for k, v in asked.items() if k != "id"}
        filled = {**row, "age": 40 if row["age"] is None else row["age"]}
        score = float(self.server.model.predict_proba([filled])[0, 1])
        self.server.reports.put({"features": row, "prediction": score, "id": asked["id"], "latency_ms": 1.5})
        body = json.dumps({"score": score}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def service(tmp_path):
    """A trained model behind HTTP, known to a Slipway server."""
    r = random.Random(1)
    rows = [customer(r) for _ in range(2000)]
    truth = [is_fraud(r, row) for row in rows]
    model = make_pipeline(DictVectorizer(), LogisticRegression(max_iter=2000)).fit(rows, truth)
    scores = model.predict_proba(rows)[:, 1]
    train = tmp_path / "train.csv"
    train.write_text("amount,age,country,score,label\n" + "".join(
        f"{x['amount']},{x['age']},{x['country']},{s:.6f},{y}\n" for x, s, y in zip(rows, scores, truth)))
    server = Server(tmp_path)
    server.ok("push", "fraud", "--external", "--profile", train, "--prediction", "score", "--deploy")
    server.ok("monitor", "fraud", "--set", "log.rows_per_s=100000")  # log all of them
    made = Service(model, server.port)
    made.slipway, made.trained_on = server, rows
    yield made
    made.close()
    server.stop()


def ask(service, rows):
    """As one client does, one row after the other."""
    connection = http.client.HTTPConnection("127.0.0.1", service.server_address[1], timeout=20)
    scores = {}
    for row in rows:
        connection.request("POST", "/predict", json.dumps(row))
        scores[row["id"]] = json.loads(connection.getresponse().read())["score"]
    connection.close()
    return scores


def test_what_a_service_reports_is_counted_and_judged_as_by_hand(service, tmp_path):
    r, slipway = random.Random(2), service.slipway
    rows = [{"id": f"order-{i}", **customer(r)} for i in range(600)]
    for row in rows[::6]:
        row["age"] = None
    for row in rows[::20]:
        row["country"] = "XX"
    with ThreadPoolExecutor(6) as clients:
        scores = {k: v for part in clients.map(lambda k: ask(service, rows[k::6]), range(6)) for k, v in part.items()}
    watch = wait_until(lambda: (w := slipway.ok_json("watch", "fraud"))["rows"] >= len(rows) and w)

    # What was asked and said, by its counts.
    assert watch["rows"] == len(scores) == len(rows)
    shown = {c["name"]: c for c in watch["features"] + watch["outputs"]}
    for name in ("amount", "age", "score"):
        values = list(scores.values()) if name == "score" else [x[name] for x in rows if x[name] is not None]
        column = shown[name]
        assert column["rows"] == len(rows) and column["missing_share"] == round(1 - len(values) / len(rows), 4)
        assert (column["min"], column["max"]) == (min(values), max(values))
        assert column["mean"] == pytest.approx(statistics.fmean(values), rel=1e-9)
    amounts = [x["amount"] for x in service.trained_on]
    outside = [x for x in rows if not min(amounts) <= x["amount"] <= max(amounts)]
    assert shown["amount"]["out_of_range_share"] == round(len(outside) / len(rows), 4)
    top = {t["value"]: t["count"] for t in shown["country"]["top"]}
    assert top == {c: sum(x["country"] == c for x in rows) for c in [*COUNTRIES, "XX"]}
    assert shown["country"]["out_of_range_share"] == round(top["XX"] / len(rows), 4)
    assert slipway.get("/api/v1/models/fraud")["traffic"]["requests"] == len(rows)

    # What came true, of two thirds: half of that told at once, half in a file.
    labels = {x["id"]: is_fraud(r, x) for x in rows if int(x["id"][6:]) % 3}
    ids = list(labels)
    half = [{"id": i, "label": labels[i]} for i in ids[::2]]
    told = slipway.http("POST", "/api/v1/models/fraud/labels", {"labels": half})
    file = tmp_path / "outcomes.csv"
    file.write_text("order,is_fraud\n" + "".join(f"{i},{labels[i]}\n" for i in ids[1::2]))
    counts = slipway.ok_json("labels", "fraud", file, "--id-column", "order", "--label-column", "is_fraud")
    assert told.json["accepted"] + counts["accepted"] == len(labels)

    quality = wait_until(lambda: (q := slipway.ok_json("quality", "fraud"))["window"]["labelled"] >= len(labels)
                         and q["task"] and q)  # what the task is, is found in the background
    window, ours = quality["window"], quality["window"]["metrics"]
    assert quality["task"] == "binary" and quality["version"] == 1
    assert (window["logged"], window["labelled"]) == (len(rows), len(labels))
    truth, said = [labels[i] for i in ids], [scores[i] for i in ids]
    decided = [int(s >= 0.5) for s in said]
    tn, fp, fn, tp = metrics.confusion_matrix(truth, decided).ravel()
    theirs = {"roc_auc": metrics.roc_auc_score(truth, said), "accuracy": metrics.accuracy_score(truth, decided),
              "precision": metrics.precision_score(truth, decided), "recall": metrics.recall_score(truth, decided),
              "f1": metrics.f1_score(truth, decided), "brier": metrics.brier_score_loss(truth, said),
              "log_loss_clip_eps": metrics.log_loss(truth, said), "tp": tp, "fp": fp, "fn": fn, "tn": tn}
    assert {n: ours[n] for n in theirs} == pytest.approx({n: float(v) for n, v in theirs.items()}, rel=1e-9)
    assert 0.6 < theirs["roc_auc"] < 0.95 and min(tn, fp, fn, tp) > 10
    text = slipway.ok("quality", "fraud")
    assert f"{len(labels)} of {len(rows)} logged predictions labelled" in text and f"{theirs['accuracy']:.4g}" in text
