"""All assistants that can be used from here, as rows: those that live here and those of upstreams."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentbench.auth.principal import KERNEL
from agentbench.errors import AgentbenchError, UnknownName
from agentbench.frames.assistants import Listed
from agentbench.runner.headers import at_kernel
from agentbench.storage.grants import Reader
from agentbench.workbench.answerers import all_assistants
from agentbench.workbench.assistant import tool_name

if TYPE_CHECKING:
    from agentbench.config.endpoint import Endpoint
    from agentbench.protocol.assistants.objects import Assistant
    from agentbench.runner import Runner

__all__ = ["all_listed"]


async def all_listed(runner: Runner) -> tuple[list[Listed], list[str]]:
    """Return the assistants, and a sentence for each upstream that didn't tell its own."""
    rows, troubles = [await _here(runner, each) for each in await all_assistants(runner)], []
    for endpoint in runner.catalog.endpoints.values():
        if endpoint.provider == "assistants" and not endpoint.unsupported:
            try:
                rows += await _upstream(runner, endpoint)
            except AgentbenchError as error:
                troubles.append(f"The assistants of {endpoint.name} are left out: {error.message}")
    return rows, troubles


async def _here(runner: Runner, assistant: Assistant) -> Listed:
    stored = await runner.assistants.stored(KERNEL, assistant.id)
    return Listed(
        id=assistant.id,
        name=assistant.name,
        model=assistant.model,
        tools=", ".join(map(tool_name, assistant.tools)),
        files=await _files(runner, assistant, stored.user),
        author=stored.user,
        created_at=assistant.created_at,
    )


async def _files(runner: Runner, assistant: Assistant, author: str) -> int:
    """Return how many files it searches and its code may read; of a vector store that is gone, none."""
    resources = assistant.tool_resources
    if resources is None:
        return 0
    count = 0 if resources.code_interpreter is None else len(resources.code_interpreter.file_ids)
    for store in resources.file_search.vector_store_ids if resources.file_search is not None else ():
        try:
            count += (await runner.library.collection(Reader(author), store)).files
        except UnknownName:
            continue
    return count


async def _upstream(runner: Runner, endpoint: Endpoint) -> list[Listed]:
    from agentbench.providers.assistants import Assistants

    provider = runner.providers.of(endpoint)
    assert isinstance(provider, Assistants)  # noqa: S101 - the endpoint says so
    return [
        Listed(
            id=each.id,
            name=each.name,
            model=each.model or None,
            tools=", ".join(filter(None, map(_name, each.tools or ()))),
            author=each.author,
            endpoint=endpoint.name,
        )
        for each in await provider.described(at_kernel(endpoint))
    ]


def _name(tool: dict[str, Any]) -> str:
    """Return what people call a tool, as an upstream writes it."""
    function = tool.get("function")
    return str(function.get("name", "")) if isinstance(function, dict) else str(tool.get("type", ""))
