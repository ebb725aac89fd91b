"""A provider whose upstream the test drives, and runners that ask it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
import msgspec
from tests.grammar import check_grammar

from agentbench.config import Agent, Catalog, Endpoint
from agentbench.protocol import CreateResponse, Event, EventBuilder, Response
from agentbench.protocol import events as ev
from agentbench.protocol.items import user_message
from agentbench.providers.cassettes.deck import Deck
from agentbench.runner import Run, Runner, Turn

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from agentbench.storage.database import Database

__all__ = [
    "HANG",
    "FakeProvider",
    "SteppedProvider",
    "answer",
    "catalog",
    "drain",
    "kinds",
    "play",
    "question",
    "runner_of",
    "text_of",
    "wants",
]

HANG = object()
"""A chunk that never comes."""

WORDS = ("one ", "two ", "three")


class FakeProvider:
    """Sends its chunks: text, what to do with the builder, an error to raise, `HANG`.

    Notes each request, and how many upstreams were opened and closed; `hung` is released for each that hangs.
    """

    def __init__(self, *chunks: Any, refusals: tuple[Exception, ...] = ()) -> None:
        self.chunks = chunks or WORDS
        self.requests: list[CreateResponse] = []
        self.opened = 0
        self.closed = 0
        self.hung = asyncio.Semaphore(0)
        self._refusals = list(refusals)

    def encode(self, request: CreateResponse, _: Endpoint) -> CreateResponse:
        """Keep the request."""
        self.requests.append(request)
        return request

    def decoder(self, builder: EventBuilder) -> FakeDecoder:
        """Return a decoder that does as the chunks say."""
        return FakeDecoder(builder)

    @asynccontextmanager
    async def open(self, *_: object) -> AsyncIterator[AsyncIterator[Any]]:
        """Refuse as often as there are refusals, then send."""
        if self._refusals:
            raise self._refusals.pop(0)
        self.opened += 1
        try:
            yield self._sent()
        finally:
            with anyio.CancelScope(shield=True):  # as HTTP clients close: it takes a moment, cancelled or not
                await anyio.lowlevel.checkpoint()
            self.closed += 1

    async def models(self, _: Endpoint) -> tuple[str, ...]:
        """Return two models."""
        return ("m", "n")

    async def _sent(self) -> AsyncIterator[Any]:
        for chunk in self.chunks:
            await anyio.lowlevel.checkpoint()
            if chunk is HANG:
                self.hung.release()
                await anyio.sleep_forever()
            if isinstance(chunk, Exception):
                raise chunk
            yield chunk


class SteppedProvider(FakeProvider):
    """Sends the next of its answers to each request, the last one for ever; an error in place of one refuses."""

    def __init__(self, *answers: Sequence[Any] | Exception) -> None:
        super().__init__()
        self._answers = list(answers)

    def encode(self, request: CreateResponse, endpoint: Endpoint) -> CreateResponse:
        """Take the next answer."""
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            self._refusals = [answer]
        else:
            self.chunks = tuple(answer)
        return super().encode(request, endpoint)


def wants(name: str, arguments: str | None = None, **values: Any) -> Callable[[EventBuilder], list[Event]]:
    """Return a chunk in which the model calls a function."""
    told = msgspec.json.encode(values).decode() if arguments is None else arguments
    return lambda builder: builder.call(object(), name=name, arguments=told)


class FakeDecoder:
    """Tells the builder what a chunk says."""

    def __init__(self, builder: EventBuilder) -> None:
        self._builder = builder

    def feed(self, chunk: str | Callable[[EventBuilder], list[Event] | None]) -> list[Event]:
        """Take text as text; anything else is a function."""
        return self._builder.text(chunk) if isinstance(chunk, str) else chunk(self._builder) or []

    def close(self) -> list[Event]:
        """End well, unless a chunk said otherwise."""
        if self._builder.outcome is None:
            self._builder.stop()
        return self._builder.close_items("completed" if self._builder.outcome == "completed" else "incomplete")


class FakeProviders:
    """Has one provider for every endpoint, and no cassette."""

    def __init__(self, provider: FakeProvider) -> None:
        self.deck = Deck()
        self._provider = provider

    def of(self, _: Endpoint) -> FakeProvider:
        """Return it."""
        return self._provider


def catalog(*endpoints: Endpoint, agents: tuple[Agent, ...] = ()) -> Catalog:
    """Return a catalog; without arguments one of an endpoint `fake` with the models m and n, and an agent `bot`."""
    listed = endpoints or (Endpoint(name="fake", provider="scripted", models=("m", "n")),)
    known = agents or (Agent(id="bot", name="Bot", endpoint=listed[0].name),)
    return Catalog(endpoints={each.name: each for each in listed}, agents={each.id: each for each in known})


def runner_of(provider: FakeProvider, database: Database, known: Catalog | None = None) -> Runner:
    """Return a runner that asks this provider, whatever the endpoint."""
    providers: Any = FakeProviders(provider)
    return Runner(known or catalog(), providers, database)


def question(text: str = "What?", **fields: Any) -> CreateResponse:
    """Return a request."""
    return CreateResponse(input=(user_message(text),), **fields)


def play(runner: Runner, request: CreateResponse | None = None, **fields: Any) -> Run:
    """Start a turn."""
    return runner.start(Turn(request=request or question(), **fields))


async def drain(run: Run) -> list[Event]:
    """Read a run to its end; return its events, their grammar checked."""
    events = [event async for batch in run.events() for event in batch]
    check_grammar(events)
    return events


async def answer(run: Run) -> Response:
    """Read a run to its end; return its response."""
    await drain(run)
    return run.response


def kinds(events: list[Event]) -> list[str]:
    """Return the events' types, without their common prefix."""
    return [str(event.__struct_config__.tag).removeprefix("response.") for event in events]


def text_of(events: list[Event]) -> str:
    """Return the text that the events told."""
    return "".join(event.delta for event in events if isinstance(event, ev.TextDelta))
