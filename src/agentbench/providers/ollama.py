"""Ollama's own API, `/api/chat`: lines of JSON, with thinking and options that its `/v1` doesn't have.

Ollama can't be made to call a tool: a choice of `required` leaves the model free, and a named function is the only one
that the model sees.
"""

from __future__ import annotations

import re
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

import msgspec

from agentbench.errors import UpstreamRejected
from agentbench.protocol.request import AllowedTools, FunctionToolChoice, JsonObjectFormat, JsonSchemaFormat
from agentbench.providers.ollama_messages import messages
from agentbench.providers.ollama_stream import OllamaDecoder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from agentbench.config.endpoint import Endpoint
    from agentbench.protocol import CreateResponse, EventBuilder
    from agentbench.protocol.request import FunctionTool, TextFormat
    from agentbench.providers.embedding import Embedded, TextKind
    from agentbench.providers.http import Http

__all__ = ["Ollama", "at_root"]

_THINK: dict[str, bool | str] = {"none": False, "minimal": "low", "xhigh": "high"}
"""What isn't here goes by its own name."""
_OTHER_APIS = re.compile(r"/(v1|api)/*$")
_NOT_FOUND = re.compile(r"\(404\).* It says: model .*not found", re.DOTALL)


class Ollama:
    """A server of Ollama's, on this machine or in its cloud."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def encode(self, request: CreateResponse, endpoint: Endpoint) -> dict[str, Any]:  # noqa: ARG002 - the protocol's shape
        body: dict[str, Any] = {"model": request.model, "messages": messages(request), "stream": True}
        if tools := [_tool(tool) for tool in _allowed(request)]:
            body["tools"] = tools
        if request.reasoning is not None and request.reasoning.effort is not None:
            effort = request.reasoning.effort
            body["think"] = _THINK.get(effort, effort)
        if (form := _format(request.text.format)) is not None:
            body["format"] = form
        if request.top_logprobs:
            body |= {"logprobs": True, "top_logprobs": request.top_logprobs}
        if options := _options(request):
            body["options"] = options
        return body

    def decoder(self, builder: EventBuilder) -> OllamaDecoder:
        return OllamaDecoder(builder)

    @asynccontextmanager
    async def open(self, wire: dict[str, Any], endpoint: Endpoint) -> AsyncIterator[AsyncIterator[bytes]]:
        async with AsyncExitStack() as stack:
            answer = self._http.post("/api/chat", wire, at_root(endpoint), accept="application/x-ndjson")
            try:
                chunks = await stack.enter_async_context(answer)
            except UpstreamRejected as error:
                raise _with_remedy(error, wire["model"], endpoint) from None
            yield chunks

    async def models(self, endpoint: Endpoint) -> tuple[str, ...]:
        listed = await self._http.get_json("/api/tags", at_root(endpoint))
        rows = listed.get("models") if isinstance(listed, dict) else None
        if not isinstance(rows, list):
            return ()
        return tuple(sorted(str(row["name"]) for row in rows if isinstance(row, dict) and "name" in row))

    async def embed(
        self,
        endpoint: Endpoint,
        model: str,
        texts: Sequence[str],
        kind: TextKind,  # noqa: ARG002 - the wire doesn't tell them apart
        *,
        dimensions: int | None = None,
    ) -> Embedded:
        from agentbench.providers.embedding_wires import ollama_embedded

        try:
            return await ollama_embedded(self._http, at_root(endpoint), model, texts, dimensions=dimensions)
        except UpstreamRejected as error:
            raise _with_remedy(error, model, endpoint) from None


def at_root(endpoint: Endpoint) -> Endpoint:
    """Return the endpoint without the path of another of Ollama's APIs, which people write out of habit."""
    return msgspec.structs.replace(endpoint, base_url=_OTHER_APIS.sub("", endpoint.base_url or ""))


def _with_remedy(error: UpstreamRejected, model: str, endpoint: Endpoint) -> UpstreamRejected:
    if not _NOT_FOUND.search(error.message):
        return error
    return UpstreamRejected(
        f"{endpoint.name} doesn't have the model {model!r}. Fetch it: ollama pull {model}", endpoint=endpoint.name
    )


def _allowed(request: CreateResponse) -> tuple[FunctionTool, ...]:
    choice = request.tool_choice
    names = {tool.name for tool in request.tools}
    if isinstance(choice, AllowedTools):
        names = {tool.name for tool in choice.tools}
        choice = choice.mode
    if isinstance(choice, FunctionToolChoice):
        names = {choice.name}
    return () if choice == "none" else tuple(tool for tool in request.tools if tool.name in names)


def _tool(tool: FunctionTool) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": {key: value for key, value in function.items() if value is not None}}


def _format(form: TextFormat) -> dict[str, Any] | str | None:
    if isinstance(form, JsonSchemaFormat) and form.schema:
        return form.schema
    return "json" if isinstance(form, JsonObjectFormat | JsonSchemaFormat) else None


def _options(request: CreateResponse) -> dict[str, Any]:
    given = {
        "temperature": request.temperature,
        "top_p": request.top_p,
        "presence_penalty": request.presence_penalty,
        "frequency_penalty": request.frequency_penalty,
        "num_predict": request.max_output_tokens,
        "stop": list(request.stop) or None,
        "seed": request.seed,
    }
    return {key: value for key, value in given.items() if value is not None}
