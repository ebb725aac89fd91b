"""The event inspector's Python side: what the view is given, what it may ask, what stays without it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from tests.notebook.scripts import CONFIG
from tests.notebook.widgets.page_data import unpacked
from tests.notebook.widgets.views import View

import agentbench
from agentbench.errors import InvalidRequest, UnknownName
from agentbench.notebook.inspector.look import MOST_EVENTS, Look
from agentbench.notebook.inspector.timeline import timeline_of
from agentbench.notebook.result import Result
from agentbench.notebook.widgets.inspector import Inspector
from agentbench.protocol.recording import Frame, Recording

if TYPE_CHECKING:
    from pathlib import Path

    from agentbench import Response, Workbench

DONE: dict[str, Any] = {"type": "response.output_item.done", "output_index": 0}
"""An event that breaks the grammar wherever it stands: its item is missing."""


class Patient(View):
    """Waits for an answer: each is given on a thread of its own."""

    def ask(self, op: str, /, *, buffers: tuple[bytes, ...] = (), **args: Any) -> dict[str, Any]:
        """Send a request and return its answer."""
        self.widget._on_message(self.widget, {"id": op, "op": op, "args": args}, list(buffers))
        until = time.monotonic() + 10
        while time.monotonic() < until:
            if (found := [each for each in self.messages if each.get("id") == op]) != []:
                self.messages.remove(found[0])
                return found[0]
            time.sleep(0.005)
        raise TimeoutError(op)


@pytest.fixture
def response(bench: Workbench) -> Response:
    """Give the response to the newest question."""
    bench.ask("first question", model="scripted/json")
    return bench.ask("second question")


@pytest.fixture
def inspector(bench: Workbench, response: Response) -> Inspector:
    """Give an inspector of it."""
    return bench.inspect()


def crafted(*events: dict[str, Any], **more: Any) -> Recording:
    """Return a recording of a stranger's events."""
    return Recording(**{"source": "http://host/v1", "events": events, **more})


# -- what can be inspected ------------------------------------------------------------------------------------------


def test_the_newest_run_is_inspected(inspector: Inspector, response: Response) -> None:
    """Without a name it is the newest, with all its events and times."""
    assert inspector.recording.response_id == response.id
    assert len(inspector.recording.times) == len(inspector.recording.events) == 10


@pytest.mark.parametrize("form", ["response", "id", "stream", "recording", "path", "text"])
def test_a_run_has_many_names(bench: Workbench, response: Response, form: str, tmp_path: Path) -> None:
    """A response, its id, a stream that has ended, a recording and a file all lead to the run."""
    stream = bench.stream("third question")
    list(stream)
    recording = bench.recording(response)
    file = tmp_path / "run.jsonl"
    file.write_text(recording.to_jsonl(), encoding="utf-8")
    runs = {"response": response, "id": response.id, "stream": stream, "recording": recording, "path": file}
    run = {**runs, "text": str(file)}[form]
    wanted = stream.response.id if form == "stream" else response.id
    assert bench.inspect(run).recording.response_id == wanted


def test_a_results_own_events_do_when_its_run_is_gone(bench: Workbench, response: Response) -> None:
    """What a result holds has deltas, which a stored response has not."""
    stream = bench.stream("hello", watching=False)
    events = list(stream)
    result = Result(stream.response, None, events, [place / 10 for place, _ in enumerate(events)])
    bench._runner.recordings._traces.clear()
    recording = bench.inspect(result).recording
    assert (recording.rebuilt, len(recording.events), recording.times[1]) == (False, len(events), 0.1)


def test_a_response_of_another_workbench_is_made_again(bench: Workbench, tmp_path: Path) -> None:
    """A response that isn't known here still shows its items, and says that they were made again."""
    with agentbench.Workbench(CONFIG, home=tmp_path / "other") as other:
        foreign = other.ask("hello")
    inspector = bench.inspect(foreign)
    assert inspector.recording.rebuilt
    assert "made again" in inspector.record().plain


