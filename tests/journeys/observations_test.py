# SPDX-License-Identifier: Apache-2.0
"""A model that is served elsewhere: pushed without a file, watched by the observations that are sent."""

import json
import random
import socket
import subprocess
import sys
import time

import grpc
import pytest
from harness import FAILED, NOT_FOUND, ROOT, USAGE, Server, wait_until

OBSERVATIONS = "/api/v1/models/fraud/observations"
NDJSON = {"Content-Type": "application/x-ndjson"}


def row(random_, country=("DE", "FR", "US"), mean=50):
    return {"amount": random_.gauss(mean, 10), "country": random_.choice(country), "age": random_.randint(18, 80)}


def write_training(path, rows=2000):
    r = random.Random(1)
    lines = ["amount,country,age,score,label"]
    for _ in range(rows):
        x = row(r)
        lines.append(f"{x['amount']:.4f},{x['country']},{x['age']},{r.random():.4f},{r.randint(0, 1)}")
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def server(tmp_path):
    server = Server(tmp_path)
    yield server
    if server.process.poll() is None:
        server.stop()


@pytest.fixture
def fraud(server, tmp_path):
    server.ok("push", "fraud", "--external", "--profile", write_training(tmp_path / "train.csv"), "--prediction", "score",
              "--deploy")
    return server


def observation(r, prediction=0.5, **more):
    return {"features": row(r), "prediction": prediction, **more}


def watched(server, minutes=15):
    return server.get(f"/api/v1/models/fraud/watch?minutes={minutes}")


def test_a_version_without_a_file_is_a_version_like_any_other(fraud, tmp_path):
    version = fraud.get("/api/v1/models/fraud/versions/1")
    assert version["external"] is True and version["artifact"] is None
    signature = version["signature"]
    assert [(f["name"], f["kind"]) for f in signature["features"]] == [
        ("amount", "numeric"), ("country", "category"), ("age", "numeric")]
    assert [(o["name"], o["datatype"]) for o in signature["outputs"]] == [("score", "FP64")]
    assert "elsewhere" in fraud.ok("versions", "fraud")
    fraud.ok("push", "fraud", "--external", "--profile", tmp_path / "train.csv", "--prediction", "score", "--deploy")
    assert fraud.ok_json("rollback", "fraud")["version"] == 1
    revisions = fraud.get("/api/v1/models/fraud/deployments")["revisions"]
    assert [r["version"] for r in revisions] == [1, 2, 1] and revisions[0]["engine"] == "external"
    metadata = fraud.get("/v2/models/fraud")
    assert metadata["platform"] == "external" and len(metadata["inputs"]) == 3
    fraud.stop()
    fraud.start()
    assert fraud.get("/api/v1/models/fraud")["deployment"]["state"] == "live"


@pytest.mark.parametrize("labels, columns", [(["red", "green", "blue"], ["red", "green", "blue"]), (["a[", "b", "c"], "012"),
                                             (["a", "a", "c"], "012"), (None, "012")])
def test_an_export_names_an_outputs_columns_as_the_watch_does(server, tmp_path, labels, columns):
    """Of so few rows that none is left out of the log's sample."""
    output = {"name": "p", "datatype": "FP64", "shape": [-1, 3]} | ({"labels": labels} if labels else {})
    (tmp_path / "s.json").write_text(json.dumps({
        "inputs": [{"name": "x", "datatype": "FP64", "shape": [-1, 1]}], "outputs": [output], "features": [{"name": "x"}]}))
    server.ok("push", "paint", "--external", "--signature", tmp_path / "s.json", "--deploy")
    r = random.Random(6)
    told, truth = [], []
    for i in range(80):
        parts = [r.gammavariate(1, 1) for _ in range(3)]
        told.append({"features": {"x": i}, "prediction": [x / sum(parts) for x in parts], "id": f"r{i}"})
        truth.append({"id": f"r{i}", "label": r.choice(["red", "green", "blue"])})
    assert server.http("POST", "/api/v1/models/paint/observations", told).json["accepted"] == 80
    wait_until(lambda: len(server.ok("predictions", "paint").splitlines()) > 80)
    assert server.http("POST", "/api/v1/models/paint/labels", truth).json["joined"] == 80
    export = server.ok("predictions", "paint")
    assert export.splitlines()[0].split(",")[4:7] == [f"p[{c}]" for c in columns]
    assert list(json.loads(server.ok("predictions", "paint", "--jsonl").splitlines()[0])["outputs"]) == \
        [f"p[{c}]" for c in columns]
    if columns == labels:
        (tmp_path / "export.csv").write_text(export)
        done = json.loads(server.ok("evaluate", tmp_path / "export.csv", "--label", "true_label", "--json",
                                    *(f"--score=p[{c}]" for c in columns)))
        right = sum(labels[max(range(3), key=x["prediction"].__getitem__)] == y["label"] for x, y in zip(told, truth))
        assert abs(done["metrics"]["accuracy"] - right / 80) < 1e-12
        assert {o["name"] for o in server.get("/api/v1/models/paint/watch")["outputs"]} == {f"p[{c}]" for c in columns}


