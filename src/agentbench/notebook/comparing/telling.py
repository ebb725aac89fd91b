"""What a trial is in words: the line below an answer, what went wrong with it, and the cells of a table."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from agentbench.notebook.markdown import dollars, seconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from agentbench.protocol.trial import Trial

__all__ = ["line_of", "note_of", "row_of", "summary_of", "totals_of"]

_UNKNOWN = ""


def note_of(trial: Trial) -> str:
    """Return what went wrong with an answer; empty if nothing did."""
    match trial.status:
        case "completed":
            return ""
        case "incomplete":
            return f"Stopped early: {(trial.error_type or 'unknown').replace('_', ' ')}."
        case "failed":
            broke_off = (
                trial.answer and trial.error_type != "invalid_answer"
            )  # that one is whole, and not what was asked for
            return f"{'Broke off' if broke_off else 'Failed'}: {trial.error}"
    return f"Skipped: {trial.error}" if trial.error else "Skipped."


def line_of(trial: Trial) -> str:
    """Return tokens, time and cost in one line; what isn't known is left out."""
    parts = []
    if trial.input_tokens is not None or trial.output_tokens is not None:
        parts.append(f"{_count(trial.input_tokens, '?')} → {_count(trial.output_tokens, '?')} tokens")
    if trial.seconds is not None:
        parts.append(seconds(trial.seconds))
    if trial.cost is not None:
        parts.append(dollars(trial.cost))
    return " · ".join(parts)


def row_of(trial: Trial) -> tuple[str, ...]:
    """Return a trial as a table shows it: status, tokens in and out, cost, time, time to the first token."""
    times = (trial.seconds, trial.first_token)
    return (
        trial.status,
        _count(trial.input_tokens),
        _count(trial.output_tokens),
        _UNKNOWN if trial.cost is None else dollars(trial.cost),
        *(_UNKNOWN if each is None else seconds(each) for each in times),
    )


def summary_of(trials: Sequence[Trial]) -> tuple[str, ...]:
    """Return many trials of one answerer as `row_of` does one: sums, and the times in between."""
    return (
        _count_of(trials),
        _sum(trial.input_tokens for trial in trials),
        _sum(trial.output_tokens for trial in trials),
        _cost(trials),
        _median(trial.seconds for trial in trials),
        _median(trial.first_token for trial in trials),
    )


def totals_of(trials: Sequence[Trial], *, of: int | None = None) -> str:
    """Return how many answers there are, `of` how many that are asked for, and what they cost as far as it is known."""
    return " · ".join(filter(None, (_count_of(trials, of), _cost(trials))))


def _count_of(trials: Sequence[Trial], of: int | None = None) -> str:
    """Return how many answers there are, and how many are none."""
    kinds = {kind: sum(trial.status == kind for trial in trials) for kind in ("incomplete", "failed", "skipped")}
    number = f"{len(trials):,}" if of is None else f"{len(trials):,} of {of:,}"
    said = [f"{number} answer{'s' if (of or len(trials)) != 1 else ''}"]
    return ", ".join([*said, *(f"{number:,} {kind}" for kind, number in kinds.items() if number)])


def _count(tokens: int | None, unknown: str = _UNKNOWN) -> str:
    return unknown if tokens is None else f"{tokens:,}"


def _sum(values: Iterable[int | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{sum(known):,}" if known else _UNKNOWN


def _cost(trials: Sequence[Trial]) -> str:
    """Tell what is known, and of how many answers the cost is not."""
    known = [trial.cost for trial in trials if trial.cost is not None]
    unknown = sum(trial.cost is None and trial.status != "skipped" for trial in trials)
    if not known:
        return _UNKNOWN
    return dollars(sum(known)) + (f" + {unknown:,} unknown" if unknown else "")


def _median(values: Iterable[float | None]) -> str:
    known = [value for value in values if value is not None]
    return seconds(median(known)) if known else _UNKNOWN
