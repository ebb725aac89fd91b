"""Experiments of a workbench: what is planned, asked at once, allowed, interrupted, and shown on the way."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from tests.runner.fakes import HANG, FakeProvider, SteppedProvider

from agentbench import Workbench
from agentbench.errors import (
    ConfigError,
    InvalidRequest,
    UnknownName,
    UpstreamRateLimited,
    UpstreamRefused,
    UpstreamTimeout,
)
from agentbench.runner import Cell

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from agentbench.protocol import CreateResponse

    Put = Callable[[FakeProvider], FakeProvider]

PAID = {"input_tokens": 1000, "output_tokens": 1000}
CONFIG: dict[str, Any] = {
    "endpoints": {
        "scripted": {
            "models": {
                "m": [{"text": "one two three"}, {"usage": {"input_tokens": 3, "output_tokens": 2}}],
                "n": [{"text": "Half"}, {"error": "It fell over."}],
                "paid": [{"text": "word"}, {"usage": PAID}],
                "cut": [{"text": "Half"}, {"finish": "length"}],
            },
            "tokenConfig": {"paid": {"prompt": 5, "completion": 5, "context": 9000}},
        },
    },
    "agents": [
        {"id": "bot", "endpoint": "scripted", "model": "m", "instructions": "Be kind."},
        {"id": "titled", "endpoint": "scripted", "model": "m", "titlePrompt": "Its own: {convo}"},
    ],
}


class Counting(FakeProvider):
    """Notes how many upstreams were open at once at most."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.most = 0

    @asynccontextmanager
    async def open(self, *_: object) -> AsyncIterator[AsyncIterator[Any]]:
        """Count, and let the others come to the same place."""
        self.now += 1
        self.most = max(self.most, self.now)
        for _ in range(20):
            await asyncio.sleep(0)
        async with super().open() as upstream:
            yield upstream
        self.now -= 1


class Racing(FakeProvider):
    """Answers with the question; the first asked is the last to end."""

    def encode(self, request: CreateResponse, _: Any) -> CreateResponse:
        """Take the question as the answer."""
        self.requests.append(request)
        return request

    @asynccontextmanager
    async def open(self, request: Any, *_: object) -> AsyncIterator[AsyncIterator[Any]]:
        """Wait the longer the earlier it was asked."""
        said = request.input[0].text

        async def chunks() -> AsyncIterator[str]:
            for _ in range(40 - 10 * int(said)):
                await asyncio.sleep(0)
            yield said

        yield chunks()


@pytest.fixture
def bench() -> Iterator[Workbench]:
    """Give a workbench of scripts."""
    with Workbench(CONFIG) as bench:
        yield bench


@pytest.fixture
def upstream(bench: Workbench) -> Put:
    """Return a function that puts a fake in place of the scripts."""

    def put(provider: FakeProvider) -> FakeProvider:
        made: Any = bench._providers._made
        made["scripted"] = provider
        return provider

    return put


# -- the plan -------------------------------------------------------------------------------------------------------


def test_grid_order(bench: Workbench) -> None:
    """Rows come prompt by prompt, of each the grid's last key changing fastest, of each run by run."""
    frame = bench.sweep(["a", "b"], {"model": ["scripted/m"], "temperature": [0, 1]}, runs=2, progress=False)
    assert [(*"aaaabbbb",), [0, 0, 1, 1] * 2, [1, 2] * 4] == [
        tuple(frame["prompt"]),
        frame["temperature"].tolist(),
        frame["run"].tolist(),
    ]


def test_rows_do_not_depend_on_who_ends_first(bench: Workbench, upstream: Put) -> None:
    """Trials that end in another order stand in the order of the prompts."""
    upstream(Racing())
    ended: list[int] = []
    trials = bench.experiment(["0", "1", "2", "3"]).run(
        progress=False, see=lambda index, piece: None if isinstance(piece, list) else ended.append(index)
    )
    assert (ended, [each.answer for each in trials]) == ([3, 2, 1, 0], ["0", "1", "2", "3"])


def test_answerers(bench: Workbench) -> None:
    """An answerer is an agent, an endpoint, an endpoint's model, or a dict of options, which are settings."""
    named = ["titled", "scripted", "scripted/paid", {"agent": "bot", "temperature": 0.5}]
    frame = bench.compare("Hi", named, progress=False)
    assert frame["agent"].tolist() == ["titled", "bot", "bot", "bot"]
    assert frame["model"].tolist() == ["scripted/m", "scripted/m", "scripted/paid", "scripted/m"]
    assert frame["temperature"].eq(0.5).fillna(False).tolist() == [False, False, False, True]  # noqa: FBT003 - pandas' way


