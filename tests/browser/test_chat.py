from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from browser.axe import violations
from browser.chats import ask, button, ended, opened, shows, view_of

if TYPE_CHECKING:
    from pathlib import Path

    from browser.lab import Lab

pytestmark = pytest.mark.browser

FILES = """(zone, type) => {
    const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
    const bytes = Uint8Array.from(atob(png), each => each.charCodeAt(0));
    const data = new DataTransfer();
    data.items.add(new File([bytes], 'dot.png', {type: 'image/png'}));
    const more = {bubbles: true, cancelable: true, [type === 'paste' ? 'clipboardData' : 'dataTransfer']: data};
    zone.dispatchEvent(new (type === 'paste' ? ClipboardEvent : DragEvent)(type, more));
}"""
WATCH = """text => {
    window.longTasks = [];
    new PerformanceObserver(list => { for (const each of list.getEntries()) window.longTasks.push(each.duration); })
        .observe({type: 'longtask'});
    const view = document.querySelector('.ab-chat');
    const seen = new MutationObserver(() => {
        if (!view.querySelector('.ab-answer')?.textContent.includes(text)) return;
        window.seenAt = Date.now() / 1000;
        seen.disconnect();
    });
    seen.observe(view, {subtree: true, childList: true, characterData: true});
}"""
# Asks the kernel over the widget's own comm, as a view does; returns the waits in milliseconds.
PINGS = """async ([commId, count]) => {
    const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
    const comm = kernel._comms.get(commId);
    const waits = [];
    for (let place = 0; place < count; place++) {
        const id = `probe-${place}`;
        const start = performance.now();
        await new Promise(resolve => {
            const hear = (_, message) => {
                if (message.content.data?.content?.id !== id) return;
                kernel.iopubMessage.disconnect(hear);
                resolve();
            };
            kernel.iopubMessage.connect(hear);
            comm.send({method: 'custom', content: {id, op: 'ping', args: {}}});
        });
        waits.push(performance.now() - start);
        await new Promise(resolve => setTimeout(resolve, 150));
    }
    return waits;
}"""
BELOW = "log => log.scrollHeight - log.scrollTop - log.clientHeight"
CELLS = "() => window.jupyterapp.shell.currentWidget.content.model.cells.length"


def test_a_chat_answers_and_stops(lab: Lab) -> None:
    """Answers are rendered; Stop ends a silent one at once, keeps what came, and the next question works."""
    opened(lab)
    view = view_of(lab.page)
    ask(view, "Hello")
    shows(view, "The first answer.")
    assert view.locator(".ab-answer strong").inner_text() == "first"
    ended(view)
    view.get_by_label("Model").select_option("scripted/slow")
    ask(view, "Wait")
    shows(view, "first", "This much came.")
    button(view, "Stop").click()
    shows(view, "first", "Stopped early: interrupted.")
    expect(view.get_by_label("Message", exact=True)).to_be_focused()
    view.get_by_label("Model").select_option("")
    ask(view, "Again")
    shows(view, "first", "This much came.", "The second answer.")


def test_a_tool_waits_for_a_person(lab: Lab) -> None:
    """A call that wants a yes takes the keyboard; approved, it runs, and the answer goes on."""
    opened(lab, "agent='clerk'")
    view = view_of(lab.page)
    ask(view, "Write it")
    expect(view.get_by_role("group", name="May write_file run?")).to_be_focused()
    lab.page.keyboard.press("Tab")
    expect(button(view, "Approve")).to_be_focused()
    lab.page.keyboard.press("Enter")
    shows(view, "It is done.")
    expect(view.locator(".ab-call-state")).to_contain_text("done")
    view.locator(".ab-call summary").click()
    expect(view.locator(".ab-call")).to_contain_text("wrote a.txt")


def test_a_denied_tool_does_not_run(lab: Lab) -> None:
    """Deny is told to the model, and the row says so."""
    opened(lab, "agent='clerk'")
    view = view_of(lab.page)
    ask(view, "Write it")
    button(view, "Deny").click()
    shows(view, "It is done.")
    expect(view.locator(".ab-call-state")).to_contain_text("denied")


def test_an_edited_question_is_a_branch(lab: Lab) -> None:
    """Editing the first question begins a branch; the switch leads back to all that was said in the other."""
    notebook = opened(lab, more=("len(chat.frame())",))
    view = view_of(lab.page)
    for text in ("One", "Two"):
        ask(view, text)
        ended(view)
    shows(view, "One", "Two")
    button(view.locator(".ab-turn").first, "Edit").click()
    view.get_by_label("Edit the question").fill("Uno")
    view.get_by_label("Edit the question").press("Enter")
    expect(view.locator(".ab-branches")).to_contain_text("2 / 2")
    shows(view, "Uno")
    ended(view)
    button(view, "Previous branch").click()
    shows(view, "One", "Two")
    expect(button(view, "Next branch")).to_be_focused()
    notebook.run(2)
    assert notebook.text(2) == "2"


def test_images_are_dropped_pasted_and_sent(lab: Lab) -> None:
    """Images by drop and by paste become thumbnails, can be removed, and go with the question."""
    notebook = opened(
        lab, more=("[type(part).__name__ for part in bench.turns(chat.conversation)[0].input[0].content]",)
    )
    view = view_of(lab.page)
    zone = view.locator(".ab-log")
    for kind in ("drop", "paste", "drop"):  # wherever they are dropped
        zone.evaluate(FILES, kind)
    expect(view.locator(".ab-thumbnails li")).to_have_count(3)
    button(view, "Remove image 3").click()
    ask(view, "What is this?")
    expect(view.locator(".ab-question .ab-images img")).to_have_count(2)
    expect(view.locator(".ab-thumbnails li")).to_have_count(0)
    ended(view)
    notebook.run(2)
    assert notebook.text(2) == "['InputText', 'InputImage', 'InputImage']"
    assert notebook.page.locator(".ab-question img").first.evaluate("each => each.naturalWidth") == 1