def test_predicting_here_says_where_to_go(fraud):
    reply = fraud.http("POST", "/models/fraud/predict", {"amount": 1})
    assert reply.status == 422 and "served elsewhere" in reply.error and OBSERVATIONS in reply.error
    assert "no engine here can run it" in fraud.refuses(FAILED, "deploy", "fraud@1", "--engine", "native")


def test_what_a_push_lacks_is_said(server, tmp_path):
    train = write_training(tmp_path / "train.csv")
    assert "--profile" in server.refuses(USAGE, "push", "fraud", "--external")
    assert "--external" in server.refuses(USAGE, "push", "fraud")
    assert "--external" in server.refuses(USAGE, "push", "fraud", "x.onnx", "--prediction", "score")
    said = server.run("push", "fraud", "--external", "--profile", train, "--prediction", "scroe").stderr
    assert 'no column "scroe"' in said
    said = server.run("push", "fraud", "--external", "--profile", train, "--check", train).stderr
    assert "check rows" in said


@pytest.mark.parametrize("features", [
    [{"name": "a", "input": "X", "column": 0}, {"name": "b", "input": "X", "column": 1}], ["a", {"name": "b"}]])
def test_a_signature_file_alone_will_do(server, tmp_path, features):
    (tmp_path / "s.json").write_text(json.dumps({
        "inputs": [{"name": "X", "datatype": "FP32", "shape": [-1, 2]}],
        "outputs": [{"name": "label", "datatype": "INT64", "shape": [-1]},
                    {"name": "proba", "datatype": "FP32", "shape": [-1, 2]}],
        "features": features}))
    server.ok("push", "two", "--external", "--signature", tmp_path / "s.json", "--deploy")
    path = "/api/v1/models/two/observations"
    good = {"features": {"a": 1, "b": None}, "prediction": {"label": 1, "proba": [0.2, 0.8]}}
    assert server.http("POST", path, good).json["accepted"] == 1
    for bad, why in [({"label": 1, "proba": [0.2]}, "2 values"), ({"label": 1.5}, "whole number"), (1, "2 outputs"),
                     ({"label": [1, 0], "proba": [0, 1]}, "1 value, but has more"),
                     ({"lable": 1}, "no output 'lable'"), (None, "'label' is missing")]:
        reply = server.http("POST", path, {**good, "prediction": bad})
        assert reply.status == 400 and why in reply.error, reply.body


@pytest.mark.parametrize("body,headers,taken", [
    (lambda o: json.dumps(o), {}, 1),
    (lambda o: json.dumps([o, o, o]), {}, 3),
    (lambda o: json.dumps({"observations": [o, o]}, indent=2), {}, 2),
    (lambda o: "".join(json.dumps(o) + "\n" for _ in range(4)), NDJSON, 4),
    (lambda o: "\r\n\r\n".join(json.dumps(o) for _ in range(5)), NDJSON, 5),
    (lambda o: "".join(json.dumps(o) + "\n" for _ in range(6)), {}, 6),
])
def test_observations_come_in_any_usual_form(fraud, body, headers, taken):
    reply = fraud.http("POST", OBSERVATIONS, body(observation(random.Random(2), id="x", latency_ms=2.5, at_ms=time.time() * 1000)), headers)
    assert reply.status == 200 and reply.json == {"accepted": taken, "rejected_count": 0, "rejected": []}
    wait_until(lambda: watched(fraud)["rows"] == taken)
    model = fraud.get("/api/v1/models/fraud")
    assert model["traffic"]["requests"] == taken


