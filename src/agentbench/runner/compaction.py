"""Making a long conversation short: the newest turns as they are, the older ones summed up by the model."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

import msgspec

from agentbench.errors import ContextTooLong, InvalidRequest, UpstreamError
from agentbench.protocol import CreateResponse, Usage
from agentbench.protocol.items import Compaction, FunctionCall, FunctionCallOutput, Message, user_message
from agentbench.protocol.values import Value
from agentbench.runner.documents import without_searches
from agentbench.runner.history import load_history
from agentbench.runner.inputs import resolved
from agentbench.runner.seal import compaction_key, sealed
from agentbench.runner.turn import Turn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentbench.protocol import InputItem
    from agentbench.runner.run import Run
    from agentbench.runner.runner import Runner

__all__ = ["Compacted", "compact"]

_KEPT = 4_000
"""Characters of JSON that stay as they are; about a thousand tokens."""

_SUMMARY_TOKENS = 1_000
_ASK = (
    "Sum up this conversation for whoever goes on with it: facts, names, numbers, decisions, what was asked for and"
    " what is still open. Write only the summary."
)
_SUMMARY = "Summary of the conversation so far:\n\n"
_TAIL = "The conversation so far, shortened; its end:\n\n"


class Compacted(Value, frozen=True, kw_only=True):
    """A sealed past, and the tokens that making it took."""

    item: Compaction
    usage: Usage


async def compact(runner: Runner, turn: Turn) -> Compacted:
    """Return what the turn follows and its input as one item.

    Where the model can't sum up, the end of the older part is kept instead. Raises what a run raises if nobody could
    answer, and what `load_history` and `resolved` raise.
    """
    history = await load_history(runner.database, turn)
    turn = await resolved(runner.database, turn, history)
    items = without_searches((*history.items, *turn.request.input))
    if not items:
        raise InvalidRequest("There is nothing to compact. Send input or previous_response_id.", param="input")
    kept = _newest(items)
    older = items[: len(items) - len(kept)]
    run = runner.start(_question(turn, older))
    if older:
        words = await _answer(run)
        told = _SUMMARY + words if words else _TAIL + _transcript(older)[-_KEPT:]
        kept = (user_message(told), *kept)
    key = await runner.database.write(compaction_key)
    usage = run.response.usage or Usage.of(0, 0)
    return Compacted(item=sealed(kept, key, turn.principal.user), usage=usage)


def _newest(items: Sequence[InputItem]) -> tuple[InputItem, ...]:
    """Return the newest items that fit, from some message of the user's on."""
    size, begin = 0, len(items)
    for place in range(len(items) - 1, -1, -1):
        size += len(msgspec.json.encode(items[place]))
        if size > _KEPT:
            break
        item = items[place]
        if place == 0 or (isinstance(item, Message) and item.role == "user"):
            begin = place
    return tuple(items[begin:])


def _question(turn: Turn, older: Sequence[InputItem]) -> Turn:
    request = CreateResponse(
        model=turn.request.model,
        instructions=turn.request.instructions,
        input=(user_message(f"{_ASK}\n\n{_transcript(older)}"),),
        tool_choice="none",
        max_output_tokens=_SUMMARY_TOKENS,
        store=False,
    )
    return Turn(request=request, principal=turn.principal, agent=turn.agent, context="compaction")


async def _answer(run: Run) -> str:
    """Return what the model says; nothing if it says nothing, or can't."""
    try:
        async with aclosing(run.events()) as batches:
            async for _ in batches:
                pass
    except (UpstreamError, ContextTooLong):
        return ""
    return "" if run.response.error is not None else run.response.output_text.strip()


def _transcript(items: Sequence[InputItem]) -> str:
    return "\n\n".join(filter(None, map(_line, items)))


def _line(item: InputItem) -> str:
    if isinstance(item, Message):
        return f"{item.role}: {item.text}"
    if isinstance(item, FunctionCall):
        return f"assistant calls {item.name}({item.arguments})"
    if isinstance(item, FunctionCallOutput):
        return f"{item.call_id} gave: {item.output if isinstance(item.output, str) else '(files)'}"
    return ""
