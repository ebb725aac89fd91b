"""A chat as a person has it: asking, stopping, branches, and what the views are told of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from tests.notebook.chat.fake_views import threads

from agentbench.errors import InvalidRequest, UnknownName

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.notebook.chat.fake_views import FakeViews

    from agentbench import Workbench
    from agentbench.notebook.chat.talk import Talk

    Open = Callable[..., Talk]


def ask(talk: Talk, text: str = "Hi") -> None:
    """Ask, and wait for the end."""
    assert talk.send(text).done.wait(10)


def answers(views: FakeViews) -> list[str]:
    """Return the HTML of the last block of each turn that is shown."""
    return ["".join(turn["blocks"][-1]["html"]) if turn["blocks"] else "" for turn in views.turns]


def questions(views: FakeViews) -> list[str]:
    """Return what was asked, as it is shown."""
    return [turn["question"]["text"] for turn in views.turns]


def test_a_question_and_its_answer(open_talk: Open, views: FakeViews, bench: Workbench) -> None:
    """The turn is shown with its blocks, what it took, and its totals; the conversation has it."""
    talk = open_talk()
    ask(talk, "Who is *there*?\nYou?")
    (turn,) = views.turns
    assert [(block["kind"], block["html"][0].strip()) for block in turn["blocks"]] == [
        ("reasoning", '<p dir="auto">Hm.</p>'),
        ("text", '<p dir="auto">Hello <strong>world</strong></p>'),
    ]
    assert turn["question"]["html"] == '<p dir="auto">Who is *there*?<br>You?</p>'
    assert (turn["status"], turn["siblings"], turn["parent"]) == ("completed", [turn["id"]], None)
    assert (turn["usage"]["input"], turn["usage"]["output"]) == (3, 2)
    assert views.state["totals"]["turns"] == 1
    assert (views.state["running"], views.state["live"]) == (False, None)
    assert bench.turns(views.state["conversation_id"])[0].response.id == turn["id"]


def test_the_conversation_goes_on(talk: Talk, views: FakeViews) -> None:
    """Each question follows the answer before."""
    ask(talk, "a")
    ask(talk, "b")
    assert [text in html for text, html in zip(("first", "second"), answers(views), strict=True)] == [True, True]
    assert views.turns[1]["parent"] == views.turns[0]["id"]


def test_retry(talk: Talk, views: FakeViews) -> None:
    """The same question is asked again in a branch of its own, and each branch can be gone to, with all after it."""
    ask(talk, "a")
    ask(talk, "b")
    first = views.turns[0]["id"]
    assert talk.retry(first).done.wait(10)
    (again,) = views.turns
    assert (again["question"]["text"], again["siblings"]) == ("a", [first, again["id"]])
    talk.switch(first)
    assert (questions(views), views.turns[0]["siblings"]) == (["a", "b"], [first, again["id"]])
    ask(talk, "c")
    assert questions(views) == ["a", "b", "c"]


def test_editing_the_first_question(talk: Talk, views: FakeViews, bench: Workbench) -> None:
    """The edited question begins the conversation anew; the old branch stays, with its title."""
    ask(talk, "a")
    talk.rename("Letters")
    assert talk.edit(views.turns[0]["id"], "A").done.wait(10)
    assert (questions(views), "first" in answers(views)[0], views.state["title"]) == (["A"], True, "Letters")
    (root,) = bench.turns(views.state["conversation_id"])
    assert root.parent is None
    assert len(bench.branches(views.state["conversation_id"])) == 2


def test_a_branch_in_the_middle(talk: Talk, views: FakeViews) -> None:
    """What comes before the edited question stays in view, what came after it leaves it."""
    for text in "abc":
        ask(talk, text)
    assert talk.edit(views.turns[1]["id"], "B").done.wait(10)
    assert questions(views) == ["a", "B"]
    assert len(views.turns[1]["siblings"]) == 2
    assert len(views.turns[0]["siblings"]) == 1


def test_one_answer_at_a_time(open_talk: Open) -> None:
    """While an answer is coming, another question, a switch and a new conversation are refused."""
    talk = open_talk(model="scripted/silent")
    talk.send("a")
    for refused in (lambda: talk.send("b"), talk.fresh, lambda: talk.switch("x")):
        with pytest.raises(InvalidRequest, match=r"An answer is still coming. Stop it, or wait for its end."):
            refused()


@pytest.mark.parametrize("model", ["slow", "silent"])
def test_stop(open_talk: Open, views: FakeViews, model: str) -> None:
    """An answer ends soon after it was stopped, also while the upstream is silent; the question stays."""
    talk = open_talk(model=f"scripted/{model}")
    asked = talk.send("a")
    views.until(lambda: model == "silent" or views.live_blocks)
    start = time.monotonic()
    assert talk.stop()
    assert asked.done.wait(2)
    assert time.monotonic() - start < 1
    (turn,) = views.turns
    assert (turn["status"], turn["question"]["text"], talk.stop()) == ("stopped", "a", False)
    assert bool(turn["blocks"]) == (model == "slow")


def test_stop_at_once(open_talk: Open, views: FakeViews) -> None:
    """A stop that comes before the answer begins counts too."""
    talk = open_talk(model="scripted/silent")
    asked = talk.send("a")
    talk.stop()
    assert asked.done.wait(2)
    assert views.turns[0]["status"] == "stopped"


def test_a_failure_before_the_first_event(open_talk: Open, views: FakeViews) -> None:
    """The turn says what happened; its question is there to be asked again, of another model too."""
    talk = open_talk()
    ask(talk, "a")
    talk.use(model="gone/m")
    ask(talk, "b")
    failed = views.turns[1]
    assert (failed["status"], failed["question"]["text"], failed["parent"]) == ("failed", "b", views.turns[0]["id"])
    assert "gone" in failed["note"]
    talk.use(model="scripted/hello")
    assert talk.retry(failed["id"]).done.wait(10)
    assert [turn["status"] for turn in views.turns] == ["completed", "completed"]
    assert views.turns[1]["siblings"] == [failed["id"], views.turns[1]["id"]]
    talk.switch(failed["id"])
    assert views.turns[1] | {"siblings": []} == failed | {"siblings": []}
    ask(talk, "c")
    assert len(views.turns) == 2


def test_the_first_question_fails(open_talk: Open, views: FakeViews) -> None:
    """It can be asked again, though the conversation has no turn yet."""
    talk = open_talk(model="gone/m")
    ask(talk, "a")
    assert views.turns[0]["status"] == "failed"
    talk.use(agent="counter")
    assert talk.retry(views.turns[0]["id"]).done.wait(10)
    assert (len(views.turns), "first" in answers(views)[0]) == (1, True)


def test_a_failure_in_the_middle(open_talk: Open, views: FakeViews) -> None:
    """What came is shown with the reason; the next question doesn't follow it, but it stays as a branch."""
    talk = open_talk(model="scripted/broken")
    ask(talk, "a")
    failed = views.turns[0]
    assert (failed["status"], "Half an" in answers(views)[0]) == ("failed", True)
    assert "fell over" in failed["note"]
    talk.use(model="scripted/hello")
    ask(talk, "b")
    assert (questions(views), views.turns[0]["siblings"][0]) == (["b"], failed["id"])
    talk.switch(failed["id"])
    assert views.turns == [failed | {"siblings": views.turns[0]["siblings"]}]


