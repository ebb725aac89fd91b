"""A server that speaks Anthropic's Messages, as the API does, and plays the scenes of `speaker.py`."""

from __future__ import annotations

import threading
from base64 import b64decode
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from tests.providers.scenes import Answer, Asked, Refused, answer, endless
from tests.providers.speak_anthropic_rules import VERSIONS, refusal, signature
from tests.providers.speaker import KEY, SCENES

from agentbench.config import Endpoint, Secret

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request

__all__ = ["Speaker"]

_Object = dict[str, Any]

_STATUSES = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "not_found_error": 404,
    "rate_limit_error": 429,
    "overloaded_error": 529,
}
_STOPS = {"stop": "end_turn", "length": "max_tokens", "filter": "refusal", "error": "end_turn"}
_ERRORS = {
    "overloaded": ("overloaded_error", "Overloaded"),
    "limited": ("rate_limit_error", "This request would exceed your organization's rate limit."),
    "too_long": ("invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"),
}


class Speaker:
    """Speaks Messages, in both versions of the API."""

    cannot: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self.left = threading.Event()
        self.seen: list[_Object] = []
        routes = [Route("/v1/messages", self._create, methods=["POST"]), Route("/v1/models", self._models)]
        self.app = Starlette(routes=routes)

    def endpoint(self, url: str, key: str = KEY) -> Endpoint:
        """Return the server as an endpoint."""
        return Endpoint(name="speaker", provider="anthropic", base_url=f"{url}/v1", api_key=Secret(key), models=SCENES)

    async def _models(self, request: Request) -> Response:
        if not _knows(request):
            return _error("authentication_error", "invalid x-api-key")
        limit, after = int(request.query_params.get("limit", "20")), request.query_params.get("after_id")
        names = SCENES[SCENES.index(after) + 1 :] if after else SCENES
        page = [
            {"type": "model", "id": name, "display_name": name, "created_at": "2026-10-21T00:00:00Z"}
            for name in names[:limit]
        ]
        last = page[-1]["id"] if page else None
        return JSONResponse({"data": page, "has_more": len(names) > limit, "first_id": None, "last_id": last})

    async def _create(self, request: Request) -> Response:
        if not _knows(request):
            return _error("authentication_error", "invalid x-api-key")
        version = request.headers.get("anthropic-version", "")
        if version not in VERSIONS:
            return _error("invalid_request_error", f'anthropic-version: "{version}" is not a valid version')
        body = msgspec.json.decode(await request.body(), type=_Object)
        self.seen.append(body)
        if said := refusal(body, version):
            return _error("invalid_request_error", said)
        scene = body["model"]
        if scene not in SCENES:
            return _error("not_found_error", f"model: {scene}")
        return _error(*_ERRORS[scene]) if scene in _ERRORS else self._answer(scene, body)

    def _answer(self, scene: str, body: _Object) -> Response:
        if scene == "endless":
            return StreamingResponse(endless(self.left, _on_and_on()), media_type="text/event-stream")
        try:
            said = answer(scene, _asked(body))
        except Refused as error:
            return _error("invalid_request_error", str(error))
        if body.get("stream"):
            return StreamingResponse(_frames(said, scene), media_type="text/event-stream; charset=utf-8")
        return JSONResponse(_message(said, scene))


def _knows(request: Request) -> bool:
    """Tell whether the key is right: as the API's own header, or as a bearer token."""
    return KEY in {request.headers.get("x-api-key"), request.headers.get("authorization", "").removeprefix("Bearer ")}