def test_one_bad_observation_leaves_the_others(fraud):
    r = random.Random(3)
    bad = [{"features": {"amount": "12", "country": "DE", "age": 3}}, {"features": {"amuont": 1}},
           {"prediction": 1}, {"features": {}, "prediction": "high"}, {"features": {}, "time": "yesterday"},
           {"features": {}, "at_ms": int(time.time() * 1000) + 3600000}, {"features": {}, "at_ms": 1000},
           {"features": {}, "what": 1}, 7, {"features": []}, {"features": {}, "id": 129 * "x"}]
    words = ["expected a number", "did you mean 'amount'", "\"features\" is missing", "should be a number", "2026-03-01T",
             "yet to come", "days old", "unknown key 'what'", "should be an object", "should be an object",
             "\"id\" must be of at most 128 bytes of UTF-8, or no label can name it, but has 129"]
    lines = []
    for one in bad:
        lines += [json.dumps({"id": 128 * "y", **observation(r)}), json.dumps(one)]
    lines.append('{"features": {"amount": ')
    reply = fraud.http("POST", OBSERVATIONS, "\n".join(lines), NDJSON)
    assert reply.status == 200 and reply.json["accepted"] == len(bad)
    rejected = reply.json["rejected"]
    assert [x["index"] for x in rejected] == [*range(1, 2 * len(bad), 2), 2 * len(bad)]
    for one, word in zip(rejected, words):
        assert word in one["error"] and one["error"].startswith(f"observation {one['index']}: "), one
    wait_until(lambda: watched(fraud)["rows"] == len(bad))
    alone = fraud.http("POST", OBSERVATIONS, {"features": {"amount": "12"}})
    assert alone.status == 400 and "none of 1 observation" in alone.error


def test_a_fault_is_said_where_in_the_whole_body_it_is(fraud):
    r = random.Random(5)
    one = json.dumps(observation(r, id=128 * "x"))  # so many that the body comes in many pieces
    bad = '{"features": {"amuont": 1}}'
    for body in ["\n".join([one] * 3000 + [bad, one]), "[" + ",\n".join([one] * 3000 + [bad, one]) + "]",
                 '{"observations": [' + ", ".join([one] * 3000 + [bad, one]) + "]}"]:
        reply = fraud.http("POST", OBSERVATIONS, body, NDJSON if body[0:2] == '{"' and body[2] == "f" else None)
        byte = body.index('"amuont":') + len('"amuont":')
        line, column = body.count("\n", 0, byte) + 1, byte - body.rfind("\n", 0, byte)
        assert reply.json["accepted"] == 3001, reply.json
        assert reply.json["rejected"] == [{"index": 3000, "error": "observation 3000: unknown field 'amuont'; did you mean "
                                           f"'amount'?, at byte {byte} (line {line}, column {column})"}]


def test_a_body_that_breaks_off_says_how_many_were_taken(fraud):
    r = random.Random(4)
    whole = json.dumps([observation(r) for _ in range(10)])
    reply = fraud.http("POST", OBSERVATIONS, whole[:-30])
    assert reply.status == 400 and "9 observations were taken" in reply.error and "breaks off" in reply.error
    for body in ["", "[]", "7", "nonsense", "[1]", '{"observations": 3}']:
        assert fraud.http("POST", OBSERVATIONS, body).status == 400, body
    assert fraud.http("POST", "/api/v1/models/nope/observations", observation(r)).status == 404
    assert fraud.http("POST", OBSERVATIONS + "?version=7", observation(r)).status == 404
    assert fraud.http("POST", OBSERVATIONS + "?version=1", observation(r)).status == 200


