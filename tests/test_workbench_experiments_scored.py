"""Scores of answers: plain functions, those to await, what they may return, and models as judges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import pandas as pd
import pytest
from tests.runner.fakes import FakeProvider

import agentbench
from agentbench import Workbench
from agentbench.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentbench.protocol.trial import Trial

PAID = {"input_tokens": 1000, "output_tokens": 1000}
CONFIG: dict[str, Any] = {
    "endpoints": {
        "scripted": {
            "models": {
                "m": [{"text": "Paris"}, {"usage": {"input_tokens": 3, "output_tokens": 2}}],
                "n": [{"text": "Half"}, {"error": "It fell over."}],
                "verdict": [{"text": '{"reason": "It is.", "score": 0.75}'}, {"usage": PAID}],
                "wild": [{"text": '{"reason": "Wow.", "score": 75}'}],
                "vague": [{"text": "Rather good."}],
            },
            "tokenConfig": {"verdict": {"prompt": 5, "completion": 5, "context": 9000}},
        }
    },
    "agents": [{"id": "bot", "endpoint": "scripted", "model": "m"}],
}


@pytest.fixture
def bench() -> Iterator[Workbench]:
    """Give a workbench of scripts."""
    with Workbench(CONFIG) as bench:
        yield bench


def scored(bench: Workbench, scorers: Any, **options: Any) -> pd.Series:
    """Return the row of one trial."""
    return bench.sweep("Capital of France?", scorers=scorers, progress=False, **options).iloc[0]


def test_functions(bench: Workbench) -> None:
    """A scorer sees the answer, or the trial too; True is 1, None is no score, and a dict's are under its name."""

    def right(answer: str, trial: Trial) -> bool:
        return answer == "Paris" and trial.prompt.startswith("Capital")

    def several(answer: str) -> dict[str, Any]:
        return {"words": 1, "long": len(answer) > 9}

    row = scored(bench, [len, right, several, lambda _: None])
    assert row.filter(like="score_").fillna(-1).to_dict() == {
        "score_len": 5,
        "score_right": 1,
        "score_several.words": 1,
        "score_several.long": 0,
        "score_lambda": -1,
    }


def test_names(bench: Workbench) -> None:
    """A mapping names scorers; two of one name are refused."""
    assert scored(bench, {"characters": len})["score_characters"] == 5
    with pytest.raises(InvalidRequest, match="Two scorers are called 'len'"):
        scored(bench, [len, len])


def test_scorers_to_await(bench: Workbench) -> None:
    """A scorer may be async, or return what is to be awaited; columns keep the order of the scorers."""

    async def slow(answer: str) -> int:
        await anyio.lowlevel.checkpoint()
        return len(answer)

    row = scored(bench, {"b": slow, "c": len, "a": lambda answer: slow(answer)})  # noqa: PLW0108 - it isn't async itself
    assert row.filter(like="score_").to_dict() == {"score_b": 5, "score_c": 5, "score_a": 5}


def test_scorers_that_raise(bench: Workbench) -> None:
    """What a scorer raises, or returns that is no number, is a note in place of a score."""

    async def waits(_: str) -> float:
        raise ValueError("no")

    row = scored(bench, {"a": lambda _: 1 / 0, "b": lambda _: "good", "c": waits, "d": len})
    assert row.filter(like="score_").isna().tolist() == [True, True, True, False]
    assert row["note_a"] == "ZeroDivisionError: division by zero"
    assert "not str" in row["note_b"]
    assert row["note_c"] == "ValueError: no"


def test_failed_answers_have_no_score(bench: Workbench) -> None:
    """An answer that broke off isn't scored, nor judged."""
    row = scored(bench, [len, agentbench.judge("Good?", model="scripted/verdict")], model="scripted/n")
    assert row.filter(like="score_").isna().all()
    assert len(bench.usage()) == 1


def test_judge(bench: Workbench) -> None:
    """A judge gives a score and its reason; its cost is in the ledger, not in the trial."""
    row = scored(bench, agentbench.judge("Is it right?", model="scripted/verdict"))
    usage = bench.usage().set_index("context")
    assert (row["score_judge"], row["note_judge"], row["cost"]) == (0.75, "It is.", 0)
    assert usage["cost"].to_dict() == {"message": 0, "judge": 0.01}


def test_what_a_judge_is_asked(bench: Workbench) -> None:
    """A judge sees prompt, answer, scale and its question with the row's values, and is to answer in JSON."""
    made: Any = bench._providers._made
    made["scripted"] = fake = FakeProvider('{"reason": "", "score": 3}')
    table = pd.DataFrame({"land": ["France"], "city": ["Paris"]})
    judge = agentbench.judge("Does it name {{city}}?", scale=(1, 5), name="grade", temperature=0)
    frame = bench.sweep("Capital of {{land}}?", over=table, scorers=judge, progress=False)
    asked: Any = fake.requests[1]
    for part in ("Capital of France?", "Does it name Paris?", "from 1 to 5"):
        assert part in asked.input[0].text
    assert (asked.temperature, [*asked.text.format.schema["properties"]]) == (0, ["reason", "score"])
    assert frame["score_grade"].tolist() == [3]


@pytest.mark.parametrize(
    ("question", "model", "told"),
    [
        ("Good?", "wild", "not from 0 to 1"),
        ("Good?", "vague", "not the JSON"),
        ("Good?", "n", "fell over"),
        ("Like {{gold}}?", "verdict", "no column"),
    ],
)
def test_judges_that_cannot_tell(bench: Workbench, question: str, model: str, told: str) -> None:
    """A judge without a score on its scale says why in a note."""
    row = scored(bench, agentbench.judge(question, model=f"scripted/{model}"))
    assert (bool(pd.isna(row["score_judge"])), told in row["note_judge"]) == (True, True)


def test_a_judge_counts_in_the_budget(bench: Workbench) -> None:
    """What a judge may cost is within the experiment's budget."""
    judge = agentbench.judge("Good?", model="scripted/verdict", max_output_tokens=1000)
    frame = bench.sweep("Hi", runs=4, scorers=judge, budget_usd=0.0251, at_once=1, progress=False)
    assert frame["status"].tolist() == ["completed"] * 4
    assert frame["score_judge"].notna().tolist() == [True, True, False, False]
    assert "budget" in frame["note_judge"].iloc[-1]


def test_bad_judges() -> None:
    """A judge needs a question and a scale."""
    with pytest.raises(InvalidRequest, match="scale"):
        agentbench.judge("Good?", scale=(1, 0))
    with pytest.raises(InvalidRequest, match="question"):
        agentbench.judge(" ")


def test_a_judge_that_nobody_knows(bench: Workbench) -> None:
    """Who judges is looked up before anything is asked."""
    with pytest.raises(InvalidRequest, match="Did you mean 'bot'"):
        scored(bench, agentbench.judge("Good?", agent="bott"))
    assert len(bench.usage()) == 0
