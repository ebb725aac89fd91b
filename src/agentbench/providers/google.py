"""Google's Gemini API: `streamGenerateContent`, with server-sent events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from agentbench.protocol.request import AllowedTools, FunctionToolChoice, JsonObjectFormat, JsonSchemaFormat
from agentbench.providers.google_contents import contents, system_instruction
from agentbench.providers.google_stream import GoogleDecoder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from contextlib import AbstractAsyncContextManager

    from agentbench.config.endpoint import Endpoint
    from agentbench.protocol import CreateResponse, EventBuilder
    from agentbench.protocol.request import FunctionTool, ReasoningConfig, TextFormat, ToolChoice
    from agentbench.providers.embedding import Embedded, TextKind
    from agentbench.providers.http import Http

__all__ = ["Google", "GoogleRequest"]

_BUDGETS = {"none": 0, "minimal": 1024, "low": 1024, "medium": 8192, "high": 24576, "xhigh": 24576}
"""Tokens of thought by effort, up to high as Google's own OpenAI-compatible address has them."""
_MODES = {"auto": "AUTO", "required": "ANY", "none": "NONE"}
_OLDER = ("gemini-1", "gemini-2")
"""Generations that take a budget of thought, not a level."""
_UNSIGNED = (*_OLDER, "gemma")
"""Models that take calls without signatures."""
_COLLECTIONS = ("models/", "tunedModels/")


class GoogleRequest(NamedTuple):
    """A request in the API's form; the model is part of the address."""

    model: str
    """With its collection, percent-encoded: `models/gemini-2.5-flash`."""
    body: dict[str, Any]


class Google:
    """Any endpoint that speaks the Gemini API."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def encode(self, request: CreateResponse, endpoint: Endpoint) -> GoogleRequest:  # noqa: ARG002 - one API everywhere
        collection, model = _split(request.model or "")
        body: dict[str, Any] = {"contents": contents(request, signed=not model.startswith(_UNSIGNED))}
        if (system := system_instruction(request)) is not None:
            body["systemInstruction"] = system
        if config := _generation(request, model):
            body["generationConfig"] = config
        return GoogleRequest(collection + quote(model, safe=""), body | _tools(request))

    def decoder(self, builder: EventBuilder) -> GoogleDecoder:
        return GoogleDecoder(builder)

    def open(self, wire: GoogleRequest, endpoint: Endpoint) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        path = f"/{wire.model}:streamGenerateContent?alt=sse"
        return self._http.post(path, wire.body, endpoint, headers=_key(endpoint))

    async def models(self, endpoint: Endpoint) -> tuple[str, ...]:
        names: set[str] = set()
        path: str | None = "/models?pageSize=1000"
        seen = set()
        while path is not None and path not in seen:
            seen.add(path)
            page = await self._http.get_json(path, endpoint, headers=_key(endpoint))
            names.update(_names(page))
            token = page.get("nextPageToken") if isinstance(page, dict) else None
            path = f"/models?pageSize=1000&pageToken={quote(str(token), safe='')}" if token else None
        return tuple(sorted(names))

    async def embed(
        self, endpoint: Endpoint, model: str, texts: Sequence[str], kind: TextKind, *, dimensions: int | None = None
    ) -> Embedded:
        from agentbench.providers.embedding_wires import google_embedded

        collection, name = _split(model)
        there = collection + quote(name, safe="")
        return await google_embedded(
            self._http, endpoint, there, texts, kind, dimensions=dimensions, headers=_key(endpoint)
        )


def _key(endpoint: Endpoint) -> dict[str, str]:
    return {} if endpoint.api_key is None else {"x-goog-api-key": endpoint.api_key.reveal()}


def _split(model: str) -> tuple[str, str]:
    """Return a model's collection and its name within."""
    collection = next((each for each in _COLLECTIONS if model.startswith(each)), "")
    return collection or _COLLECTIONS[0], model.removeprefix(collection)


def _names(page: Any) -> list[str]:
    """Return the names of a page's models that generate content; one that doesn't say what it does may."""
    rows = page.get("models") if isinstance(page, dict) else None
    named = [row for row in rows or () if isinstance(row, dict) and "name" in row]
    can = "generateContent"
    return [
        str(row["name"]).removeprefix("models/") for row in named if can in row.get("supportedGenerationMethods", [can])
    ]


def _generation(request: CreateResponse, model: str) -> dict[str, Any]:
    given = {
        "temperature": request.temperature,
        "topP": request.top_p,
        "maxOutputTokens": request.max_output_tokens,
        "stopSequences": list(request.stop) or None,
        "seed": request.seed,
        "presencePenalty": request.presence_penalty,
        "frequencyPenalty": request.frequency_penalty,
        "responseLogprobs": True if request.top_logprobs else None,
        "logprobs": request.top_logprobs or None,
        "thinkingConfig": None if request.reasoning is None else _thinking(request.reasoning, model),
    }
    return {key: value for key, value in given.items() if value is not None} | _form(request.text.format)


def _thinking(reasoning: ReasoningConfig, model: str) -> dict[str, Any]:
    """Return how hard to think: as a budget, or for newer models, which can't be kept from it, as a level."""
    effort = reasoning.effort
    config: dict[str, Any] = {"includeThoughts": effort != "none"}
    if effort is None:
        return config
    if model.startswith(_OLDER):
        return config | {"thinkingBudget": _BUDGETS[effort]}
    return config | {"thinkingLevel": "MINIMAL" if effort == "none" else effort.upper()}


def _form(form: TextFormat) -> dict[str, Any]:
    if not isinstance(form, JsonObjectFormat | JsonSchemaFormat):
        return {}
    schema = form.schema if isinstance(form, JsonSchemaFormat) else None
    return {"responseMimeType": "application/json"} | ({} if schema is None else {"responseJsonSchema": schema})


def _tools(request: CreateResponse) -> dict[str, Any]:
    """Return the functions as JSON schemas, just as they were given, and the choice among them."""
    choice: ToolChoice = request.tool_choice
    tools = request.tools
    if isinstance(choice, AllowedTools):
        allowed, choice = {tool.name for tool in choice.tools}, choice.mode
        tools = tuple(tool for tool in tools if tool.name in allowed)
    if not tools:
        return {}
    out: dict[str, Any] = {"tools": [{"functionDeclarations": [_declaration(tool) for tool in tools]}]}
    if isinstance(choice, FunctionToolChoice):
        out["toolConfig"] = {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": [choice.name]}}
    elif choice != "auto":
        out["toolConfig"] = {"functionCallingConfig": {"mode": _MODES[choice]}}
    return out


def _declaration(tool: FunctionTool) -> dict[str, Any]:
    given = {"name": tool.name, "description": tool.description, "parametersJsonSchema": tool.parameters}
    return {key: value for key, value in given.items() if value is not None}
