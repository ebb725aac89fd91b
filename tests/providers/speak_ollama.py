"""A server of Ollama's own API: `/api/chat` and `/api/tags`."""

from __future__ import annotations

import threading
from base64 import b64decode
from binascii import Error as NotBase64
from typing import TYPE_CHECKING, Any

import msgspec
from ollama import Message as ChatMessage
from ollama import Options
from ollama import Tool as ChatTool
from ollama._types import ChatRequest
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from tests.providers.scenes import CALLS, Answer, Asked, Refused, answer, endless, image_type
from tests.providers.speaker import KEY, SCENES

from agentbench.config import Endpoint, Secret

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request

__all__ = ["Speaker"]

_ERRORS = {
    "overloaded": (503, "server busy, please try again.  maximum pending requests exceeded"),
    "limited": (429, "you have reached your hourly usage limit, please try again later"),
    "too_long": (400, "the input length exceeds the context length"),
}
_TIMES = {"total_duration": 4883583458, "load_duration": 1334875, "prompt_eval_duration": 342546000}


class Speaker:
    """Speaks Ollama's own API, and refuses keys that the `ollama` package's types don't know."""

    cannot = frozenset({"cached", "blocked"})  # it counts no cached tokens, and filters nothing

    def __init__(self) -> None:
        self.left = threading.Event()
        self.seen: list[dict[str, Any]] = []
        self.app = Starlette(routes=[Route("/api/chat", self._chat, methods=["POST"]), Route("/api/tags", self._tags)])

    def endpoint(self, url: str, key: str = KEY) -> Endpoint:
        """Return the server as an endpoint."""
        return Endpoint(name="ollama", provider="ollama", base_url=url, api_key=Secret(key), models=SCENES)

    async def _tags(self, request: Request) -> Response:
        if not _knows(request):
            return _error(401, "unauthorized")
        rows = [{"name": scene, "model": scene, "modified_at": "2026-10-26T17:21:20Z", "size": 1} for scene in SCENES]
        return _json({"models": rows})

    async def _chat(self, request: Request) -> Response:
        if not _knows(request):
            return _error(401, "unauthorized")
        body = msgspec.json.decode(await request.body())
        self.seen.append(body)
        try:
            _check(body)
            scene = body["model"]
            if scene not in SCENES:
                return _error(404, f"model '{scene}' not found")
            if scene in _ERRORS:
                return _error(*_ERRORS[scene])
            return self._answer(scene, body)
        except (ValidationError, Refused, NotBase64) as error:
            return _error(400, str(error))

    def _answer(self, scene: str, body: dict[str, Any]) -> Response:
        said = answer(scene, _asked(body))
        if body.get("stream", True):
            lines = _lines(scene, said)
            stream = endless(self.left, lines) if scene == "endless" else lines
            return StreamingResponse(stream, media_type="application/x-ndjson")
        whole = {"content": "".join(said.pieces)}
        if said.thought:
            whole["thinking"] = said.thought
        if said.calls:
            whole |= _tool_calls(list(said.calls.values()))
        return Response(_last(scene, said, whole), media_type="application/json")


def _knows(request: Request) -> bool:
    return request.headers.get("authorization") == f"Bearer {KEY}"


def _check(body: dict[str, Any]) -> None:
    """Validate by the package's own types; a schema may hold more than those know, and images are bare base64."""
    tools = [tool["function"].copy() for tool in body.get("tools") or ()]
    ChatRequest.model_validate({**body, "tools": None}, extra="forbid")
    for tool in tools:
        tool.pop("parameters", None)
        ChatTool.Function.model_validate(tool, extra="forbid")
    Options.model_validate(body.get("options") or {}, extra="forbid")
    for message in body["messages"]:
        ChatMessage.model_validate({**message, "images": None}, extra="forbid")


def _asked(body: dict[str, Any]) -> Asked:
    images = [b64decode(image, validate=True) for each in body["messages"] for image in each.get("images") or ()]
    results = [each["content"] for each in body["messages"] if each["role"] == "tool"]
    called = [call for each in body["messages"] for call in each.get("tool_calls") or ()]
    named = [each.get("tool_name") for each in body["messages"] if each["role"] == "tool"]
    if named != [call["function"]["name"] for call in called]:
        raise Refused("The results don't match the calls.")
    return Asked(
        tools=bool(body.get("tools")),
        results=dict(zip(CALLS, results, strict=False)),
        image=(image_type(images[0]), len(images[0])) if images else None,
        schema=isinstance(body.get("format"), dict),
    )


def _lines(model: str, said: Answer) -> Iterator[bytes]:
    if said.thought:
        yield _line(model, {"content": "", "thinking": said.thought})
    yield from (_line(model, {"content": piece}) for piece in said.pieces)
    yield from (_line(model, {"content": "", **_tool_calls([arguments])}) for arguments in said.calls.values())
    if said.end == "error":
        yield b'{"error":"an error was encountered while running the model"}\n'
    else:
        yield _last(model, said, {"content": ""})


def _tool_calls(arguments: list[str]) -> dict[str, Any]:
    functions = [{"name": "get_weather", "arguments": msgspec.json.decode(each)} for each in arguments]
    return {"tool_calls": [{"function": function} for function in functions]}


def _last(model: str, said: Answer, message: dict[str, Any]) -> bytes:
    tokens = {"prompt_eval_count": said.tokens[0], "eval_count": said.tokens[1]}
    return _line(model, message, done=True, done_reason=said.end, **_TIMES, **tokens)


def _line(model: str, message: dict[str, Any], *, done: bool = False, **more: Any) -> bytes:
    told = {"role": "assistant", **message}
    line = {"model": model, "created_at": "2026-10-26T17:21:20.196249Z", "message": told, "done": done, **more}
    return msgspec.json.encode(line) + b"\n"


def _json(body: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(body), status, headers, media_type="application/json")


def _error(status: int, message: str) -> Response:
    return _json({"error": message}, status, {"retry-after": "7"} if status == 429 else None)
