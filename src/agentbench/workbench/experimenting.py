"""A workbench's experiments: many prompts, many models, many settings, and a table of what came of each."""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from agentbench.runner.target import find_target
from agentbench.runner.tools import as_tool
from agentbench.workbench.asking import Asking

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from agentbench.frames.trials import Column, Frame
    from agentbench.workbench.experiments.candidates import Named
    from agentbench.workbench.experiments.experiment import Experiment
    from agentbench.workbench.experiments.limits import Limits
    from agentbench.workbench.experiments.scoring import Given, Scorer
    from agentbench.workbench.experiments.ways import Way

__all__ = ["Experimenting"]

_QUESTION = "?"
"""Stands for the prompts, which take its place."""


class Experimenting(Asking):
    """Compares, sweeps and maps."""

    def compare(
        self,
        prompts: str | Sequence[str] | Column,
        answerers: Named | Sequence[Named],
        *,
        progress: bool = True,
        **options: Any,
    ) -> Frame:
        """Ask several answerers the same, and return a row a trial: prompt by prompt, answerer by answerer.

        An answerer is an agent's id, an `endpoint/model`, an endpoint's name, or a dict of options of `stream`. Takes
        the options of `experiment`; what fails is a row, and an interrupt returns the rows there are.
        """
        from agentbench.frames.trials import trials_frame

        return trials_frame(self.experiment(prompts, answerers, **options).run(progress=progress))

    def sweep(
        self,
        prompts: str | Sequence[str] | Column,
        grid: Mapping[str, Sequence[Any]] | None = None,
        *,
        progress: bool = True,
        **options: Any,
    ) -> Frame:
        """Try every combination of a grid on every prompt, and return a row a trial, in the order of the grid.

        The grid's keys are options of `stream`, and settings of the endpoint such as `titlePrompt`; where settings of
        titles are tried, a row's answer is the title. Takes the options of `experiment`; what fails is a row, and an
        interrupt returns the rows there are.
        """
        from agentbench.frames.trials import trials_frame

        return trials_frame(self.experiment(prompts, grid=grid, **options).run(progress=progress))

    def map(
        self,
        table: Frame | Column,
        template: str,
        out: Any = None,
        *,
        progress: bool = True,
        **options: Any,
    ) -> Frame:
        """Ask a template of every row, and return the table with the answers as columns beside its own.

        `{{column}}` in the template is the row's value; a row that misses one is skipped. `out` names the column of
        answers (default: `answer`), or is a schema, whose fields are columns of its types: a pydantic model, a
        dataclass, a JSON schema, or a dict of names and types. Takes the options of `experiment`.
        """
        from agentbench.frames.trials import check_columns, mapped_frame
        from agentbench.workbench.experiments.shapes import columns_of

        columns, has_schema = columns_of(out), not isinstance(out, str | None)
        check_columns(table, columns)
        if has_schema:
            options["schema"] = out
        trials = self.experiment(template, over=table, **options).run(progress=progress)
        return mapped_frame(table, trials, columns, parsed=has_schema)

    def experiment(
        self,
        prompts: str | Sequence[str] | Column,
        answerers: Named | Sequence[Named] = (),
        *,
        grid: Mapping[str, Sequence[Any]] | None = None,
        over: Frame | Column | None = None,
        runs: int = 1,
        scorers: Given | Sequence[Given] | Mapping[str, Given] = (),
        at_once: int | Mapping[str, int] | None = None,
        budget_usd: float | None = None,
        budget_tokens: int | None = None,
        journal: str | Path | None = None,
        **settings: Any,
    ) -> Experiment:
        """Plan trials, which `run` of what this returns asks; `settings` hold for all, and are what a grid may have.

        With `over`, the prompt is a template whose `{{column}}` are values of its rows. `scorers` are functions of the
        answer, or of the answer and its trial, or a `judge`. `at_once` calls are in flight an endpoint, by its name or
        for all: 4, of a model in this process 2. What the budget doesn't allow is skipped. A `journal` is a file that
        keeps the trials: what it has isn't asked again. Raises `InvalidRequest` for what doesn't fit.
        """
        from agentbench.workbench.experiments.experiment import Experiment
        from agentbench.workbench.experiments.limits import Limits
        from agentbench.workbench.experiments.plan import attempts_of
        from agentbench.workbench.experiments.prompts import prompts_of

        limits = Limits(at_once)
        ways = self._ways(answerers, grid or {}, settings)
        limit = partial(self.budget, budget_usd, tokens=budget_tokens)
        return Experiment(
            attempts_of(prompts_of(prompts, over), ways, runs),
            self._open_loop(),
            limits,
            scorers=self._scorers(scorers, limits),
            budget=nullcontext if budget_usd is None and budget_tokens is None else limit,
            journal=journal,
        )

    def _ways(
        self, answerers: Named | Sequence[Named], grid: Mapping[str, Sequence[Any]], settings: Mapping[str, Any]
    ) -> list[Way]:
        from agentbench.workbench.experiments.candidates import answerers_of
        from agentbench.workbench.experiments.settings import combinations, shown_values

        named = [dict(each.options) for each in answerers_of(self, answerers)] if answerers else [{}]
        several = [one | combined for one in named for combined in combinations(grid)]
        return [self._way({**settings, **each}, shown_values(each)) for each in several]

    def _way(self, given: Mapping[str, Any], shown: dict[str, Any], *, context: str = "message") -> Way:
        """Return a way to ask with what is given. Raises `InvalidRequest` for what doesn't fit."""
        from agentbench.workbench.experiments.settings import is_about_titles, split, tuned
        from agentbench.workbench.experiments.shapes import shape_of
        from agentbench.workbench.experiments.titling import who_titles
        from agentbench.workbench.experiments.ways import Way

        named = self.find_target(given.get("agent"), given.get("model"))
        asked, settings = split(self.config, named.endpoint.name, given)
        files, functions, images = asked.pop("files", ()), asked.pop("functions", ()), asked.pop("images", ())
        schema = asked.pop("schema", None)
        shape = None if schema is None else shape_of(schema)
        turn, own = self._turn(
            _QUESTION, files, **{"store": False, **asked}, schema=None if shape is None else shape.schema
        )
        runner = self._runner
        if settings:
            runner = runner.trying(tuned(self.config, named.endpoint.name, settings, turn.agent))
        way = Way(
            turn=msgspec.structs.replace(turn, context=context, patient=True),
            runner=runner,
            target=find_target(runner.catalog, agent=turn.agent, model=turn.request.model, persona=turn.persona),
            tools=(*own, *map(as_tool, functions)),
            images=(images,) if isinstance(images, str) else tuple(images),
            shown=shown,
            given=settings,
            titles=is_about_titles(settings),
            shape=shape,
        )
        if way.titles:
            who_titles(way)
        return way

    def _scorers(self, given: Given | Sequence[Given] | Mapping[str, Given], limits: Limits) -> list[Scorer]:
        from agentbench.workbench.experiments.engine import asked
        from agentbench.workbench.experiments.judging import Judge
        from agentbench.workbench.experiments.scoring import named_scorers, scorer_of

        found = []
        for name, each in named_scorers(given):
            if isinstance(each, Judge):
                way = self._way({**each.options, "schema": each.schema}, {}, context="judge")
                found.append(each.scorer(name, way, partial(asked, limits=limits)))
            else:
                found.append(scorer_of(name, each))
        return found