@pytest.mark.parametrize(
    ("run", "error", "message"),
    [
        ("resp_none", UnknownName, "resp_none"),
        ("gone.jsonl", InvalidRequest, r"gone\.jsonl can't be read"),
        (7, InvalidRequest, "type int is no run"),
    ],
)
def test_what_is_no_run_is_refused(bench: Workbench, run: Any, error: type[Exception], message: str) -> None:
    """The error says what was wrong with it."""
    with pytest.raises(error, match=message):
        bench.inspect(run)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "holds no events"), (b"\xff\xfe\x00", "is no text"), (b'{"a": 1}\nhello', "Line 2 is no JSON object")],
)
def test_a_file_that_is_no_log_is_refused(bench: Workbench, tmp_path: Path, content: bytes, message: str) -> None:
    """The error names the file, and the line if it is one."""
    file = tmp_path / "log.sse"
    file.write_bytes(content)
    with pytest.raises(InvalidRequest, match=rf"log\.sse.*{message}"):
        bench.inspect(file)


def test_before_the_first_run_there_is_nothing(bench: Workbench) -> None:
    """The error says to ask first."""
    with pytest.raises(InvalidRequest, match="Ask first"):
        bench.inspect()


# -- what the view is given -----------------------------------------------------------------------------------------


def test_the_view_gets_the_whole_run(inspector: Inspector, response: Response) -> None:
    """Events, times and what the grammar says are in one trait, so that a page needs no kernel for them."""
    run = unpacked(inspector.run)
    assert (run["id"], run["status"], run["total"], run["goes_on"]) == (response.id, "completed", 10, False)
    assert (run["violations"], run["rules"] > 50) == ([], True)
    assert [event["type"] for event in run["events"]][-1] == "response.completed"
    assert inspector.other == b""


def test_violations_name_their_rule_and_event() -> None:
    """Each has its rule's sentence, and the number of its event."""
    run = unpacked(Inspector(crafted(DONE)).run)
    [first, *_] = [each for each in run["violations"] if each["event"] == 0]
    assert first["sentence"]
    assert run["violation_count"] == len(run["violations"])


def test_rules_of_frames_count_frames() -> None:
    """A violation of a frame is told with the frame's number, comments included, not with an event's."""
    texts = (": hello\n\n", "data: {\n\n", "data: [DONE]\n\n")
    frames = tuple(Frame(seconds=0.1, text=text) for text in texts)
    run = unpacked(Inspector(crafted(DONE, frames=frames)).run)
    [wrong] = [each for each in run["violations"] if each["rule"] == "frame-json"]
    assert (wrong["event"], wrong["frame"]) == (None, 1)


def test_a_rebuilt_run_has_no_grammar(bench: Workbench, response: Response) -> None:
    """What was made again can't break rules."""
    bench._runner.recordings._traces.clear()
    run = unpacked(bench.inspect(response).run)
    assert (run["rebuilt"], run["rules"], run["violations"]) == (True, 0, [])


def test_of_a_huge_run_the_first_50_000_events_are_shown() -> None:
    """The rest is checked but not shown, and a note says so."""
    event = {"type": "response.output_text.delta", "delta": "x"}
    recording = crafted(*[event] * (MOST_EVENTS + 10), times=(0.5,) * (MOST_EVENTS + 10))
    look = Look(recording)
    values = look.values()
    assert (len(values["events"]), len(values["times"]), values["total"]) == (
        MOST_EVENTS,
        MOST_EVENTS,
        MOST_EVENTS + 10,
    )
    assert "Only the first 50,000 of 50,010 events" in values["notes"][-1]
    assert values["violation_count"] > len(values["violations"])


def test_runs_to_choose_from_tell_what_was_asked(inspector: Inspector, response: Response) -> None:
    """The newest comes first, with its question, who answered and how it ended."""
    first, second = inspector.runs
    assert (first["id"], first["words"], first["source"], first["status"]) == (
        response.id,
        "second question",
        "scripted/hello",
        "completed",
    )
    assert second["words"] == "first question"


# -- what the view may ask ------------------------------------------------------------------------------------------


def test_another_run_can_be_chosen(inspector: Inspector) -> None:
    """It takes the place of the one that was shown, in the record too."""
    older = inspector.runs[1]["id"]
    assert Patient(inspector).ok("choose", response=older, side="run") is None
    assert unpacked(inspector.run)["id"] == inspector.recording.response_id == older
    assert "scripted/json" in inspector.record().plain


