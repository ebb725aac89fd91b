"""`%agent compare`: several are asked at once, and what comes of each is kept."""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from agentbench.errors import AnswerFailed, InvalidRequest, UnknownName
from agentbench.notebook.comparison import Comparison

if TYPE_CHECKING:
    from tests.notebook.conftest import Shell


SESSION = "get_ipython().magics_manager.registry['AgentMagics'].session"


def compared(shell: Shell, cell: str) -> Any:
    """Run a cell that compares; return the comparison."""
    shell.run(cell.replace("compare ", "compare --to made ", 1))
    return shell.ip.user_ns["made"]


def test_every_answerer_answers(shell: Shell) -> None:
    """Agents, endpoints and models are asked the same; each trial is found by who gave it."""
    made = compared(shell, "%agent compare -a bot,counter -m scripted/json Why?")
    assert isinstance(made, Comparison)
    answers = [(name, trial.prompt, trial.answer) for name, trial in zip(made.names, made.trials, strict=True)]
    assert answers == [
        ("bot", "Why?", "Hello **world**"),
        ("counter", "Why?", "first"),
        ("scripted/json", "Why?", '{"city": "Oslo"}'),
    ]
    assert made["counter"] is made.trials[1]
    assert made["scripted/json"] is made.trials[2]


def test_a_body_is_asked_with_its_values(shell: Shell) -> None:
    """A cell's text is the prompt, and values of variables go where the braces are, or with `--raw` don't."""
    shell.run("n = 3")
    shell.run("%%agent compare -a bot --to c\nWhat is {{n + 1}}?")
    assert shell.run("c.trials[0].prompt") == "What is 4?"
    assert compared(shell, "%%agent compare -a bot --raw\n{{n}}").trials[0].prompt == "{{n}}"


def test_temperatures_and_runs(shell: Shell) -> None:
    """Each answerer is asked at each temperature, so many times, and has a name for each."""
    made = compared(shell, "%agent compare -a bot -t 0,0.7 --runs 2 Hi")
    assert made.names == ("bot, temperature=0",) * 2 + ("bot, temperature=0.7",) * 2
    assert [trial.run for trial in made] == [1, 2, 1, 2]
    assert len(made["bot"]) == 4
    assert made.frame()["temperature"].tolist() == [0, 0, 0.7, 0.7]


def test_nobody_named(shell: Shell) -> None:
    """Who would answer in a chat is asked; one temperature is a setting, not a name."""
    shell.run("%agent use counter")
    made = compared(shell, "%agent compare -t 0.5 --runs 2 Hi")
    assert made.names == ("counter", "counter")


def test_json(shell: Shell) -> None:
    """With `--json` the answers are values too, and shown as code; one that is no JSON has failed."""
    shell.run("city = {'type': 'object', 'properties': {'city': {'type': 'string'}}}")
    made = compared(shell, "%agent compare -m scripted/json,scripted/hello --json city Where?")
    assert [(trial.status, trial.parsed) for trial in made] == [("completed", {"city": "Oslo"}), ("failed", None)]
    assert "```json" in made._repr_mimebundle_()["text/markdown"]


def test_rows_of_a_frame(shell: Shell) -> None:
    """With `--over` a frame, the prompt is a template for its rows, even if a column is named."""
    shell.ip.user_ns["df"] = pd.DataFrame({"text": ["tea", "rain"], "tone": ["sad", "glad"]})
    for over in ("df", "df.text"):
        made = compared(shell, f"%%agent compare -a bot,counter --over {over}\nA {{{{tone}}}} line on {{{{text}}}}.")
        assert [trial.prompt for trial in made] == ["A sad line on tea."] * 2 + ["A glad line on rain."] * 2
        assert made.frame()["tone"].tolist() == ["sad", "sad", "glad", "glad"]


def test_a_column_of_prompts(shell: Shell) -> None:
    """Without a text, a column's values or a list's are the prompts; an empty one is skipped."""
    shell.ip.user_ns |= {"df": pd.DataFrame({"ask": ["one", "two"]}), "listed": ["one", ""]}
    assert [trial.prompt for trial in compared(shell, "%agent compare -a bot --over df.ask")] == ["one", "two"]
    assert [trial.status for trial in compared(shell, "%agent compare -a bot --over listed")] == [
        "completed",
        "skipped",
    ]
    assert compared(shell, "%agent compare -a bot --over listed On {{listed}}.").trials[0].prompt == "On one."


