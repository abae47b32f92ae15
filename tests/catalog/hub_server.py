"""A hub on loopback: as much of the protocol as `edgemind models pull` needs, and its troubles."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"
REPO = "org/tiny-GGUF"


@dataclass
class FakeHub:
    """What the server holds, how it misbehaves, and what it was asked."""

    files: dict[str, bytes] = field(default_factory=dict)
    small: set[str] = field(default_factory=set)
    commit: str = COMMIT
    cuts: list[int] = field(default_factory=list)
    """At which bytes of a file the connection is cut, each once."""
    down: bool = False
    down_after_cut: bool = False
    whole_only: bool = False
    spoil: bool = False
    statuses: list[int] = field(default_factory=list)
    seconds_per_chunk: float = 0.0
    ranges: list[str | None] = field(default_factory=list)
    sent: int = 0
    endpoint: str = ""

    def listing(self) -> dict[str, Any]:
        """The answer of the API."""
        siblings = []
        for name, data in self.files.items():
            git = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
            one: dict[str, Any] = {"rfilename": name, "size": len(data), "blobId": git}
            if name not in self.small:
                digest = hashlib.sha256(data).hexdigest()
                one["lfs"] = {"size": len(data), "sha256": digest, "pointerSize": 134}
            siblings.append(one)
        return {"id": REPO, "modelId": REPO, "sha": self.commit, "siblings": siblings}


@contextmanager
def serving(hub: FakeHub) -> Iterator[FakeHub]:
    """Serve it while this lasts."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = unquote(urlsplit(self.path).path)
            if path.startswith(f"/api/models/{REPO}"):
                self.reply(200, json.dumps(hub.listing()).encode(), "application/json")
            elif path.startswith("/api/"):
                self.send_response(404)
                self.send_header("X-Error-Code", "RepoNotFound")
                self.send_header("Content-Length", "0")
                self.end_headers()
            elif path.startswith(start := f"/{REPO}/resolve/{hub.commit}/"):
                self.send_response(302)  # as the hub sends large files to where they are stored
                self.send_header("Location", f"/cdn/{path.removeprefix(start)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
            elif path.startswith("/cdn/"):
                self.file(path.removeprefix("/cdn/"))
            else:
                self.reply(404, b"", "text/plain")

        def file(self, name: str) -> None:
            asked = self.headers.get("Range")
            hub.ranges.append(asked)
            if hub.down or hub.statuses:
                self.reply(hub.statuses.pop(0) if hub.statuses else 503, b"", "text/plain")
                return
            data = hub.files[name]
            if hub.spoil:
                data = data[:-1] + bytes([data[-1] ^ 1])
            start = 0
            if asked and not hub.whole_only:
                start = int(asked.removeprefix("bytes=").partition("-")[0])
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
            self.send_header("Content-Length", str(len(data) - start))
            self.end_headers()
            self.body(data, start)

        def body(self, data: bytes, start: int) -> None:
            cut = next((one for one in hub.cuts if one >= start), None)
            end = len(data) if cut is None else cut
            for at in range(start, end, 4096):
                piece = data[at : min(at + 4096, end)]
                self.wfile.write(piece)
                hub.sent += len(piece)
                if hub.seconds_per_chunk:
                    self.wfile.flush()
                    time.sleep(hub.seconds_per_chunk)
            if cut is not None:
                hub.cuts.remove(cut)
                hub.down = hub.down_after_cut
                self.close_connection = True

        def reply(self, code: int, data: bytes, kind: str) -> None:
            self.send_response(code)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *arguments: object) -> None:
            return

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            return  # a client that was killed

    server = Quiet(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    hub.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
