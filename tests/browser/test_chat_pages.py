"""A chat where a page is loaded again, and where its kernel is busy, gone, or another one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from browser.chats import ask, button, ended, opened, shows, view_of
from browser.lab import READERS

if TYPE_CHECKING:
    from browser.lab import Lab

pytestmark = pytest.mark.browser

# Noise: nothing makes it small.
LARGE_IMAGE = """async zone => {
    const canvas = Object.assign(document.createElement('canvas'), {width: 800, height: 800});
    const context = canvas.getContext('2d');
    const pixels = context.createImageData(800, 800);
    pixels.data.forEach((_, place) => { pixels.data[place] = place % 4 === 3 ? 255 : Math.random() * 256; });
    context.putImageData(pixels, 0, 0);
    const blob = await new Promise(resolve => canvas.toBlob(resolve, 'image/png'));
    const data = new DataTransfer();
    data.items.add(new File([blob], 'noise.png', {type: 'image/png'}));
    zone.dispatchEvent(new ClipboardEvent('paste', {bubbles: true, cancelable: true, clipboardData: data}));
}"""


def test_large_images_are_shown_in_their_question(lab: Lab) -> None:
    """A screenshot is too large for the turn itself; the view fetches it, also after the page was loaded again."""
    notebook = opened(lab)
    view = view_of(lab.page)
    view.locator(".ab-log").evaluate(LARGE_IMAGE)
    expect(view.locator(".ab-thumbnails li")).to_have_count(1)
    ask(view, "What is this?")
    ended(view)
    image = view.locator(".ab-question .ab-images img")
    expect(image).to_have_attribute("src", re.compile("^blob:"))
    assert image.evaluate("each => each.decode().then(() => each.naturalWidth)") == 800
    notebook.wait_idle()
    notebook.reopen(lab, "live")
    expect(view_of(lab.page).locator(".ab-question .ab-images img")).to_have_attribute("src", re.compile("^blob:"))


def test_a_question_to_a_busy_kernel_is_asked_once(lab: Lab) -> None:
    """While a cell runs, a question stands in its field, waiting; then it is asked, and what was added stays."""
    # The lock too: where the frontend has subshells for widgets, a cell alone keeps no question waiting.
    busy = "import time\nbusy = 8 * ('busy' in globals())\nprint('busy for', busy)\nwith chat.lock: time.sleep(busy)"
    notebook = opened(lab, more=(busy,))
    view = view_of(lab.page)
    notebook.start(2)
    while "busy for 8" not in str(notebook.outputs(2)):  # what a person sees of it comes later
        lab.page.wait_for_timeout(50)
    field = view.get_by_label("Message", exact=True)
    field.fill("Hello")
    field.press("Enter")
    expect(view.locator(".ab-composer .ab-hint")).to_be_visible()
    expect(lab.page.locator(".ab-chat .ab-notice").first).to_contain_text("The kernel hasn't answered yet.")
    field.press("Enter")
    field.fill("Hello, and more")
    shows(view, "The first answer.")
    expect(view.locator(".ab-notice")).to_have_count(0)
    expect(field).to_have_value("Hello, and more")


def test_a_page_that_is_loaded_again_has_it_all(lab: Lab) -> None:
    """With its kernel alive, a chat comes back: its turns, the one that runs, the draft; and it goes on."""
    notebook = opened(lab)
    view = view_of(lab.page)
    ask(view, "Hello")
    shows(view, "The first answer.")
    ended(view)
    view.get_by_label("Model").select_option("scripted/slow")
    ask(view, "Wait")
    shows(view, "first", "This much came.")
    view.get_by_label("Message", exact=True).fill("half a tho")
    expect(view.get_by_label("Message", exact=True)).to_be_enabled()
    view.get_by_label("Message", exact=True).blur()
    notebook.reopen(lab, "live")
    view = view_of(lab.page)
    shows(view, "The first answer.", "This much came.")
    expect(view.get_by_label("Message", exact=True)).to_have_value("half a tho")
    button(view, "Stop").click()
    shows(view, "first", "Stopped early: interrupted.")


def test_a_kernel_that_ends_leaves_what_came(lab: Lab) -> None:
    """An interrupt leaves a chat alone; when the kernel is gone, view and notebook keep what came of the answer."""
    notebook = opened(lab, "model='scripted/slow'")
    view = view_of(lab.page)
    ask(view, "Wait")
    shows(view, "This much came.")
    notebook.interrupt()
    expect(lab.page.locator(".agentbench-record")).to_contain_text("This much came.", timeout=15_000)
    lab.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    expect(view.locator(".ab-notice")).to_contain_text("The kernel has ended.")
    shows(view, "This much came.")
    record = notebook.save().cells[1].outputs[1]["data"]["text/markdown"]
    assert record.startswith("> Wait\n\nThis much came.\n\n")
    assert record.endswith("*Still being answered when this was kept.*")


def test_a_reopened_notebook_shows_the_record(lab: Lab) -> None:
    """Without the kernel that it lived in, a chat is there to be read."""
    notebook = opened(lab)
    view = view_of(lab.page)
    ask(view, "Hello")
    shows(view, "The first answer.")
    ended(view)
    notebook.wait_idle()
    for kernel in READERS:
        notebook.reopen(lab, kernel)
        record = lab.page.locator(".agentbench-record")
        expect(record).to_be_visible()
        expect(record).to_contain_text("Hello")
        expect(record).to_contain_text("The first answer.")