def _error(kind: str, message: str) -> Response:
    body = {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_011speaker"}
    headers = {"retry-after": "7"} if kind == "rate_limit_error" else None
    return JSONResponse(body, _STATUSES[kind], headers)


# -- what is asked and answered -------------------------------------------------------------------------------------


def _asked(body: _Object) -> Asked:
    blocks = [block for message in body["messages"] for block in message["content"] if isinstance(block, dict)]
    images = [block["source"] for block in blocks if block["type"] == "image"]
    form = body.get("output_config", {}).get("format")
    return Asked(
        tools=bool(body.get("tools")),
        results={block["tool_use_id"]: _result(block) for block in blocks if block["type"] == "tool_result"},
        image=(images[0]["media_type"], len(b64decode(images[0]["data"], validate=True))) if images else None,
        schema=bool(form),
    )


def _result(block: _Object) -> str:
    content = block.get("content", "")
    return content if isinstance(content, str) else "".join(each.get("text", "") for each in content)


def _blocks(said: Answer) -> list[_Object]:
    out: list[_Object] = []
    if said.thought:
        out.append({"type": "thinking", "thinking": said.thought, "signature": signature(said.thought)})
    if said.pieces:
        out.append({"type": "text", "text": "".join(said.pieces)})
    for call_id, arguments in said.calls.items():
        given = msgspec.json.decode(arguments)
        out.append({"type": "tool_use", "id": call_id, "name": "get_weather", "input": given})
    return out


def _end(said: Answer) -> _Object:
    reason = "tool_use" if said.calls else _STOPS[said.end]
    details = {"type": "refusal", "category": None, "explanation": None} if reason == "refusal" else None
    return {"stop_reason": reason, "stop_sequence": None, "stop_details": details}


def _usage(said: Answer) -> _Object:
    return {
        "input_tokens": said.tokens[0] - said.cached - said.written,
        "cache_creation_input_tokens": said.written,
        "cache_read_input_tokens": said.cached,
        "output_tokens": said.tokens[1],
        "output_tokens_details": {"thinking_tokens": said.reasoned},
        "service_tier": "standard",
    }


def _message(said: Answer, model: str) -> _Object:
    head = {"id": "msg_01speaker", "type": "message", "role": "assistant", "model": model}
    return {**head, "content": _blocks(said), **_end(said), "usage": _usage(said)}


# -- a message in events --------------------------------------------------------------------------------------------


def _frames(said: Answer, model: str) -> Iterator[bytes]:
    yield from _opening(said, model)
    for index, block in enumerate(_blocks(said)):
        begun, deltas = _grown(block, said)
        yield _frame("content_block_start", index=index, content_block=begun)
        for delta in deltas:
            yield _frame("content_block_delta", index=index, delta=delta)
        if said.end == "error":
            yield _frame("error", error={"type": "overloaded_error", "message": "Overloaded"})
            return
        yield _frame("content_block_stop", index=index)
    yield _frame("message_delta", delta=_end(said), usage=_usage(said))
    yield _frame("message_stop")


def _opening(said: Answer, model: str) -> Iterator[bytes]:
    usage = _usage(said) | {"output_tokens": 1, "output_tokens_details": None}
    message = _message(said, model) | {"content": [], "stop_reason": None, "stop_details": None, "usage": usage}
    yield _frame("message_start", message=message)
    yield _frame("ping")


def _on_and_on() -> Iterator[bytes]:
    yield from _opening(Answer(), "endless")
    yield _frame("content_block_start", index=0, content_block={"type": "text", "text": ""})
    while True:
        yield _frame("content_block_delta", index=0, delta={"type": "text_delta", "text": "on and "})


def _grown(block: _Object, said: Answer) -> tuple[_Object, list[_Object]]:
    """Return how a block begins in a stream, and its deltas."""
    if block["type"] == "text":
        return block | {"text": ""}, [{"type": "text_delta", "text": piece} for piece in said.pieces]
    if block["type"] == "thinking":
        deltas = [{"type": "thinking_delta", "thinking": block["thinking"]}]
        sealed = {"type": "signature_delta", "signature": block["signature"]}
        return block | {"thinking": "", "signature": ""}, [*deltas, sealed]
    arguments = msgspec.json.encode(block["input"]).decode()
    pieces = ("", arguments[:6], arguments[6:])
    return block | {"input": {}}, [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]


def _frame(type: str, **fields: Any) -> bytes:  # noqa: A002 - the wire's word
    return b"event: %s\ndata: %s\n\n" % (type.encode(), msgspec.json.encode({"type": type, **fields}))
