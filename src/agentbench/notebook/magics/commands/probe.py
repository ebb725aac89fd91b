"""`%agent probe`: ask a server that claims to speak Responses or chat completions, and see which rules it breaks."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Any

from agentbench.errors import InvalidRequest
from agentbench.notebook.magics.options import Option, parse
from agentbench.notebook.tables import Table

if TYPE_CHECKING:
    from agentbench.notebook.magics.commands.base import Call
    from agentbench.notebook.widgets.inspector import Inspector
    from agentbench.protocol.recording import Recording

__all__ = ["Probe"]


class Probe:
    """Record a run of any server."""

    name = "probe"
    summary = "Ask a server at an address, record what it streams, and see which rules of the protocol that breaks."
    argument = "BASE_URL [PROMPT]"
    options = (
        Option(("-m", "--model"), "which model to ask; without it the first that the server lists", "MODEL"),
        Option(("--protocol",), "responses or chat; without it the first that works", "NAME"),
        Option(("--key",), "the environment variable that holds the server's key", "VAR"),
        Option(("--seconds",), "how long to listen at most; without it 60", "N", float),
    )

    async def run(self, call: Call) -> Inspector | Table:
        """Return the inspector on the recording; in a terminal, the table of the rules that were broken."""
        from agentbench.providers.probe import probe

        address, _, rest = call.text.partition(" ")
        if not address:
            raise InvalidRequest("Write %agent probe BASE_URL, such as http://127.0.0.1:8017/api/agents/v1.")
        options, prompt = parse(rest, self.options)
        ask = partial(probe, address, **_arguments(call.options | options, prompt))
        recording = _in_a_thread(ask) if call.blocking else await ask()
        return _inspected(recording) if hasattr(call.magics.ip, "kernel") else _table(recording)


def _arguments(options: dict[str, Any], prompt: str) -> dict[str, Any]:
    from agentbench.providers.probe import key_in

    given: dict[str, Any] = {name: options[name] for name in ("model", "protocol", "seconds") if name in options}
    if prompt:
        given["prompt"] = prompt
    if "key" in options:
        given["key"] = key_in(os.environ, options["key"])
    return given


def _in_a_thread(ask: Any) -> Recording:
    """Wait where nothing may be awaited: the event loop of this thread may run already."""
    from anyio.from_thread import start_blocking_portal

    with start_blocking_portal() as portal:
        recording: Recording = portal.call(ask)
    return recording


def _inspected(recording: Recording) -> Inspector:
    from agentbench.notebook.widgets.inspector import Inspector

    return Inspector(recording)


def _table(recording: Recording) -> Table:
    from agentbench.protocol.grammar import check_recording, summary, violation_rows

    violations = check_recording(recording)
    note = " ".join((f"{summary(recording, violations)}.", *recording.notes))
    return Table(("rule", "event", "message"), violation_rows(violations), note=note)
