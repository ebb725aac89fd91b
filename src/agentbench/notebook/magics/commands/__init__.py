"""The sub-commands of `%agent`: one class each, and a row in the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentbench.notebook.magics.commands.agents import Agents
from agentbench.notebook.magics.commands.archives import Export, Import
from agentbench.notebook.magics.commands.assistants import Assistants
from agentbench.notebook.magics.commands.balance import Balance
from agentbench.notebook.magics.commands.budget import Budget
from agentbench.notebook.magics.commands.cassette import Cassette
from agentbench.notebook.magics.commands.chat import Chat
from agentbench.notebook.magics.commands.compare import Compare
from agentbench.notebook.magics.commands.config import Config
from agentbench.notebook.magics.commands.conversations import Branch, Delete, Open, Tree
from agentbench.notebook.magics.commands.files import Files
from agentbench.notebook.magics.commands.fix import Fix
from agentbench.notebook.magics.commands.help import Help
from agentbench.notebook.magics.commands.history import History
from agentbench.notebook.magics.commands.inspect import Inspect
from agentbench.notebook.magics.commands.keys import Keys
from agentbench.notebook.magics.commands.know import Know
from agentbench.notebook.magics.commands.new import New
from agentbench.notebook.magics.commands.prices import Prices
from agentbench.notebook.magics.commands.probe import Probe
from agentbench.notebook.magics.commands.serve import Serve
from agentbench.notebook.magics.commands.usage import Usage
from agentbench.notebook.magics.commands.use import Use

if TYPE_CHECKING:
    from agentbench.notebook.magics.commands.base import Command

__all__ = ["COMMANDS"]

_ALL: tuple[Command, ...] = (
    Chat(),
    Compare(),
    Fix(),
    Agents(),
    Assistants(),
    Use(),
    New(),
    History(),
    Open(),
    Tree(),
    Branch(),
    Delete(),
    Export(),
    Import(),
    Files(),
    Know(),
    Usage(),
    Prices(),
    Budget(),
    Balance(),
    Config(),
    Serve(),
    Keys(),
    Inspect(),
    Probe(),
    Cassette(),
)
COMMANDS: dict[str, Command] = {command.name: command for command in (*_ALL, Help(_ALL))}