def test_settings_reach_the_upstream(bench: Workbench, upstream: Put) -> None:
    """What the grid says is what is asked: parameters, instructions, and settings of the endpoint."""
    fake = upstream(FakeProvider())
    bench.sweep("Hi", {"instructions": ["Shout."], "temperature": [0.25]}, max_output_tokens=7, progress=False)
    asked = fake.requests[0]
    assert (asked.instructions, asked.temperature, asked.max_output_tokens) == ("Be kind.\n\nShout.", 0.25, 7)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"grid": {"temprature": [1]}}, "Did you mean 'temperature'"),
        ({"grid": {"title_prompt": ["{convo}"]}}, "Did you mean 'titlePrompt'"),
        ({"grid": {"titlePrompt": ["no place"]}}, r"must hold \{convo\}"),
        ({"grid": {"temperature": [9]}}, "temperature"),
        ({"grid": {"temperature": 1}}, "Give a list"),
        ({"grid": {"apiKey": ["secret"]}}, "There is no option or setting"),
        ({"answerers": ["bott"]}, "Did you mean 'bot'"),
        ({"answerers": ["scripted/mm"]}, "scripted/m"),
        ({"runs": 0}, "runs=1"),
        ({"at_once": 0}, "at_once=1"),
        ({"scorers": [1]}, "no scorer"),
    ],
)
def test_bad_arguments(bench: Workbench, upstream: Put, options: dict[str, Any], told: str) -> None:
    """What doesn't fit is refused before anything is asked."""
    fake = upstream(FakeProvider())
    with pytest.raises(InvalidRequest, match=told):
        bench.experiment("Hi", **options).run()
    assert fake.requests == []


def test_titles_are_measured(bench: Workbench, upstream: Put) -> None:
    """Where a title's settings are tried, its prompt is what is asked and the answer is the title."""
    fake = upstream(FakeProvider('"A Title"'))
    frame = bench.sweep("Why?", {"titlePrompt": ["A: {convo}", "B: {convo}"]}, agent="titled", progress=False)
    assert frame["answer"].tolist() == ["A Title", "A Title"]
    assert [each.input[0].text for each in fake.requests] == ["A: User: Why?", "B: User: Why?"]  # type: ignore[union-attr]
    assert {"title"} == set(bench.usage()["context"])


def test_final_titles_come_after_the_answer(bench: Workbench, upstream: Put) -> None:
    """A title that is made of question and answer has the answer asked for first."""
    fake = upstream(SteppedProvider(["the answer"], ["Title"]))
    frame = bench.sweep("Why?", {"titleTiming": ["final"]}, progress=False)
    assert frame["answer"].tolist() == ["Title"]
    assert "AI: the answer" in fake.requests[1].input[0].text  # type: ignore[union-attr]


def test_config_stays(bench: Workbench) -> None:
    """Settings that are tried hold for the trials only."""
    before = bench.catalog
    bench.sweep("Hi", {"streamRate": [25, 30]}, progress=False)
    assert before is bench.catalog


# -- what fails, and what is counted --------------------------------------------------------------------------------


def test_failures_are_rows(bench: Workbench, upstream: Put) -> None:
    """A refusal, a rate limit, a timeout and a bug are rows with the error's code, like in the ledger."""
    errors = [UpstreamRefused("No."), UpstreamRateLimited("Later."), UpstreamTimeout("Silent."), RuntimeError("Bug")]
    upstream(SteppedProvider(*errors, ["fine"]))
    frame = bench.sweep([*"abcde"], at_once=1, progress=False)
    codes = ["upstream_refused", "rate_limit_exceeded", "upstream_timeout", "server_error"]
    assert codes == frame["error_type"].tolist()[:4]
    assert frame["status"].tolist() == ["failed"] * 4 + ["completed"]
    assert frame["cost"].tolist()[:4] == [0, 0, 0, 0]


def test_broken_and_cut_answers(bench: Workbench) -> None:
    """An answer that broke off has failed, one that was cut is incomplete; both keep what came."""
    frame = bench.compare("Hi", ["scripted/n", "scripted/cut"], progress=False)
    assert frame["status"].tolist() == ["failed", "incomplete"]
    assert frame["error_type"].tolist() == ["upstream_error", "max_output_tokens"]
    assert frame["answer"].tolist() == ["Half", "Half"]


def test_empty_prompts_are_skipped(bench: Workbench, upstream: Put) -> None:
    """There is nothing to ask where a prompt is missing or empty."""
    fake = upstream(FakeProvider())
    frame = bench.sweep(["", "a"], progress=False)
    assert (frame["status"].tolist(), len(fake.requests)) == (["skipped", "completed"], 1)


