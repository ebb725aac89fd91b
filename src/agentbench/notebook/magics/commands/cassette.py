"""`%agent cassette`: records what goes out of this notebook and comes back, and replays it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from agentbench.errors import InvalidRequest, nearest
from agentbench.notebook.magics.interpolate import interpolate
from agentbench.notebook.magics.options import Option, first_word, parse
from agentbench.notebook.tables import Table

if TYPE_CHECKING:
    from agentbench.notebook.magics.commands.base import Call
    from agentbench.providers.cassettes.cassette import Mode
    from agentbench.workbench import Workbench
    from agentbench.workbench.taping import InsertedCassette

__all__ = ["MODES", "TOOL_RUNS", "Cassette"]

MODES = ("record", "replay", "auto")
TOOL_RUNS = ("run", "replay")


def _tool_runs(text: str) -> str:
    if text not in TOOL_RUNS:
        raise ValueError
    return text


class Cassette:
    """Put a cassette in, or take it out."""

    name = "cassette"
    summary = "Record what models and tools answer in a file, or replay it from one; without a word: what is in."
    argument = "[record FILE | replay FILE | auto FILE | off]"
    options = (
        Option(("--pace",), "replay as slowly as it was recorded"),
        Option(("--tools",), "whether tools run again in a replay, or are replayed too", "run|replay", _tool_runs),
        Option(("--hide",), "what must never be in the file, beside keys", "REGEX"),
    )

    async def run(self, call: Call) -> Table:
        """Return what is in, or was until now, and what it did."""
        bench = call.session.bench
        word, rest = first_word(call.text)
        if word in MODES:
            file, rest = first_word(rest)
            return _put_in(
                bench, cast("Mode", word), interpolate(file, call.namespace), call.options | self._late(rest)
            )
        if word not in ("", "off"):
            hint = f" Did you mean {close}?" if (close := nearest(word, (*MODES, "off"))) else ""
            raise InvalidRequest(f"There is no %agent cassette {word}.{hint} Write {self.argument.strip('[]')}.")
        inserted = bench.inserted
        if word and inserted is not None:
            inserted.eject()
        return _table(inserted, out=bool(word))

    def _late(self, text: str) -> dict[str, Any]:
        """Return the options that stand after the file."""
        options, more = parse(text, self.options)
        if more:
            raise InvalidRequest(f"{more!r} is too much. Write a name with blanks as 'my demo.jsonl'.")
        return options


def _put_in(bench: Workbench, mode: Mode, file: str, options: dict[str, Any]) -> Table:
    if not file:
        raise InvalidRequest(f"Name a file: %agent cassette {mode} demo.jsonl")
    if bench.inserted is not None:
        bench.inserted.eject()
    hide = [options.pop("hide")] if "hide" in options else []
    return _table(bench.cassette(file, mode, hide=hide, **options))


def _table(cassette: InsertedCassette | None, *, out: bool = False) -> Table:
    columns = ("cassette", "mode", "played", "recorded", "missed")
    if cassette is None:
        return Table(columns, [], note="There is none in. To put one in: %agent cassette auto demo.jsonl")
    row = (cassette.path, cassette.mode, cassette.played, cassette.recorded, cassette.missed)
    return Table(columns, [row], note="It was taken out." if out else "To take it out: %agent cassette off")
