# SPDX-License-Identifier: Apache-2.0
"""Predictions get ids, are logged, and meet their labels, however late these come and whatever dies meanwhile."""

import csv
import io
import json
import random
import subprocess
import threading
import time

from harness import BIN, EXAMPLE, FAILED, NOT_FOUND, SANITIZED, Server, clean_environment, wait_until


def deployed(folder, **settings):
    server = Server(folder)
    server.ok("push", "cancer", str(EXAMPLE / "linear.onnx"), "--profile", str(EXAMPLE / "train.csv"))
    if settings:
        assert server.http("PUT", "/api/v1/models/cancer/monitor", settings).status == 200
    server.ok("deploy", "cancer")
    return server


def rows(count, seed=1):
    with open(EXAMPLE / "train.csv") as file:
        table = list(csv.DictReader(file))
    chosen = random.Random(seed).choices(table, k=count)
    names = [n for n in table[0] if n not in ("target", "label", "malignant")]
    return [{n: float(r[n]) for n in names} for r in chosen]


def predict(server, records, wrapper=None):
    reply = server.http("POST", "/models/cancer/predict", wrapper or records)
    assert reply.status == 200, reply.body
    return reply.json


def label(server, labels):
    reply = server.http("POST", "/api/v1/models/cancer/labels", {"labels": labels})
    assert reply.status == 200, reply.body
    return reply.json


def quality(server, query=""):
    return server.get("/api/v1/models/cancer/quality" + query)


def logged(server, count):
    def whole():
        reply = server.http("GET", "/api/v1/models/cancer/predictions")
        assert reply.status == 200, reply.body
        found = list(csv.DictReader(io.StringIO(reply.body.decode())))
        return found if len(found) == count else None
    return wait_until(whole)


def score(row):
    """Of the positive class, in a row of the export."""
    names = [n for n in row if n.endswith("[1]")]
    return float(row[names[0]])


def test_every_prediction_has_an_id(tmp_path):
    server = deployed(tmp_path)
    try:
        made = [predict(server, r)["id"] for r in rows(50)]
        assert len(set(made)) == 50 and all(len(i) == 20 for i in made)
        assert len({i[:12] for i in made}) <= 64
        assert predict(server, dict(rows(1)[0], id="mine"))["id"] == "mine"
        assert predict(server, None, {"id": "batch", "instances": rows(3)})["id"] == "batch"
        own = predict(server, [dict(r, id=f"own-{i}") for i, r in enumerate(rows(2))])
        found = logged(server, 56)
        ids = {r["prediction_id"] for r in found}
        assert {"mine", "batch.0", "batch.1", "batch.2", "own-0", "own-1"} <= ids and set(made) <= ids
        assert own["id"] not in ids  # the rows had names of their own
        tensor = {"name": "X", "shape": [1, 30], "datatype": "FP32", "data": [0.0] * 30}
        meta = server.get("/v2/models/cancer")
        tensor["name"] = meta["inputs"][0]["name"]
        answer = server.http("POST", "/v2/models/cancer/infer", {"inputs": [tensor]}).json
        assert len(answer["id"]) == 20
        answer = server.http("POST", "/v2/models/cancer/infer", {"id": "42", "inputs": [tensor]}).json
        assert answer["id"] == "42"
    finally:
        server.stop()


def test_labels_come_before_and_after_and_twice(tmp_path):
    server = deployed(tmp_path)
    try:
        early = label(server, [{"id": "early", "label": 1}])
        assert (early["accepted"], early["joined"], early["waiting"]) == (1, 0, 1)
        predict(server, dict(rows(1)[0], id="early"))
        ids = [predict(server, r)["id"] for r in rows(20)]
        logged(server, 21)
        wait_until(lambda: quality(server)["window"]["labelled"] == 1)
        late = label(server, [{"id": i, "label": k % 2} for k, i in enumerate(ids)])
        assert (late["accepted"], late["joined"], late["waiting"], late["duplicates"]) == (20, 20, 0, 0)
        again = label(server, [{"id": i, "label": k % 2} for k, i in enumerate(ids)])
        assert (again["duplicates"], again["changed"]) == (20, 0)
        other = label(server, [{"id": ids[0], "label": 1}])
        assert (other["duplicates"], other["changed"]) == (0, 1)
        found = wait_until(lambda: quality(server)["window"]["labelled"] == 21 and quality(server))
        assert found["task"] == "binary" and found["window"]["coverage"] == 1
        exported = {r["prediction_id"]: r["true_label"] for r in logged(server, 21)}
        assert exported[ids[0]] == "1" and exported[ids[1]] == "1" and exported[ids[2]] == "0"
        server.refuses(NOT_FOUND, "quality", "nothing")
        refused = server.http("POST", "/api/v1/models/cancer/labels", [{"id": "x"}])
        assert refused.status == 400 and "label" in refused.error
    finally:
        server.stop()


