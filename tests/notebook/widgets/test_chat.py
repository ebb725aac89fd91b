"""The chat widget: what its views ask for, what they are told, and what stays in the notebook."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from tests.notebook.chat.fake_views import threads
from tests.notebook.chat.scripts import CONFIG, MODELS
from tests.notebook.widgets.views import View

from agentbench import Workbench, tool
from agentbench.errors import AnswerFailed, UpstreamUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agentbench.notebook.widgets.chat import ChatWidget

BOMB = "[" * 900 + "]" * 900
WORDS = "".join(f"word{number} " + "\n\n" * (number % 40 == 39) for number in range(2000))
HUGE = {"bomb": BOMB, "huge": msgspec.json.encode(list(range(200_000))).decode(), "line": "<b>" * 400_000}


def read(what: str) -> str:
    """Read something that is too long."""
    return HUGE[what]


def erase(path: str) -> str:
    """Erase a file."""
    return f"erased {path}"


@pytest.fixture
def bench() -> Iterator[Workbench]:
    """Give a workbench with scripted agents, and tools that give back too much, or want a yes."""
    reads = [{"call": {"name": "read", "arguments": {"what": each}}} for each in HUGE]
    models = MODELS | {
        "paced": [step for word in WORDS.split(" ") for step in ({"text": f"{word} "}, {"wait": 0.0005})],
        "reader": {"turns": [reads, [{"text": "Much."}]]},
        "endless": [{"text": ("x" * 999 + " ") * 300}],
    }
    endpoints = CONFIG["endpoints"] | {"scripted": {"models": models, "titleConvo": False}}
    agents = [*CONFIG["agents"], {"id": "reader", "endpoint": "scripted", "model": "reader", "tools": ["read"]}]
    with Workbench({"endpoints": endpoints, "agents": agents}) as bench:
        bench.add_tool(read, tool(approval="ask")(erase))
        yield bench


@pytest.fixture
def open_chat(bench: Workbench) -> Iterator[Callable[..., tuple[ChatWidget, View]]]:
    """Give a way to open chats, each with a view, all of which are closed at the end."""
    opened: list[ChatWidget] = []

    def chat(*args: Any, **options: Any) -> tuple[ChatWidget, View]:
        opened.append(bench.chat(*args, **options))
        return opened[-1], View(opened[-1])

    yield chat
    for each in opened:
        each.close()
    assert threads() == []


@pytest.fixture
def chat(open_chat: Callable[..., tuple[ChatWidget, View]]) -> tuple[ChatWidget, View]:
    """Give a chat with an agent whose answers count its turns, and a view of it."""
    return open_chat("counter")


def until(condition: Callable[[], Any], seconds: float = 10.0) -> None:
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def ask(chat: tuple[ChatWidget, View], text: str = "Hi", op: str = "send", **more: Any) -> None:
    """Ask through the view, and wait for the end."""
    widget, view = chat
    assert view.ok(op, text=text, **more) is True
    until(lambda: not widget.running)


class Page:
    """A page that shows a widget as the browser does: what it finds, then what it is told."""

    def __init__(self, widget: ChatWidget, view: View) -> None:
        self._view = view
        self._seen = len(view.messages)
        state = widget.get_state(["turns", "live"])
        self.live = view.ok("live") or state["live"]

    def follow(self) -> None:
        """Take in the messages."""
        for message in self._view.messages[self._seen :]:
            self._seen += 1
            if message.get("turn") == (self.live or {}).get("id") and message.get("event") == "block":
                self.live["blocks"][message["index"] :] = [message["block"]]
            elif message.get("turn") == (self.live or {}).get("id") and message.get("event") == "grow":
                self.live["blocks"][message["block"]]["html"][message["from"] :] = message["html"]
            elif message.get("event") == "turn":
                self.live = message["turn"]


def test_a_chat(chat: tuple[ChatWidget, View]) -> None:
    """A view asks and hears the whole turn; the draft is the view's; Python has conversation, result and frame."""
    widget, view = chat
    widget.draft = "Hi, and more"  # written while the kernel was busy
    ask(chat)
    assert [each["turn"]["status"] for each in view.heard("turn")] == ["completed"]
    assert (widget.draft, widget.turns) == ("Hi, and more", [view.heard("turn")[0]["turn"]])
    assert widget.conversation is not None
    assert widget.conversation.id == widget.conversation_id
    assert widget.last is not None
    assert (widget.last.text, len(widget.last.events) > 5) == ("first", True)
    frame = widget.frame()
    assert list(frame.loc[0, ["question", "answer", "status", "branches"]]) == ["Hi", "first", "completed", 1]


