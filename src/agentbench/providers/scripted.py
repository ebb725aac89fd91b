"""Plays a written script as if a model had said it: for documents, demos and tests.

A script with several turns answers a conversation: the turn played is the number of turns that the model has had in
the input, so the same request always gets the same answer.
"""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from itertools import groupby
from typing import TYPE_CHECKING

import anyio

from agentbench.config.script import Call, Fail, Finish, Reasoning, Refusal, Text, Wait
from agentbench.config.script import Usage as Tokens
from agentbench.errors import UnknownName
from agentbench.protocol.items import FunctionCall, Message
from agentbench.protocol.items import Reasoning as Thoughts
from agentbench.protocol.response import Usage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from agentbench.config.endpoint import Endpoint
    from agentbench.config.script import Step
    from agentbench.protocol import CreateResponse, Event, EventBuilder, InputItem

__all__ = ["Scripted"]

_PIECE = re.compile(r"\s*\S+|\s+")


class Scripted:
    """The endpoint whose models are scripts."""

    def encode(self, request: CreateResponse, endpoint: Endpoint) -> tuple[Step, ...]:
        script = endpoint.scripts.get(request.model or "")
        if script is None:
            raise UnknownName("script", request.model or "", endpoint.scripts, param="model")
        return script.turns[min(_turns(request.input), len(script.turns) - 1)]

    def decoder(self, builder: EventBuilder) -> _Player:
        return _Player(builder)

    @asynccontextmanager
    async def open(
        self,
        wire: tuple[Step, ...],
        endpoint: Endpoint,  # noqa: ARG002 - the protocol's shape
    ) -> AsyncIterator[AsyncIterator[Step]]:
        yield _paced(wire)

    async def models(self, endpoint: Endpoint) -> tuple[str, ...]:
        return tuple(endpoint.scripts)


def _turns(items: tuple[InputItem, ...]) -> int:
    """Count the model's turns: runs of what it said, thought and called, with anything else between them."""
    return sum(model for model, _ in groupby(items, key=_is_models))


def _is_models(item: InputItem) -> bool:
    return isinstance(item, FunctionCall | Thoughts) or (isinstance(item, Message) and item.role == "assistant")


async def _paced(script: tuple[Step, ...]) -> AsyncIterator[Step]:
    """Yield the steps, text and reasoning a word at a time."""
    for step in script:
        if isinstance(step, Text | Reasoning):
            for piece in _PIECE.findall(step.text):
                await anyio.lowlevel.checkpoint()
                yield type(step)(piece)
        elif isinstance(step, Wait):
            await anyio.sleep(step.seconds)
        else:
            yield step


class _Player:
    """Tells the builder what each step says."""

    def __init__(self, builder: EventBuilder) -> None:
        self._builder = builder
        self._calls = 0

    def feed(self, step: Step) -> list[Event]:
        builder = self._builder
        match step:
            case Text():
                return builder.text(step.text)
            case Reasoning():
                return builder.reasoning(step.text)
            case Refusal():
                return builder.refusal(step.text)
            case Call():
                self._calls += 1
                return builder.call(self._calls, name=step.name, arguments=step.arguments)
            case _:
                self._note(step)
                return []

    def _note(self, step: Step) -> None:
        match step:
            case Tokens():
                usage = Usage.of(
                    step.input_tokens, step.output_tokens, cached=step.cached_tokens, reasoning=step.reasoning_tokens
                )
                self._builder.usage(usage)
            case Finish(reason="length"):
                self._builder.cut("max_output_tokens")
            case Finish(reason="content_filter"):
                self._builder.cut("content_filter")
            case Fail():
                self._builder.fail(step.message, code="upstream_error", kind="upstream_error")

    def close(self) -> list[Event]:
        self._builder.stop()
        completed = self._builder.outcome == "completed"
        return self._builder.close_items("completed" if completed else "incomplete")
