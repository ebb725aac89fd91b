"""`%agent compare`: ask several at once, and see their answers side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentbench.errors import AnswerFailed, InvalidRequest
from agentbench.notebook.magics.compared import prompts_of_call, settings_of, who_is_asked
from agentbench.notebook.magics.options import Option
from agentbench.notebook.tables import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentbench.notebook.comparing.board import Board
    from agentbench.notebook.comparison import Comparison
    from agentbench.notebook.magics.commands.base import Call
    from agentbench.protocol.trial import Trial
    from agentbench.runner.quote import Quote
    from agentbench.workbench.experiments.candidates import Candidate
    from agentbench.workbench.experiments.experiment import Experiment

__all__ = ["Compare"]


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _numbers(text: str) -> list[float]:
    numbers = [float(each) for each in text.split(",")]
    return [int(each) if each.is_integer() else each for each in numbers]


class Compare:
    """Ask several."""

    name = "compare"
    summary = "Ask several at once, and see their answers side by side. In a cell of its own the body is the prompt."
    argument = "[PROMPT]"
    options = (
        Option(
            ("-a", "--agents"),
            "who answers: agents, assistants, endpoints, ENDPOINT/MODEL; several with commas",
            "NAMES",
            _names,
            completes="answerers",
        ),
        Option(
            ("-m", "--models"),
            "which models answer too; several with commas",
            "ENDPOINT/MODEL",
            _names,
            completes="models",
        ),
        Option(
            ("-t", "--temperature"), "0 is sober, 2 is wild; several with commas, to compare them", "NUMBERS", _numbers
        ),
        Option(("--runs",), "how often each is asked", "NUMBER", int),
        Option(
            ("--over",),
            "ask of each row of a DataFrame (df), a column (df.text) or a list; {{column}} in the prompt is the row's",
            "VAR",
            completes="variables",
        ),
        Option(("--continue",), "ask after what was said in this conversation, which stays as it is"),
        Option(("--max", "--max-output-tokens"), "stop each answer after so many tokens", "TOKENS", int),
        Option(("--system",), "instructions for this call, after the agents' own", "TEXT"),
        Option(
            ("--json",),
            "answer in JSON of this shape: a variable with a schema or a model class",
            "SCHEMA_VAR",
            completes="variables",
        ),
        Option(
            ("-f", "--files"),
            "what the answers may rest on: collections, files, web pages; several with commas",
            "NAMES",
            _names,
            completes="collections",
        ),
        Option(("--to",), "keep the comparison in a variable of this name", "NAME"),
        Option(("--raw",), "send {{braces}} as they are, without putting values in"),
        Option(("--dry-run",), "ask nobody; show what it would cost at most"),
    )

    async def run(self, call: Call) -> Comparison | Table:
        """Show the answers as they come; raise `AnswerFailed` if nobody answers, with the comparison as `response`."""
        who, settings, (prompts, over) = who_is_asked(call), settings_of(call), prompts_of_call(call)
        named = [dict(each.options) for each in who]
        experiment = call.session.bench.experiment(
            prompts, named, over=over, runs=call.options.get("runs", 1), **settings
        )
        if not experiment.attempts:
            raise InvalidRequest(f"--over {call.options['over']}: there are no rows, so there is nothing to ask.")
        ways = dict(zip(dict.fromkeys(each.way for each in experiment.attempts), who, strict=True))
        asked = [ways[each.way] for each in experiment.attempts]
        if call.options.get("dry_run"):
            return _quoted(call, [each.prompt for each in experiment.attempts], asked, settings)
        return await _shown(call, experiment, [each.label for each in asked])


async def _shown(call: Call, experiment: Experiment, names: Sequence[str]) -> Comparison:
    """Ask, and show what comes."""
    from agentbench.notebook.comparing.watching import watch
    from agentbench.notebook.comparison import Comparison

    session, run = call.session, call.cell.run
    live = experiment.live()
    board = _board(call, live.trials, names)
    try:
        stopped = await watch(live, board, blocking=call.blocking, interrupted=session.interrupted_run == run)
    finally:
        board.finish(live.trials)
    comparison = Comparison(live.trials, names)
    if name := call.options.get("to"):
        call.namespace[name] = comparison
    if stopped:
        session.interrupted_run = run
    elif not any(each.status in ("completed", "incomplete") for each in comparison):
        raise AnswerFailed(f"Nobody answered. {names[0]}: {comparison.trials[0].error}", comparison)
    return comparison


def _board(call: Call, trials: Sequence[Trial], names: Sequence[str]) -> Board:
    from agentbench.notebook.comparing.board import NotebookBoard, TerminalBoard

    if hasattr(call.magics.ip, "kernel"):
        return NotebookBoard(trials, names, call.magics.updates_per_second)
    return TerminalBoard(trials, names)


def _quoted(call: Call, prompts: Sequence[str], who: Sequence[Candidate], settings: dict[str, Any]) -> Table:
    """Show what asking would cost, as an answer is shown, and return it."""
    from IPython.display import display

    quotes: dict[str, list[Quote]] = {each.label: [] for each in who}
    for prompt, each in zip(prompts, who, strict=True):
        found = call.session.bench.quote(prompt, **{**settings, **each.options})
        quotes[each.label] += [quote for quote in found if quote.chosen]
    rows = [(label, *_sums(several)) for label, several in quotes.items()]
    note = "Nothing was sent. Estimates, of one call of the model an answer. Prices: %agent prices"
    table = Table(("answerer", "model", "answers", "input tokens", "input", "at most"), rows, note=note)
    display(table)
    return table


def _sums(quotes: Sequence[Quote]) -> tuple[str, ...]:
    from agentbench.runner.budget import dollars

    def usd(values: Sequence[float | None]) -> str:
        known = [value for value in values if value is not None]
        return f"~{dollars(sum(known))}" if len(known) == len(values) else "unknown"

    tokens = sum(quote.input_tokens for quote in quotes)
    costs = (usd([quote.input_usd for quote in quotes]), usd([quote.worst_usd for quote in quotes]))
    return (quotes[0].name, f"{len(quotes):,}", f"~{tokens:,}", *costs)