def test_ask(chat: tuple[ChatWidget, View]) -> None:
    """A question from Python is a turn like any other, and its result is returned."""
    widget, _ = chat
    result = widget.ask("a")
    assert (result.text, result is widget.last, widget.turns[0]["question"]["text"]) == ("first", True, "a")
    widget.use(model="scripted/broken")
    with pytest.raises(AnswerFailed, match="fell over"):
        widget.ask("b")
    widget.use(model="gone/m")
    with pytest.raises(UpstreamUnavailable):
        widget.ask("c")
    assert [turn["status"] for turn in widget.turns] == ["completed", "failed"]


def test_branches(chat: tuple[ChatWidget, View]) -> None:
    """A view edits, asks again and goes from one branch to another; the answer is there to be copied."""
    widget, view = chat
    ask(chat, "a")
    first = widget.turns[0]["id"]
    ask(chat, "A", op="edit", turn=first)
    second = widget.turns[0]["id"]
    assert (widget.turns[0]["siblings"], len(widget.turns)) == ([first, second], 1)
    view.ok("switch", turn=first)
    assert widget.turns[0]["question"]["text"] == "a"
    view.ok("retry", turn=first)
    until(lambda: not widget.running)
    assert len(widget.turns[0]["siblings"]) == 3
    assert view.ok("copy", turn=widget.turns[0]["id"]) == {"markdown": "first"}
    assert list(widget.frame()["branches"]) == [3]


def test_errors_are_answers(chat: tuple[ChatWidget, View]) -> None:
    """What can't be done is told where it was asked for, and nothing else changes."""
    widget, view = chat
    for op, arguments in (
        ("send", {"text": " "}),
        ("send", {"text": "a", "images": ["file:///etc/passwd"]}),
        ("retry", {"turn": "resp_none"}),
        ("approve", {"call": "call_1", "granted": True}),
        ("use", {"agent": "nobody"}),
        ("rename", {"title": " "}),
        ("earlier", {"before": "resp_none", "count": 5}),
    ):
        assert view.ask(op, **arguments)["error"]["message"]
    assert (widget.running, widget.turns, widget.agent) == (False, [], "counter")


def test_a_view_that_comes_later(open_chat: Callable[..., tuple[ChatWidget, View]]) -> None:
    """A page that is opened while an answer comes soon shows what the first one shows, and both end with the whole."""
    widget, view = open_chat(model="scripted/paced")
    view.ok("send", text="Go")
    until(lambda: view.heard("grow"))
    first = Page(widget, view)
    until(lambda: len(view.heard("grow")) > 20)
    second = Page(widget, view)
    until(lambda: len(view.heard("grow")) > 30)
    first.follow()
    second.follow()
    assert first.live["blocks"] == second.live["blocks"]
    until(lambda: not widget.running)
    first.follow()
    second.follow()
    assert first.live == second.live == widget.turns[0]
    text = "".join(first.live["blocks"][0]["html"])
    assert all(f"word{number}" in text for number in range(2000))


def test_the_kernel_stays_free(open_chat: Callable[..., tuple[ChatWidget, View]]) -> None:
    """While 2,000 words come, requests are answered within 100 ms, and at most 30 messages a second are sent."""
    widget, view = open_chat(model="scripted/paced")
    view.ok("send", text="Go")
    start, waits = time.monotonic(), []
    while widget.running:
        asked = time.monotonic()
        view.ok("live")
        waits.append(time.monotonic() - asked)
        time.sleep(0.02)
    told = [each for each in view.messages if "event" in each]
    assert sorted(waits)[int(len(waits) * 0.95)] < 0.1  # the rest is the machine's, which runs other tests too
    assert len(told) <= 30 * (time.monotonic() - start) + 3


@pytest.mark.parametrize("approved", [True, False])
def test_approval(open_chat: Callable[..., tuple[ChatWidget, View]], *, approved: bool) -> None:
    """A view hears that a call waits, with its arguments, and its yes or no decides."""
    widget, view = open_chat("eraser")
    view.ok("send", text="a")
    until(lambda: any(each["block"]["state"] == "waiting" for each in view.heard("block")))
    waiting = view.heard("block")[-1]["block"]
    assert '"path": "/"' in waiting["arguments"]
    view.ok("approve", call=waiting["call_id"], granted=approved)
    until(lambda: not widget.running)
    assert ("erased" in "".join(widget.turns[0]["blocks"][0]["result"]["html"])) == approved


def test_results_that_are_too_long(open_chat: Callable[..., tuple[ChatWidget, View]]) -> None:
    """Of each about 20 kB go to the view and into the record, with a note; the conversation has them whole."""
    widget, view = open_chat("reader")
    start = time.monotonic()
    ask((widget, view))
    assert time.monotonic() - start < 5
    calls = [block for block in widget.turns[0]["blocks"] if block["kind"] == "call"]
    assert [block["state"] for block in calls] == ["done"] * 3
    assert ["The first 20,000 of" in block["result"]["note"] for block in calls] == [False, True, True]
    assert max(len(msgspec.json.encode(block)) for block in calls) < 250_000
    assert "<b>" not in "".join(calls[2]["result"]["html"])
    assert len(widget.record().html) < 400_000
    assert widget.last is not None
    assert HUGE["line"] in [getattr(item, "output", "") for item in widget.last.response.output]


