"""`%agent inspect`: a run event by event."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agentbench.errors import InvalidRequest
from agentbench.notebook.magics.options import Option, parse
from agentbench.notebook.tables import Table

if TYPE_CHECKING:
    from agentbench.notebook.magics.commands.base import Call
    from agentbench.notebook.widgets.inspector import Inspector
    from agentbench.protocol.recording import Recording

__all__ = ["Inspect"]

_NAME = re.compile(r"""("[^"]*"|'[^']*'|\S+)\s*(.*)""", re.DOTALL)


class Inspect:
    """Open the event inspector."""

    name = "inspect"
    summary = "A run event by event: timeline, grammar, replay, other protocols. The newest run if none is named."
    argument = "[RESPONSE]"
    options = (
        Option(("--beside",), "compare it with another run", "RESPONSE", completes="variables"),
        Option(("--save",), "write it to a file, one event a line, to be opened again", "FILE.jsonl"),
    )

    async def run(self, call: Call) -> Inspector | Table:
        """Return the inspector, or what was written."""
        from agentbench.notebook.inspector.runs import Runs
        from agentbench.notebook.widgets.inspector import Inspector

        name, options = self._read(call)
        runs = Runs(call.session.bench)
        recording = runs.find(_named(call, name))
        if file := options.get("save"):
            return _saved(recording, file)
        beside = _named(call, options.get("beside", ""))
        return Inspector(recording, None if beside is None else runs.find(beside), runs=runs)

    def _read(self, call: Call) -> tuple[str, dict[str, Any]]:
        """Return the run's name and the options, which may stand before and after it."""
        if (found := _NAME.fullmatch(call.text)) is None:
            return "", call.options
        options, left = parse(found[2], self.options)
        if left:
            raise InvalidRequest(f"Name one run, not also {left!r}. To compare two: %agent inspect ONE --beside OTHER")
        return found[1], call.options | options


def _named(call: Call, text: str) -> Any:
    """Return what a word stands for: a variable of the person's, else itself, an id or a path; None for no word."""
    word = text.strip().strip("\"'")
    return call.namespace.get(word, word) if word else None


def _saved(recording: Recording, name: str) -> Table:
    file = Path(name).expanduser()
    try:
        file.write_text(recording.to_jsonl(), encoding="utf-8")
    except OSError as error:
        raise InvalidRequest(f"--save {file}: {error.strerror or error}.", param="save") from error
    return Table(("written to", "events"), [(str(file), f"{len(recording.events):,}")])