def test_a_hundred_thousand_are_counted_exactly_in_bounded_memory(fraud):
    r = random.Random(5)
    body = "".join(json.dumps(observation(r, r.random(), id=str(i))) + "\n" for i in range(100000)).encode()
    before = fraud.rss_kib()
    began = time.monotonic()
    reply = fraud.http("POST", OBSERVATIONS, body, NDJSON)
    took = time.monotonic() - began
    assert reply.json["accepted"] == 100000
    wait_until(lambda: watched(fraud)["rows"] == 100000)
    print(f"100,000 observations in {took:.2f} s, memory grew by {fraud.rss_kib() - before} KiB")
    assert fraud.rss_kib() - before < 48 * 1024
    assert took < 30


def test_drift_shows_and_survives_a_restart(fraud):
    r = random.Random(6)
    body = "".join(json.dumps({"features": row(r, ("DE", "FR", "US", "XX"), 70), "prediction": 0.9}) + "\n"
                   for _ in range(3000))
    assert fraud.http("POST", OBSERVATIONS, body, NDJSON).status == 200
    wait_until(lambda: watched(fraud)["rows"] == 3000)
    features = {f["name"]: f for f in watched(fraud)["features"]}
    assert features["amount"]["state"] == "drifted" and features["country"]["state"] == "drifted"
    assert features["age"]["state"] == "same"
    time.sleep(1.5)
    fraud.kill()
    fraud.start()
    assert watched(fraud)["rows"] == 3000


def test_predictions_in_the_profile_are_the_reference_of_predictions(server, tmp_path):
    r = random.Random(9)
    lines = ["x,score,kind,other"]
    lines += [f"{r.random():.4f},{r.random():.4f},{r.choice(['yes', 'no'])},{r.choice([1, 2, 3])}" for _ in range(3000)]
    lines += ["0.5,,,oops"]
    (tmp_path / "train.csv").write_text("\n".join(lines) + "\n")
    server.ok("push", "fraud", "--external", "--profile", tmp_path / "train.csv", "--prediction", "score", "--prediction",
              "kind", "--deploy")

    def send(shift, kinds):
        rows = [{"features": {"x": r.random(), "other": r.choice(["1", "2", "3"])},
                 "prediction": {"score": r.random() ** shift, "kind": r.choice(kinds)}} for _ in range(2000)]
        assert server.http("POST", OBSERVATIONS, rows).json["accepted"] == 2000

    def outputs(rows):
        wait_until(lambda: watched(server)["rows"] == rows)
        return {o["name"]: o for o in watched(server)["outputs"]}

    send(1, ["yes", "no"])
    assert {n: o["state"] for n, o in outputs(2000).items()} == {"score": "same", "kind": "same"}
    send(4, ["yes", "yes", "yes", "never"])
    found = outputs(4000)
    assert {n: o["state"] for n, o in found.items()} == {"score": "drifted", "kind": "drifted"}
    assert abs(found["score"]["reference_mean"] - 0.5) < 0.03


def test_what_is_told_late_counts_in_its_own_minute(fraud):
    r = random.Random(7)
    now_ms = int(time.time() * 1000)
    hours = [observation(r, at_ms=now_ms - h * 3600000) for h in (1, 2, 2, 26)]
    iso = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now_ms / 1000 - 3 * 3600))
    hours.append(observation(r, time=iso))
    recent = [observation(r, at_ms=now_ms - 20 * 60000) for _ in range(7)]
    assert fraud.http("POST", OBSERVATIONS, hours + recent).json["accepted"] == 12
    assert watched(fraud, 15)["rows"] == 0
    assert watched(fraud, 45)["rows"] == 7
    assert watched(fraud, 180 + 5)["rows"] == 11
    assert watched(fraud, 27 * 60)["rows"] == 12
    assert fraud.get("/api/v1/models/fraud")["traffic"]["requests"] == 0
    fraud.kill()
    fraud.start()
    assert watched(fraud, 27 * 60)["rows"] == 12


def test_many_requests_for_the_last_hour_are_all_shown(fraud):
    r = random.Random(10)
    now_ms = int(time.time() * 1000)
    for i in range(150):
        at_ms = now_ms - (58 - i % 56) * 60000
        assert fraud.http("POST", OBSERVATIONS, [observation(r, at_ms=at_ms + k) for k in range(4)]).status == 200
    assert watched(fraud, 15)["rows"] == 4 * sum(58 - i % 56 <= 14 for i in range(150))
    assert watched(fraud, 60)["rows"] == 600
    fraud.kill()
    fraud.start()
    assert watched(fraud, 60)["rows"] == 600


