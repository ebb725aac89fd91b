"""`%agent` in a shell: its sub-commands, settings and errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

import agentbench
from agentbench.errors import AnswerFailed, InvalidRequest, UnknownName, UpstreamUnavailable

if TYPE_CHECKING:
    from tests.notebook.conftest import Shell

    from agentbench.storage.responses import StoredResponse


@dataclass
class City:
    """A shape to answer in."""

    city: str


def turns(shell: Shell) -> tuple[StoredResponse, ...]:
    """Return the turns of the current conversation."""
    found: tuple[StoredResponse, ...] = shell.run("%agent history").turns
    return found


def questions(shell: Shell) -> list[str]:
    """Return what was asked in the current conversation."""
    return list(shell.run("%agent history").frame()["question"])


# -- chat -----------------------------------------------------------------------------------------------------------


def test_chat_prints_the_answer(shell: Shell) -> None:
    """In a terminal an answer is text with a summary line, shown once."""
    shell.run("%agent chat Why?")
    answer, summary = shell.printed.splitlines()
    assert answer == "Hello **world**"
    assert summary.startswith("— scripted/hello · 3 → 2 tokens · ")


def test_an_assigned_answer_is_a_result(shell: Shell) -> None:
    """`r = %agent chat` and `last()` give the same result."""
    shell.run("r = %agent chat Why is the sky blue?")
    result = shell.ip.user_ns["r"]
    assert result.text == "Hello **world**"
    assert agentbench.last() is result
    assert questions(shell) == ["Why is the sky blue?"]


def test_the_ledger_knows_the_notebook(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Jupyter server tells its kernels the path; elsewhere nobody knows it."""
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    shell.run("r = %agent chat Why?")
    assert shell.ip.user_ns["r"].usage.notebook is None
    monkeypatch.setenv("JPY_SESSION_NAME", "work/one.ipynb")
    shell.run("r = %agent chat Why?")
    assert shell.ip.user_ns["r"].usage.notebook == "work/one.ipynb"


def test_a_body_is_the_prompt(shell: Shell) -> None:
    """The text on the line and the body below it are one prompt, as they were written."""
    shell.run("%%agent -a bot Read this:\nline {one}\n\n  line two?")
    assert questions(shell) == ["Read this:\nline {one}\n\n  line two?"]


def test_to_keeps_the_result(shell: Shell) -> None:
    """`--to` puts the result into a variable, also of an answer that broke off."""
    shell.run("%agent chat --to kept hi")
    assert shell.ip.user_ns["kept"].text == "Hello **world**"
    assert isinstance(shell.fail("%agent chat -m scripted/broken --to kept hi"), AnswerFailed)
    assert shell.ip.user_ns["kept"].text == "Half an"


def test_values_are_put_in(shell: Shell) -> None:
    """`{{expression}}` is replaced, IPython's own `{x}` and `$x` are not, and `--raw` replaces nothing."""
    shell.run("topic = 'clouds'\n%agent chat Of {{topic}}, {topic}, $topic.\n%agent chat --raw {{topic}}")
    assert questions(shell) == ["Of clouds, {topic}, $topic.", "{{topic}}"]


def test_parameters_go_into_the_request(shell: Shell) -> None:
    """`-t`, `--max` and `--system` count for one call."""
    shell.run('%agent chat -t 0.5 --max 9 --system "Be brief." hi\n%agent chat hi')
    first, second = (turn.response for turn in turns(shell))
    assert (first.temperature, first.max_output_tokens, first.instructions) == (0.5, 9, "Be brief.")
    assert (second.max_output_tokens, second.instructions) == (None, None)


def test_json_is_asked_for(shell: Shell) -> None:
    """`--json` takes a variable with a shape; the result is parsed."""
    shell.ip.user_ns["City"] = City
    shell.run("r = %agent chat -m scripted/json --json City Where?")
    assert shell.ip.user_ns["r"].parsed == {"city": "Oslo"}


def test_an_image_goes_along(shell: Shell) -> None:
    """`--image` puts the image beside the question."""
    shell.run("plot = b'\\x89PNG'\n%agent chat --image plot What is this?")
    [message] = turns(shell)[0].input
    assert [type(part).__name__ for part in message.content] == ["InputText", "InputImage"]


