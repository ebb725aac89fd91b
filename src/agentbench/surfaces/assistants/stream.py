"""The events of a run as a server-sent stream; the run goes on if its reader goes away."""

from __future__ import annotations

import logging
from contextlib import aclosing
from typing import TYPE_CHECKING

import msgspec

from agentbench.errors import AgentbenchError
from agentbench.protocol.assistants.events import DONE
from agentbench.surfaces.event_stream import EventStream

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from agentbench.protocol.assistants.events import AssistantEvent

__all__ = ["event_stream"]

_log = logging.getLogger(__name__)
_json = msgspec.json.Encoder()


def event_stream(batches: AsyncGenerator[list[AssistantEvent]]) -> EventStream:
    """Return the stream of these events; what goes wrong after it began is an event of its own."""
    return EventStream(_frames(batches))


async def _frames(batches: AsyncGenerator[list[AssistantEvent]]) -> AsyncGenerator[bytes]:
    try:
        async with aclosing(batches):
            async for batch in batches:
                for event in batch:
                    yield _frame(event.name, event.data)
    except AgentbenchError as error:
        yield _error(error)
    except Exception as error:  # noqa: BLE001 - it is logged, and no client learns more
        _log.exception("a stream broke off")
        yield _error(AgentbenchError(f"agentbench itself failed ({type(error).__name__}). Its log says more."))
    yield b"event: done\ndata: %s\n\n" % DONE.encode()


def _error(error: AgentbenchError) -> bytes:
    return _frame("error", {"code": error.code, "message": error.message, "param": error.param, "type": error.type})


def _frame(name: str, data: object) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (name.encode(), _json.encode(data))
