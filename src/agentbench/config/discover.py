"""What there is with no config at all: the endpoints that the environment offers, and one agent."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from agentbench.config.endpoint import Agent, Endpoint, Provider, Secret
from agentbench.config.url import http_url
from agentbench.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ASSISTANT", "LOCAL_MODEL", "discover", "how_to_offer"]

LOCAL_MODEL = "smollm2-135m-instruct"

_LOCAL_VARIABLE = "AGENTBENCH_LOCAL_MODEL"

ASSISTANT = Agent(id="assistant", name="Assistant", description="A plain, helpful agent.")


class _Offer(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint that is there if one of `variables` is set: to its key, or (`keyed=False`) to its host."""

    name: str
    provider: Provider
    variables: tuple[str, ...]
    keyed: bool = True
    base_url: str | None = None
    base_variable: str | None = None
    unsupported: str | None = None


_OFFERS = (
    _Offer(
        name="openAI",
        provider="openai_chat",
        variables=("OPENAI_API_KEY",),
        base_url="https://api.openai.com/v1",
        base_variable="OPENAI_BASE_URL",
    ),
    _Offer(
        name="anthropic",
        provider="anthropic",
        variables=("ANTHROPIC_API_KEY",),
        unsupported="Anthropic's API is not supported yet. Use another endpoint meanwhile.",
    ),
    _Offer(
        name="google",
        provider="google",
        variables=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        unsupported="Google's API is not supported yet. Use another endpoint meanwhile.",
    ),
    _Offer(
        name="ollama",
        provider="ollama",
        variables=("OLLAMA_HOST",),
        keyed=False,
        unsupported=(
            "Ollama's own API is not supported yet. Meanwhile add a custom endpoint with baseURL {base_url}/v1."
        ),
    ),
)


def discover(environ: Mapping[str, str]) -> dict[str, Endpoint]:
    """Return the endpoints by name, `local` first; a variable that is blank counts as not set."""
    offered = [_endpoint(offer, environ) for offer in _OFFERS]
    return {each.name: each for each in (_local(environ), *offered) if each}


def how_to_offer(name: str) -> str | None:
    """Return a sentence that says how to get the endpoint of this name; None if the environment can't offer it."""
    for offer in _OFFERS:
        if offer.name.casefold() == name.casefold():
            return f"The endpoint {offer.name!r} is there when {' or '.join(offer.variables)} is set."
    return None


def _local(environ: Mapping[str, str]) -> Endpoint:
    """Return the endpoint in this process: with the built-in model, or the file that a variable names instead."""
    named = _read(environ, _LOCAL_VARIABLE)
    if not named:
        return Endpoint(name="local", provider="llama_cpp", models=(LOCAL_MODEL,))
    file = Path(named)
    origin = f"environment variable {_LOCAL_VARIABLE}"
    return Endpoint(name="local", provider="llama_cpp", models=(file.stem,), files={file.stem: file}, origin=origin)


def _endpoint(offer: _Offer, environ: Mapping[str, str]) -> Endpoint | None:
    variable = next((each for each in offer.variables if _read(environ, each)), None)
    if variable is None:
        return None
    value = _read(environ, variable)
    base_url = _base_url(offer, environ) if offer.keyed else _ollama_url(variable, value)
    return Endpoint(
        name=offer.name,
        provider=offer.provider,
        base_url=base_url,
        api_key=Secret(value) if offer.keyed else None,
        fetch_models=offer.unsupported is None,
        unsupported=offer.unsupported and offer.unsupported.format(base_url=base_url),
        origin=f"environment variable {variable}",
    )


def _read(environ: Mapping[str, str], variable: str) -> str:
    return environ.get(variable, "").strip()


def _base_url(offer: _Offer, environ: Mapping[str, str]) -> str | None:
    value = _read(environ, offer.base_variable) if offer.base_variable else ""
    return _checked_url(offer.base_variable or "", value) if value else offer.base_url


def _ollama_url(variable: str, host: str) -> str:
    """Complete what Ollama takes as its host: scheme and port may be missing, 0.0.0.0 means this machine."""
    scheme, _, rest = host.rpartition("://")
    rest = rest.rstrip("/").replace("0.0.0.0", "127.0.0.1")  # noqa: S104 - replaced, not bound
    port = "" if scheme or ":" in rest else ":11434"
    return _checked_url(variable, f"{scheme or 'http'}://{rest}{port}")


def _checked_url(variable: str, value: str) -> str:
    try:
        return http_url(value)
    except ValueError as error:
        problem = str(error)
    raise ConfigError(f"Environment variable {variable}: {problem}.")
