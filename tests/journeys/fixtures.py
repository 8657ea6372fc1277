# SPDX-License-Identifier: Apache-2.0
import pytest
from harness import EXAMPLE, MODELS, Server


@pytest.fixture
def server(tmp_path):
    """A fresh server for one test, stopped in the end (and found to stop well)."""
    started = Server(tmp_path)
    yield started
    started.stop()


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    """One server for a file's tests: `cells` (linear, profiled, checked), version 1 live and 2 pushed."""
    started = Server(tmp_path_factory.mktemp("live"))
    started.ok("push", "cells", EXAMPLE / "linear.onnx", "--profile", EXAMPLE / "train.csv",
               "--check", EXAMPLE / "check-linear.csv")
    started.ok("push", "cells", EXAMPLE / "linear-strict.onnx", "--profile", EXAMPLE / "train.csv")
    started.ok("deploy", "cells@1")
    started.ok("push", "plain", MODELS / "logreg30.onnx")
    started.ok("deploy", "plain@1")
    yield started
    started.stop()


def pytest_configure(config):
    config.addinivalue_line("markers", "concurrent: worth running under ThreadSanitizer")
    config.addinivalue_line("markers", "browser: drives a browser")
    config.addinivalue_line("markers", "slow: takes more than ten seconds")
    config.addinivalue_line("markers", "runtime: needs ONNX Runtime")
