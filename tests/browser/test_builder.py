"""The form for assistants in a real JupyterLab."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from browser.axe import violations
from browser.lab import LOOKS

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Locator

    from browser.lab import Lab, Notebook

pytestmark = pytest.mark.browser

SET_UP = """\
%load_ext agentbench
import agentbench

def sky(city: str) -> str:
    "Tell what the sky over a city is like."
    return "blue"

bench = agentbench.Workbench({"endpoints": {"scripted": {"models": {
    "poet": {"turns": [[{"text": "Roses are "}, {"wait": 0.3}, {"text": "**red** <img src=x onerror=window.xss=1>."}]]},
}}}})
agentbench.set_workbench(bench)
bench.add_tool(sky)
bench.collection("poems").add_text("roses.md", "Roses are red.", progress=False)
"""
FORM = "%agent assistants form"
FORBID = "%agent config set assistants.disableBuilder=true"
MADE = "bench.assistant_names()"
FITS = "view => view.scrollWidth <= view.clientWidth"
XSS = "() => window.xss ?? null"


def button(view: Locator, name: str) -> Locator:
    """Return a button of the form."""
    return view.get_by_role("button", name=name, exact=True)


def test_make_and_try_an_assistant(lab: Lab, pictures: Path) -> None:
    """It is tried before it is made, by keyboard too; the page can be loaded again; the record stays."""
    notebook = lab.open([SET_UP, FORM, FORBID, MADE])
    notebook.run(0)
    notebook.run(1)
    view, page = lab.page.locator(".ab-builder"), lab.page
    fill_in(view)
    field = view.get_by_label("Ask it", exact=True)
    field.fill("What are roses?")
    field.press("Enter")
    expect(view.locator(".ab-said strong")).to_have_text("red")
    expect(view.locator(".ab-taken")).to_contain_text("scripted/poet")
    is_readable(lab, notebook, view, pictures)
    button(view, "Make assistant").press("Enter")
    expect(view.get_by_text("Made Poet (asst_")).to_be_visible()
    notebook.reopen(lab, "live")
    expect(view.get_by_label("Name", exact=True)).to_have_value("Poet")
    expect(view.locator(".ab-said strong")).to_have_text("red")
    # Where nobody may make assistants any more, an open form has nothing to press.
    notebook.run(2)
    view.get_by_label("Name", exact=True).fill("Painter")
    expect(view.get_by_text("disableBuilder is on").first).to_be_visible()
    expect(button(view, "Save")).to_have_count(0)
    expect(view.get_by_label("Name", exact=True)).to_have_value("Painter")
    notebook.run(3)
    assert "Poet" in notebook.text(3)
    lab.use_theme("Light")
    notebook.reopen(lab, "none")
    record = page.locator(".agentbench-record")
    expect(record).to_contain_text("You write poems.")
    expect(record).to_contain_text("Made Poet (asst_")
    notebook.screenshot(pictures / "builder-none.png")
    assert [page.evaluate(XSS), lab.blocked] == [None, set()]


def fill_in(view: Locator) -> None:
    """Describe an assistant; a wrong number is told of as it is typed."""
    view.get_by_label("Name", exact=True).fill("Poet")
    view.get_by_label("Instructions", exact=True).fill("You write poems.")
    view.get_by_label("Temperature", exact=True).fill("3")
    view.get_by_label("Model", exact=True).fill("scripted/poet")
    expect(view.get_by_text("scripted/poet answers.")).to_be_visible()
    expect(view.get_by_text("temperature is a number from 0 to 2.").first).to_be_visible()
    view.get_by_label("Temperature", exact=True).fill("0.5")
    view.get_by_role("checkbox", name="sky").press("Space")
    view.get_by_role("checkbox", name="file_search").check()
    view.get_by_label("Files", exact=True).select_option(label="poems · 1 file")


def is_readable(lab: Lab, notebook: Notebook, view: Locator, pictures: Path) -> None:
    """In both themes, and narrow: no serious violation, and nothing sticks out."""
    for theme, width in LOOKS[:3]:
        lab.use_theme(theme)
        if width:
            view.evaluate("(el, width) => { el.style.width = `${width}px`; }", width)
        lab.page.wait_for_timeout(200)
        assert violations(lab.page) == []
        assert view.evaluate(FITS)
        notebook.screenshot(pictures / f"builder-{theme.lower()}-{width or 'wide'}.png")