@pytest.mark.parametrize(
    ("options", "kind", "told"),
    [
        ("-a bot", InvalidRequest, "The prompt is empty"),
        ("-a bott Hi", UnknownName, "Did you mean 'bot'?"),
        ("-a bot --over df", InvalidRequest, "--over df.text"),
        ("-a bot --over df.txt", UnknownName, "Did you mean 'text'?"),
        ("-a bot --over df {{txt}}", UnknownName, "Did you mean 'text'?"),
        ("-a bot --over none", InvalidRequest, "no rows"),
        ("-a bot --over number", InvalidRequest, "that is one value"),
        ("-a bot -t hot Hi", InvalidRequest, "not a valid NUMBERS"),
        ("-a bot --runs 0 Hi", InvalidRequest, "needs a run"),
        ("-a bot --to 1x Hi", InvalidRequest, "can't be a variable's name"),
    ],
)
def test_what_does_not_fit(shell: Shell, options: str, kind: type[Exception], told: str) -> None:
    """Nobody is asked, and the error says what to write."""
    shell.ip.user_ns |= {"df": pd.DataFrame({"text": ["a"]}), "none": [], "number": 3}
    error = shell.fail(f"%agent compare {options}")
    assert isinstance(error, kind)
    assert told in str(error)
    assert len(shell.run("%agent usage")) == 0


def test_some_fail(shell: Shell) -> None:
    """A failure is a trial that says so; the cell goes on."""
    made = compared(shell, "%agent compare -a bot,gone -m scripted/broken Hi")
    assert [trial.status for trial in made] == ["completed", "failed", "failed"]
    assert made["scripted/broken"].answer == "Half an"
    assert "(Failed: gone can't be reached" in shell.printed
    assert "Half an\n(Broke off: The model fell over.)" in shell.printed


def test_all_fail(shell: Shell) -> None:
    """If nobody answers, the cell fails after all is shown, and what there is is kept."""
    error = shell.fail("%agent compare -m scripted/broken,gone/m --to c Hi")
    assert isinstance(error, AnswerFailed)
    assert str(error) == "Nobody answered. scripted/broken: The model fell over."
    assert "2 answers, 2 failed" in shell.printed
    assert shell.run("c.trials") == error.response.trials


def test_a_budget_refuses(shell: Shell) -> None:
    """What a budget doesn't allow is skipped and says why."""
    shell.ip.user_ns["listed"] = ["short", "long " * 200]
    shell.run("%agent budget --tokens 100")
    made = compared(shell, "%agent compare -a bot --max 40 --over listed")
    assert [(trial.status, trial.error_type) for trial in made] == [("completed", None), ("skipped", "budget_exceeded")]
    assert "(Skipped: scripted/hello may take" in shell.printed


def test_the_conversation_stays(shell: Shell) -> None:
    """A comparison asks without the conversation, or with `--continue` after it, and is no part of it."""
    shell.run("%agent chat -a counter Hi")
    counted = compared(shell, "%agent compare -a counter,bot --continue Hi")
    assert counted["counter"].answer == "second"
    assert compared(shell, "%agent compare -a counter,bot Hi")["counter"].answer == "first"
    assert shell.run(f"len({SESSION}.bench.turns({SESSION}.conversation))") == 1
    assert shell.run("r = %agent chat -a counter Hi\nr.text") == "second"


def test_the_ledger_knows(shell: Shell) -> None:
    """Each answer is a row of the ledger, by agent and cell."""
    shell.run("%agent compare -a bot,counter Hi")
    rows = shell.run("%agent usage")
    assert sorted(rows["agent"]) == ["bot", "counter"]


def test_a_dry_run_asks_nobody(shell: Shell) -> None:
    """It shows what asking all would cost."""
    shell.ip.user_ns["listed"] = ["a", "b"]
    table = shell.run("t = %agent compare -a bot,counter --over listed --dry-run\nt")
    assert [row[:3] for row in table.rows] == [["bot", "scripted/hello", "2"], ["counter", "scripted/turns", "2"]]
    assert len(shell.run("%agent usage")) == 0


def test_the_best(shell: Shell) -> None:
    """The best is whose answer has the highest score; where nobody answered, there is none."""
    made = compared(shell, "%agent compare -a counter,bot -m scripted/broken Hi")
    assert made.best(len) is made["bot"]
    with pytest.raises(InvalidRequest, match="Nobody answered"):
        Comparison([made["scripted/broken"]], ["broken"]).best(len)
    with pytest.raises(UnknownName, match="Did you mean 'bot'"):
        made["bots"]


def test_a_terminal_prints_answers_as_they_end(shell: Shell) -> None:
    """Each answer is printed once, the first to end first, and the table at the end; nothing is drawn."""
    shell.run("%agent compare -m scripted/paced,scripted/hello --to c Hi")
    lines = shell.printed.splitlines()
    assert lines.index("── scripted/hello") < lines.index("── scripted/paced")
    assert lines[-5].split()[:3] == ["answerer", "status", "tokens"]
    assert shell.printed.count("one two three") == 1


def test_an_interrupt_stops_all(shell: Shell) -> None:
    """What came is kept, who wasn't asked is skipped, and the cell goes on."""
    shell.ip.user_ns["listed"] = ["a"] * 6
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.daemon = True
    timer.start()
    made = compared(shell, "%agent compare -m scripted/slow --over listed")
    assert [trial.status for trial in made] == ["incomplete"] * 4 + ["skipped"] * 2
    assert {trial.answer for trial in made} == {"This much came.", None}
    assert "(Stopped early: interrupted.)" in shell.printed
