"""What a workbench remembers and knows: conversations, usage, prices, models."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from agentbench.auth.principal import KERNEL
from agentbench.errors import UnknownName
from agentbench.runner.headers import at_kernel
from agentbench.storage import conversations, responses
from agentbench.storage.unsaved import Outcome
from agentbench.storage.usage import UsageFilter
from agentbench.workbench.answerers import Answerers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Unpack

    from agentbench.config.rates import Rates
    from agentbench.frames.ledger import Chosen
    from agentbench.frames.usage import UsageFrame
    from agentbench.protocol import Response
    from agentbench.protocol.recording import Recording
    from agentbench.storage.balances import Standing
    from agentbench.storage.conversations import Conversation
    from agentbench.storage.ledger_tail import LedgerTail
    from agentbench.storage.responses import StoredResponse

__all__ = ["Looking"]


class Looking(Answerers):
    """Looks at what was said and what it took."""

    def start_conversation(self, title: str | None = None, *, agent: str | None = None) -> Conversation:
        """Return a new, empty conversation; without a title its first question gives it one."""
        known = None if agent is None else self.find_agent(agent).id
        made = conversations.new(user=KERNEL.user, title=title, agent=known)
        self._open_loop().portal.call(self._database.record, Outcome(conversation=made))
        return made

    def conversations(self, limit: int = 20) -> list[Conversation]:
        """Return the newest conversations, newest first; those that couldn't be stored yet come before all others."""
        stored = self._database.read_now(partial(conversations.recent, user=KERNEL.user, limit=limit))
        begun = self._database.unsaved.begun(KERNEL.user)
        if not begun:
            return stored
        kept = [found for key in reversed(begun) if (found := self.conversation(key)) is not None]
        return [*kept, *(each for each in stored if each.id not in begun)][:limit]

    def conversation(self, conversation_id: str) -> Conversation | None:
        """Return the conversation of that id, if there is one."""
        kept = self._database.unsaved.conversation(conversation_id, KERNEL.user)
        job = partial(conversations.get, conversation_id=conversation_id, user=KERNEL.user)
        return kept or self._database.read_now(job)

    def turns(self, conversation: Conversation | str, *, to: str | None = None) -> tuple[StoredResponse, ...]:
        """Return a conversation's turns, oldest first, up to its newest or to that response.

        Raises `UnknownName` if there is no such conversation.
        """
        found = self._found(conversation).head if to is None else to
        kept = self._database.unsaved.chain(found, KERNEL.user)
        head = kept[0].parent if kept else found
        if head is None:
            return kept
        return (*self._database.read_now(partial(responses.chain, head=head, user=KERNEL.user)), *kept)

    def recording(self, response: Response | str | None = None) -> Recording:
        """Return what a run's events were and when each came; the newest run's without a response.

        Of the newest runs of this process all is known. An older response's events are made again from what is stored,
        with no times. Raises `UnknownName` if there is no such response, `InvalidRequest` if there was no run yet.
        """
        from agentbench.runner.recordings import recording_of

        return recording_of(self._runner.recordings, self._database, response, user=KERNEL.user)

    def rename(self, conversation: Conversation | str, title: str) -> None:
        """Give a conversation a title, for good; raises `UnknownName` if there is no such conversation."""
        self._write(partial(conversations.rename, conversation_id=self._found(conversation).id, title=title))

    def usage(self, *, by: str | Sequence[str] | None = None, **chosen: Unpack[Chosen]) -> UsageFrame:
        """Return the ledger as a DataFrame, one row a call, or summed up `by` model, agent, endpoint, day and so on.

        `since` and `until` (not included) are moments, time spans, or text such as `"24h"`, `"today"`, `"2026-11-01"`.
        `user`, `agent`, `endpoint`, `model`, `context`, `conversation`, `notebook`, `status` choose rows.
        """
        from agentbench import frames

        frame = frames.read_usage(self._database, **chosen)
        return frame if by is None else frames.grouped(frame, by)

    def ledger_tail(self, **chosen: Unpack[Chosen]) -> LedgerTail:
        """Return the ledger's newest calls, to be polled for those that come after; `chosen` is as for `usage`."""
        from agentbench.storage.ledger_tail import LedgerTail

        if not chosen:  # the rest needs pandas, which takes a moment
            return LedgerTail(self._database, UsageFilter())
        from agentbench.frames.ledger import filter_of

        return LedgerTail(self._database, filter_of(**chosen))

    def balance(self) -> Standing | None:
        """Return how the balance of the person at this kernel stands; None if the config asks for no balances."""
        return self._open_loop().portal.call(self._runner.purse.standing, KERNEL.user)

    def prices(self, model: str | None = None) -> Mapping[str, Rates | None]:
        """Return what models cost by `endpoint/model`, None where nobody knows: all that are known, or those named."""
        from agentbench.runner.quote import prices

        return self._open_loop().portal.call(prices, self._runner, model)

    def models(self, endpoint: str, *, fresh: bool = False) -> tuple[str, ...]:
        """Return the models that an endpoint offers, asking it if it knows more than the config.

        What it said is remembered for five minutes; `fresh` asks again.
        """
        job = partial(self._providers.models, at_kernel(self.catalog.endpoint(endpoint)), fresh=fresh)
        return self._open_loop().portal.call(job)

    def known_models(self, endpoint: str) -> tuple[str, ...]:
        """Return the models of an endpoint that are known without asking it."""
        return self._providers.known_models(at_kernel(self.catalog.endpoint(endpoint)))

    def _found(self, conversation: Conversation | str) -> Conversation:
        key = conversation if isinstance(conversation, str) else conversation.id
        if (found := self.conversation(key)) is None:
            raise UnknownName("conversation", key, [each.id for each in self.conversations(100)])
        return found
