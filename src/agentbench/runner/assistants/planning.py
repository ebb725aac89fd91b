"""From what a client asks for to a run that can be stored: what it says, and what else is as the assistant has it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from agentbench.errors import InvalidRequest
from agentbench.protocol.assistants.objects import Run, Truncation
from agentbench.protocol.assistants.tools import CodeInterpreter, FunctionTool, NamedChoice
from agentbench.protocol.values import new_id
from agentbench.runner.assistants.limits import check_model, check_tools, type_of
from agentbench.runner.assistants.personas import answering, searched
from agentbench.storage.runs import StoredRun

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentbench.auth.principal import Principal
    from agentbench.protocol.assistants.objects import Assistant, Thread
    from agentbench.protocol.assistants.requests import CreateRun
    from agentbench.protocol.assistants.tools import AssistantTool, ToolChoice, ToolResources
    from agentbench.runner.runner import Runner
    from agentbench.storage.assistants import StoredAssistant

__all__ = ["EXPIRES_AFTER", "planned"]

EXPIRES_AFTER = 600
"""Seconds in which the client has to answer the calls of functions."""


def planned(
    runner: Runner,
    principal: Principal,
    stored: StoredAssistant,
    thread: Thread,
    body: CreateRun,
    *,
    include: tuple[str, ...] = (),
) -> StoredRun:
    """Return the run, queued; raises `InvalidRequest`, and `UnknownName` where nobody answers for the model."""
    assistant = stored.assistant
    model = body.model or assistant.model
    tools = assistant.tools if body.tools is None else body.tools
    check_tools(runner.catalog.assistants, tools, model=model)
    check_model(body.response_format, body.reasoning_effort)
    _check_choice(body.tool_choice, tools)
    _check_truncation(body.truncation_strategy)
    target = answering(runner, principal, model)
    resources = ((assistant.tool_resources, stored.user), (thread.tool_resources, principal.user))
    return StoredRun(
        run=_run(assistant, thread, body, tools=tools, model=target.name),
        user=principal.user,
        include=include,
        agent=None if target.agent is None else target.agent.id,
        searched=searched(tools, *resources),
        files=_files(tools, *resources),
    )


def _run(assistant: Assistant, thread: Thread, body: CreateRun, *, tools: tuple[AssistantTool, ...], model: str) -> Run:
    now = int(time.time())
    return Run(
        id=new_id("run"),
        created_at=now,
        thread_id=thread.id,
        assistant_id=assistant.id,
        expires_at=now + EXPIRES_AFTER,
        model=model,
        instructions=_instructions(assistant, body),
        tools=tools,
        metadata=body.metadata or {},
        temperature=_or(body.temperature, assistant.temperature),
        top_p=_or(body.top_p, assistant.top_p),
        max_prompt_tokens=body.max_prompt_tokens,
        max_completion_tokens=body.max_completion_tokens,
        truncation_strategy=body.truncation_strategy or Truncation(),
        tool_choice=body.tool_choice or "auto",
        parallel_tool_calls=body.parallel_tool_calls is not False,
        response_format=body.response_format or assistant.response_format,
        reasoning_effort=body.reasoning_effort or assistant.reasoning_effort,
    )


def _files(tools: Sequence[AssistantTool], *resources: tuple[ToolResources | None, str]) -> tuple[tuple[str, str], ...]:
    """Return the files that code may read, each with the user whose right to read counts; none without the tool."""
    if not any(isinstance(each, CodeInterpreter) for each in tools):
        return ()
    found = [(each.code_interpreter, user) for each, user in resources if each is not None]
    return tuple((file, user) for each, user in found if each is not None for file in each.file_ids)


def _instructions(assistant: Assistant, body: CreateRun) -> str:
    own = assistant.instructions if body.instructions is None else body.instructions
    return "\n\n".join(filter(None, (own, body.additional_instructions)))


def _check_choice(choice: ToolChoice | None, tools: Sequence[AssistantTool]) -> None:
    """Refuse to force a tool that isn't there."""
    if not isinstance(choice, NamedChoice):
        return
    name = None if choice.function is None else choice.function.name
    functions = [each.function.name for each in tools if isinstance(each, FunctionTool)]
    is_there = name in functions if choice.type == "function" else choice.type in map(type_of, tools)
    if not is_there:
        wanted = name if choice.type == "function" else choice.type
        raise InvalidRequest(f"tool_choice names {wanted!r}, which is none of the run's tools.", param="tool_choice")


def _check_truncation(truncation: Truncation | None) -> None:
    if truncation is None:
        return
    if truncation.type == "last_messages" and (truncation.last_messages or 0) < 1:
        at = "truncation_strategy.last_messages"
        raise InvalidRequest("Say how many of the last messages count: at least 1.", param=at)


def _or(value: float | None, other: float | None) -> float | None:
    return other if value is None else value