def test_agent_and_model_count_for_one_call(shell: Shell) -> None:
    """`-a` and `-m` choose who answers now; the next call is as before."""
    shell.run("%agent chat -a counter hi\n%agent chat -m scripted/json hi\n%agent chat hi")
    assert [(turn.agent, turn.response.output_text) for turn in turns(shell)] == [
        ("counter", "first"),
        ("bot", '{"city": "Oslo"}'),
        ("bot", "Hello **world**"),
    ]


# -- the other commands ---------------------------------------------------------------------------------------------


def test_agents_are_listed(shell: Shell) -> None:
    """The agent in use is marked; `-e` lists endpoints."""
    assert [row[0] for row in shell.run("%agent agents").rows] == ["bot ←", "counter"]
    assert {"scripted", "gone"} <= {row[0] for row in shell.run("%agent agents -e").rows}


def test_use_chooses_an_agent(shell: Shell) -> None:
    """From then on that agent answers, with its own model, in the same conversation."""
    shell.run("%agent use scripted/json\n%agent chat hi\n%agent use counter\n%agent chat hi")
    assert [turn.response.output_text for turn in turns(shell)] == ['{"city": "Oslo"}', "second"]
    assert shell.run("%agent use").rows[0] == ["agent", "counter"]


def test_use_chooses_a_model(shell: Shell) -> None:
    """The model is shown in full, and an agent named for one call still brings its own."""
    assert shell.run("%agent use json").rows[1] == ["model", "scripted/json"]
    assert shell.run("r = %agent chat -a counter hi\nr.text") == "first"


def test_use_continues_a_conversation(shell: Shell) -> None:
    """An earlier conversation goes on where it was."""
    shell.run("%agent use counter\n%agent chat Clouds?\n%agent new\n%agent chat Rain?")
    old = agentbench.get_workbench().conversations()[-1]
    assert shell.run(f"%agent use -c {old.id}").rows[2] == ["conversation", f"Clouds? ({old.id})"]
    assert shell.run("r = %agent chat And?\nr.text") == "second"


def test_new_begins_again(shell: Shell) -> None:
    """A new conversation knows nothing of the old one, and may have a title."""
    shell.run("%agent chat -a counter hi\n%agent new Rain\n%agent chat -a counter --to r hi")
    assert shell.ip.user_ns["r"].text == "first"
    assert shell.run("%agent history --all").rows[0][1] == "Rain"


def test_history_shows_what_was_said(shell: Shell) -> None:
    """`history` shows this conversation, or one that is named; before the first question it says so."""
    assert repr(shell.run("%agent history")) == "Nothing was said yet."
    shell.run("%agent chat Why?")
    [conversation] = agentbench.get_workbench().conversations()
    assert repr(shell.run("%agent history")) == "> Why?\n\nHello **world**"
    assert len(shell.run(f"%agent history {conversation.id}")) == 1


def test_history_lists_conversations(shell: Shell) -> None:
    """`--all` lists them newest first, `-n` says how many; the first question is the title."""
    shell.run(f"%agent chat One?\n%agent new\n%agent chat {'long ' * 30}")
    titles = [row[1] for row in shell.run("%agent history --all").rows]
    assert titles == ["long " * 11 + "long…", "One?"]
    assert len(shell.run("%agent history --all -n 1").rows) == 1


def test_a_title_that_came_late(shell: Shell) -> None:
    """It is seen at the next look: above what was said, in the list, and in what is in use."""
    shell.run("%agent chat One?")
    bench = agentbench.get_workbench()
    [talk] = bench.conversations()
    bench.rename(talk, "Numbers")
    assert repr(shell.run("%agent history")).startswith("Numbers\n\n> One?")
    assert shell.run("%agent history --all").rows[0][1] == "Numbers"
    assert shell.run("%agent use").rows[2] == ["conversation", f"Numbers ({talk.id})"]


