"""Documents in the chat, in one notebook: added, picked, asked about, cited, and what stays of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from browser.axe import violations
from browser.chats import button, ended, view_of

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Locator

    from browser.lab import Lab, Notebook

pytestmark = pytest.mark.browser

MODEL = {"turns": [[{"text": "It dives at **390 km/h** [1], and sails at noon [2]."}]]}
FALCON = """\
# Falcons

## Speed

The peregrine falcon dives at 390 km/h. <img src=x onerror=window.xss=1>

## Food

It eats doves.
"""
SET_UP = f"""\
import agentbench
bench = agentbench.Workbench({{"endpoints": {{"scripted": {{"models": {{"m": {MODEL!r}}}}}}}}})
bench.collection("birds").add_text("falcon <b>.md", {FALCON!r}, progress=False)
chat = bench.chat(model="scripted/m")
chat
"""
EXPORT = """agentbench.export("page.html", chat)"""
BRING = """(zone, [name, text, zeros]) => {
    const data = new DataTransfer();
    data.items.add(new File([text, new Uint8Array(zeros)], name));
    zone.dispatchEvent(new DragEvent('drop', {bubbles: true, cancelable: true, dataTransfer: data}));
}"""
NARROW = "view => { view.style.width = '320px'; }"
FITS = "view => view.scrollWidth <= view.clientWidth"
RUN = "() => window.xss ?? null"


def bring(view: Locator, name: str, text: str, zeros: int = 0) -> None:
    """Drop a file on the chat."""
    view.locator(".ab-chat-view").evaluate(BRING, [name, text, zeros])


def chip(view: Locator, name: str) -> Locator:
    """Return the chip of a document."""
    return view.locator(".ab-chip").filter(has_text=name)


def test_documents_in_a_chat(lab: Lab, pictures: Path) -> None:
    """Documents are added, picked and cited; a citation opens in place; the record and a page have the passages."""
    notebook = lab.open([SET_UP, EXPORT])
    notebook.run(0)
    view, page = view_of(lab.page), lab.page
    # A file of 20 MB comes whole, and one that can't be read keeps the question back.
    bring(view, "ferry.md", "# Ferry\n\nThe boat leaves at noon.")
    bring(view, "zeros.pdf", "%PDF-", 20_000_000)
    expect(chip(view, "ferry.md")).to_contain_text("ready", timeout=30_000)
    expect(chip(view, "zeros.pdf")).to_contain_text("failed", timeout=30_000)
    field = view.get_by_label("Message", exact=True)
    field.fill("How fast is the falcon, and when does the boat leave?")
    field.press("Enter")
    expect(view.get_by_role("alert")).to_contain_text("'zeros.pdf' can't be used")
    button(view, "Remove zeros.pdf").click()
    expect(chip(view, "zeros.pdf")).to_have_count(0)
    # A collection is picked by keyboard.
    button(view, "Files").press("Enter")
    view.get_by_role("checkbox", name="birds").press("Space")
    expect(chip(view, "birds")).to_contain_text("collection")
    notebook.screenshot(pictures / "chat-documents-picker.png")
    page.keyboard.press("Escape")
    expect(button(view, "Files")).to_be_focused()
    field.press("Enter")
    ended(view)
    view.get_by_text("Searched 2 passages").click()
    expect(view.locator(".ab-found li")).to_have_count(2)
    is_readable(lab, notebook, view, pictures)
    # The page that is loaded again has the documents, and an exported page the passages.
    notebook.run(1)
    notebook.reopen(lab, "live")
    expect(chip(view_of(page), "ferry.md")).to_contain_text("ready")
    shows_passages(lab, notebook)
    notebook.reopen(lab, "none")
    sources = page.locator(".agentbench-record details")
    expect(sources).to_have_count(2)
    sources.get_by_text("falcon <b>.md").click()
    expect(sources.get_by_text("The peregrine falcon dives at 390 km/h. <img src=x")).to_be_visible()
    assert [page.evaluate(RUN), lab.blocked] == [None, set()]


def is_readable(lab: Lab, notebook: Notebook, view: Locator, pictures: Path) -> None:
    """A citation opens in its file, and gives the keyboard back; in both themes, wide and narrow."""
    page, cited = lab.page, view.locator(".ab-cite")
    expect(cited).to_have_text(["[1]", "[2]"])
    for theme in ("Light", "Dark"):
        lab.use_theme("Dark" if theme == "Dark" else "Light")
        assert violations(page, ".ab-chat") == []
        notebook.screenshot(pictures / f"chat-documents-{theme.lower()}.png")
        number = view.locator(".ab-found li").filter(has_text="falcon").locator("button")
        number.press("Enter")
        dialog = page.get_by_role("dialog", name="falcon <b>.md")
        expect(dialog.locator("mark")).to_contain_text("The peregrine falcon dives at 390 km/h. <img src=x")
        assert violations(page, ".ab-passage") == []
        page.screenshot(path=pictures / f"chat-passage-{theme.lower()}.png")
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
        expect(number).to_be_focused()
    lab.use_theme("Light")
    view.evaluate(NARROW)
    assert [violations(page, ".ab-chat"), view.evaluate(FITS)] == [[], True]
    notebook.screenshot(pictures / "chat-documents-320.png")


def shows_passages(lab: Lab, notebook: Notebook) -> None:
    """In a page with no kernel a citation shows the passage as the model read it."""
    browser = lab.page.context.browser
    assert browser is not None
    page = browser.new_page()
    page.goto(notebook.file.with_name("page.html").as_uri())
    page.locator(".ab-cite").first.click()
    expect(page.get_by_role("dialog").locator("mark")).to_be_visible()
    assert page.evaluate(RUN) is None
    page.close()
