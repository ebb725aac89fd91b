"""What a run tells of itself while it goes on; this kind of listener passes nothing on, and costs nothing.

The one that makes spans of it lies in `spans.py`.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

    from agentbench.protocol import CreateResponse, Event, EventBuilder, Item
    from agentbench.protocol.items import FunctionCall

__all__ = ["SILENT", "Watch"]

A = TypeVar("A")


class Watch:
    """Hears of one run. What it is given comes back to be used in its place, unchanged to whoever reads it."""

    def turn(
        self,
        batches: AsyncGenerator[list[Event]],
        request: CreateResponse,  # noqa: ARG002 - what spans are made of
        builder: EventBuilder,  # noqa: ARG002 - the same
    ) -> AsyncGenerator[list[Event]]:
        """Watch the whole answer; the builder says how it went."""
        return batches

    def call(
        self,
        batches: AsyncGenerator[list[Event]],
        request: CreateResponse,  # noqa: ARG002 - what spans are made of
        made: Callable[[], Sequence[Item]],  # noqa: ARG002 - the same
    ) -> AsyncGenerator[list[Event]]:
        """Watch one upstream call; `made` returns the items that it has made."""
        return batches

    def tool(self, call: FunctionCall, result: Awaitable[str]) -> Awaitable[str]:  # noqa: ARG002 - what spans are made of
        """Watch a tool run."""
        return result

    def embedding(self, answer: Awaitable[A]) -> Awaitable[A]:
        """Watch texts being embedded or ranked, in as many tries as it takes."""
        return answer

    def inside(self) -> AbstractContextManager[object]:
        """Have what happens within the block, and the tasks that it starts, count as parts of the turn.

        No generator may yield within it.
        """
        return nullcontext()


SILENT = Watch()
