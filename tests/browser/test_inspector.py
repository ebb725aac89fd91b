from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from browser.axe import violations
from browser.lab import LOOKS, READERS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Locator

    from browser.lab import Lab, Notebook

pytestmark = pytest.mark.browser

WORDS = [
    "The",
    "river",
    "that",
    "runs",
    "through",
    "Oslo",
    "is",
    "the",
    "Akerselva.",
    "It",
    "is",
    "about",
    "eight",
    "kilometres",
    "long.",
    "",
]
THOUGHT = [{"reasoning": "I should look up the weather."}, {"wait": 0.3}]
ANSWER = [step for word in WORDS for step in ({"text": f"{word} "}, {"wait": 0.02})]
USAGE = {"usage": {"input_tokens": 31, "output_tokens": 17}}
MODELS: dict[str, Any] = {
    "tool": {"turns": [[*THOUGHT, {"call": {"name": "weather", "arguments": '{"city": "Oslo"}'}}], [*ANSWER, USAGE]]},
    "plain": [{"wait": 0.3}, *ANSWER, USAGE],
    "hostile": [{"text": "<img src=x onerror=\"document.title='run'\"><script>document.title='run'</script>"}],
}
SET_UP = f"""\
%load_ext agentbench
import agentbench
from agentbench.notebook.widgets.inspector import Inspector
from agentbench.protocol.recording import Recording
def weather(city: str) -> str:
    "Return the weather of a city."
    return f"Rain in {{city}}"
bench = agentbench.Workbench({{"endpoints": {{"scripted": {{"models": {MODELS!r}}}}}}})
agentbench.set_workbench(bench)
plain = bench.ask("Tell me of Oslo", model="scripted/plain")
run = bench.ask("What is the weather?", model="scripted/tool", functions=[weather])
"""
BROKEN = [
    {"type": "response.created", "sequence_number": 0, "response": {"id": "resp_1", "status": "in_progress"}},
    {"type": "response.output_text.delta", "sequence_number": 2, "output_index": 0, "delta": "Too early"},
    {"type": "response.done"},
]
CRAFTED = f"Inspector(Recording(source='http://host/v1', events={BROKEN!r}, times=[0.1, 0.4, 0.9]))"
MANY = 20_000
LARGE = f"""\
delta = {{"type": "response.output_text.delta", "item_id": "m", "output_index": 0, "content_index": 0}}
head = [{{"type": "response.created"}}, {{"type": "response.output_item.added", "output_index": 0,
         "item": {{"type": "message", "id": "m"}}}}]
deltas = [delta | {{"sequence_number": n, "delta": f"word {{n}} "}} for n in range({MANY})]
events = head + deltas
Inspector(Recording(source="large", events=events, times=[n / 500 for n in range(len(events))]))
"""
SCROLL = """async box => {
    const times = [];
    let last = performance.now();
    for (let step = 0; step < 60; step++) {
        box.scrollTop = (box.scrollHeight - box.clientHeight) * step / 60;
        await new Promise(requestAnimationFrame);
        const now = performance.now();
        times.push(now - last);
        last = now;
    }
    return times.sort((a, b) => a - b);
}"""
FRAMES = """async () => {
    const times = [];
    let last = performance.now();
    for (let frame = 0; frame < 60; frame++) {
        await new Promise(requestAnimationFrame);
        const now = performance.now();
        times.push(now - last);
        last = now;
    }
    return times.sort((a, b) => a - b);
}"""
EXECUTE = """async code => {
    const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
    const reply = await kernel.requestExecute({code}).done;
    if (reply.content.status !== 'ok') throw new Error(reply.content.evalue);
}"""
SEARCH = """async ([field, words]) => {
    const times = [];
    for (const word of words) {
        const start = performance.now();
        field.value = word;
        field.dispatchEvent(new InputEvent('input', {bubbles: true}));
        await new Promise(requestAnimationFrame);
        times.push(performance.now() - start);
    }
    return times;
}"""


@pytest.fixture
def notebook(lab: Lab) -> Iterator[Notebook]:
    """Give a notebook that inspects a run in its second cell."""
    yield opened(lab, "inspector = bench.inspect(run)\ninspector")
    lab.use_theme("Light")


def opened(lab: Lab, *cells: str) -> Notebook:
    """Open a notebook with an inspector in its second cell."""
    notebook = lab.open([SET_UP, *cells])
    notebook.run_all()
    view(lab).locator(".abi-lane").first.wait_for()
    return notebook


def view(lab: Lab) -> Locator:
    """Return the inspector's view."""
    return lab.page.locator(".ab-inspector")


def open_tab(lab: Lab, name: str) -> None:
    """Choose a tab."""
    view(lab).get_by_role("tab", name=name, exact=True).click()