def test_ledger_has_all(bench: Workbench) -> None:
    """Each trial is a row of the ledger, with its cell and no conversation; nothing is kept as one."""
    cell = Cell(id="c1", run="r1", execution_count=3)
    frame = bench.sweep("Hi", runs=3, cell=cell, progress=False)
    usage = bench.usage()
    assert sorted(frame["response_id"]) == sorted(usage["response_id"])
    assert {"c1"} == set(usage["cell_id"])
    assert (usage["conversation_id"].isna().all(), bench.conversations()) == (True, [])


def test_at_once(bench: Workbench, upstream: Put) -> None:
    """No more than so many calls are in flight at an endpoint, judges' included; four where nobody says."""
    for at_once, most in ((None, 4), (2, 2), ({"scripted": 3}, 3)):
        fake = upstream(Counting())
        bench.sweep("Hi", runs=12, at_once=at_once, progress=False)
        assert most == fake.most  # type: ignore[attr-defined]


# -- budgets --------------------------------------------------------------------------------------------------------


def test_budget_skips_the_rest(bench: Workbench) -> None:
    """What a budget doesn't allow is skipped with the reason, and only what was refused first is in the ledger."""
    limits = {"model": "scripted/paid", "max_output_tokens": 1000, "progress": False}
    frame = bench.sweep("Hi", runs=20, budget_usd=0.025, at_once=1, **limits)
    assert frame["status"].tolist() == ["completed"] * 2 + ["skipped"] * 18
    assert "of the budget of $0.025 $0.02 is spent" in frame["error"].iloc[-1]
    assert len(bench.usage()) == 3


def test_trials_wait_for_each_other_within_a_budget(bench: Workbench) -> None:
    """A trial that doesn't fit only for others that still run waits for them, instead of being skipped."""
    limits = {"model": "scripted/paid", "max_output_tokens": 1000, "progress": False}
    frame = bench.sweep("Hi", runs=8, budget_tokens=16_500, at_once=4, **limits)
    assert frame["status"].tolist() == ["completed"] * 8


def test_shorter_prompts_are_still_tried(bench: Workbench) -> None:
    """One prompt that is too long for a budget doesn't keep shorter ones from being asked."""
    frame = bench.sweep(["x " * 50_000, "short"], budget_tokens=9_000, max_output_tokens=50, at_once=1, progress=False)
    assert frame["status"].tolist() == ["skipped", "completed"]


# -- interrupts, threads and what is shown --------------------------------------------------------------------------


def test_interrupt_returns_what_there_is(bench: Workbench, upstream: Put) -> None:
    """An interrupt keeps what has ended, ends what runs as it is, and skips the rest."""
    fake = upstream(SteppedProvider(["done"], ["Half", HANG]))

    def interrupt() -> None:
        bench._open_loop().portal.call(fake.hung.acquire)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.warns(UserWarning, match="Interrupted: 2 of 3 trials are done"):
        frame = bench.sweep(["a", "b", "c"], at_once=1, progress=False)
    thread.join()
    assert frame["status"].tolist() == ["completed", "incomplete", "skipped"]
    assert frame["error_type"].tolist()[1:] == ["interrupted", "interrupted"]
    assert fake.opened == fake.closed


def test_beside_a_running_loop(bench: Workbench) -> None:
    """It works where an event loop runs, as in a notebook's cell."""

    async def cell() -> list[str]:
        return bench.sweep("Hi", progress=False)["answer"].tolist()

    assert asyncio.run(cell()) == ["one two three"]


def test_progress(bench: Workbench, capsys: pytest.CaptureFixture[str]) -> None:
    """A bar goes to stderr; none for one trial, or where nobody wants one."""
    bench.sweep("Hi", runs=3)
    shown = capsys.readouterr()
    assert (shown.out, "0/3" in shown.err) == ("", True)
    bench.sweep("Hi", runs=1)
    bench.sweep("Hi", runs=3, progress=False)
    assert capsys.readouterr() == ("", "")


def test_import_stays_cheap() -> None:
    """Making a workbench and naming a judge loads no pandas and no tqdm."""
    code = (
        "import sys, agentbench; agentbench.judge('Good?'); agentbench.Workbench({}).close();"
        "sys.exit(','.join({'pandas', 'tqdm'} & {*sys.modules}))"
    )
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert made.stderr.strip() == ""


def test_a_value_that_breaks_the_whole_config(bench: Workbench) -> None:
    """An endpoint that can't be titled by is named before anything is asked."""
    with pytest.raises((ConfigError, UnknownName, InvalidRequest)):
        bench.sweep("Hi", {"titleEndpoint": ["nowhere"]})