def test_missing_values_are_counted_as_missing(fraud):
    r = random.Random(8)
    rows = [{"features": {**row(r), "age": None}, "prediction": None} for _ in range(300)]
    rows += [{"features": {"amount": 1.0, "country": ""}} for _ in range(300)]
    assert fraud.http("POST", OBSERVATIONS, rows).json["accepted"] == 600
    wait_until(lambda: watched(fraud)["rows"] == 600)
    shares = {f["name"]: f["missing_share"] for f in watched(fraud)["features"]}
    assert shares == {"amount": 0, "country": 0.5, "age": 1}


def test_a_segment_that_is_not_there_is_told_from_one_without_rows(fraud):
    assert "no segment 'country=DE'" in fraud.refuses(NOT_FOUND, "watch", "fraud", "--segment", "country=DE")
    fraud.ok("monitor", "fraud", "--set", 'segments=["country"]')
    assert "its own past" in fraud.ok("watch", "fraud", "--segment", "country=DE")
    for call in ("watch", "heatmap"):
        reply = fraud.http("GET", f"/api/v1/models/fraud/{call}?segment=country%3DXX")
        assert reply.status == 404 and "no segment 'country=XX'" in reply.error


def test_a_token_to_predict_may_observe(server, tmp_path):
    server.ok("push", "fraud", "--external", "--profile", write_training(tmp_path / "train.csv"), "--deploy")
    admin = server.ok_json("token", "create", "admin", "--scopes", "admin,deploy,read,predict")["secret"]
    server.token = admin
    reader = server.ok_json("token", "create", "r", "--scopes", "read")["secret"]
    app = server.ok_json("token", "create", "p", "--scopes", "predict")["secret"]
    one = {"features": {"amount": 1, "country": "DE", "age": 3, "score": 1}}
    for token, status in [(reader, 403), (app, 200), ("nonsense", 401)]:
        assert server.http("POST", OBSERVATIONS, one, {"Authorization": f"Bearer {token}"}).status == status


def test_a_client_that_goes_away_halfway_leaves_what_it_sent(fraud):
    r = random.Random(9)
    lines = "".join(json.dumps(observation(r)) + "\n" for _ in range(5000)).encode()
    with socket.create_connection(("127.0.0.1", fraud.port)) as s:
        s.sendall(b"POST " + OBSERVATIONS.encode() + b" HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-ndjson\r\n"
                  b"Content-Length: 99999999\r\n\r\n" + lines)
        time.sleep(0.5)
    wait_until(lambda: watched(fraud)["rows"] >= 4000)
    assert watched(fraud)["rows"] <= 5000
    assert fraud.http("POST", OBSERVATIONS, observation(r)).status == 200


# ---- gRPC, with the code that protoc makes of the published file ----

@pytest.fixture(scope="module")
def pb(tmp_path_factory):
    out = tmp_path_factory.mktemp("pb")
    subprocess.run(["protoc", f"--proto_path={ROOT}/docs", f"--python_out={out}", "observations.proto"], check=True)
    sys.path.insert(0, str(out))
    import observations_pb2
    yield observations_pb2
    sys.path.remove(str(out))


def observe(server, pb, request):
    with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
        return channel.unary_unary("/slipway.v1.Observations/Observe",
                                   request_serializer=lambda m: m.SerializeToString(),
                                   response_deserializer=pb.ObserveResponse.FromString)(request, timeout=20)


def add(request, features, **more):
    made = request.observations.add(**more)
    for name, value in features.items():
        field = {float: "number", int: "whole", str: "text", bool: "truth"}.get(type(value))
        if field:
            setattr(made.features[name], field, value)
        else:
            made.features[name].SetInParent()
    return made


