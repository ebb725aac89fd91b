"""What a chat leaves where it is gone: the record of an answer that was coming, a page without a kernel, its images."""

from __future__ import annotations

import base64
import time
from typing import TYPE_CHECKING, Any

import pytest
from tests.notebook.chat.scripts import CONFIG
from tests.notebook.widgets.views import View

from agentbench import Workbench
from agentbench.notebook.chat import answering, exporting
from agentbench.notebook.widgets import chat as widget

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agentbench.notebook.widgets.chat import ChatWidget

SMALL = "data:image/png;base64,AAAA"
LARGE = f"data:image/png;base64,{'B' * 400_000}"


@pytest.fixture
def bench() -> Iterator[Workbench]:
    """Give a workbench with scripted agents."""
    with Workbench(CONFIG) as bench:
        yield bench


@pytest.fixture
def chat(bench: Workbench) -> Iterator[ChatWidget]:
    """Give a chat that is closed at the end."""
    opened = bench.chat()
    yield opened
    opened.close()


@pytest.fixture
def kept(chat: ChatWidget) -> list[str]:
    """Give the records that the notebook has had, as text."""
    texts: list[str] = []

    class Handle:
        def update(self, bundle: dict[str, str], **_: bool) -> None:
            texts.append(bundle["text/plain"])

    chat._handles.append(Handle())  # type: ignore[arg-type]  # all that is used of it
    return texts


def until(condition: Callable[[], Any], seconds: float = 10.0) -> None:
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_the_record_of_an_answer_that_is_coming(
    chat: ChatWidget, kept: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has the question when the turn begins, soon what came of the answer, and at the end no word of waiting."""
    monkeypatch.setattr(answering, "_RECORD_S", 0.2)
    chat.use(model="scripted/slow")
    view = View(chat)
    view.ok("send", text="Who?")
    until(lambda: kept)
    assert kept[0].startswith("> Who?")
    assert kept[0].endswith("(Still being answered when this was kept.)")
    until(lambda: "This much came." in kept[-1])
    assert "Still being answered" in kept[-1]
    view.ok("stop")
    until(lambda: not chat.running)
    until(lambda: "Still being answered" not in kept[-1])
    assert "This much came." in kept[-1]


def test_a_record_that_is_long_is_renewed_seldom(
    chat: ChatWidget, kept: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is sent in a second is limited, as notebook servers drop what is more than a megabyte."""
    monkeypatch.setattr(widget, "_RECORD_BYTES_PER_S", 0.01)
    chat.keep_record()
    assert not chat.keep()
    chat._next_keep = 0
    assert chat.keep()
    until(lambda: len(kept) == 2)


def test_a_large_image_is_fetched(chat: ChatWidget) -> None:
    """The turn names it, and a request brings its type and its bytes; one that isn't there is an error."""
    view = View(chat)
    chat.ask("Look", images=[SMALL, LARGE])
    (turn,) = chat.turns
    assert turn["question"]["images"] == [SMALL, "held:1"]
    assert view.ok("image", turn=turn["id"], index=1) == {"type": "image/png"}
    assert view.buffers[-1] == [base64.b64decode("B" * 400_000)]
    for arguments in ({"index": 2}, {"index": -1}, {"index": 0, "call": "call_none"}):
        assert "error" in view.ask("image", turn=turn["id"], **arguments)


def test_an_exported_page_has_the_whole_branch(chat: ChatWidget) -> None:
    """All turns are there, more than a view gets at once, with their images; the draft is nobody's business."""
    chat.draft = "half a tho"
    chat.ask("Look", images=[SMALL, LARGE])
    for number in range(60):
        chat.ask(f"question {number}")
    page = chat.exported()
    assert (len(chat.turns), len(page["turns"]), page["earlier"], page["draft"]) == (50, 61, 0, "")
    assert page["turns"][0]["question"]["images"] == [SMALL, LARGE]
    assert page["turns"][-1] == chat.turns[-1]


def test_an_exported_page_that_would_be_too_large(chat: ChatWidget, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest turns and images are there; the number of the others and a note say what isn't."""
    monkeypatch.setattr(exporting, "_MOST_IMAGE_BYTES", 500_000)
    for text in ("a", "b"):
        chat.ask(text, images=[LARGE])
    old, new = chat.exported()["turns"]
    assert (old["question"]["images"], new["question"]["images"]) == ([], [LARGE])
    assert "An image is left out here" in old["question"]["html"]
    assert "left out" not in new["question"]["html"]
    monkeypatch.setattr(exporting, "_MOST_BYTES", 10)
    page = chat.exported()
    assert ([turn["question"]["text"] for turn in page["turns"]], page["earlier"]) == (["b"], 1)