def test_a_question_nobody_can_take(talk: Talk) -> None:
    """An empty one, and an image that is none, are refused at once."""
    with pytest.raises(InvalidRequest, match="empty"):
        talk.send("  ")
    with pytest.raises(InvalidRequest, match="not an image"):
        talk.send("a", ["javascript:alert(1)"])
    for unknown in (talk.retry, talk.switch, lambda turn: talk.earlier(turn, 3)):
        with pytest.raises(UnknownName):
            unknown("resp_none")


def test_images(talk: Talk, views: FakeViews, bench: Workbench) -> None:
    """A small image is in the turn, a large one to be fetched; an edited question has those that it still names."""
    small, large = "data:image/png;base64,AAAA", f"data:image/png;base64,{'A' * 400_000}"
    outside, huge = "https://example.com/a.png", f"data:image/png;base64,{'A' * 3_000_000}"
    assert talk.send("Look", [small, large, outside, huge, large]).done.wait(10)
    (first,) = views.turns
    assert first["question"]["images"] == [small, "held:1", "held:4"]
    assert "An image of 3,000,022 characters, not shown here" in first["question"]["html"]
    assert talk.images(first["id"]) == [small, large, outside, huge, large]
    assert talk.edit(first["id"], "Look again", [small, "held:1"]).done.wait(10)
    (stored,) = bench.turns(views.state["conversation_id"])
    (message,) = stored.input
    assert [getattr(part, "image_url", None) for part in message.content] == [None, small, large, outside, huge]
    with pytest.raises(InvalidRequest, match="held:9"):
        talk.edit(views.turns[0]["id"], "Look again", ["held:9"])