def test_a_run_beside_comes_and_goes(inspector: Inspector) -> None:
    """The record holds both while there are two."""
    view = Patient(inspector)
    view.ok("choose", response=inspector.runs[1]["id"], side="other")
    assert inspector.record().html.count("Run of") == 2
    view.ok("choose", response=None, side="other")
    assert (inspector.other, inspector.record().html.count("Run of")) == (b"", 1)


def test_a_run_that_goes_on_is_refreshed(bench: Workbench) -> None:
    """It is shown as far as it came, without complaints about what is missing, and later whole."""
    stream = bench.stream("hello", model="scripted/paced")
    events = iter(stream)
    for _ in range(5):
        next(events)
    inspector = bench.inspect(stream)
    run = unpacked(inspector.run)
    assert (run["status"], run["goes_on"], run["violations"]) == ("running", True, [])
    list(events)
    Patient(inspector).ok("refresh")
    run = unpacked(inspector.run)
    assert (run["status"], run["goes_on"], inspector.runs[0]["status"]) == ("completed", False, "completed")


@pytest.mark.parametrize("wire", ["responses", "chat", "anthropic", "ollama"])
def test_the_run_on_every_wire(inspector: Inspector, wire: str) -> None:
    """Each frame is what our surface sends, with the event that caused it."""
    view = Patient(inspector)
    assert view.ok("wire", wire=wire) is None
    frames = unpacked(view.buffers[-1][0])
    assert "Hello" in "".join(frame["text"] for frame in frames)
    assert [frame["index"] for frame in frames] == sorted(frame["index"] for frame in frames)


@pytest.mark.parametrize(
    ("op", "args", "message"),
    [
        ("choose", {"response": "resp_none"}, "resp_none"),
        ("choose", {"response": None}, "Name a run"),
        ("choose", {"response": 7}, "Name a run"),
        ("choose", {"response": "/etc/hosts"}, "no response '/etc/hosts'"),
        ("choose", {"response": "resp_none", "side": "up"}, "Name a run"),
        ("wire", {"wire": "telegraph"}, "telegraph"),
        ("wire", {"wire": "chat", "side": "other"}, "no run on that side"),
    ],
)
def test_a_wrong_request_is_answered_with_an_error(
    inspector: Inspector, op: str, args: dict[str, Any], message: str
) -> None:
    """The view shows why, and what was shown stays."""
    before = inspector.run
    assert message in Patient(inspector).ask(op, **args)["error"]["message"]
    assert inspector.run == before


def test_what_no_surface_can_send_is_told() -> None:
    """A stranger's stream without a response can't be sent."""
    assert "error" in Patient(Inspector(crafted(DONE))).ask("wire", wire="chat")


def test_an_inspector_of_a_recording_knows_no_others() -> None:
    """There is nothing to choose from, and asking says so."""
    inspector = Inspector(crafted(DONE))
    assert inspector.runs == []
    assert "knows of no other runs" in Patient(inspector).ask("choose", response="x")["error"]["message"]


def test_an_exported_page_holds_every_wire(inspector: Inspector) -> None:
    """It has no kernel to ask; what can't be sent is an error there too."""
    wires = unpacked(inspector.exported()["wires"])
    assert sorted(wires["run"]) == ["anthropic", "chat", "ollama", "responses"]
    assert wires["run"]["chat"]["frames"][0]["text"].startswith("data:")
    broken = unpacked(Inspector(crafted(DONE)).exported()["wires"])
    assert "error" in broken["run"]["chat"]
    assert inspector.wires == b""


# -- what stays -----------------------------------------------------------------------------------------------------


def test_the_record_has_a_timeline(inspector: Inspector) -> None:
    """A row an output item, how many events of each type, and what the grammar says, in HTML and Markdown."""
    record = inspector.record()
    for text in ("0 message", "response.output_text.delta", "No violation: ", "3 input and 2 output tokens"):
        assert text in record.html
        assert text.replace("_", r"\_") in record.markdown or text in record.markdown
    assert "until the first token" in record.plain


