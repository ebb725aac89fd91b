"""What there is without an Ollama, in its words: our agents and models, as far as the caller may name them."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import anyio.to_thread
import msgspec

from agentbench.errors import UnknownName, WeightsUnavailable
from agentbench.providers import weights
from agentbench.providers.llama_engine import loaded
from agentbench.surfaces.ollama.names import listed_as, tagged

if TYPE_CHECKING:
    from pathlib import Path

    from agentbench.auth.principal import Principal
    from agentbench.config.endpoint import Endpoint
    from agentbench.runner import Runner

__all__ = ["loaded_models", "shown", "tags"]

_NEVER = "9999-12-31T23:59:59Z"
_UNKNOWN = "1970-01-01T00:00:00Z"
_PARAMETERS = {"max_output_tokens": "num_predict"}
"""What isn't here goes by its own name."""


async def tags(runner: Runner, principal: Principal) -> dict[str, Any]:
    """Return the body of `/api/tags`."""
    names = _names(runner, principal)
    return {"models": await anyio.to_thread.run_sync(lambda: [_row(runner, name) for name in names])}


async def loaded_models(runner: Runner, principal: Principal) -> dict[str, Any]:
    """Return the body of `/api/ps`: the local models that this process holds, as far as the caller may see them."""
    names = runner.names_for(principal)
    if principal.is_administrator:
        names = [f"{each.name}/{model}" for each in runner.catalog.endpoints.values() for model in each.models]
    return {"models": await anyio.to_thread.run_sync(_loaded, runner, names)}


async def shown(runner: Runner, principal: Principal, name: str) -> dict[str, Any]:
    """Return the body of `/api/show`; raises `UnknownName`, also for what the caller may not name.

    An agent's instructions aren't shown.
    """
    names = _names(runner, principal)
    ours = listed_as(name, names)
    if ours is None:
        raise UnknownName("model", name, names, param="model")
    row = await anyio.to_thread.run_sync(_row, runner, ours)
    family = row["details"]["family"]
    agent = runner.catalog.agents.get(ours)
    known = weights.TABLE.get(ours.rpartition("/")[2])
    return {
        "license": known.licence if known else "",
        "modelfile": f"FROM {row['name']}\n",
        "parameters": "" if agent is None else _parameters(agent.parameters),
        "template": "{{ .Prompt }}",
        "details": row["details"],
        "model_info": {"general.architecture": family, "general.basename": ours},
        "capabilities": ["embedding"] if ours in runner.embeddings.models(principal) else ["completion", "tools"],
        "modified_at": row["modified_at"],
    }


def _names(runner: Runner, principal: Principal) -> list[str]:
    """Return all that a caller may name, to chat and to embed."""
    return list(dict.fromkeys([*runner.names_for(principal), *runner.embeddings.models(principal)]))


def _row(runner: Runner, name: str) -> dict[str, Any]:
    endpoint, model = _place(runner, name)
    file = None if endpoint is None else _file(endpoint, model)
    known = weights.TABLE.get(model)
    family = "agent" if name in runner.catalog.agents else name.partition("/")[0]
    return {
        "name": tagged(name),
        "model": tagged(name),
        "modified_at": _UNKNOWN if file is None else _time(file),
        "size": 0 if file is None else file.stat().st_size,
        "digest": known.sha256 if known and file is not None else sha256(name.encode()).hexdigest(),
        "details": {
            "parent_model": "",
            "format": "gguf" if file is not None else "",
            "family": family,
            "families": [family],
            "parameter_size": "",
            "quantization_level": "",
        },
    }


def _loaded(runner: Runner, names: list[str]) -> list[dict[str, Any]]:
    found, held = [], loaded()
    for name in names:
        endpoint, model = _place(runner, name)
        file = None if endpoint is None else _file(endpoint, model)
        if file is not None and (length := held.get(file.resolve())) is not None:
            found.append({**_row(runner, name), "expires_at": _NEVER, "size_vram": 0, "context_length": length})
    return found


def _place(runner: Runner, name: str) -> tuple[Endpoint | None, str]:
    """Return the endpoint and model that a name says; agents keep to themselves where they are."""
    prefix, _, model = name.partition("/")
    endpoint = None if name in runner.catalog.agents else runner.catalog.endpoints.get(prefix)
    return endpoint, model or name


def _file(endpoint: Endpoint, model: str) -> Path | None:
    """Return the file of a local model, if it is here."""
    if endpoint.provider != "llama_cpp":
        return None
    with suppress(WeightsUnavailable, UnknownName):
        named = endpoint.files.get(model)
        return weights.find(model) if named is None else weights.find_file(named)
    return None


def _time(file: Path) -> str:
    return datetime.fromtimestamp(file.stat().st_mtime, UTC).isoformat().replace("+00:00", "Z")


def _parameters(parameters: msgspec.Struct) -> str:
    given = msgspec.structs.asdict(parameters)
    return "\n".join(f"{_PARAMETERS.get(name, name)} {value}" for name, value in given.items() if value is not None)