def test_an_image_alone(talk: Talk, views: FakeViews, bench: Workbench) -> None:
    """It can be asked about without words."""
    image = "data:image/png;base64,AAAA"
    assert talk.send("", [image]).done.wait(10)
    (stored,) = bench.turns(views.state["conversation_id"])
    (message,) = stored.input
    assert [part.image_url for part in message.content] == [image]


def test_a_tool(open_talk: Open, views: FakeViews) -> None:
    """Its call shows arguments and result, laid out, and how long it took."""
    talk = open_talk(agent="adder")
    ask(talk)
    call, text = views.turns[0]["blocks"]
    assert (call["name"], call["state"], call["arguments"]) == ("add", "done", '{\n  "a": 1,\n  "b": 2\n}')
    assert call["seconds"] >= 0.02
    assert "sum" in call["result"]["html"][0]
    assert "It is 3." in text["html"][0]


@pytest.mark.parametrize(("granted", "state", "said"), [(True, "done", "erased"), (False, "refused", "declined")])
def test_a_tool_that_wants_a_yes(open_talk: Open, views: FakeViews, granted: bool, state: str, said: str) -> None:  # noqa: FBT001 - a parameter
    """The call waits until the person answers; what it waits for is told at once."""
    talk = open_talk(agent="eraser")
    asked = talk.send("a")
    views.until(lambda: views.live_blocks and views.live_blocks[0]["state"] == "waiting")
    call = views.live_blocks[0]["call_id"]
    with pytest.raises(InvalidRequest):
        talk.approve("another", granted=True)
    talk.approve(call, granted=granted)
    assert asked.done.wait(10)
    block = views.turns[0]["blocks"][0]
    assert (block["state"], said in "".join(block["result"]["html"])) == (state, True)
    with pytest.raises(InvalidRequest):
        talk.approve(call, granted=True)


def test_a_record_of_what_came(open_talk: Open, views: FakeViews) -> None:
    """While an answer comes, its question and what is there of it can be kept; then it is a turn like others."""
    talk = open_talk(model="scripted/slow")
    talk.send("Who?")
    views.until(lambda: views.live_blocks)
    live = talk.snapshot().live
    assert live is not None
    assert (live.response.output_text, live.input[0].text, views.kept) == ("This much came.", "Who?", 1)  # type: ignore[union-attr]  # a message
    talk.stop()
    views.until(lambda: views.results)
    assert talk.snapshot().live is None


def test_stop_while_a_tool_waits(open_talk: Open, views: FakeViews) -> None:
    """The tool isn't run, and the answer ends."""
    talk = open_talk(agent="eraser")
    asked = talk.send("a")
    views.until(lambda: views.live_blocks and views.live_blocks[0]["state"] == "waiting")
    talk.stop()
    assert asked.done.wait(2)
    block = views.turns[0]["blocks"][0]
    assert (views.turns[0]["status"], block["result"], block["state"]) == ("stopped", None, "failed")


def test_nobody_is_asked(open_talk: Open, views: FakeViews) -> None:
    """Where a question says that nobody can be asked, the tool isn't run, and the model learns why."""
    assert open_talk(agent="eraser").send("a", asks=False).done.wait(10)
    assert views.turns[0]["blocks"][0]["state"] == "refused"


def test_another_agent(talk: Talk, views: FakeViews) -> None:
    """The conversation goes on with another agent, which brings its own model; a name that isn't there is refused."""
    ask(talk)
    talk.use(model="scripted/hello")
    talk.use(agent="bot")
    assert (views.state["agent"], views.state["model"]) == ("bot", "")
    ask(talk)
    assert [turn["agent"] for turn in views.turns] == ["counter", "bot"]
    for wrong in ({"agent": "nobody"}, {"model": "scripted/none"}):
        with pytest.raises(UnknownName):
            talk.use(**wrong)


def test_a_fresh_conversation(talk: Talk, views: FakeViews, bench: Workbench) -> None:
    """Nothing of the old one is in view; a title given before the first question is its title."""
    ask(talk)
    old = views.state["conversation_id"]
    talk.fresh()
    assert (views.turns, views.state["conversation_id"], views.state["totals"]["line"]) == ([], "", "")
    talk.rename("Plans")
    ask(talk)
    found = bench.conversation(views.state["conversation_id"])
    assert found is not None
    assert (found.title, found.id == old) == ("Plans", False)