def test_the_record_lists_violations() -> None:
    """Each rule that is broken is in the tables."""
    record = Inspector(crafted(DONE)).record()
    assert "created-first" in record.html
    assert "created-first" in record.plain


def test_a_strangers_words_are_no_markup() -> None:
    """Names and sources of a foreign server are text."""
    item = {"type": "function_call", "name": "<script>x</script>"}
    recording = crafted({**DONE, "item": item}, {"type": "<b>"}, source="<img src=x>")
    record = Inspector(recording).record()
    assert "<script" not in record.html + record.markdown.replace("\\<", "")
    assert "<img" not in record.html
    assert "<b>" not in record.html


def test_a_run_without_events_has_a_record() -> None:
    """A run that was refused before its first event shows that nothing came."""
    inspector = Inspector(crafted())
    assert "0 events" in inspector.record().plain
    assert inspector.frame().empty


def test_the_events_are_a_frame(inspector: Inspector) -> None:
    """One row an event, with its time, its piece and its JSON."""
    frame = inspector.frame()
    assert frame["type"].tolist()[-1] == "response.completed"
    assert "".join(frame["delta"].dropna()) == "Hello **world**"
    assert msgspec.json.decode(frame["json"][0])["response"]["status"] == "in_progress"
    assert str(frame["seconds"].dtype) == "Float64"


def test_a_strangers_events_are_a_frame() -> None:
    """Values of a wrong type are missing; times that nobody measured too."""
    frame = Inspector(crafted({"type": 7, "sequence_number": "x", "delta": {}}, DONE)).frame()
    assert frame["type"].isna().tolist() == [True, False]
    assert frame["output_index"].isna().tolist() == [True, False]
    assert frame["seconds"].isna().all()


def test_violations_are_a_table(inspector: Inspector) -> None:
    """An empty one says how many rules hold."""
    assert (inspector.violations.rows, "No violation" in inspector.violations.note) == ([], True)
    assert Inspector(crafted(DONE)).violations.columns == ["rule", "event", "message"]


def test_a_stranger_can_not_flood_the_record() -> None:
    """Long names are cut, and of very many types and items the first are listed."""
    items = [{**DONE, "output_index": n, "type": f"x.{n}", "item": {"name": "n" * 9000}} for n in range(500)]
    html = Inspector(crafted(*items)).record().html
    assert "440 more items are not shown." in html
    assert "440 more types are not shown." in html
    assert "n" * 200 not in html


def test_times_may_be_anything() -> None:
    """Times that go back, or are too few, neither break the record nor the view."""
    times = (0.5, 0.1, -3.0)
    for some in (times, times[:1], (-1.0,) * 3):
        inspector = Inspector(crafted(DONE, DONE, DONE, times=some))
        assert "width:-" not in inspector.record().html
        assert len(unpacked(inspector.run)["events"]) == 3


def test_an_event_that_is_nested_too_deep_is_refused() -> None:
    """It can't be sent to a view; the error says so."""
    deep: dict[str, Any] = {}
    for _ in range(5000):
        deep = {"a": deep}
    with pytest.raises(InvalidRequest, match="nested too deep"):
        Inspector(crafted(deep))


def test_lanes_follow_items() -> None:
    """An item's result bears its call's name; a status comes from the last response."""
    call = {"type": "function_call", "id": "a", "call_id": "c", "name": "weather"}
    result = {"type": "function_call_output", "id": "b", "call_id": "c"}
    events = (
        {"type": "response.output_item.added", "output_index": 0, "item": call},
        {"type": "response.function_call_arguments.delta", "output_index": 0, "delta": "{}"},
        {"type": "response.output_item.done", "output_index": 0, "item": call},
        {"type": "response.output_item.done", "item": result},
        {"type": "response.incomplete", "response": {"status": "cancelled"}},
    )
    line = timeline_of(crafted(*events, times=(0.1, 0.2, 0.3, 0.4, 0.5)))
    assert [(lane.kind, lane.name) for lane in line.lanes] == [("call", "weather"), ("result", "weather")]
    assert (line.lanes[0].begins, line.lanes[0].first, line.lanes[0].ends, line.lanes[0].deltas) == (0, 1, 2, 1)
    assert (line.status, line.total, line.first_token) == ("cancelled", 0.5, 1)
