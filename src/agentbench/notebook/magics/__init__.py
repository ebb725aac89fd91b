"""`%agent` and `%%agent`: one magic, its settings, and the table of its sub-commands."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

import traitlets
from IPython.core.completer import context_matcher
from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand

from agentbench.errors import InvalidRequest, nearest
from agentbench.notebook.magics.awaiting import AWAITED
from agentbench.notebook.magics.commands import COMMANDS
from agentbench.notebook.magics.commands.base import Call, permitted
from agentbench.notebook.magics.commands.usage import GROUPS
from agentbench.notebook.magics.completion import complete, known_names
from agentbench.notebook.magics.options import parse
from agentbench.notebook.session import Session

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable

    from IPython.core.interactiveshell import InteractiveShell

    from agentbench.notebook.display import Canvas
    from agentbench.notebook.magics.options import Completes
    from agentbench.runner import Cell
    from agentbench.workbench import Workbench

__all__ = ["AgentMagics"]

_WITH_TEXT = ("chat", "compare", "fix", "assistants")
"""The commands that take the text below them."""


@magics_class
class AgentMagics(Magics):
    """Chat with agents. `%config AgentMagics` shows and sets the defaults."""

    config_file = traitlets.Unicode("", help="path of an agentbench.yaml; read when the first command runs").tag(
        config=True
    )
    agent = traitlets.Unicode("", help="who answers unless a call says otherwise; empty: the config's first agent").tag(
        config=True
    )
    model = traitlets.Unicode("", help="endpoint/model that answers; empty: the agent's own").tag(config=True)
    temperature = traitlets.Float(None, allow_none=True, min=0, max=2, help="0 to 2; None: the agent's own").tag(
        config=True
    )
    max_output_tokens = traitlets.Int(None, allow_none=True, min=1, help="longest answer; None: no limit").tag(
        config=True
    )
    updates_per_second = traitlets.Float(10.0, min=0.1, max=30.0, help="how often a growing answer is redrawn").tag(
        config=True
    )

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self.ip = shell
        self.session = Session(self._make_bench)
        # A lambda, as IPython asks a matcher for its `__qualname__`, which a `partial` has not.
        self.completer = context_matcher(identifier="agentbench")(
            lambda context: complete(context, COMMANDS, self._known, partial(permitted, session=self.session))
        )

    @no_var_expand
    @line_cell_magic("agent")  # type: ignore[arg-type]  # IPython's types know only the form without a name
    def run_command(self, line: str, cell: str | None = None) -> object:
        """Chat with agents and look at what they did.

        %agent chat Why is the sky blue?      ask
        %agent usage                          every call and its tokens
        %agent help                           all commands and their options

        In a cell of its own, %%agent takes the cell's text as the prompt.
        """
        return _run_now(self._run(line, cell, blocking=True))

    @no_var_expand
    @line_cell_magic(AWAITED)  # type: ignore[arg-type]  # see above
    async def await_command(self, line: str, cell: str | None = None) -> object:
        """Do what %agent does, awaited: cells are rewritten to call this."""
        return await self._run(line, cell, blocking=False)

    async def _run(self, line: str, cell: str | None, *, blocking: bool) -> object:
        name, _, rest = line.strip().partition(" ")
        if cell is not None and name not in COMMANDS:
            name, rest = "chat", line
        command = COMMANDS.get(name or "help")
        if command is None:
            close = nearest(name, COMMANDS)
            hint = f"Did you mean %agent {close}?" if close else "To ask: %agent chat PROMPT. All commands: %agent help"
            raise InvalidRequest(f"There is no command {name!r}. {hint}")
        if cell is not None and cell.strip() and command.name not in _WITH_TEXT:
            raise InvalidRequest(
                f"%agent {command.name} takes no text below it. Write it on a line: %agent {command.name}"
            )
        options, text = parse(rest, command.options)
        if text and not command.argument:
            raise InvalidRequest(f"%agent {command.name} takes only options, not {text!r}: %agent help {command.name}")
        return await command.run(Call(self, options, text, cell, blocking or not self._in_kernel))

    @property
    def cell(self) -> Cell:
        """The cell that runs now; without an id where the notebook gives none."""
        from agentbench.runner import Cell

        parent = self.ip.get_parent() if hasattr(self.ip, "get_parent") else {}
        metadata = (parent or {}).get("metadata") or {}
        # `ip.execution_count` is the next cell's already, or still this one's in older IPython.
        count = self.ip.displayhook.prompt_count
        return Cell(
            id=metadata.get("cellId"),
            run=f"{self.session.id}:{count}",
            execution_count=count,
            notebook=os.environ.get("JPY_SESSION_NAME"),  # a Jupyter server tells its kernels the notebook's path
        )

    def canvas(self) -> Canvas:
        """Return where an answer is drawn: a cell's output in a kernel, standard output in a terminal."""
        from agentbench.notebook.display import NotebookCanvas, TerminalCanvas

        return NotebookCanvas(self.updates_per_second) if self._in_kernel else TerminalCanvas()

    @property
    def _in_kernel(self) -> bool:
        """Whether there is an event loop to keep free; a terminal's waits for the cell anyway."""
        return hasattr(self.ip, "kernel")

    def _make_bench(self) -> Workbench:
        from agentbench.workbench import Workbench

        return Workbench(self.config_file or None)

    def _known(self, what: Completes) -> Iterable[str]:
        if what == "variables":
            return [name for name in self.ip.user_ns if not name.startswith("_")]
        return GROUPS if what == "columns" else known_names(self.session.bench, what, self._known("variables"))


def _run_now(command: Coroutine[object, None, object]) -> object:
    """Run a command that blocks instead of waiting, and so ends at its first step."""
    try:
        command.send(None)
    except StopIteration as ended:
        return ended.value
    command.close()
    raise RuntimeError("a blocking command waited")