def test_two_views_agree(lab: Lab) -> None:
    """What is asked in one view streams in the other, and a branch that one chooses is the other's."""
    opened(lab, more=("chat",))
    one, other = view_of(lab.page), view_of(lab.page, 1)
    ask(one, "Hello")
    for view in (one, other):
        shows(view, "The first answer.")
        ended(view)
    button(other, "Retry").click()
    for view in (one, other):
        expect(view.locator(".ab-branches")).to_contain_text("2 / 2")
        ended(view)
    button(one, "Previous branch").click()
    expect(other.locator(".ab-branches")).to_contain_text("1 / 2")


def test_the_keyboard_is_enough(lab: Lab) -> None:
    """Tab reaches every control in order, each with a visible focus; Enter sends, Escape stops."""
    opened(lab)
    view, keys = view_of(lab.page), lab.page.keyboard
    ask(view, "Hello")
    ended(view)
    view.locator(".ab-title button").focus()
    seen = []
    for _ in range(12):
        name = lab.page.evaluate("() => { const a = document.activeElement; return a.ariaLabel || a.innerText; }")
        outline = lab.page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle")
        seen.append((name.split("\n")[0], outline))
        if name == "Message":
            break
        keys.press("Tab")
    names = [name for name, _ in seen]
    assert names[:2] == ["Hello: rename", "New conversation"]
    assert names[4:] == ["Conversation", "Copy", "Retry", "Edit", "Message"]
    assert {outline for _, outline in seen[1:]} == {"solid"}
    view.get_by_label("Model").select_option("scripted/slow")
    view.get_by_label("Message", exact=True).focus()
    keys.type("Wait")
    keys.press("Enter")
    shows(view, "first", "This much came.")
    keys.press("Escape")
    shows(view, "first", "Stopped early: interrupted.")


def test_it_follows_what_is_new_unless_the_reader_left(lab: Lab) -> None:
    """Who scrolls up while an answer comes stays there, and gets back by a button."""
    opened(lab, "model='scripted/long'")
    view = view_of(lab.page)
    log = view.locator(".ab-log")
    ask(view, "Tell me all")
    lab.page.wait_for_function("() => document.querySelector('.ab-log').scrollTop > 200")
    log.evaluate("log => { log.scrollTop = 0; }")
    expect(button(view, "Latest ↓")).to_be_visible()
    shows(view, "The very end.")
    assert log.evaluate("log => log.scrollTop") == 0
    button(view, "Latest ↓").click()
    assert log.evaluate(BELOW) < 2


def test_no_shortcut_reaches_the_notebook(lab: Lab) -> None:
    """Keys that change cells in command mode do nothing while a button of the chat has the focus."""
    opened(lab)
    view = view_of(lab.page)
    ask(view, "Hello")
    ended(view)
    before = lab.page.evaluate(CELLS)
    button(view, "Copy").focus()
    for key in ("b", "a", "d", "d", "x", "Shift+m", "Shift+Enter"):
        lab.page.keyboard.press(key)
    lab.page.wait_for_timeout(300)
    assert lab.page.evaluate(CELLS) == before


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_it_is_accessible_in_both_themes(lab: Lab, theme: str, pictures: Path) -> None:
    """No serious finding of axe, contrast among them, in a chat that shows all kinds of parts."""
    notebook = opened(lab, "agent='clerk'")
    view = view_of(lab.page)
    lab.use_theme("Dark" if theme == "Dark" else "Light")
    ask(view, "Write it")
    expect(button(view, "Approve")).to_be_visible()
    try:
        assert violations(lab.page, ".ab-chat") == []
        button(view, "Approve").click()
        ended(view)
        assert violations(lab.page, ".ab-chat") == []
        notebook.screenshot(pictures / f"chat-{theme.lower()}.png")
    finally:
        lab.use_theme("Light")


@pytest.mark.smooth
def test_a_long_stream_leaves_page_and_kernel_responsive(lab: Lab) -> None:
    """While 2,000 words stream, no task takes over 200 ms, the kernel answers within 100 ms, and nothing lags."""
    when = "import time\nended = []\nchat.observe(lambda change: ended.append(time.time()), 'running')"
    notebook = opened(lab, "model='scripted/long'", more=(when, "ended[-1]"))
    view = view_of(lab.page)
    comm = notebook.outputs(1)[0]["data"]["application/vnd.jupyter.widget-view+json"]["model_id"]
    lab.page.evaluate(WATCH, "The very end.")
    ask(view, "Tell me all")
    shows(view, "one two")
    waits = lab.page.evaluate(PINGS, [comm, 15])
    shows(view, "The very end.")
    ended(view)
    assert view.locator(".ab-log").evaluate(BELOW) < 2
    notebook.run(3)
    lag = lab.page.evaluate("() => window.seenAt") - float(notebook.text(3))
    tasks = lab.page.evaluate("() => window.longTasks")
    assert max(tasks, default=0) < 200, tasks
    assert sorted(waits)[-2] < 100, waits  # one may have waited for the machine
    assert lag < 0.5