def test_an_earlier_conversation(talk: Talk, open_talk: Open, views: FakeViews) -> None:
    """It opens where it was left, with its agent, title, turns and what they took."""
    ask(talk, "a")
    ask(talk, "b")
    state = dict(views.state)
    again = open_talk(conversation=state["conversation_id"])
    assert {name: views.state[name] for name in ("agent", "title", "turns", "totals")} == {
        name: state[name] for name in ("agent", "title", "turns", "totals")
    }
    assert again.last is not None
    assert again.last.text == "second"
    with pytest.raises(UnknownName):
        open_talk(conversation="conv_none")


def test_a_conversation_that_went_on_elsewhere(talk: Talk, views: FakeViews, bench: Workbench) -> None:
    """What was said there is shown, and the next question follows it."""
    ask(talk, "a")
    bench.ask("b", agent="counter", conversation=views.state["conversation_id"])
    assert talk.look()
    assert questions(views) == ["a", "b"]
    bench.ask("c", agent="counter", conversation=views.state["conversation_id"])
    ask(talk, "d")
    assert (questions(views), talk.look()) == (["a", "b", "c", "d"], False)


def test_totals_are_no_more_than_is_known(open_talk: Open, views: FakeViews) -> None:
    """Tokens are summed; the cost of models that nobody has a price for is unknown, not nothing."""
    talk = open_talk()
    ask(talk)
    ask(talk)
    totals = views.state["totals"]
    assert (totals["turns"], totals["input_tokens"], totals["output_tokens"]) == (2, 6, 4)
    assert totals["line"].startswith("2 turns · 6 → 4 tokens")


def test_a_database_in_trouble(home: Path, open_talk: Open, views: FakeViews) -> None:
    """The chat goes on with what it knows, and branches too; a note under the first answer says what is wrong."""
    home.mkdir()
    database = home / "agentbench.db"
    database.write_text("Dear diary, " * 1000)
    talk = open_talk(agent="counter")
    ask(talk, "a")
    ask(talk, "b")
    assert ["is not a SQLite database" in turn["note"] for turn in views.turns] == [True, False]
    first = views.turns[0]["id"]
    assert talk.retry(first).done.wait(10)
    database.unlink()
    talk.switch(first)
    assert (questions(views), len(views.turns[0]["siblings"])) == (["a", "b"], 2)


def test_closing_ends_the_threads(open_talk: Open, views: FakeViews) -> None:
    """A talk that is closed while an answer is coming leaves no thread, and takes no question more."""
    talk = open_talk(model="scripted/slow")
    talk.send("a")
    views.until(lambda: views.live_blocks)
    talk.close()
    assert (threads(), views.state["running"]) == ([], False)
    with pytest.raises(InvalidRequest, match="closed"):
        talk.send("b")


@pytest.mark.parametrize("agent", ["eraser", "bot"])
def test_closing_the_workbench(open_talk: Open, views: FakeViews, bench: Workbench, agent: str) -> None:
    """It ends what is coming, also what waits for a person."""
    talk = open_talk(agent=agent, model="scripted/slow" if agent == "bot" else None)
    asked = talk.send("a")
    views.until(lambda: views.live_blocks)
    bench.close()
    assert asked.done.wait(5)
    assert views.state["running"] is False


def test_a_markdown_stream_grows(open_talk: Open, views: FakeViews) -> None:
    """What the messages told in order is what the last whole shows: at most 30 of them a second."""
    talk = open_talk(model="scripted/long")
    ask(talk)
    shown: dict[int, list[Any]] = {}
    for event, fields in views.said:
        if event == "block":
            shown[fields["index"]] = list(fields["block"]["html"])
        elif event == "grow":
            shown[fields["block"]][fields["from"] :] = fields["html"]
    text = "".join(shown[0])
    assert text.startswith('<p dir="auto">word0 word1 ')
    assert text.removesuffix("</p>\n").rstrip() in "".join(views.turns[0]["blocks"][0]["html"])
    told = [when for (event, _), when in zip(views.said, views.times, strict=True) if event != "turn"]
    assert len(told) <= 30 * (told[-1] - told[0]) + 2
