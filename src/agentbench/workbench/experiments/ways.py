"""What an experiment tries: the ways to ask, and each attempt of one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from agentbench.protocol.items import user_message
from agentbench.protocol.trial import Trial
from agentbench.workbench.experiments.trying import failed

if TYPE_CHECKING:
    from agentbench.protocol.response import ResponseError
    from agentbench.runner import Runner, Turn
    from agentbench.runner.run import Run
    from agentbench.runner.target import Target
    from agentbench.runner.tools import Tool
    from agentbench.workbench.experiments.shapes import Shape

__all__ = ["Attempt", "Way"]


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """Who is asked, and with which settings.

    `turn` is a question's, whose text each prompt takes the place of. `shown` are the settings that differ from way to
    way. `titles` asks for a title of a conversation that the prompt begins, in place of an answer. `shape` is what an
    answer in JSON is to be.
    """

    turn: Turn
    runner: Runner
    target: Target
    tools: tuple[Tool, ...] = ()
    images: tuple[str, ...] = ()
    shown: dict[str, Any] = field(default_factory=dict)
    given: Mapping[str, Any] = field(default_factory=dict)
    titles: bool = False
    shape: Shape | None = None

    def start(self, prompt: str) -> Run:
        """Return the run of a prompt; call it on the event loop that reads its events."""
        return self.runner.start(self.asking(prompt), tools=self.tools)

    def asking(self, prompt: str) -> Turn:
        """Return the turn of a prompt."""
        request = msgspec.structs.replace(self.turn.request, input=(user_message(prompt, *self.images),))
        return msgspec.structs.replace(self.turn, request=request)

    def digest(self) -> bytes:
        """Return what tells this way from any other, also in another process: all that it asks with but the prompt."""
        request = msgspec.structs.replace(self.turn.request, input=(), model=None)
        turn = msgspec.structs.replace(self.turn, request=request, cell=None, budgets=())
        parts = [turn, self.images, self.target.name, self.target.agent, dict(self.given), self.titles]
        parts += [self.target.endpoint.titles] if self.titles else []
        tools = [each.spec for each in self.tools]
        return hashlib.sha256(msgspec.json.encode([parts, tools], enc_hook=_plain, order="sorted")).digest()


@dataclass(frozen=True, slots=True, eq=False)
class Attempt:
    """One prompt, asked in one way for the `run`-th time. `missing` says why there is nothing to ask."""

    place: int
    run: int
    prompt: str
    inputs: dict[str, Any]
    way: Way
    missing: str = ""

    @property
    def known(self) -> dict[str, Any]:
        """The fields of its trial that are there before it is tried."""
        agent = self.way.target.agent
        return {
            "place": self.place,
            "run": self.run,
            "prompt": self.prompt,
            "inputs": self.inputs,
            "agent": None if agent is None else agent.id,
            "settings": self.way.shown,
        }

    def key(self, digest: bytes) -> str:
        """Return what tells it from what is asked otherwise; `digest` is its way's."""
        asked = msgspec.json.encode([self.prompt, self.run])
        return hashlib.sha256(digest + asked).hexdigest()

    def failed(self, error: Exception | ResponseError) -> Trial:
        """Return the trial of one that could not begin."""
        return failed(self._blank(), error)

    def skipped(self, reason: str, kind: str) -> Trial:
        """Return the trial of one that is not asked."""
        return msgspec.structs.replace(self._blank(), error=reason, error_type=kind)

    def _blank(self) -> Trial:
        return Trial(**self.known, model=self.way.target.name, status="skipped")


def _plain(value: object) -> object:
    """Return what JSON has no word for as something that it has one for, the same in every process."""
    if isinstance(value, Mapping):
        return dict(value)
    return f"{type(value).__qualname__}: {value}"
