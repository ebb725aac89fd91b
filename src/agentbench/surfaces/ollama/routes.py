"""Every address under `/ollama`, and which side answers there: an Ollama, or this workbench."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, NamedTuple

from agentbench.errors import UnknownName
from agentbench.surfaces.anthropic import anthropic_error
from agentbench.surfaces.base import Route, json_response, openai_error
from agentbench.surfaces.ollama import embedding, own, proxy, v1
from agentbench.surfaces.ollama.errors import ollama_error
from agentbench.surfaces.ollama.upstreams import ollama_for

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from starlette.requests import Request
    from starlette.responses import Response as HTTPResponse

    from agentbench.auth.principal import Principal
    from agentbench.config.endpoint import Endpoint
    from agentbench.errors import AgentbenchError
    from agentbench.runner import Runner

    Handler = Callable[[Request, Runner, Principal], Awaitable[HTTPResponse]]
    PassingHandler = Callable[[Request, Runner, Principal, Endpoint], Awaitable[HTTPResponse]]

__all__ = ["ROUTES"]

_ROOT = "/ollama"


class _Row(NamedTuple):
    """One address and who answers there with an Ollama, and without."""

    method: str
    path: str
    passed: PassingHandler
    own: Handler
    summary: str
    error: Callable[[AgentbenchError], HTTPResponse] = ollama_error


async def status(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:  # noqa: ARG001 - a handler's shape
    """Answer `GET /ollama`."""
    return json_response({"status": True})


_ROWS = (
    _Row("GET", "/api/tags", proxy.tags, own.tags, "List models (Ollama)"),
    _Row("GET", "/api/version", proxy.version, own.version, "Return the version (Ollama)"),
    _Row("GET", "/api/ps", proxy.tags, own.loaded_models, "List loaded models (Ollama)"),
    _Row("POST", "/api/show", proxy.show, own.show, "Describe a model (Ollama)"),
    _Row("POST", "/api/chat", proxy.call, own.chat, "Chat (Ollama)"),
    _Row("POST", "/api/generate", proxy.call, own.generate, "Answer a prompt (Ollama)"),
    _Row("POST", "/api/embed", proxy.call, embedding.embed, "Embed texts (Ollama)"),
    _Row("POST", "/api/embeddings", proxy.call, embedding.embeddings, "Embed a text (Ollama)"),
    _Row("POST", "/v1/chat/completions", proxy.call, v1.chat, "Chat (Ollama's OpenAI API)", openai_error),
    _Row("POST", "/v1/completions", proxy.call, v1.completions, "Complete (Ollama's OpenAI API)", openai_error),
    _Row("POST", "/v1/embeddings", proxy.call, v1.embeddings, "Embed (Ollama's OpenAI API)", openai_error),
    _Row("POST", "/v1/responses", proxy.call, v1.responses, "Respond (Ollama's OpenAI API)", openai_error),
    _Row("POST", "/v1/messages", proxy.call, v1.messages, "Message (Ollama's Anthropic API)", anthropic_error),
    _Row("GET", "/v1/models", proxy.models, v1.models, "List models (Ollama's OpenAI API)", openai_error),
)
_MANAGING = (
    _Row("POST", "/api/pull", proxy.manage, own.pull, "Fetch a model (Ollama)"),
    _Row("POST", "/api/push", proxy.manage, own.refuse, "Upload a model (Ollama)"),
    _Row("DELETE", "/api/push", proxy.manage, own.refuse, "Upload a model (Open WebUI)"),
    _Row("POST", "/api/create", proxy.manage, own.refuse, "Make a model (Ollama)"),
    _Row("POST", "/api/copy", proxy.manage, own.refuse, "Copy a model (Ollama)"),
    _Row("POST", "/api/unload", proxy.manage, own.refuse, "Unload a model (Open WebUI)"),
    _Row("DELETE", "/api/delete", proxy.manage, own.refuse, "Delete a model (Ollama)"),
)
_MODEL = _Row("GET", "/v1/models/{model:path}", proxy.model, v1.model, "Return a model", openai_error)


def _either(row: _Row, *, to_manage: bool = False) -> Handler:
    @wraps(row.own)
    async def handler(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
        if number := request.path_params.get("idx", 0):
            raise UnknownName("Ollama", str(number), "0")
        endpoint = ollama_for(runner, principal, to_manage=to_manage)
        if endpoint is None:
            return await row.own(request, runner, principal)
        return await row.passed(request, runner, principal, endpoint)

    return handler


def _routes() -> Iterator[Route]:
    for method in ("GET", "HEAD"):
        yield Route(method, _ROOT, status, ollama_error, "Whether the Ollama API is there", open=True)
    for rows, to_manage in ((_ROWS, False), (_MANAGING, True)):
        for row in rows:
            handler = _either(row, to_manage=to_manage)
            for path in (row.path, f"{row.path}/{{idx:int}}"):
                yield Route(row.method, _ROOT + path, handler, row.error, row.summary)
    yield Route(_MODEL.method, _ROOT + _MODEL.path, _either(_MODEL), _MODEL.error, _MODEL.summary)


ROUTES = tuple(_routes())
