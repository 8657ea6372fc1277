# SPDX-License-Identifier: Apache-2.0
"""The command line against a running server: every command, its exit status and its --json."""

import csv
import ctypes
import json
import os
import pathlib
import random
import re
import signal
import socket
import subprocess
import time

import pytest
from harness import (BIN, DONE, EXAMPLE, FAILED, NOT_FOUND, REFUSED, UNREACHABLE, USAGE, Server,
                     clean_environment)

LINEAR, TRAIN, TEST = EXAMPLE / "linear.onnx", EXAMPLE / "train.csv", EXAMPLE / "test.csv"
CHECK = EXAMPLE / "check-linear.csv"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    started = Server(tmp_path_factory.mktemp("cli"))
    yield started
    started.stop()


@pytest.fixture(scope="module")
def live(server):
    """The server with two versions of `cells`, the first of them live."""
    server.ok("push", "cells", LINEAR, "--profile", TRAIN, "--check", CHECK)
    server.ok("push", "cells", EXAMPLE / "linear-strict.onnx", "--profile", TRAIN)
    server.ok("deploy", "cells@1")
    return server


# ---- Without a server ----


def lone(*arguments, **env):
    return subprocess.run([BIN, *arguments], capture_output=True, text=True, timeout=30,
                          env=clean_environment(**env), stdin=subprocess.DEVNULL)


def test_help_lists_every_command_and_each_has_its_own_page():
    page = lone("--help")
    assert page.returncode == DONE
    for name in ("serve push models versions deploy rollback undeploy alias predict watch events "
                 "status token demo").split():
        assert re.search(rf"^  {name} ", page.stdout, re.M), name
        for words in ((name, "--help"), ("help", name), (name, "-h")):
            own = lone(*words)
            assert own.returncode == DONE and f"slipway {name}" in own.stdout and "--server" in own.stdout
    assert "--scopes" in lone("token", "create", "--help").stdout


def test_version_is_one_line():
    assert re.fullmatch(r"slipway \d+\.\d+\.\d+\n", lone("--version").stdout)


@pytest.mark.parametrize("words, said", [
    (["delpoy"], "slipway delpoy: did you mean deploy?"),
    (["pusj", "a", "b"], "did you mean push?"),
    (["frobnicate"], "there is no such command"),
    (["push", "fraud"], "Usage: slipway push fraud FILE.onnx"),
    (["push", "a", "b", "c"], "'c' is one too many"),
    (["deploy", "fraud", "--engin", "native"], "did you mean --engine?"),
    (["deploy", "fraud", "--engine", "steam"], "auto, native, onnxruntime"),
    (["watch", "fraud", "--minutes", "x"], "a whole number from 1"),
    (["token"], "create, list, revoke"),
    (["token", "creat", "x"], "did you mean create?"),
    (["token", "create", "x"], "--scopes read,predict"),
    (["token", "create", "x", "--scopes", "red"], "'red' is no scope"),
    (["-V"], "there is no option -V. See: slipway --help"),
    (["status", "--token", "secret"], "SLIPWAY_TOKEN"),
    (["status", "--server", "ftp://x"], "is no address of a server"),
    (["rollback", "fraud@2"], "slipway deploy fraud@2"),
    (["predict", "fraud", "--csv", "--json"], "one of them at a time"),
])
def test_wrong_usage_says_what_is_right(words, said):
    done = lone(*words)
    assert done.returncode == USAGE
    assert said in done.stderr + done.stdout
    assert "secret" not in done.stderr


def test_no_server_says_how_to_start_one():
    url = f"http://127.0.0.1:{free_port()}"
    done = lone("models", SLIPWAY_URL=url)
    assert done.returncode == UNREACHABLE
    assert done.stderr == (f"no server at {url}: start one with `slipway serve`, or point --server or "
                           "SLIPWAY_URL at it\n")
    done = lone("models", "--json", "--server", url)
    assert done.returncode == UNREACHABLE and done.stdout == ""
    assert json.loads(done.stderr)["exit"] == UNREACHABLE


