"""What the environment says: about endpoints of known kinds, and which of them are there at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from agentbench.config.azure import azure_url
from agentbench.config.endpoint import USER_PROVIDED, Agent, Endpoint, Provider
from agentbench.config.layers import Layer
from agentbench.config.secret import Secret
from agentbench.config.url import http_url
from agentbench.errors import ConfigError

__all__ = [
    "ASSISTANT",
    "ASSISTANTS",
    "AZURE_ASSISTANTS",
    "KINDS",
    "LOCAL_MODEL",
    "Kind",
    "environment_layer",
    "how_to_offer",
    "is_offered",
    "local_endpoint",
]

LOCAL_MODEL = "smollm2-135m-instruct"

ASSISTANTS, AZURE_ASSISTANTS = "assistants", "azureAssistants"

_LOCAL_VARIABLE = "AGENTBENCH_LOCAL_MODEL"

ASSISTANT = Agent(id="assistant", name="Assistant", description="A plain, helpful agent.")


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of endpoint that has a name of its own.

    It is there if one of the `offers` is set, or if the config has a block for it. `variables` say which key of the
    block each environment variable stands for, the first that is set counting.
    """

    name: str
    provider: Provider
    variables: Mapping[str, tuple[str, ...]]
    offers: tuple[str, ...]
    base_url: str | None = None
    needs: str | None = "apiKey"
    """The key without which it can't be used."""
    keyless: bool = False
    """Whether another address than the usual one does without."""
    or_else: str = ""
    """What else to do where that key is missing, as a sentence."""


KINDS = (
    Kind(
        name="openAI",
        provider="openai_chat",
        variables={
            "apiKey": ("OPENAI_API_KEY",),
            "baseURL": ("OPENAI_BASE_URL", "OPENAI_REVERSE_PROXY"),
            "models": ("OPENAI_MODELS",),
        },
        offers=("OPENAI_API_KEY",),
        base_url="https://api.openai.com/v1",
    ),
    Kind(
        name="anthropic",
        provider="anthropic",
        variables={
            "apiKey": ("ANTHROPIC_API_KEY",),
            "baseURL": ("ANTHROPIC_BASE_URL", "ANTHROPIC_REVERSE_PROXY"),
            "models": ("ANTHROPIC_MODELS",),
        },
        offers=("ANTHROPIC_API_KEY",),
        base_url="https://api.anthropic.com/v1",
    ),
    Kind(
        name="google",
        provider="google",
        variables={
            "apiKey": ("GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_KEY"),
            "baseURL": ("GOOGLE_REVERSE_PROXY",),
            "models": ("GOOGLE_MODELS",),
        },
        offers=("GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_KEY"),
        base_url="https://generativelanguage.googleapis.com/v1beta",
    ),
    Kind(
        name="bedrock",
        provider="bedrock",
        variables={
            "apiKey": ("AWS_BEARER_TOKEN_BEDROCK",),
            "accessKeyId": ("BEDROCK_AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY_ID"),
            "secretAccessKey": ("BEDROCK_AWS_SECRET_ACCESS_KEY", "AWS_SECRET_ACCESS_KEY"),
            "sessionToken": ("BEDROCK_AWS_SESSION_TOKEN", "AWS_SESSION_TOKEN"),
            "region": ("BEDROCK_AWS_DEFAULT_REGION", "AWS_REGION", "AWS_DEFAULT_REGION"),
            "models": ("BEDROCK_AWS_MODELS",),
        },
        offers=("AWS_BEARER_TOKEN_BEDROCK", "BEDROCK_AWS_ACCESS_KEY_ID"),
        needs="region",
    ),
    Kind(
        name="ollama",
        provider="ollama",
        variables={"baseURL": ("OLLAMA_BASE_URL", "OLLAMA_HOST"), "apiKey": ("OLLAMA_API_KEY",)},
        offers=("OLLAMA_BASE_URL", "OLLAMA_HOST"),
        base_url="http://127.0.0.1:11434",
        needs=None,
    ),
    Kind(
        name=ASSISTANTS,
        provider="assistants",
        variables={"apiKey": ("ASSISTANTS_API_KEY",), "baseURL": ("ASSISTANTS_BASE_URL",)},
        offers=("ASSISTANTS_API_KEY",),
        base_url="https://api.openai.com/v1",
        keyless=True,
        or_else="A server that wants no key needs just baseURL; assistants made here need neither.",
    ),
    Kind(
        name=AZURE_ASSISTANTS,
        provider="assistants",
        variables={"apiKey": ("AZURE_ASSISTANTS_API_KEY",), "baseURL": ("AZURE_ASSISTANTS_BASE_URL",)},
        offers=("AZURE_ASSISTANTS_API_KEY",),
        needs="baseURL",
        or_else="Or set assistants: true in azureOpenAI and in one of its groups.",
    ),
)