def test_labels_come_as_lines_and_on_standard_input(tmp_path):
    server = deployed(tmp_path)
    try:
        path = "/api/v1/models/cancer/labels"
        lines = "".join(json.dumps({"id": f"l{i}", "label": i % 2, "at_ms": time.time() * 1000}) + "\n" for i in range(300))
        assert server.http("POST", path, lines).json["accepted"] == 300
        assert server.ok_json("labels", "cancer", "-", stdin=lines)["duplicates"] == 300
        table = "id,label\n" + "".join(f"l{i},{i % 2}\n" for i in range(300))
        assert server.ok_json("labels", "cancer", "-", stdin=table)["duplicates"] == 300
        assert "no column 'id'" in server.refuses(FAILED, "labels", "cancer", "-", stdin="a,b\n1,2\n")
        ahead = server.http("POST", path, {"id": "x", "label": 1, "at_ms": int(time.time() * 1e6)})
        assert ahead.status == 400 and "yet to come" in ahead.error
        many = [{"id": f"m{i}", "label": 1} for i in range(7000)]
        many[6500]["id"] = "x" * 129
        refused = server.http("POST", path, many)
        assert refused.status == 400 and "label 6500: " in refused.error and "5000 labels before" in refused.error
    finally:
        server.stop()


def test_metrics_are_those_of_evaluate_on_the_exported_rows(tmp_path):
    server = deployed(tmp_path, log={"rows_per_s": 100000})
    try:
        chance = random.Random(7)
        answers = predict(server, rows(600, seed=3), None)
        found = logged(server, 600)
        assert answers["id"] + ".0" == found[0]["prediction_id"]
        label(server, [{"id": r["prediction_id"], "label": int(chance.random() < score(r))} for r in found[:500]])
        exported = [r for r in logged(server, 600) if r["true_label"]]
        assert len(exported) == 500
        column = next(n for n in exported[0] if n.endswith("[1]"))
        whole = server.ok("predictions", "cancer").splitlines()
        (tmp_path / "rows.csv").write_text("\n".join(line for line in whole if not line.endswith(",")) + "\n")
        told = server.ok_json("evaluate", str(tmp_path / "rows.csv"), "--label", "true_label", "--score", column)
        ours = wait_until(lambda: quality(server)["window"]["labelled"] == 500 and quality(server))["window"]["metrics"]
        theirs = told.get("metrics", told)
        compared = [n for n in ours if n in theirs and isinstance(theirs[n], (int, float)) and ours[n] is not None]
        assert {"roc_auc", "accuracy", "f1", "brier", "log_loss_clip_eps"} <= set(compared)
        apart = {n: (ours[n], theirs[n]) for n in compared if abs(ours[n] - theirs[n]) > 1e-9 * max(1, abs(theirs[n]))}
        assert not apart
        text = server.ok("quality", "cancer")
        assert "500 of 600" in text and "roc_auc" in text
    finally:
        server.stop()


def test_nothing_acknowledged_is_lost_to_kill_9(tmp_path):
    server = deployed(tmp_path, log={"rows_per_s": 100000})
    ids = []
    for k in range(20):
        ids += [f"{k}-{i}" for i in range(100)]
        predict(server, [dict(r, id=i) for r, i in zip(rows(100, k), ids[-100:])])
    logged(server, 2000)
    acknowledged, stopped = set(), threading.Event()

    def send(part):
        for at in range(0, len(part), 10):
            try:
                label(server, [{"id": i, "label": 1} for i in part[at:at + 10]])
            except (OSError, AssertionError, json.JSONDecodeError):
                break
            acknowledged.update(part[at:at + 10])
        stopped.set()

    senders = [threading.Thread(target=send, args=(ids[k::4],)) for k in range(4)]
    for sender in senders:
        sender.start()
    wait_until(lambda: len(acknowledged) > 300)
    server.kill()
    for sender in senders:
        sender.join()
    assert 300 < len(acknowledged)
    server.start()
    try:
        wait_until(lambda: server.http("GET", "/readyz").status == 200)
        kept = wait_until(lambda: {r["prediction_id"] for r in logged(server, 2000) if r["true_label"]} >= acknowledged)
        assert kept
        server.stop()
        server.start()
        assert wait_until(lambda: quality(server)["window"]["labelled"] >= len(acknowledged))
    finally:
        server.stop()


def test_rows_of_a_crash_meet_labels_that_waited(tmp_path):
    server = deployed(tmp_path)
    label(server, [{"id": f"w{i}", "label": i % 2} for i in range(50)])
    predict(server, [dict(r, id=f"w{i}") for i, r in enumerate(rows(50))])
    logged(server, 50)
    server.kill()
    server.start()
    try:
        assert wait_until(lambda: quality(server)["window"]["labelled"] == 50)
    finally:
        server.stop()