@pytest.mark.parametrize("url", ["http://", "http://:80", "127.0.0.1:99999", "127.0.0.1:", "/run/s.sock", "unix:",
                                 "grpc://localhost:80"])
def test_what_is_no_address_is_wrong_usage(url):
    done = lone("models", "--server", url)
    assert done.returncode == USAGE and "is no address of a server" in done.stderr


@pytest.mark.parametrize("listen", ["localhost", ":8080", "8080", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:99999"])
def test_what_is_no_address_to_listen_on_is_wrong_usage(listen, tmp_path):
    done = lone("serve", "--data", tmp_path / "data", "--listen", listen)
    assert done.returncode == USAGE and "give ADDRESS:PORT" in done.stderr
    assert not (tmp_path / "data").exists()


def test_what_is_no_slipway_server_is_told_apart(tmp_path):
    import http.server
    import threading

    class Other(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_error(404)

        def log_message(self, *arguments):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Other) as other:
        threading.Thread(target=other.handle_request).start()
        done = lone("models", SLIPWAY_URL=f"127.0.0.1:{other.server_port}")
    assert done.returncode == NOT_FOUND and "is it a Slipway server?" in done.stderr


def test_a_server_without_tls_is_told_apart(live, tmp_path):
    url = live.url.replace("http://", "https://")
    assert "write http://" in live.refuses(UNREACHABLE, "models", url=url)
    missing = live.refuses(USAGE, "models", url=url, env={"SLIPWAY_CA_FILE": str(tmp_path / "none.pem")})
    assert "SLIPWAY_CA_FILE" in missing


# ---- From a file to a version ----


def test_push_says_what_came_of_it(server):
    said = server.ok("push", "said", LINEAR, "--profile", TRAIN, "--check", CHECK, "--note", "first")
    lines = said.splitlines()
    assert re.match(r"said@1    ?\s*30 features, 2 outputs · 690 B · sha256 [0-9a-f]{4}…  · "
                    r"profile of 285 rows$", lines[0])
    assert re.match(r"checked   loads in .+, 1 row .+, 1,024 rows .+ a row \(native", lines[1])
    assert lines[2] == "next      slipway deploy said@1"
    version = server.ok_json("push", "said", LINEAR, "--note", "again")
    assert version["version"] == 2 and version["note"] == "again" and version["checked"]["engine"] == "native"
    assert [v["version"] for v in server.ok_json("versions", "said")["versions"]] == [2, 1]
    assert "first" in server.ok("versions", "said")


def test_push_can_alias_and_deploy_at_once(server):
    answer = server.ok_json("push", "at-once", LINEAR, "--alias", "champion", "--deploy")
    assert answer["alias"]["version"] == 1 and answer["revision"]["state"] == "live"
    said = server.ok("push", "at-once", LINEAR, "-a", "champion", "-d")
    assert "alias       at-once@champion" in said
    assert re.search(r"^at-once@2   live in .+ · REST /v2/models/at-once/infer · gRPC "
                     r"inference.GRPCInferenceService$", said, re.M)


@pytest.mark.parametrize("words, status, said", [
    (["push", "bad", "nowhere.onnx"], NOT_FOUND, "nowhere.onnx: No such file"),
    (["push", "bad", "model.pkl"], FAILED, "export it first"),
    (["push", "bad@2", LINEAR], USAGE, "numbers the versions itself"),
    (["push", LINEAR, "bad"], USAGE, "the name comes first"),
    (["push", "bad", LINEAR, "--profile", "nowhere.csv"], NOT_FOUND, "nowhere.csv"),
    (["push", "bad", TRAIN], FAILED, ""),
    (["push", "bad name", LINEAR], FAILED, ""),
])
def test_push_refuses_what_is_no_model(server, words, status, said):
    assert said in server.refuses(status, *words)
    assert "bad" not in [m["name"] for m in server.ok_json("models")["models"]]


def test_push_takes_a_signature_file(server, tmp_path):
    broken = tmp_path / "broken.json"
    broken.write_text("{\n  oops")
    assert "broken.json, line 2" in server.refuses(FAILED, "push", "bad", LINEAR, "--signature", broken)


def write_parquet(path, csv_path):
    """By DuckDB, as Slipway reads it. False where the library is not there."""
    try:
        duckdb = ctypes.CDLL(os.environ.get("SLIPWAY_DUCKDB") or str(pathlib.Path(BIN).parent / "lib/libduckdb.so"))
    except OSError:
        return False
    database, connection = ctypes.c_void_p(), ctypes.c_void_p()
    assert duckdb.duckdb_open(None, ctypes.byref(database)) == 0
    assert duckdb.duckdb_connect(database, ctypes.byref(connection)) == 0
    copy = f"COPY (SELECT * FROM read_csv('{csv_path}')) TO '{path}' (FORMAT parquet)"
    assert duckdb.duckdb_query(connection, copy.encode(), None) == 0
    duckdb.duckdb_disconnect(ctypes.byref(connection))
    duckdb.duckdb_close(ctypes.byref(database))
    return True


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_push_takes_training_data_as_other_tools_write_them(server, tmp_path, kind):
    """A category, a gap, a comma and a quote among the numbers: the profile is that of the CSV."""
    chance, table = random.Random(5), []
    for i in range(400):
        table.append({"amount": None if i % 50 == 9 else round(chance.gauss(50, 10), 4), "age": chance.randint(18, 80),
                      "shop": chance.choice(["Nord", 'a "b", c', "Süd"]) if i % 40 else None})
    with open(tmp_path / "train.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, table[0])
        writer.writeheader()
        writer.writerows(table)
    if kind == "parquet" and not write_parquet(tmp_path / "train.parquet", tmp_path / "train.csv"):
        pytest.skip("DuckDB's library is not there")
    (tmp_path / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in table))
    (tmp_path / "broken.jsonl").write_text('{"amount": 1}\n{"amount": oops}\n')
    profiles = [server.ok_json("push", kind, "--external", "--profile", tmp_path / f"train.{k}")["profile"]
                for k in ("csv", kind)]
    assert profiles[0]["rows"] == 400 and profiles[0] == profiles[1]
    said = server.refuses(FAILED, "push", "bad", "--external", "--profile", tmp_path / "broken.jsonl")
    assert "broken.jsonl" in said and "line 2" in said


# ---- Deployments ----


def test_deploy_and_rollback_move_what_is_live(live):
    assert re.fullmatch(r"cells@2   live in .+ · REST /v2/models/cells/infer · gRPC "
                        r"inference.GRPCInferenceService\n", live.ok("deploy", "cells"))
    back = live.ok("rollback", "cells")
    assert re.fullmatch(r"cells@1   live again in .+ · 0 requests failed · revision \d+ \(by you, "
                        r"\d\d:\d\d:\d\d\)\n", back), back
    revision = live.ok_json("deploy", "cells@2", "--engine", "native")
    assert revision["state"] == "live" and revision["engine"] == "native"
    assert live.ok_json("rollback", "cells", "--to", revision["revision"] - 1)["version"] == 1
    past = live.get("/api/v1/models/cells/deployments")["revisions"][1:3]
    assert [(r["kind"], r["engine"]) for r in past] == [("deploy", "native"), ("rollback", "native")]
    assert past[1]["engine_why"].startswith("linear")  # chosen, not asked for


def test_what_is_not_there_is_not_found(live):
    said = live.refuses(NOT_FOUND, "deploy", "cells@7")
    assert said == "cells@7 does not exist: the newest version is cells@2. See: slipway versions cells\n"
    for words in (["deploy", "nope"], ["rollback", "nope"], ["versions", "nope"], ["watch", "nope"],
                  ["undeploy", "nope"], ["predict", "nope", "--data", "{}"], ["alias", "list", "nope"],
                  ["predict", "nope", TEST], ["rollback", "cells", "--to", "99"]):
        live.refuses(NOT_FOUND, *words)


def test_undeploy_takes_down_and_rollback_brings_back(server):
    server.ok("push", "down", LINEAR, "--profile", TRAIN, "--deploy")
    assert server.ok("undeploy", "down").startswith("down   answers no more · revision 2")
    assert server.refuses(NOT_FOUND, "predict", "down", TEST).startswith("down is not deployed")
    assert server.ok_json("rollback", "down")["version"] == 1
    server.ok("predict", "down", TEST)


def test_a_version_that_disagrees_with_its_check_rows_never_goes_live(server, tmp_path):
    wrong = tmp_path / "wrong.csv"
    rows = CHECK.read_text().splitlines()
    last = rows[3].split(",")
    last[-1] = "0.123"
    wrong.write_text("\n".join(rows[:3] + [",".join(last)] + rows[4:]))
    done = server.run("push", "wrong", LINEAR, "--profile", TRAIN, "--check", wrong)
    if done.returncode == DONE:
        assert "0.123" in server.refuses(FAILED, "deploy", "wrong")
    else:
        assert done.returncode == FAILED and "0.123" in done.stderr


def test_aliases_are_set_listed_followed_and_removed(live):
    live.ok("alias", "set", "cells@2", "candidate")
    assert live.ok("alias", "list", "cells") == "cells@candidate   cells@2\n"
    assert live.ok_json("alias", "list", "cells") == {"aliases": [{"name": "candidate", "version": 2}]}
    assert "what is live is version 1" in live.refuses(NOT_FOUND, "predict", "cells@candidate", TEST, "-q")
    live.ok("alias", "set", "cells@1", "candidate")
    assert live.ok_json("predict", "cells@candidate", TEST, "-q")["version"] == "1"
    live.ok("alias", "remove", "cells@candidate")
    assert live.ok_json("alias", "list", "cells") == {"aliases": []}
    live.refuses(NOT_FOUND, "alias", "set", "cells@9", "candidate")
    live.refuses(USAGE, "alias", "set", "cells", "candidate")


# ---- Predictions ----


def first_row():
    head, row = TEST.read_text().splitlines()[:2]
    return dict(zip(head.split(",")[:30], map(float, row.split(",")[:30])))


def test_predict_gives_the_same_answer_for_every_kind_of_input(live, tmp_path):
    row = first_row()
    by_file = live.run("predict", "cells", TEST)
    lines = by_file.stdout.splitlines()
    assert len(lines) == 284 and "left out, no feature of cells@1: malignant" in by_file.stderr
    answer = json.loads(lines[0])
    assert set(answer) == {"label", "probabilities"}
    typed = ",".join(str(v) for v in row.values())
    (tmp_path / "rows.json").write_text(json.dumps([row, row]))
    (tmp_path / "rows.jsonl").write_text(json.dumps(row) + "\n" + json.dumps(row) + "\n")
    assert json.loads(live.ok("predict", "cells", "--row", typed)) == answer
    assert json.loads(live.ok("predict", "cells", "--data", json.dumps(row))) == answer
    for name in ("rows.json", "rows.jsonl"):
        assert [json.loads(l) for l in live.ok("predict", "cells", tmp_path / name).splitlines()] == [answer] * 2
    assert json.loads(live.ok("predict", "cells", stdin=json.dumps(row))) == answer
    assert json.loads(live.ok("predict", "cells", "-", stdin="\n".join(TEST.read_text().splitlines()[:2]))) == answer


def test_predict_agrees_with_the_training_code(live):
    head, *rows = CHECK.read_text().splitlines()
    got = [json.loads(line) for line in live.ok("predict", "cells@1", CHECK, "--quiet").splitlines()]
    assert len(got) == len(rows)
    for answer, row in zip(got, rows):
        label, probability = row.split(",")[-2:]
        assert answer["label"] == int(label)
        assert abs(answer["probabilities"][1] - float(probability)) < 1e-5


def test_predict_writes_csv_and_one_json_document(live):
    head, *rows = live.ok("predict", "cells", TEST, "--csv").splitlines()
    assert head == "label,probabilities[0],probabilities[1]" and len(rows) == 284
    assert all(abs(float(a) + float(b) - 1) < 1e-6 for _, a, b in (r.split(",") for r in rows))
    document = live.ok_json("predict", "cells", TEST, "--batch", "7")
    assert document["model"] == "cells" and len(document["predictions"]) == 284


def test_predict_csv_quotes_what_a_column_is_called(server, tmp_path):
    odd = b'class "a", bc'
    assert len(odd) == len(b"probabilities")
    (tmp_path / "odd.onnx").write_bytes(LINEAR.read_bytes().replace(b"probabilities", odd))
    server.ok("push", "odd", tmp_path / "odd.onnx", "--profile", TRAIN, "--deploy")
    head, *rows = csv.reader(server.ok("predict", "odd", TEST, "--csv").splitlines())
    assert head == ["label", 'class "a", bc[0]', 'class "a", bc[1]']
    assert len(rows) == 284 and {len(row) for row in rows} == {3}


def test_what_is_removed_answers_an_empty_document(server):
    server.ok("push", "gone", LINEAR)
    server.ok("alias", "set", "gone@1", "champion")
    assert server.ok("silence", "add", "model=gone").startswith("silence 1")
    assert server.ok_json("alias", "remove", "gone", "champion") == {}
    assert server.ok_json("silence", "remove", "1") == {}


def test_help_gives_a_letter_one_meaning_and_says_which_actions_take_options(server):
    page = server.ok("monitor", "--help")
    assert "  -s, --set FIELD=VALUE" in page and "      --server URL" in page
    lines = server.ok("silence", "--help").splitlines()
    assert "  slipway silence add LABEL=PATTERN... [options]" in lines and "  slipway silence remove ID" in lines


def test_predict_says_how_to_name_features(server):
    server.ok("push", "unnamed", LINEAR, "--deploy")
    assert "push it with --profile" in server.refuses(FAILED, "predict", "unnamed", TEST)
    assert json.loads(server.ok("predict", "unnamed", "--row", ",".join(["1"] * 30)))["label"] in (0, 1)


def test_predict_streams_more_rows_than_one_request_takes(live, tmp_path):
    head, *rows = TEST.read_text().splitlines()
    many = tmp_path / "many.csv"
    many.write_text("\n".join([head] + rows * 10))
    assert len(live.ok("predict", "cells", many, "-q").splitlines()) == 2840


def test_predict_names_the_row_and_the_field_that_is_wrong(live, tmp_path):
    bad = tmp_path / "bad.csv"
    head, *rows = TEST.read_text().splitlines()
    bad.write_text("\n".join([head, rows[0], "abc" + rows[1][rows[1].index(","):]]))
    assert f"{bad}, line 3, mean_radius: 'abc' is no number" in live.refuses(FAILED, "predict", "cells", bad)
    row = first_row()
    del row["worst_area"]
    assert "worst_area" in live.refuses(FAILED, "predict", "cells", "--data", json.dumps(row))
    assert "has 2 values, the model takes 30" in live.refuses(USAGE, "predict", "cells", "--row", "1,2")
    assert "holds no rows" in live.refuses(FAILED, "predict", "cells", "-", stdin="")
    live.refuses(USAGE, "predict", "cells", TEST, "--row", "1")


# ---- Looking ----


def test_models_answers_to_list_and_ls(live):
    for name in ("models", "list", "ls"):
        said = live.ok(name)
        assert re.search(r"^cells +@1 +@2 ", said, re.M), said
    assert {"name", "newest_version", "deployment", "traffic", "watch"} <= set(live.ok_json("models")["models"][0])


def test_status_speaks_for_people_and_programs(server):
    assert re.match(r"slipway \d+\.\d+\.\d+   ready · up ", server.ok("status"))
    assert server.ok_json("status")["ready"] is True
    assert server.ok("status", "--quiet") == ""


def test_the_unix_socket_serves_as_well(server):
    assert server.run("status", "-q", url=f"unix:{server.socket}").returncode == DONE
    assert server.run("status", "-q", "--server", f"unix:{server.socket}", url="127.0.0.1:1").returncode == DONE


def test_watch_shows_rows_and_then_drift(live):
    name = "watched"
    live.ok("push", name, LINEAR, "--profile", TRAIN, "--deploy")
    live.ok("predict", name, CHECK, "-q")
    for _ in range(100):
        watch = live.ok_json("watch", name)
        if watch["rows"] >= 24:
            break
        time.sleep(0.05)
    assert watch["state"] == "too few rows"
    assert re.search(r"^  mean_radius +too few rows \(24 of 500\)$", live.ok("watch", name), re.M)
    head, *rows = TEST.read_text().splitlines()
    drifted = "\n".join([head] + [f"{float(r.split(',')[0]) * 1.5}{r[r.index(','):]}" for r in rows * 4])
    live.ok("predict", name, "-", "-q", stdin=drifted)
    for _ in range(100):
        watch = live.ok_json("watch", name)
        if watch["rows"] >= 24 + 4 * 284:
            break
        time.sleep(0.05)
    assert watch["state"] == "drifted"
    said = live.ok("watch", name)
    assert re.search(r"^  mean_radius +[▁▂▃▄▅▆▇█ ]+  live   PSI \d\.\d\d  drifted   median [\d.]+ → [\d.]+", said, re.M), said
    assert re.search(r"^ +[▁▂▃▄▅▆▇█ ]+  train$", said, re.M)
    assert "\033" not in said


def test_events_say_who_changed_what(live):
    events = live.ok_json("events", "cells", "--limit", "50")["events"]
    assert {"version.pushed", "deployment.live"} <= {e["kind"] for e in events}
    assert all(e["model"] == "cells" for e in events)
    assert "cells@1" in live.ok("events", "cells", "-n", "50")
    assert len(live.ok("events", "--limit", "1").splitlines()) == 1


def test_events_can_be_followed(live):
    tail = subprocess.Popen([BIN, "events", "--follow", "--json", "--limit", "1", "--server", live.url],
                            stdout=subprocess.PIPE, text=True)
    try:
        json.loads(tail.stdout.readline())
        live.ok("alias", "set", "cells@1", "followed")
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            if "followed" in json.loads(tail.stdout.readline())["text"]:
                break
        else:
            raise AssertionError("the event did not come")
        live.ok("alias", "remove", "cells", "followed")
    finally:
        tail.terminate()
        tail.wait()


# ---- Tokens: on a server of their own, as the first one closes it ----


def test_tokens_open_what_their_scopes_say(tmp_path):
    server = Server(tmp_path)
    try:
        server.ok("push", "cells", LINEAR, "--profile", TRAIN, "--deploy")
        admin = server.ok_json("token", "create", "me", "--scopes", "admin")["secret"]
        assert "SLIPWAY_TOKEN" in server.refuses(REFUSED, "models")
        me = {"SLIPWAY_TOKEN": admin}
        reader = server.ok("token", "create", "shop", "--scopes", "read,predict", "--expires", "30d", "-q",
                           env=me).strip()
        shop = {"SLIPWAY_TOKEN": reader}
        server.ok("models", env=shop)
        server.ok("predict", "cells", TEST, env=shop)
        server.refuses(REFUSED, "deploy", "cells", env=shop)
        file = tmp_path / "token"
        file.write_text(reader + "\n")
        server.ok("models", "--token-file", file)
        server.refuses(NOT_FOUND, "models", "--token-file", tmp_path / "nowhere")
        tokens = {t["name"]: t for t in server.ok_json("token", "list", env=me)["tokens"]}
        assert set(tokens) == {"me", "shop"} and "secret" not in tokens["shop"]
        assert "read,predict" in server.ok("token", "list", env=me)
        link = server.ok("token", "link", "-q", env=me).strip()
        assert server.http("GET", link.removeprefix(server.url)).status == 303
        server.refuses(REFUSED, "token", "link", env=shop)
        server.ok("token", "revoke", tokens["shop"]["id"], env=me)
        server.refuses(REFUSED, "models", env=shop)
        server.refuses(NOT_FOUND, "token", "revoke", "tok_nothing", env=me)
    finally:
        server.stop()


# ---- The terminal ----


def on_a_terminal(arguments, env):
    """Runs on a pseudo terminal and gives what it wrote there."""
    import pty
    leader, follower = pty.openpty()
    environment = {k: v for k, v in clean_environment(**env).items() if k != "NO_COLOR" or k in env}
    process = subprocess.Popen([BIN, *arguments], stdout=follower, stderr=follower, stdin=follower,
                               env=environment)
    os.close(follower)
    said = b""
    while True:
        try:
            piece = os.read(leader, 65536)
        except OSError:
            break
        if not piece:
            break
        said += piece
    os.close(leader)
    process.wait(timeout=30)
    return said.decode()


def test_colours_are_for_terminals_that_want_them(live):
    env = {"SLIPWAY_URL": live.url, "TERM": "xterm"}
    assert "\033[" in on_a_terminal(["models"], env)
    assert "\033[" not in on_a_terminal(["models"], {**env, "NO_COLOR": "1"})
    assert "\033[" not in on_a_terminal(["models"], {**env, "TERM": "dumb"})
    assert "\033" not in live.ok("models")


def test_predict_without_rows_on_a_terminal_says_how(live):
    said = on_a_terminal(["predict", "cells"], {"SLIPWAY_URL": live.url, "TERM": "dumb"})
    assert "no rows given. Try: slipway predict cells rows.csv" in said


def test_output_that_cannot_be_written_is_a_failure(live):
    with open("/dev/full", "w") as full:
        done = subprocess.run([BIN, "models", "--server", live.url], stdout=full, stderr=subprocess.PIPE,
                              text=True, timeout=30)
    assert done.returncode == FAILED and "could not be written" in done.stderr


# ---- The demo ----


def test_the_demo_holds_to_its_end(tmp_path):
    done = subprocess.run([BIN, "demo", "--exit", "--json", "--listen", f"127.0.0.1:{free_port()}"],
                          capture_output=True, text=True, timeout=120, env={**os.environ, "TMPDIR": str(tmp_path)})
    summary = json.loads(done.stdout)
    assert done.returncode == DONE and summary["ok"], summary
    assert [s["name"] for s in summary["steps"]][-1] == "load" and all(s["ok"] for s in summary["steps"])
    assert "0 failed" in summary["steps"][-1]["text"]
    assert list(tmp_path.glob("slipway*")) == [], "the demo left its data behind"


def test_the_demo_stays_until_it_is_stopped(tmp_path):
    port = free_port()
    demo = subprocess.Popen([BIN, "demo", "--listen", f"127.0.0.1:{port}", "--data", str(tmp_path / "kept")],
                            stdout=subprocess.PIPE, text=True)
    try:
        lines = []
        for line in demo.stdout:
            lines.append(line)
            if line.startswith("Dashboard"):
                break
        assert f"http://127.0.0.1:{port}" in lines[-1], lines
        assert lone("status", "-q", SLIPWAY_URL=f"127.0.0.1:{port}").returncode == DONE
    finally:
        demo.send_signal(signal.SIGINT)
        assert demo.wait(timeout=40) == 0
    assert lone("status", "-q", SLIPWAY_URL=f"127.0.0.1:{port}").returncode == UNREACHABLE
    assert (tmp_path / "kept").is_dir()


def test_the_demo_says_why_its_server_does_not_start(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = subprocess.run([BIN, "demo", "--exit", "--listen", f"127.0.0.1:{taken.getsockname()[1]}"],
                              capture_output=True, text=True, timeout=60)
    assert done.returncode == FAILED and "✗ server" in done.stdout