def test_the_last_run_is_inspected(notebook: Notebook, lab: Lab) -> None:
    """A lane an output item; a click on an event, or in a lane, shows its JSON."""
    lanes = view(lab).locator(".abi-lane-label").all_inner_texts()
    assert lanes == ["0 reasoning", "1 call weather", "2 result weather", "3 message"]
    view(lab).locator(".abi-event").nth(2).click()
    assert "response.output_item.added" in view(lab).get_by_label("JSON of event 2").inner_text()
    view(lab).locator(".abi-lane svg").nth(3).click()
    assert "event" in view(lab).locator(".abi-tells").first.inner_text()
    assert "3 message" in view(lab).locator(".abi-tells").first.inner_text()
    assert lab.blocked == set()


def test_the_run_is_replayed_from_the_keyboard(notebook: Notebook, lab: Lab) -> None:
    """The space key plays, the answer grows and stands whole at the end; keys of the notebook do nothing meanwhile."""
    cells = lab.page.locator(".jp-Cell").count()
    open_tab(lab, "Answer")
    text = view(lab).get_by_label("The answer so far")
    text.focus()
    lab.page.keyboard.press("Space")
    lab.page.keyboard.press("b")
    view(lab).get_by_text("Nothing has come yet.").or_(view(lab).get_by_text("so far")).first.wait_for()
    assert "long." not in text.inner_text()
    view(lab).get_by_role("button", name="Play").wait_for()
    assert "eight kilometres long." in text.inner_text()
    assert lab.page.locator(".jp-Cell").count() == cells


def test_events_are_stepped_through(notebook: Notebook, lab: Lab) -> None:
    """The arrow keys go from event to event, and the list follows."""
    listbox = view(lab).get_by_role("listbox", name="Events")
    listbox.focus()
    for _ in range(20):
        lab.page.keyboard.press("ArrowRight")
    lab.page.keyboard.press("ArrowLeft")
    assert "event 18 of" in view(lab).locator(".abi-where").inner_text()
    assert view(lab).locator(".ab-row[aria-selected=true] .abi-event").inner_text().startswith("18")


def test_events_are_filtered(notebook: Notebook, lab: Lab) -> None:
    """A text is looked for in the JSON; types are ticked off."""
    view(lab).get_by_role("searchbox").fill("AKERSELVA")
    assert " of " in view(lab).locator(".abi-filter [role=status]").inner_text()
    few = view(lab).locator(".abi-event").count()
    assert 0 < few < 10
    view(lab).locator(".abi-types summary").click()
    view(lab).get_by_label("response.output_text.delta").uncheck()
    assert view(lab).locator(".abi-event").count() == few - 1


def test_the_run_is_shown_on_other_protocols(notebook: Notebook, lab: Lab) -> None:
    """Each tab has the frames of a surface; a frame leads to the event that caused it."""
    open_tab(lab, "Protocols")
    for tab, text in {
        "Responses SSE": "event: response.created",
        "Chat chunks": "chat.completion.chunk",
        "Anthropic events": "message_start",
        "Ollama NDJSON": '"done":false',
    }.items():
        open_tab(lab, tab)
        view(lab).locator(".abi-frame").first.click()
        view(lab).locator(".abi-detail pre", has_text=text).wait_for()
        assert "event 0 of" in view(lab).locator(".abi-where").inner_text() or tab == "Ollama NDJSON"
    view(lab).get_by_role("button", name="Raw text").click()
    assert view(lab).locator(".abi-raw pre").inner_text().count("\n") > 10


def test_what_a_stranger_did_wrong_is_marked(lab: Lab, pictures: Path) -> None:
    """Each rule that is broken is told with its events, which are marked in the list."""
    notebook = opened(lab, CRAFTED)
    assert view(lab).locator(".abi-event.abi-broken").count() == 3
    view(lab).get_by_role("tab", name="Grammar").click()
    assert "known-type" in view(lab).locator(".abi-grammar").inner_text()
    notebook.screenshot(pictures / "inspector-grammar.png")
    assert violations(lab.page, ".ab-inspector") == []
    view(lab).get_by_role("button", name="event 2").first.click()
    assert "response.done" in view(lab).get_by_label("JSON of event 2").inner_text()


def test_another_run_stands_beside(notebook: Notebook, lab: Lab) -> None:
    """It is chosen from the list, drawn on the same scale, and compared in numbers and words."""
    view(lab).get_by_label("Beside").select_option(index=2)
    view(lab).get_by_role("listbox", name="Output items of the run beside").wait_for()
    open_tab(lab, "Compare")
    assert "output items\n4\n1" in view(lab).get_by_role("table").inner_text().replace("\t", "\n")
    assert view(lab).locator(".abi-answer").count() == 2
    assert violations(lab.page, ".ab-inspector") == []
    [_, record] = notebook.outputs(1)
    assert "".join(record["data"]["text/plain"]).count("Run of") == 2


