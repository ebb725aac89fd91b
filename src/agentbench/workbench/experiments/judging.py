"""A model as a scorer: what it is asked, and what its answer says."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from agentbench.errors import InvalidRequest, UpstreamError
from agentbench.workbench.experiments.prompts import filled
from agentbench.workbench.experiments.scoring import Scorer, Verdict
from agentbench.workbench.experiments.ways import Attempt

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from agentbench.protocol.trial import Trial
    from agentbench.workbench.experiments.ways import Way

__all__ = ["Judge", "judge"]

_ASKED = """\
<question>
{prompt}
</question>
<answer>
{answer}
</answer>

{question}
First give a reason in one sentence. Then give a score from {low:g} to {high:g}; {high:g} is best."""


@dataclass(frozen=True, slots=True)
class Judge:
    """A scorer made of a model; `options` are those of `Workbench.stream`."""

    question: str
    scale: tuple[float, float] = (0, 1)
    name: str = "judge"
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def schema(self) -> dict[str, Any]:
        """What it is to answer: the reason comes first, so that the score follows from it."""
        low, high = self.scale
        return {
            "type": "object",
            "properties": {
                "reason": {"type": "string"},
                "score": {"type": "number", "minimum": low, "maximum": high},
            },
            "required": ["reason", "score"],
            "additionalProperties": False,
        }

    def prompt(self, trial: Trial) -> str:
        """Return what the model is asked about a trial."""
        try:
            question = filled(self.question, trial.inputs)
        except KeyError as error:
            raise InvalidRequest(f"The judge's question names {error}, which is no column of the prompts.") from None
        low, high = self.scale
        return _ASKED.format(prompt=trial.prompt, answer=trial.answer, question=question, low=low, high=high)

    def verdict(self, answered: Trial) -> Verdict:
        """Read the model's answer; raise `UpstreamError` if it holds no score."""
        if answered.error is not None:
            raise UpstreamError(answered.error)
        found = answered.parsed if isinstance(answered.parsed, dict) else {}
        score, (low, high) = found.get("score"), self.scale
        if isinstance(score, bool) or not isinstance(score, int | float) or not low <= score <= high:
            raise UpstreamError(f"The judge's score is not from {low:g} to {high:g}.")
        return Verdict(float(score), str(found.get("reason") or ""))

    def scorer(self, name: str, way: Way, ask: Callable[[Attempt], Awaitable[Trial]]) -> Scorer:
        """Return the scorer that asks in this way."""

        async def call(trial: Trial) -> Verdict:
            attempt = Attempt(place=trial.place, run=trial.run, prompt=self.prompt(trial), inputs={}, way=way)
            return self.verdict(await ask(attempt))

        mark = msgspec.json.encode([self.question, self.scale]) + way.digest()
        return Scorer(name, call, waits=True, mark=hashlib.sha256(mark).hexdigest())


def judge(
    question: str,
    *,
    agent: str | None = None,
    model: str | None = None,
    scale: tuple[float, float] = (0, 1),
    name: str = "judge",
    **options: Any,
) -> Judge:
    """Return a scorer that has a model judge each answer, for the `scorers` of `compare`, `sweep` and `map`.

    `question` says what to look at, such as "Is it correct?"; `{{column}}` in it is a value of the trial's row. `agent`
    and `model` say who judges, as in `Workbench.stream`, whose other `options` it takes. The score is on the `scale`,
    its reason in the column `note_NAME`. Its calls count in the ledger (context `judge`) and in budgets, not in the
    trial's own tokens and cost.
    """
    low, high = scale
    if not low < high:
        raise InvalidRequest("A judge's scale goes from a lower number to a higher one.", param="scale")
    if not question.strip():
        raise InvalidRequest("A judge needs a question, such as 'Is it correct?'", param="question")
    who = {"agent": agent, "model": model}
    return Judge(question, (low, high), name, {**{k: v for k, v in who.items() if v is not None}, **options})