def test_a_million_labels_in_bulk_in_bounded_memory(tmp_path):
    server = deployed(tmp_path)
    try:
        predict(server, [dict(r, id=f"id-{i * 50000}") for i, r in enumerate(rows(20))])
        logged(server, 20)
        before = server.rss_kib()
        with open(tmp_path / "bulk.csv", "w") as file:
            file.write("prediction,truth\n")
            file.writelines(f"id-{i},{i % 2}\n" for i in range(1_000_000))
        counts = server.ok_json("labels", "cancer", str(tmp_path / "bulk.csv"), "--id-column", "prediction",
                                "--label-column", "truth")
        assert (counts["accepted"], counts["joined"], counts["duplicates"]) == (1_000_000, 20, 0)
        assert SANITIZED or server.rss_kib() - before < 100_000
        assert wait_until(lambda: quality(server)["window"]["labelled"] == 20)
    finally:
        server.stop()


def test_private_columns_are_not_stored(tmp_path):
    names = list(rows(1)[0])
    server = deployed(tmp_path, columns={names[0]: {"privacy": "drop"}, names[1]: {"privacy": "hash"},
                                         names[2]: {"privacy": "mask"}})
    try:
        record = dict(rows(1)[0], id="p")
        predict(server, record)
        predict(server, dict(record, id="q"))
        found = logged(server, 2)
        assert names[0] not in found[0]
        assert len(found[0][names[1]]) == 16 and found[0][names[1]] == found[1][names[1]]
        assert found[0][names[2]] == "1" and abs(float(found[0][names[3]]) - record[names[3]]) < 1e-3 * abs(record[names[3]])
        key = server.data / "predictions/hash.key"
        assert key.stat().st_mode & 0o777 == 0o600 and key.stat().st_size == 32
    finally:
        server.stop()


def test_a_baseline_may_end_amid_a_request(tmp_path):
    server = deployed(tmp_path, log={"rows_per_s": 100000})
    try:
        predict(server, rows(1500))  # they have one time
        label(server, [{"id": r["prediction_id"], "label": int(score(r) >= 0.5)} for r in logged(server, 1500)])
        state = wait_until(lambda: (lambda d: d if d["state"] == "same" else None)(quality(server)["decay"]))
        assert (state["baseline_rows"], state["rows"]) == (1000, 500)
    finally:
        server.stop()


def test_a_regressions_decay_is_told_in_its_own_units(tmp_path):
    server = Server(tmp_path)
    try:
        chance = random.Random(3)
        (tmp_path / "train.csv").write_text("x,price\n" + "".join(f"{chance.gauss(0, 1):.3f},{chance.gauss(100, 20):.2f}\n"
                                                                  for _ in range(600)))
        server.ok("push", "house", "--external", "--profile", tmp_path / "train.csv", "--prediction", "price", "--deploy")
        server.ok("monitor", "house", "--set", "log.rows_per_s=100000")
        truth = {f"h{i}": chance.gauss(100, 20) for i in range(1500)}
        observed = [{"features": {"x": 0}, "prediction": y + chance.choice([-4, 4]), "id": i} for i, y in truth.items()]
        assert server.http("POST", "/api/v1/models/house/observations", observed).status == 200
        labels = [{"id": i, "label": y} for i, y in truth.items()]
        assert server.http("POST", "/api/v1/models/house/labels", labels).json["accepted"] == 1500

        def decay():
            found = server.get("/api/v1/models/house/quality")
            return found["decay"] if found["decay"]["rows"] == 500 and found["window"]["labelled"] == 1500 else None
        found = wait_until(decay, within=20)
        assert abs(found["baseline"] - 4) < 0.01 and abs(found["now"] - 4) < 0.01
        assert found["why"] == "the absolute error is 4, and was 4 at first"
    finally:
        server.stop()


def test_a_version_that_became_worse_has_decayed(tmp_path):
    server = deployed(tmp_path, log={"rows_per_s": 100000})
    try:
        for part, share_wrong in enumerate((0.05, 0.5)):
            mine = {predict(server, rows(50, 100 * part + k))["id"] for k in range(30)}
            found = [r for r in logged(server, 1500 * (part + 1)) if r["prediction_id"].split(".")[0] in mine]
            chance = random.Random(part)
            label(server, [{"id": r["prediction_id"], "label": int((score(r) >= 0.5) != (chance.random() < share_wrong))}
                           for r in found])
            # What is joined first is the baseline, so that how many rows are left to test is not certain.
            assert wait_until(lambda: quality(server)["decay"]["state"] == ("same", "decayed")[part]), quality(server)["decay"]
            state = quality(server)["decay"]
            assert state["baseline_rows"] == 1000 and state["rows"] >= 1500 * part, state
        assert "decayed" in subprocess.run([BIN, "quality", "cancer", "--server", server.url], capture_output=True,
                                           text=True, env=clean_environment()).stdout
    finally:
        server.stop()
