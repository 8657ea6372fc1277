# SPDX-License-Identifier: Apache-2.0
"""Receivers of notifications, on loopback."""

import hashlib
import hmac
import http.server
import json
import threading
import time


class Hook:
    """An HTTP receiver. `answers` are what it does, one after the other, the last for ever: a status, "hang",
    "close" or ("slow", seconds)."""

    def __init__(self, *answers, secret=None):
        self.answers = list(answers) or [200]
        self.secret = secret
        self.got = []
        self.ended = threading.Event()
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.got.append((time.monotonic(), self.path, dict(self.headers), body))
                answer = hook.answers.pop(0) if len(hook.answers) > 1 else hook.answers[0]
                if answer == "hang":
                    hook.ended.wait(60)
                    return
                if answer == "close":
                    self.close_connection = True
                    self.connection.close()
                    return
                if isinstance(answer, tuple):
                    hook.ended.wait(answer[1])
                    answer = 200
                said = f"said {self.headers.get('Authorization', '')}".encode()
                self.send_response(answer)
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *_):
                pass

        class Quiet(http.server.ThreadingHTTPServer):
            def handle_error(self, request, client_address):
                pass

        self.server = Quiet(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def messages(self):
        return [json.loads(body) for _, _, _, body in list(self.got)]

    def keys(self):
        return [headers.get("Idempotency-Key") for _, _, headers, _ in list(self.got)]

    def signed(self, at=0):
        _, _, headers, body = self.got[at]
        wanted = hmac.new(self.secret.encode(), headers["X-Slipway-Timestamp"].encode() + b"." + body,
                          hashlib.sha256).hexdigest()
        return hmac.compare_digest(headers["X-Slipway-Signature"], "v1=" + wanted)

    def close(self):
        self.ended.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
