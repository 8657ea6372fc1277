# SPDX-License-Identifier: Apache-2.0
"""What runs beside Slipway: three limits that answer without computing, three real peers."""
import hashlib
import shutil

from . import data, place
from .place import BENCH, OUT, Unavailable
from .servers import Server, check_grpc, check_rest


class EpollEcho(Server):
    name = "epoll echo"

    def __init__(self, reply: bytes):
        super().__init__()
        self.reply = reply

    def prepare(self) -> None:
        self.program = place.compile_c("epoll_echo", [BENCH / "limits" / "epoll_echo.c"], [])
        self.reply_file = data.FILES / "reply.http"
        self.reply_file.write_bytes(self.reply)

    def command(self) -> list:
        return [self.program, self.port, self.reply_file]


class Nginx(Server):
    name = "nginx"

    def __init__(self, body: bytes):
        super().__init__()
        self.body = body

    def prepare(self) -> None:
        if shutil.which("nginx") is None:
            raise Unavailable("nginx is not installed: apt-get install nginx-light")
        self.home = OUT / "nginx"
        for folder in ("", "body", "proxy", "fastcgi", "uwsgi", "scgi"):
            (self.home / folder).mkdir(parents=True, exist_ok=True)
        text = self.body.decode("latin-1").replace("\\", "\\\\").replace("'", "\\'")
        if "$" in text:
            raise Unavailable("nginx cannot return a fixed reply that has a $ in it")
        template = (BENCH / "limits" / "nginx.conf.in").read_text(encoding="utf-8")
        (self.home / "nginx.conf").write_text(
            template.replace("@PORT@", str(self.port)).replace("@REPLY@", text), encoding="latin-1")

    def command(self) -> list:
        return [shutil.which("nginx"), "-p", self.home, "-e", "error.log", "-c", "nginx.conf"]


class Nghttp2Echo(Server):
    name = "nghttp2 echo"

    def __init__(self, message: bytes):
        super().__init__()
        self.message = message

    def prepare(self) -> None:
        self.program = place.compile_c(
            "nghttp2_echo", [BENCH / "limits" / "nghttp2_echo.c"], ["-lnghttp2"])
        self.message_file = data.FILES / "reply.grpc"
        self.message_file.write_bytes(self.message)

    def command(self) -> list:
        return [self.program, self.port, self.message_file]


def _install_once(folder, recipe: bytes, install) -> None:
    """Runs `install` unless it ended well for the same recipe before."""
    stamp = folder / ".installed"
    digest = hashlib.sha256(recipe).hexdigest()
    if stamp.exists() and stamp.read_text() == digest:
        return
    install()
    stamp.write_text(digest)


class FastApi(Server):
    name = "FastAPI + uvicorn + scikit-learn"
    environment = {"BENCH_WEIGHTS": str(data.WEIGHTS), "PYTHONDONTWRITEBYTECODE": "1",
                   "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

    def prepare(self) -> None:
        venv = OUT / "venv"
        requirements = BENCH / "peers" / "fastapi" / "requirements.txt"

        def install() -> None:
            place.run(["/usr/bin/python3", "-m", "venv", "--clear", venv])
            place.run([venv / "bin" / "pip", "install", "--quiet", "-r", requirements])

        _install_once(venv, requirements.read_bytes(), install)

    def command(self) -> list:
        return [OUT / "venv" / "bin" / "python", "-m", "uvicorn", "app:app", "--app-dir",
                BENCH / "peers" / "fastapi", "--host", "127.0.0.1", "--port", self.port,
                "--no-access-log", "--log-level", "warning"]

    def check(self) -> None:
        check_rest(self)


class _Node(Server):
    script = ""

    def prepare(self) -> None:
        source, home = BENCH / "peers" / "node", OUT / "node"
        home.mkdir(parents=True, exist_ok=True)
        for file in source.iterdir():
            if file.is_file():
                shutil.copy2(file, home / file.name)
        _install_once(home, (source / "package-lock.json").read_bytes(),
                      lambda: place.run(["npm", "ci", "--ignore-scripts"], cwd=home))

    def command(self) -> list:
        node = shutil.which("node")
        if node is None:
            raise Unavailable("node is not installed: apt-get install nodejs npm")
        return [node, OUT / "node" / self.script, self.port, data.MODEL]


class Fastify(_Node):
    name = "Fastify + onnxruntime-node"
    script = "fastify.mjs"
    environment = {"NODE_ENV": "production"}

    def check(self) -> None:
        check_rest(self)


class GrpcJs(_Node):
    name = "grpc-js + onnxruntime-node"
    script = "grpc.mjs"
    environment = {"NODE_ENV": "production"}

    def check(self) -> None:
        check_grpc(self)
