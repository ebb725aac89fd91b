"""What a stretch of a run asks of its model: the request, what was said before, and what fits of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

import msgspec

from agentbench.protocol import CreateResponse
from agentbench.protocol.assistants.tools import NamedChoice
from agentbench.protocol.request import FunctionToolChoice, ReasoningConfig
from agentbench.protocol.response import draft
from agentbench.protocol.values import new_id
from agentbench.runner.assistants.limits import text_config
from agentbench.runner.assistants.personas import functions, unless_usual
from agentbench.runner.rates import input_estimate
from agentbench.storage.responses import StoredResponse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentbench.protocol import InputItem
    from agentbench.protocol.assistants.objects import Run
    from agentbench.protocol.items import Message
    from agentbench.protocol.request import ToolChoice
    from agentbench.storage.runs import StoredRun

__all__ = ["earlier", "exchanges", "fitting", "request_of", "tokens_left"]


def request_of(stored: StoredRun, items: Sequence[InputItem]) -> CreateResponse:
    """Return what a stretch of a run asks. A tool that it forces is forced in the first stretch only."""
    run = stored.run
    truncation = run.truncation_strategy
    effort = (
        None if run.reasoning_effort is None else msgspec.convert({"effort": run.reasoning_effort}, ReasoningConfig)
    )
    return CreateResponse(
        input=tuple(items),
        instructions=run.instructions or None,
        tools=functions(run.tools),
        tool_choice=_choice(run, is_first=not stored.responses),
        parallel_tool_calls=run.parallel_tool_calls,
        text=text_config(run.response_format),
        temperature=unless_usual(run.temperature),
        top_p=unless_usual(run.top_p),
        max_output_tokens=tokens_left(stored, "completion") or None,
        reasoning=effort,
        truncation="auto" if truncation is None or truncation.type == "auto" else "disabled",
        metadata=run.metadata,
    )


def tokens_left(stored: StoredRun, kind: Literal["prompt", "completion"]) -> int | None:
    """Return how many tokens a run may still take; None if it says nothing."""
    limit: int | None = getattr(stored.run, f"max_{kind}_tokens")
    used: int = getattr(stored.used, f"{kind}_tokens")
    return None if limit is None else max(0, limit - used)


def exchanges(items: Sequence[Message]) -> list[tuple[Message, ...]]:
    """Return messages in groups that each begin with what a user says, so that the oldest can be left out."""
    groups: list[list[Message]] = []
    for item in items:
        answered = bool(groups) and groups[-1][-1].role != "user"
        if not groups or (item.role == "user" and answered):
            groups.append([])
        groups[-1].append(item)
    return [tuple(group) for group in groups]


def fitting(
    request: CreateResponse, older: Sequence[tuple[Message, ...]], limit: int | None
) -> list[tuple[Message, ...]] | None:
    """Return the newest groups with which a request stays within so many tokens; None if it can't."""
    kept = list(older)
    while limit is not None:
        items = (*(item for group in kept for item in group), *request.input)
        if input_estimate(msgspec.structs.replace(request, input=items)) <= limit:
            break
        if not kept or request.truncation != "auto":
            return None
        kept.pop(0)
    return kept


def earlier(stored: StoredRun, groups: Sequence[tuple[Message, ...]], head: str | None) -> tuple[StoredResponse, ...]:
    """Return earlier messages as turns, the last of which is the conversation's newest response, the `head`.

    There are none where nothing was answered before.
    """
    if head is None:
        return ()
    names = [*(new_id("resp") for _ in groups[1:]), head]
    now, model = datetime.now(UTC), stored.run.model
    responses = [draft(CreateResponse(), model=model, response_id=name) for name in names]
    return tuple(
        StoredResponse(
            response=msgspec.structs.replace(response, status="completed"),
            input=group,
            user=stored.user,
            conversation_id=stored.run.thread_id,
            endpoint=model.partition("/")[0],
            created_at=now,
        )
        for response, group in zip(responses, groups or [()], strict=True)
    )


def _choice(run: Run, *, is_first: bool) -> ToolChoice:
    choice = run.tool_choice
    if isinstance(choice, str):
        return choice if is_first or choice == "none" else "auto"
    if not isinstance(choice, NamedChoice) or choice.type == "file_search" or not is_first:
        return "auto"  # files are searched anyway
    return FunctionToolChoice(name=choice.type if choice.function is None else choice.function.name)