def test_an_endless_answer(open_chat: Callable[..., tuple[ChatWidget, View]]) -> None:
    """Its beginning is shown, with a note; the whole is in the result."""
    widget, view = open_chat(model="scripted/endless")
    ask((widget, view))
    (block,) = widget.turns[0]["blocks"]
    assert block["note"] == "The first 100,000 of 300,000 characters. %agent history has them all."
    assert widget.last is not None
    assert len(widget.last.text) == 300_000


def test_a_long_conversation(open_chat: Callable[..., tuple[ChatWidget, View]]) -> None:
    """The newest 50 turns are there at once, the others when they are asked for; none twice, none missing."""
    widget, view = open_chat("bot")
    for number in range(60):
        widget.ask(f"question {number}")
    again, view = open_chat(conversation=widget.conversation_id)
    assert ([len(again.turns), again.earlier], again.agent) == ([50, 10], "bot")
    before = view.ok("earlier", before=again.turns[0]["id"], count=7)
    asked = [turn["question"]["text"] for turn in [*before, *again.turns]]
    assert asked == [f"question {number}" for number in range(3, 60)]
    assert again.totals["turns"] == 60


def test_a_title_by_a_model() -> None:
    """It comes after the first turn has ended, and the view learns of it."""
    config = {"endpoints": {"scripted": {"models": {"m": [{"text": "A fine title"}]}, "titleConvo": True}}}
    with Workbench(config | {"agents": [{"id": "a", "endpoint": "scripted", "model": "m"}]}) as other:
        widget = other.chat()
        widget.ask("What is it called?")
        assert widget.title in ("What is it called?", "A fine title")
        until(lambda: widget.title == "A fine title")
        widget.retry(widget.turns[0]["id"])
        until(lambda: not widget.running)
        assert widget.title == "A fine title"
        widget.close()


def test_the_record(chat: tuple[ChatWidget, View]) -> None:
    """It holds the branch in view, and is renewed when a turn has ended and when the branch changes."""
    widget, view = chat
    kept: list[str] = []

    class Handle:
        def update(self, bundle: dict[str, str], **_: bool) -> None:
            kept.append(bundle["text/plain"])

    widget._handles.append(Handle())  # type: ignore[arg-type]  # all that is used of it
    assert repr(widget) == "Nothing was said yet."
    ask(chat, "a")
    ask(chat, "b")
    first = widget.turns[0]["id"]
    ask(chat, "A", op="edit", turn=first)
    until(lambda: kept[-1].startswith("> A\n\nfirst"))
    view.ok("switch", turn=first)
    until(lambda: "> b\n\nsecond" in kept[-1])
    widget.use(model="gone/m")
    ask(chat, "in vain")
    assert "Not answered: in vain" in widget.record().html
    assert view.heard("record")[-1]["bundle"]["text/plain"] == kept[-1]


def test_closing(open_chat: Callable[..., tuple[ChatWidget, View]]) -> None:
    """It stops the answer that is coming and leaves no thread; what came is stored."""
    widget, view = open_chat(model="scripted/slow")
    view.ok("send", text="a")
    until(lambda: view.heard("block"))
    widget.close()
    assert threads() == []
    assert [turn["status"] for turn in widget.turns] == ["stopped"]


def test_an_interrupt_while_python_asks(open_chat: Callable[..., tuple[ChatWidget, View]]) -> None:
    """It stops the answer, whose beginning is returned, and the chat goes on."""
    widget, _ = open_chat(model="scripted/slow")
    threading.Timer(0.3, os.kill, [os.getpid(), signal.SIGINT]).start()
    result = widget.ask("a")
    assert (result.text, result.response.status) == ("This much came.", "incomplete")
    widget.use(model="scripted/hello")
    assert widget.ask("b").text == "Hello **world**"


def test_a_conversation_that_a_view_begins_anew(chat: tuple[ChatWidget, View], bench: Workbench) -> None:
    """It is another one in the history, with the title it was given."""
    widget, view = chat
    ask(chat, "a")
    view.ok("rename", title=" My  plans ")
    first = widget.conversation_id
    assert widget.title == "My plans"
    view.ok("fresh")
    assert (widget.turns, widget.title, widget.conversation) == ([], None, None)
    ask(chat, "b")
    assert {each.id for each in bench.conversations()} == {first, widget.conversation_id}
