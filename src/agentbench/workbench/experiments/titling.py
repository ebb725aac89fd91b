"""An attempt whose answer is a conversation's title, for those who tune how titles are made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from agentbench.runner.run import Run
from agentbench.runner.title_prompts import title_request
from agentbench.runner.title_text import cleaned, structured_title
from agentbench.runner.titles import title_target

if TYPE_CHECKING:
    from agentbench.protocol.trial import Trial
    from agentbench.runner.target import Target
    from agentbench.workbench.experiments.ways import Way

__all__ = ["title_run", "title_trial", "who_titles"]


def who_titles(way: Way) -> Target:
    """Return who makes the titles. Raises `InvalidRequest` or `UnknownName` if nobody can."""
    return title_target(way.runner.catalog, way.target)


def title_run(way: Way, prompt: str, answer: str, target: Target) -> Run:
    """Return a run that asks for the title of a conversation that begins so."""
    runner, titles = way.runner, way.target.endpoint.titles
    turn = msgspec.structs.replace(
        way.turn,
        request=title_request(prompt, answer, titles, target),
        context="title",
        past=(),
        documents=(),
        budgets=runner.budgets.now(),
    )
    return Run(
        turn,
        target,
        runner.providers.of(target.endpoint),
        runner.database,
        purse=runner.purse if runner.catalog.balance.enabled else None,
        ledger=runner.catalog.keeps_ledger,
    )


def title_trial(way: Way, trial: Trial) -> Trial:
    """Return the trial with the title that its answer holds; one without a title has failed."""
    if trial.answer is None:
        return trial
    read = structured_title if way.target.endpoint.titles.method == "structured" else cleaned
    if title := read(trial.answer):
        return msgspec.structs.replace(trial, answer=title)
    message = "The answer holds no title."
    return msgspec.structs.replace(trial, status="failed", error=message, error_type="invalid_answer")
