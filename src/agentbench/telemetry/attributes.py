"""Names and values of what spans and metrics say, by OpenTelemetry's semantic conventions for generative AI.

Attributes of our own begin with `agentbench.`; none holds anything of what was asked or answered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlsplit

from agentbench.errors import AgentbenchError
from agentbench.protocol.items import FunctionCall
from agentbench.protocol.request import JsonObjectFormat, JsonSchemaFormat

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agentbench.config.endpoint import Agent, Endpoint
    from agentbench.protocol import CreateResponse, EventBuilder, Item, Usage

__all__ = [
    "Attributes",
    "agent_attributes",
    "endpoint_attributes",
    "error_type",
    "finish_reason",
    "request_attributes",
    "usage_attributes",
]

Value: TypeAlias = "str | int | float | Sequence[str]"
Attributes: TypeAlias = "dict[str, Value]"

_PROVIDERS = {
    "anthropic": "anthropic",
    "assistants": "openai",
    "azure_openai": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "google": "gcp.gemini",
    "openai_chat": "openai",
    "openai_responses": "openai",
}
_HOSTS = {
    "aiplatform.googleapis.com": "gcp.vertex_ai",
    "api.cohere.ai": "cohere",
    "api.cohere.com": "cohere",
    "api.deepseek.com": "deepseek",
    "api.groq.com": "groq",
    "api.mistral.ai": "mistral_ai",
    "api.perplexity.ai": "perplexity",
    "api.x.ai": "x_ai",
    "generativelanguage.googleapis.com": "gcp.gemini",
    "ml.cloud.ibm.com": "ibm.watsonx.ai",
    "openai.azure.com": "azure.ai.openai",
    "services.ai.azure.com": "azure.ai.inference",
}
"""Whose hosts these are, and those below them, whatever wire they speak."""

_PORTS = {"http": 80, "https": 443}
_REASONS = {"max_output_tokens": "length", "content_filter": "content_filter"}


def endpoint_attributes(endpoint: Endpoint, model: str) -> Attributes:
    """Return who is asked: the provider by its well-known name, the model and, where there is one, the server."""
    deployment = endpoint.deployments.get(model)
    address = urlsplit((endpoint.base_url if deployment is None else deployment.base_url) or "")
    host = address.hostname
    out: Attributes = {
        "gen_ai.provider.name": _provider(endpoint, host or ""),
        "gen_ai.request.model": model,
        "agentbench.endpoint": endpoint.name,
    }
    if host is not None:
        out["server.address"] = host
        out["server.port"] = address.port or _PORTS.get(address.scheme, 443)
    return out


def agent_attributes(agent: Agent | None, conversation: str | None) -> Attributes:
    """Return who answers, and in which conversation."""
    out: Attributes = {} if agent is None else {"gen_ai.agent.id": agent.id, "gen_ai.agent.name": agent.name}
    return out if conversation is None else out | {"gen_ai.conversation.id": conversation}


def request_attributes(request: CreateResponse) -> Attributes:
    """Return how the model is to answer, as far as anybody said."""
    asked: Mapping[str, Value | None] = {
        "gen_ai.request.temperature": request.temperature,
        "gen_ai.request.top_p": request.top_p,
        "gen_ai.request.max_tokens": request.max_output_tokens,
        "gen_ai.request.frequency_penalty": request.frequency_penalty,
        "gen_ai.request.presence_penalty": request.presence_penalty,
        "gen_ai.request.seed": request.seed,
        "gen_ai.request.stop_sequences": request.stop or None,
        "gen_ai.output.type": "json"
        if isinstance(request.text.format, JsonObjectFormat | JsonSchemaFormat)
        else "text",
    }
    return {name: value for name, value in asked.items() if value is not None}


def usage_attributes(usage: Usage | None) -> Attributes:
    """Return the tokens of a call; the cached and the reasoning ones are among the others."""
    if usage is None:
        return {}
    out: Attributes = {
        "gen_ai.usage.input_tokens": usage.input_tokens,
        "gen_ai.usage.output_tokens": usage.output_tokens,
    }
    parts: dict[str, Value] = {
        "gen_ai.usage.cache_read.input_tokens": usage.input_tokens_details.cached_tokens,
        "gen_ai.usage.cache_creation.input_tokens": usage.input_tokens_details.cache_write_tokens,
        "gen_ai.usage.reasoning.output_tokens": usage.output_tokens_details.reasoning_tokens,
    }
    return out | {name: count for name, count in parts.items() if count}


def finish_reason(builder: EventBuilder, made: Sequence[Item]) -> str | None:
    """Return why a call ended; None if it was broken off."""
    if builder.outcome == "completed":
        return "tool_call" if any(isinstance(item, FunctionCall) for item in made) else "stop"
    if builder.outcome == "incomplete":
        cut = builder.response.incomplete_details
        return None if cut is None else _REASONS.get(cut.reason, cut.reason)
    return "error" if builder.outcome == "failed" else None


def error_type(error: BaseException) -> str:
    """Return the class of an error: our code, else the exception's name."""
    return error.code if isinstance(error, AgentbenchError) else type(error).__name__


def _provider(endpoint: Endpoint, host: str) -> str:
    """Return a well-known name, else that of the wire: an unknown host that speaks as OpenAI does is `openai`."""
    known = (name for known, name in _HOSTS.items() if host == known or host.endswith((f".{known}", f"-{known}")))
    return next(known, None) or _PROVIDERS.get(endpoint.provider, endpoint.provider)