@pytest.mark.smooth
def test_20_000_events_scroll_and_filter_smoothly(lab: Lab) -> None:
    """At least 20 frames a second are drawn, and a search takes less than 100 ms."""
    opened(lab, LARGE)
    listbox = view(lab).get_by_role("listbox", name="Events")
    frames = listbox.evaluate(SCROLL)
    field = view(lab).get_by_role("searchbox").element_handle()
    field.focus()
    lab.page.wait_for_timeout(500)
    searches = lab.page.evaluate(SEARCH, [field, ["w", "word 1", "word 19", "word 199", "nowhere"]])
    report = {"frame_ms": [frames[30], frames[54]], "search_ms": searches}
    print(msgspec.json.encode(report).decode())  # noqa: T201 - how fast it was, for those who ask with -s
    assert sum(frames) / len(frames) < 50
    assert max(searches) < 100
    assert "0 of 20,002 events" in view(lab).locator(".abi-filter [role=status]").inner_text()
    assert view(lab).locator(".abi-lane").count() == 1


@pytest.mark.smooth
def test_20_000_events_play_smoothly(lab: Lab) -> None:
    """While the answer grows at twenty times its speed, at least 20 frames a second are drawn."""
    opened(lab, LARGE)
    open_tab(lab, "Answer")
    view(lab).get_by_label("Speed").select_option("20")
    view(lab).get_by_role("button", name="Play").click()
    frames = lab.page.evaluate(FRAMES)
    assert view(lab).get_by_role("button", name="Pause").or_(view(lab).get_by_text("20,000")).first.is_visible()
    print(msgspec.json.encode({"replay_frame_ms": [frames[30], frames[54]]}).decode())  # noqa: T201 - as above
    assert sum(frames) / len(frames) < 50


def test_an_exported_page_needs_no_kernel(notebook: Notebook, lab: Lab) -> None:
    """The file alone replays the run and shows it on every protocol; it asks nobody for anything."""
    export = "import agentbench; agentbench.export('run.html', inspector)"
    lab.page.evaluate(EXECUTE, export)
    browser = lab.page.context.browser
    assert browser is not None
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((notebook.file.parent / "run.html").as_uri())
    page.get_by_role("tab", name="Protocols").click()
    page.get_by_role("tab", name="Ollama NDJSON").click()
    page.locator(".abi-frame").first.wait_for()
    page.get_by_role("tab", name="Answer").click()
    page.get_by_role("button", name="Next event").click()
    page.get_by_text("Nothing has come yet.").wait_for()
    assert page.get_by_role("button", name="Refresh").count() == 0
    assert [each for each in asked if not each.startswith(("file:", "blob:", "data:"))] == []
    page.close()


def test_what_a_model_says_stays_text(lab: Lab) -> None:
    """Markup in an answer is shown as it was written, in every panel."""
    opened(lab, 'bench.inspect(bench.ask("hi", model="scripted/hostile"))')
    for tab in ("Answer", "Protocols", "Events"):
        open_tab(lab, tab)
        lab.page.wait_for_timeout(200)
    assert view(lab).locator("img, script").count() == 0
    assert lab.page.title() != "run"


def test_it_is_readable(notebook: Notebook, lab: Lab, pictures: Path) -> None:
    """In both themes and in a narrow panel nobody is kept out, and nothing is cut off at the side."""
    view(lab).locator(".abi-event").nth(4).click()
    for theme, width in LOOKS:
        lab.use_theme(theme)
        if width:
            view(lab).evaluate("(el, width) => { el.style.width = `${width}px`; }", width)
        for tab in ("Answer", "Protocols", "Events"):
            open_tab(lab, tab)
            lab.page.wait_for_timeout(300)
            assert violations(lab.page, ".ab-inspector") == []
            name = f"inspector-{theme.lower()}-{width or 'wide'}-{tab.lower()}.png"
            notebook.screenshot(pictures / name)
        assert view(lab).evaluate("el => el.scrollWidth <= el.clientWidth + 1")


def test_a_page_that_is_loaded_again_is_whole(notebook: Notebook, lab: Lab) -> None:
    """With its kernel alive, the view comes back and can still ask."""
    notebook.reopen(lab, "live")
    view(lab).locator(".abi-lane").first.wait_for()
    open_tab(lab, "Protocols")
    view(lab).locator(".abi-frame").first.wait_for()
    assert not lab.page.locator(".agentbench-record").is_visible()


def test_the_record_stays(notebook: Notebook, lab: Lab, pictures: Path) -> None:
    """Reopened with another kernel, then by a reader with none, the notebook shows timeline and numbers as tables."""
    for kernel in READERS:
        notebook.reopen(lab, kernel)
        record = lab.page.locator(".agentbench-record")
        record.wait_for()
        text = record.inner_text()
        for expected in ("scripted/tool", "1 call weather", "No violation", "Events by type"):
            assert expected in text
        assert record.is_visible()
        notebook.screenshot(pictures / f"inspector-record-{kernel}.png")
