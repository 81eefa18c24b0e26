"""A Hub on the loopback interface that can fail in several ways."""

from __future__ import annotations

import hashlib
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class LoopbackHub:
    """Repositories are ``repos["acme/tiny"]`` and, for data sets, ``repos["datasets/acme/reviews"]``.

    ``faults`` maps a file's name, or ``listing``, to one of: 500, gated, stall (accepts and never answers),
    stall-body (answers and falls silent half-way), break-off (closes half-way, each time), corrupt (other bytes
    than announced), no-info (knows only the tree of a repository). ``requests`` are those that came.
    """

    def __init__(self) -> None:
        self.repos: dict[str, dict[str, bytes]] = {}
        self.faults: dict[str, str] = {}
        self.requests: list[str] = []
        self.closing = threading.Event()
        self.connections: list[socket.socket] = []
        hub = self

        class Handler(_Handler):
            def __init__(self, *args: Any) -> None:
                self.hub = hub
                super().__init__(*args)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End all stalls and refuse new connections."""
        if not self.closing.is_set():
            self.closing.set()
            self._server.shutdown()
            self._server.server_close()
            for connection in self.connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            self._thread.join()

    def asked_for(self, word: str) -> list[str]:
        return [request for request in self.requests if word in request]


class _Handler(BaseHTTPRequestHandler):
    hub: LoopbackHub
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        self.hub.connections.append(self.request)
        super().setup()

    def log_message(self, *_: object) -> None:
        """Write nothing to stderr."""

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, *, with_body: bool) -> None:
        path = unquote(urlsplit(self.path).path).strip("/")
        self.hub.requests.append(f"{self.command} {path}")
        if path.startswith("api/"):
            self._answer_api(path.removeprefix("api/").removeprefix("models/"))
        else:
            self._answer_file(*path.split("/resolve/main/"), with_body=with_body)

    def _answer_api(self, path: str) -> None:
        name, _, rest = path.partition("/tree/")
        fault = self.hub.faults.get("listing", "")
        if self._failed(fault):
            return
        if (files := self.hub.repos.get(name)) is None:
            self._refuse(401, "RepoNotFound")
        elif rest:
            self._json([{"type": "file", "path": file, "size": len(body), "oid": "0"} for file, body in files.items()])
        elif fault == "no-info":
            self._refuse(404, "")
        else:
            self._json({"id": name.removeprefix("datasets/"), "siblings": [{"rfilename": file} for file in files]})

    def _answer_file(self, repo: str, file: str, *, with_body: bool) -> None:
        fault = self.hub.faults.get(file, "")
        if self._failed(fault):
            return
        if repo not in self.hub.repos or file not in self.hub.repos[repo]:
            status, code = (404, "EntryNotFound") if repo in self.hub.repos else (401, "RepoNotFound")
            self._refuse(status, code)
            return
        body = self.hub.repos[repo][file]
        self.send_response(200)
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", f'"{hashlib.sha1(body).hexdigest()}"')
        if file.endswith((".safetensors", ".parquet", ".csv")):
            self.send_header("X-Linked-Etag", f'"{hashlib.sha256(body).hexdigest()}"')
            self.send_header("X-Linked-Size", str(len(body)))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if not with_body:
            return
        if fault in ("stall-body", "break-off"):
            self.wfile.write(body[: len(body) // 2])
            self.close_connection = True
            if fault == "stall-body":
                self.wfile.flush()
                self.hub.closing.wait()
            return
        self.wfile.write(bytes(len(body)) if fault == "corrupt" else body)

    def _failed(self, fault: str) -> bool:
        if fault == "stall":
            self.hub.closing.wait()
            self.close_connection = True
        elif fault == "500":
            self._refuse(500, "")
        elif fault == "gated":
            self._refuse(403, "GatedRepo")
        else:
            return False
        return True

    def _refuse(self, status: int, code: str) -> None:
        self.send_response(status)
        if code:
            self.send_header("X-Error-Code", code)
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _json(self, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def loopback_hub(monkeypatch: Any, cache: Any) -> Iterator[LoopbackHub]:
    """Run a Hub that this process uses instead of the real one, with an empty cache."""
    from huggingface_hub import constants
    from huggingface_hub.utils import close_session

    from core.sources import hub

    server = LoopbackHub()
    for name in ("HF_HUB_OFFLINE", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)  # read from the environment at import
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    close_session()
    hub.forget_failure()
    try:
        yield server
    finally:
        server.close()
        hub.forget_failure()
        close_session()