def test_grpc_takes_the_same(fraud, pb):
    r = random.Random(10)
    request = pb.ObserveRequest(model="fraud")
    for i in range(2000):
        one = add(request, row(r), id=f"g{i}", latency_ms=1.5)
        one.prediction.number = r.random()
    add(request, {"amount": None, "country": "DE", "age": 40})
    add(request, {"amount": "much", "country": "DE", "age": 40})
    add(request, {"amount": 1.0, "bogus": 2.0})
    named = add(request, row(r))
    named.outputs["score"].number = 0.25
    answer = observe(fraud, pb, request)
    assert (answer.accepted, answer.rejected) == (2002, 2)
    assert [x.index for x in answer.rejections] == [2001, 2002]
    assert "expected a number" in answer.rejections[0].error and "bogus" in answer.rejections[1].error
    wait_until(lambda: watched(fraud)["rows"] == 2002)


def test_grpc_says_what_is_wrong(fraud, pb):
    for request, code, word in [
        (pb.ObserveRequest(model="nope"), grpc.StatusCode.NOT_FOUND, "nope"),
        (pb.ObserveRequest(model="fraud", version="9"), grpc.StatusCode.NOT_FOUND, "9"),
    ]:
        with pytest.raises(grpc.RpcError) as failed:
            observe(fraud, pb, request)
        assert failed.value.code() == code and word in failed.value.details()
    request = pb.ObserveRequest(model="fraud")
    add(request, {"bogus": 1.0})
    with pytest.raises(grpc.RpcError) as failed:
        observe(fraud, pb, request)
    assert failed.value.code() == grpc.StatusCode.INVALID_ARGUMENT and "bogus" in failed.value.details()


def test_a_quiet_model_has_steps_long_enough_to_be_judged(fraud):
    """120 rows an hour, of which 10 get a label: a quarter of an hour of them says nothing."""
    fraud.ok("monitor", "fraud", "--set", "log.rows_per_s=100000")
    r, now_ms = random.Random(5), int(time.time() * 1000)
    observations, labels = [], []
    for minute in range(5, 24 * 60, 30):
        at_ms = now_ms - minute * 60_000
        observations += [observation(r, r.random(), id=f"{minute}-{i}", at_ms=at_ms) for i in range(60)]
        labels += [{"id": f"{minute}-{i}", "label": r.randint(0, 1)} for i in range(5)]
    reply = fraud.http("POST", OBSERVATIONS, observations)
    assert reply.status == 200 and reply.json["accepted"] == len(observations), reply.body
    assert fraud.http("POST", "/api/v1/models/fraud/labels", {"labels": labels}).status == 200
    heat = wait_until(lambda: (h := fraud.get("/api/v1/models/fraud/heatmap"))["step_minutes"] > 15 and h)
    assert heat["step_minutes"] == 360 and sum(heat["rows"]) == len(observations)
    assert "same" in [c for c in heat["columns"] if c["name"] == "amount"][0]["state"]
    told = "/api/v1/models/fraud/quality?hours=24"
    wait_until(lambda: fraud.get(told)["window"]["labelled"] == len(labels))
    few, fixed = fraud.get(f"{told}&steps=96"), fraud.get(f"{told}&step_minutes=15")
    assert (few["step_minutes"], fixed["step_minutes"]) == (360, 15) and len(fixed["series"]) >= 96
    assert few["window"]["metrics"] == fixed["window"]["metrics"]
    assert sum(w["labelled"] for w in few["series"]) == len(labels)
    assert fraud.http("GET", f"{told}&steps=501").status == 400


def test_rows_are_kept_as_long_as_the_model_says_though_it_serves_no_more(fraud, tmp_path):
    r, ten_days_ago = random.Random(9), int(time.time() * 1000) - 10 * 86400000
    told = [observation(r, id=f"old-{i}", at_ms=ten_days_ago) for i in range(50)]
    assert fraud.http("POST", OBSERVATIONS, told).json["accepted"] == 50
    fraud.ok("push", "other", "--external", "--profile", tmp_path / "train.csv", "--prediction", "score", "--deploy")
    fraud.ok("undeploy", "fraud")

    def left():
        return fraud.ok("predictions", "fraud@1", "--since", "20d").count("old-")

    wait_until(lambda: left() == 50)
    for days, rows in (30, 50), (5, 0):
        fraud.ok("monitor", "fraud", "--set", f"log.days={days}")
        fraud.stop()
        fraud.start()
        assert left() == rows
