"""`%agent help`: the commands and their options, from the same table that runs them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentbench.errors import UnknownName
from agentbench.notebook.magics.commands.base import permitted
from agentbench.notebook.tables import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentbench.notebook.magics.commands.base import Call, Command
    from agentbench.notebook.magics.options import Option

__all__ = ["Help"]


class Help:
    """Explain the commands."""

    name = "help"
    summary = "Explain the commands, or one of them."
    argument = "[COMMAND]"
    options: tuple[Option, ...] = ()

    def __init__(self, commands: Sequence[Command]) -> None:
        self._commands = {command.name: command for command in (*commands, self)}

    async def run(self, call: Call) -> Table:
        """Return a table: of the commands, or of one command's options."""
        if not call.text:
            commands = [permitted(each, call.session) for each in self._commands.values()]
            rows = [(f"%agent {each.name} {each.argument}".strip(), each.summary) for each in commands]
            return Table(("command", "what it does"), rows, note="More: %agent help COMMAND")
        if call.text not in self._commands:
            raise UnknownName("command", call.text, self._commands)
        command = permitted(self._commands[call.text], call.session)
        rows = [(option.usage, option.help) for option in command.options]
        usage = f"%agent {command.name} {'[options] ' if rows else ''}{command.argument}".strip()
        return Table((usage, command.summary), rows)