def test_usage_is_a_frame(shell: Shell) -> None:
    """Every call is a row; `--by` sums up, `--full` shows all columns."""
    shell.run("%agent chat hi\n%agent chat -m scripted/json hi")
    assert list(shell.run("%agent usage")["model"]) == ["hello", "json"]
    assert shell.run("%agent usage --by model,agent")["calls"].sum() == 2
    assert "conversation_id" in shell.run("%agent usage --full --since 1h")


def test_help_explains(shell: Shell) -> None:
    """`help`, or nothing at all, lists the commands; with a command it lists the options."""
    commands = [row[0].split()[1] for row in shell.run("%agent help").rows]
    told = "chat compare fix agents assistants use new history open tree branch delete export import files know usage"
    told += " prices budget balance config serve keys inspect probe cassette help"
    assert commands == told.split()
    assert shell.run("%agent").rows == shell.run("%agent help").rows
    assert "-t/--temperature NUMBER" in [row[0] for row in shell.run("%agent help chat").rows]


# -- bad input ------------------------------------------------------------------------------------------------------

BAD = {
    "%agent caht hi": (InvalidRequest, "There is no command 'caht'. Did you mean %agent chat?"),
    "%agent Why is the sky blue": (InvalidRequest, "To ask: %agent chat PROMPT."),
    "%agent chat": (InvalidRequest, "The chat view needs a notebook. Here, write a prompt: "),
    "%agent chat --raw  ": (InvalidRequest, "The prompt is empty."),
    "%%agent\n\n": (InvalidRequest, "The prompt is empty."),
    "%agent chat --tmperature 1 hi": (InvalidRequest, "Did you mean --temperature?"),
    "%agent chat -t 3 hi": (InvalidRequest, "temperature"),
    "%agent chat -a bto hi": (UnknownName, "There is no agent 'bto'. Did you mean 'bot'?"),
    "%agent chat -m scripted/helo hi": (UnknownName, "Did you mean 'scripted/hello'?"),
    "%agent use coutner": (UnknownName, "Did you mean 'counter'?"),
    "%agent use -c conv_none": (UnknownName, "There is no conversation 'conv_none'."),
    "%agent history conv_none": (UnknownName, "There is no conversation 'conv_none'."),
    "%agent history --all -n many": (InvalidRequest, "-n many: that is not a valid COUNT."),
    "%agent usage --by modl": (InvalidRequest, "Usage can't be grouped by 'modl'."),
    "%agent usage --since never": (InvalidRequest, "'never' is not a time."),
    "%agent usage model": (InvalidRequest, "%agent usage takes only options, not 'model'"),
    "%agent help caht": (UnknownName, "Did you mean 'chat'?"),
    "%%agent usage\nmore": (InvalidRequest, "%agent usage takes no text below it."),
    "%agent chat --to 2x hi": (InvalidRequest, "--to 2x: that can't be a variable's name."),
    "%agent chat --to class hi": (InvalidRequest, "--to class: that can't be a variable's name."),
    "%agent chat --json Citty hi": (InvalidRequest, "--json Citty: there is no variable 'Citty'."),
    "%agent chat --image no.png hi": (InvalidRequest, "--image no.png: no such variable"),
    "%agent chat {{nothing}}": (InvalidRequest, "{{nothing}}: there is no variable 'nothing'."),
    "%agent chat -m gone/m hi": (UpstreamUnavailable, "gone"),
}


@pytest.mark.parametrize(("cell", "error"), BAD.items(), ids=BAD)
def test_bad_input_is_one_message(shell: Shell, cell: str, error: tuple[type[Exception], str]) -> None:
    """What is wrong is said in one line with no traceback, and the conversation is as it was."""
    raised = shell.fail(cell)
    assert type(raised) is error[0]
    assert error[1] in str(raised)
    assert shell.printed.strip() == f"{type(raised).__name__}: {raised}"
    assert len(turns(shell)) == 0


NO_CONVERSATION = ["--to 2x hi", "--image no.png hi", "--json Citty hi", "{{nothing}}", "-a bto hi"]


@pytest.mark.parametrize("line", NO_CONVERSATION)
def test_a_question_that_is_not_asked_begins_nothing(shell: Shell, line: str) -> None:
    """No empty conversation is left behind by a question that was never sent."""
    shell.fail(f"%agent chat {line}")
    assert shell.run("%agent history --all").rows == []
