"""A conversation whose titles come from an endpoint of their own, and upstreams to drive both."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

from tests.runner.fakes import FakeProvider, answer, catalog, play, question

from agentbench.config import Endpoint, Titles
from agentbench.protocol import Usage
from agentbench.providers.cassettes.deck import Deck
from agentbench.runner import Runner
from agentbench.storage import conversations, usage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from agentbench.protocol import EventBuilder
    from agentbench.runner import Run
    from agentbench.storage.conversations import Conversation
    from agentbench.storage.database import Database
    from agentbench.storage.usage import UsageRow

    Make = Callable[..., "Talk"]

__all__ = ["ByName", "GatedProvider", "Talk", "spend", "talk_of"]


def spend(builder: EventBuilder) -> None:
    """Report what was used."""
    builder.usage(Usage.of(30, 4))


class ByName:
    """Has a provider for each endpoint, and no cassette."""

    def __init__(self, **providers: FakeProvider) -> None:
        self.deck = Deck()
        self._providers = providers

    def of(self, endpoint: Endpoint) -> FakeProvider:
        """Return it."""
        return self._providers[endpoint.name]

    async def aclose(self) -> None:
        """There is nothing to close."""


class GatedProvider(FakeProvider):
    """Sends its chunks once `gate` is set."""

    def __init__(self, *chunks: Any) -> None:
        super().__init__(*chunks)
        self.gate = asyncio.Event()

    async def _sent(self) -> AsyncIterator[Any]:
        await self.gate.wait()
        async for chunk in super()._sent():
            yield chunk


class Talk:
    """One conversation; `says` answers it, and `names` gives it its title."""

    def __init__(self, database: Database, conversation: Conversation, says: FakeProvider, names: FakeProvider) -> None:
        self.says, self.names = says, names
        self.id = conversation.id
        self.runner: Runner
        self._database = database

    def play(self, text: str = "Why is the sky blue?", **fields: Any) -> Run:
        """Start a turn."""
        request = question(text, **fields.pop("request", {}))
        return play(self.runner, request, conversation=self.id, **fields)

    async def ask(self, text: str = "Why is the sky blue?", **fields: Any) -> None:
        """Ask, and wait for the title too."""
        await answer(self.play(text, **fields))
        await self.runner.titles.settled()

    async def title(self) -> tuple[str | None, str | None]:
        """Return the title, and who made it."""
        found = await self._database.read(partial(conversations.get, conversation_id=self.id, user="kernel"))
        assert found is not None
        return found.title, found.titled_by

    async def title_rows(self) -> list[UsageRow]:
        """Return the ledger's rows of titles."""
        return [row for row in await self._database.read(usage.rows) if row.context == "title"]

    @property
    def asked(self) -> list[str]:
        """What was asked for titles."""
        return [item.text for request in self.names.requests for item in request.input if hasattr(item, "text")]


def talk_of(
    database: Database,
    conversation: Conversation,
    names: FakeProvider,
    says: FakeProvider | None = None,
    *,
    enabled: bool = True,
    **titles: Any,
) -> Talk:
    """Return a conversation whose titles, unless `titles` say otherwise, another endpoint makes."""
    talk = Talk(database, conversation, says or FakeProvider(), names)
    known = catalog(
        Endpoint(
            name="says",
            provider="scripted",
            models=("m", "n"),
            titles=Titles(enabled=enabled, **{"endpoint": "names", **titles}),
        ),
        Endpoint(name="names", provider="scripted", models=("small",)),
    )
    providers: Any = ByName(says=talk.says, names=talk.names)
    talk.runner = Runner(known, providers, database)
    return talk
