"""An upstream in OpenAI's format on loopback: answers, calls tools, names conversations, and lets out what it is told.

Ids and times differ from answer to answer, and each answer repeats the key, two headers, and the last question.
"""

from __future__ import annotations

import threading
import time
import uuid
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Upstream", "upstream"]


class Upstream(ThreadingHTTPServer):
    """The server; `seen` keeps the body of each request."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.seen: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        """The base URL to configure."""
        return f"http://127.0.0.1:{self.server_port}/v1"


class _Handler(BaseHTTPRequestHandler):
    server: Upstream
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = msgspec.json.decode(self.rfile.read(int(self.headers["content-length"])))
        self.server.seen.append(body)
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("set-cookie", "session=c00kie")
        self.send_header("connection", "close")
        self.end_headers()
        for delta in self._deltas(body):
            self._send({"choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
        usage = {"prompt_tokens": 10 * len(body["messages"]), "completion_tokens": 7, "total_tokens": 0}
        self._send({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": usage})
        self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True

    def _deltas(self, body: dict[str, Any]) -> Iterator[dict[str, Any]]:
        last = body["messages"][-1]
        if "headline" in last["content"]:
            yield {"content": "A Named Talk"}
        elif body.get("tools") and last["role"] != "tool":
            call = {"name": body["tools"][0]["function"]["name"], "arguments": '{"x": 4}'}
            yield {"tool_calls": [{"index": 0, "id": f"call_{uuid.uuid4().hex}", "type": "function", "function": call}]}
        else:
            told = (self.headers["authorization"], self.headers["x-gate"], self.headers["x-plain"], last["content"])
            for piece in ("Question", f"{len(body['messages'])}:", *told, "서울."):
                yield {"content": f"{piece} "}

    def _send(self, fields: dict[str, Any]) -> None:
        frame = {"id": f"chatcmpl-{uuid.uuid4().hex}", "object": "chat.completion.chunk", "created": int(time.time())}
        data = msgspec.json.encode(frame | {"model": "m"} | fields)
        self.wfile.write(b"data: " + data + b"\n\n")
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def upstream() -> Iterator[Upstream]:
    """Serve in a thread."""
    with Upstream() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()