_SECRETS = ("apiKey", "secretAccessKey", "sessionToken")


def environment_layer(kind: Kind, environ: Mapping[str, str]) -> Layer:
    """Return what the environment says about an endpoint; a variable that is blank counts as not set."""
    values: dict[str, object] = {}
    origins: dict[str, str] = {}
    for key, variables in kind.variables.items():
        variable = next((each for each in variables if _read(environ, each)), None)
        if variable is not None:
            values[key] = _value(kind, key, variable, _read(environ, variable))
            origins[key] = f"environment variable {variable}"
    return Layer(name="environment", values=values, origins=origins)


def how_to_offer(name: str) -> str | None:
    """Return a sentence that says how to get the endpoint of this name; None if the environment can't offer it."""
    for kind in KINDS:
        if kind.name.casefold() == name.casefold():
            return f"The endpoint {kind.name!r} is there when {' or '.join(kind.offers)} is set."
    return None


def is_offered(kind: Kind, environ: Mapping[str, str]) -> bool:
    """Tell whether the environment alone makes an endpoint of this kind."""
    return any(_read(environ, each) for each in kind.offers)


def local_endpoint(environ: Mapping[str, str]) -> Endpoint:
    """Return the endpoint in this process: with the built-in model, or the file that a variable names instead."""
    named = _read(environ, _LOCAL_VARIABLE)
    if not named:
        return Endpoint(name="local", provider="llama_cpp", models=(LOCAL_MODEL,))
    file = Path(named)
    origin = f"environment variable {_LOCAL_VARIABLE}"
    return Endpoint(name="local", provider="llama_cpp", models=(file.stem,), files={file.stem: file}, origin=origin)


def _read(environ: Mapping[str, str], variable: str) -> str:
    return environ.get(variable, "").strip()


def _value(kind: Kind, key: str, variable: str, text: str) -> object:
    if text == USER_PROVIDED and key in {"apiKey", "baseURL"}:
        return text
    if key in _SECRETS:
        return Secret(text)
    if key == "models":
        return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if key == "baseURL":
        check = azure_url if kind.name == AZURE_ASSISTANTS else http_url
        return _checked_url(variable, _ollama_url(text) if kind.name == "ollama" else text, check)
    return text


def _ollama_url(host: str) -> str:
    """Complete what Ollama takes as its host: scheme and port may be missing, 0.0.0.0 means this machine."""
    scheme, _, rest = host.rpartition("://")
    rest = rest.rstrip("/").replace("0.0.0.0", "127.0.0.1")  # noqa: S104 - replaced, not bound
    port = "" if scheme or ":" in rest else ":11434"
    return f"{scheme or 'http'}://{rest}{port}"


def _checked_url(variable: str, value: str, check: Callable[[str], str]) -> str:
    try:
        return check(value)
    except ValueError as error:
        problem = str(error)
    raise ConfigError(f"Environment variable {variable}: {problem}.")
