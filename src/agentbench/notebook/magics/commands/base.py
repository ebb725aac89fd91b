"""What a sub-command is, and what it is called with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, cast, runtime_checkable

if TYPE_CHECKING:
    from agentbench.notebook.magics import AgentMagics
    from agentbench.notebook.magics.options import Option
    from agentbench.notebook.session import Session
    from agentbench.runner import Cell

__all__ = ["Call", "Command", "Restricted", "permitted"]


class Call(NamedTuple):
    """One call of a sub-command: its options' values, the rest of its line, and the cell's body, if any.

    `blocking` says that it must not await anything.
    """

    magics: AgentMagics
    options: dict[str, Any]
    text: str
    body: str | None
    blocking: bool

    @property
    def session(self) -> Session:
        """What the magics of this kernel share."""
        return self.magics.session

    @property
    def agent(self) -> str:
        """Who answers: this call's option, else the setting, else the config's first agent."""
        return self.options.get("agent") or self.magics.agent or self.session.bench.catalog.default_agent.id

    @property
    def model(self) -> str | None:
        """Which model answers: this call's option, else the setting; None for the agent's own.

        An agent that is named for this call comes with its own model.
        """
        own = None if self.options.get("agent") else self.magics.model
        return self.options.get("model") or own or None

    @property
    def namespace(self) -> dict[str, Any]:
        """The person's variables."""
        return cast("dict[str, Any]", self.magics.ip.user_ns)

    @property
    def cell(self) -> Cell:
        """The notebook cell that calls."""
        return self.magics.cell


class Command(Protocol):
    """A sub-command."""

    @property
    def name(self) -> str:
        """The word after `%agent`."""

    @property
    def summary(self) -> str:
        """What it does, in a sentence."""

    @property
    def argument(self) -> str:
        """The placeholder of what follows the options."""

    @property
    def options(self) -> tuple[Option, ...]:
        """Its options, in the order of its help."""

    async def run(self, call: Call) -> object:
        """Do it; what is returned is the cell's value."""


@runtime_checkable
class Restricted(Protocol):
    """A sub-command of which the config may forbid a part."""

    def permitted(self, session: Session) -> Command:
        """Return it without what is forbidden now."""


def permitted(command: Command, session: Session) -> Command:
    """Return a sub-command as it may be used now: what is forbidden is neither explained nor offered."""
    return command.permitted(session) if isinstance(command, Restricted) else command
