"""A mock upstream in a process of its own: OpenAI's chat completions and responses, streamed or whole.

    with upstream() as base_url:      # "http://127.0.0.1:PORT/v1"
        ...

The model's name says how the answer comes: `chunks-2000` in so many pieces as fast as the socket takes them,
`paced-1000` in pieces of a millisecond each; any prefix is passed over. Each piece is an HTTP chunk of its own, as
real servers send them. It ends with its parent.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["upstream"]

_MODEL = re.compile(r"(chunks|paced)-(\d+)")
_CHAT, _RESPONSES, _MODELS = b"/v1/chat/completions", b"/v1/responses", b"/v1/models"
_WORDS = " the", " quick", " brown", " fox", " jumps", " over", " it", ","
_SLICE = 64 * 1024
_INTERVAL = 0.001
_STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n"
)
_JSON_HEAD = b"HTTP/1.1 %d %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
_LAST_CHUNK = b"0\r\n\r\n"


@contextmanager
def upstream() -> Iterator[str]:
    """Start it and give its base URL, which ends in `/v1`."""
    command, root = [sys.executable, "-m", "benchmarks.upstream"], Path(__file__).parent.parent
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=root) as process:
        try:
            port = int(process.stdout.readline()) if process.stdout is not None else 0
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.kill()


# -- what is sent -------------------------------------------------------------------------------------------------


@cache
def _answer(path: bytes, count: int) -> tuple[bytes, ...]:
    """Return the frames of a streamed answer, each as an HTTP chunk."""
    frames = _chat_frames(count) if path == _CHAT else _responses_frames(count)
    return tuple(b"%x\r\n%s\r\n" % (len(frame), frame) for frame in frames)


@cache
def _joined(path: bytes, count: int) -> bytes:
    return b"".join(_answer(path, count)) + _LAST_CHUNK


def _text(count: int) -> list[str]:
    return [_WORDS[number % len(_WORDS)] for number in range(count)]


def _chat_frames(count: int) -> list[bytes]:
    about = {
        "id": "chatcmpl-0123456789abcdef01234567",
        "object": "chat.completion.chunk",
        "created": 1767225600,
        "model": "mock-2026-01-01",
        "service_tier": "default",
        "system_fingerprint": "fp_0123456789",
    }

    def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return {**about, "choices": [choice], "usage": None}

    chunks = [
        chunk({"role": "assistant", "content": "", "refusal": None}),
        *(chunk({"content": word}) for word in _text(count)),
        chunk({}, "stop"),
        {**about, "choices": [], "usage": _chat_usage(count)},
    ]
    return [*(b"data: %s\n\n" % _json(each) for each in chunks), b"data: [DONE]\n\n"]


def _responses_frames(count: int) -> list[bytes]:
    place = {"item_id": "msg_0123456789abcdef", "output_index": 0, "content_index": 0}
    text = "".join(_text(count))
    message, begun = _message(text), {**_message(""), "status": "in_progress", "content": []}
    running = {**_response(0), "status": "in_progress", "output": [], "usage": None, "completed_at": None}
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": running},
        {"type": "response.in_progress", "response": running},
        {"type": "response.output_item.added", "output_index": 0, "item": begun},
        {"type": "response.content_part.added", **place, "part": _message("")["content"][0]},
        *({"type": "response.output_text.delta", **place, "delta": word, "logprobs": []} for word in _text(count)),
        {"type": "response.output_text.done", **place, "text": text, "logprobs": []},
        {"type": "response.content_part.done", **place, "part": message["content"][0]},
        {"type": "response.output_item.done", "output_index": 0, "item": message},
        {"type": "response.completed", "response": _response(count)},
    ]
    numbered = ({**event, "sequence_number": number} for number, event in enumerate(events))
    return [b"event: %s\ndata: %s\n\n" % (event["type"].encode(), _json(event)) for event in numbered]


def _completion(count: int) -> dict[str, Any]:
    said: dict[str, object] = {"role": "assistant", "content": "".join(_text(count))}
    message = {**said, "refusal": None, "annotations": []}
    return {
        "id": "chatcmpl-0123456789abcdef01234567",
        "object": "chat.completion",
        "created": 1767225600,
        "model": "mock-2026-01-01",
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
        "usage": _chat_usage(count),
    }


def _response(count: int) -> dict[str, Any]:
    details = {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
    return {
        "id": "resp_0123456789abcdef",
        "object": "response",
        "created_at": 1767225600,
        "completed_at": 1767225601,
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "model": "mock-2026-01-01",
        "output": [_message("".join(_text(count)))],
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "metadata": {},
        "usage": {"input_tokens": 12, "output_tokens": count, "total_tokens": 12 + count, **details},
    }


def _message(text: str) -> dict[str, Any]:
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    return {"type": "message", "id": "msg_0123456789abcdef", "status": "completed", "role": "assistant"} | {
        "content": [part]
    }


def _chat_usage(count: int) -> dict[str, Any]:
    return {"prompt_tokens": 12, "completion_tokens": count, "total_tokens": 12 + count}


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


# -- the server ---------------------------------------------------------------------------------------------------


class _Connection(asyncio.Protocol):
    """One connection, kept alive; one request at a time."""

    def __init__(self) -> None:
        self._rest = b""
        self._transport: Any  # asyncio.Transport, as it comes
        self._may_write = asyncio.Event()
        self._may_write.set()
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's shape
        if self._task is not None:
            self._task.cancel()

    def pause_writing(self) -> None:
        self._may_write.clear()

    def resume_writing(self) -> None:
        self._may_write.set()

    def data_received(self, data: bytes) -> None:
        self._rest += data
        head, end, rest = self._rest.partition(b"\r\n\r\n")
        if not end:
            return
        found = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
        length = int(found[1]) if found else 0
        if len(rest) >= length:
            body, self._rest = rest[:length], rest[length:]
            self._answer(head.split(b" ", 2)[1], json.loads(body) if body else {})

    def _answer(self, path: bytes, request: dict[str, Any]) -> None:
        found = _MODEL.search(request.get("model", ""))
        kind, count = (found[1], int(found[2])) if found else ("chunks", 20)
        if path == _MODELS:
            self._whole({"object": "list", "data": [{"id": "chunks-20", "object": "model"}]})
        elif path not in (_CHAT, _RESPONSES):
            self._whole({"error": {"message": f"There is no {path.decode()} here."}}, b"Not Found", 404)
        elif not request.get("stream"):
            self._whole(_completion(count) if path == _CHAT else _response(count))
        elif kind == "chunks" and len(_joined(path, count)) <= _SLICE:
            self._transport.write(_STREAM_HEAD + _joined(path, count))
        else:
            send = self._send if kind == "chunks" else self._pace
            self._task = asyncio.get_running_loop().create_task(send(path, count))

    def _whole(self, value: object, reason: bytes = b"OK", status: int = 200) -> None:
        body = _json(value)
        self._transport.write(_JSON_HEAD % (status, reason, len(body)) + body)

    async def _send(self, path: bytes, count: int) -> None:
        joined = _joined(path, count)
        self._transport.write(_STREAM_HEAD)
        for start in range(0, len(joined), _SLICE):
            await self._may_write.wait()
            self._transport.write(joined[start : start + _SLICE])

    async def _pace(self, path: bytes, count: int) -> None:
        loop = asyncio.get_running_loop()
        self._transport.write(_STREAM_HEAD)
        due = loop.time()
        for chunk in _answer(path, count):
            if (wait := due - loop.time()) > 0:
                await asyncio.sleep(wait)
            await self._may_write.wait()
            self._transport.write(chunk)
            due += _INTERVAL
        self._transport.write(_LAST_CHUNK)


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Connection, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)  # which ends with the parent
    server.close()


if __name__ == "__main__":
    asyncio.run(_serve())
