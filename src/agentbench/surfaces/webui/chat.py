"""Open WebUI's chat: OpenAI's Chat Completions with `files` to look into, and `sources` of what was found there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from agentbench.errors import UnknownName
from agentbench.runner import Turn
from agentbench.surfaces.base import finished, json_response, streamed
from agentbench.surfaces.chat_chunks import ChatEncoder
from agentbench.surfaces.openai_chat import completion
from agentbench.surfaces.webui.base import ModelNotFound, object_of, route
from agentbench.surfaces.webui.chat_request import decode_webui_chat
from agentbench.surfaces.webui.documents import sources_body

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request
    from starlette.responses import Response as HTTPResponse

    from agentbench.auth.principal import Principal
    from agentbench.protocol import Event
    from agentbench.runner import Run, Runner

__all__ = ["ROUTES"]


async def create_chat(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `POST /chat/completions`."""
    wanted, documents = decode_webui_chat(await object_of(request))
    run = _started(runner, Turn(request=wanted, principal=principal, documents=documents))
    if wanted.stream:
        with_usage = wanted.stream_options is not None and wanted.stream_options.include_usage
        return await streamed(run, SourcesEncoder(run, with_usage=with_usage), request=request)
    body = completion(await finished(run, request=request))
    sources = {"sources": sources_body(run.sources)} if run.sources else {}
    return json_response(sources | body)


def _started(runner: Runner, turn: Turn) -> Run:
    try:
        if turn.request.model is not None:
            return runner.start(turn)
    except UnknownName:
        pass
    raise ModelNotFound


class SourcesEncoder:
    """Writes a chat's chunks, and before them one with the sources that has no choices, as strict clients expect."""

    def __init__(self, run: Run, *, with_usage: bool) -> None:
        self._run = run
        self._chat = ChatEncoder(run.response, with_usage=with_usage)
        self._told = False

    def feed(self, event: Event) -> Iterator[bytes]:
        """Return the chunks that the event causes."""
        if not self._told and self._run.sources:
            yield self._sources()
        self._told = True
        yield from self._chat.feed(event)

    def close(self) -> Iterator[bytes]:
        """Return what ends the stream."""
        return self._chat.close()

    def _sources(self) -> bytes:
        response = self._run.response
        chunk: dict[str, Any] = {
            "id": response.id.replace("resp_", "chatcmpl-"),
            "object": "chat.completion.chunk",
            "created": response.created_at,
            "model": response.model,
            "choices": [],
            "sources": sources_body(self._run.sources),
        }
        return b"data: %s\n\n" % msgspec.json.encode(chunk)


_BODY = {
    "type": "object",
    "required": ["model", "messages"],
    "properties": {
        "model": {"type": "string", "examples": ["assistant"]},
        "messages": {"type": "array", "items": {"type": "object"}},
        "stream": {"type": "boolean", "default": False},
        "files": {"type": "array", "items": {"type": "object"}},
    },
    "example": {"model": "assistant", "messages": [{"role": "user", "content": "Why is the sky blue?"}]},
}
ROUTES = tuple(
    route("POST", path, create_chat, "Create a chat completion (Open WebUI)", body={"application/json": _BODY})
    for path in ("/api/chat/completions", "/api/v1/chat/completions")
)
