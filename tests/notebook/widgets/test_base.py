from __future__ import annotations

import gzip
import logging
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
import traitlets

from agentbench.errors import InvalidRequest
from agentbench.notebook.records import Record
from agentbench.notebook.widgets import base
from agentbench.notebook.widgets.base import BenchWidget, Reply, operation, packed
from notebook.widgets.views import View

if TYPE_CHECKING:
    from pathlib import Path


class Note(BenchWidget):
    """A widget for these tests."""

    bundle = "chat"
    text = traitlets.Unicode("hello").tag(sync=True)
    data = traitlets.Bytes(b"\x00\x01").tag(sync=True)

    def record(self) -> Record:
        """Return the text in three forms."""
        return Record(f"<p>{self.text}</p>", f"*{self.text}*", self.text)

    @operation
    def write(self, text: str) -> int:
        """Change the text and return its length."""
        if not text:
            raise InvalidRequest("The text is empty.")
        self.text = text
        return len(text)

    @operation
    def fetch(self) -> Reply:
        """Return a binary answer."""
        return Reply({"size": 3}, (b"abc",))

    @operation
    def break_off(self) -> None:
        """Fail as nobody foresaw."""
        raise RuntimeError("secret")

    def private(self) -> None:
        """Not for views."""
        raise AssertionError("a view called this")


@pytest.fixture
def view() -> View:
    """Return a view of a new widget."""
    return View(Note())


def test_a_request_is_answered(view: View) -> None:
    """A request does what it names, and its answer has its id."""
    assert view.ask("write", text="changed") == {"id": "view-1", "ok": 7}
    assert view.widget.text == "changed"


def test_an_error_travels_back(view: View) -> None:
    """An error of ours comes with its own message and changes nothing."""
    assert view.ask("write", text="")["error"] == {"message": "The text is empty.", "type": "invalid_request_error"}
    assert view.widget.text == "hello"


def test_an_unforeseen_error_tells_no_details(view: View, caplog: pytest.LogCaptureFixture) -> None:
    """What nobody foresaw is logged; the view learns its type alone."""
    with caplog.at_level(logging.CRITICAL):
        error = view.ask("break_off")["error"]
    assert error["message"] == "agentbench itself failed (RuntimeError). The kernel's log says more."


@pytest.mark.parametrize("name", ["private", "record", "close", "nothing", "__init__"])
def test_only_operations_can_be_called(view: View, name: str) -> None:
    """A view reaches no method that isn't meant for it."""
    assert view.ask(name)["error"]["message"] == f"There is no operation {name!r}."


@pytest.mark.parametrize("content", [None, [], {}, {"id": 3}, {"id": None, "op": "write"}])
def test_what_is_no_request_is_passed_over(view: View, content: Any) -> None:
    """A message without an id can't be answered, and does nothing."""
    view.widget._on_message(view.widget, content, [])
    assert view.messages == []


def test_wrong_arguments_are_an_error(view: View, caplog: pytest.LogCaptureFixture) -> None:
    """Arguments that an operation doesn't take come back as an error."""
    with caplog.at_level(logging.CRITICAL):
        assert "TypeError" in view.ask("write", nonsense=1)["error"]["message"]


def test_an_answer_may_be_binary(view: View) -> None:
    """The binary part of an answer travels beside it."""
    assert view.ok("fetch") == {"size": 3}
    assert view.buffers[-1] == [b"abc"]


def test_messages_reach_every_view(view: View) -> None:
    """What the kernel says by itself is an event with its fields."""
    view.widget.say("grow", turn="t", html=["<p>"])
    assert view.heard("grow") == [{"event": "grow", "turn": "t", "html": ["<p>"]}]


def test_an_export_has_the_widgets_own_traits(view: View) -> None:
    """An exported page gets what the widget holds, and nothing of the machinery."""
    assert view.widget.exported() == {"text": "hello", "data": b"\x00\x01"}


def test_the_text_is_the_record(view: View) -> None:
    """Where there is no view, the record's text stands for the widget."""
    assert repr(view.widget) == "hello"


def test_a_record_can_be_found_by_its_key() -> None:
    """The key is a class in the record's HTML."""
    bundle = Record("<p>x</p>", "x", "x").bundle("ab_1")
    assert bundle["text/html"] == '<div class="agentbench-record ab_1"><p>x</p></div>'
    assert sorted(bundle) == ["text/html", "text/markdown", "text/plain"]


def test_packed_values_are_gzipped_json() -> None:
    """Large values travel as gzipped JSON."""
    assert msgspec.json.decode(gzip.decompress(packed({"a": [1, None]}))) == {"a": [1, None]}


def test_unbuilt_bundles_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without the built files a widget says how to build them."""
    monkeypatch.setattr(base, "STATIC", tmp_path)
    with pytest.raises(InvalidRequest, match="make widgets"):
        base._needs_bundle("chat")
