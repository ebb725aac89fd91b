"""The config tuner in a real JupyterLab."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from browser.axe import violations
from browser.lab import LOOKS, READERS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Locator

    from browser.lab import Lab, Notebook

pytestmark = pytest.mark.browser

CONFIG = """\
endpoints:
  # The models that we test with.
  scripted:
    streamRate: 25   # calm
    headers:
      X-Team: sky
      Authorization: Bearer tiger-one
    models:
      first: [{text: "Because of the air."}]
  all:
    titleConvo: true
"""
SET_UP = f"""\
from pathlib import Path
Path("agentbench.yaml").write_text({CONFIG!r})
%load_ext agentbench
import agentbench
agentbench.set_workbench(agentbench.Workbench("agentbench.yaml"))
"""
EXPLAIN = "%agent config explain scripted.streamRate"
RATE = "streamRate"


@pytest.fixture
def notebook(lab: Lab) -> Iterator[Notebook]:
    """Give a notebook that shows the tuner in its second cell."""
    opened = lab.open([SET_UP, "%agent config edit scripted", EXPLAIN])
    opened.run(0)
    opened.run(1)
    expect(control(lab, RATE)).to_be_enabled()
    yield opened
    lab.use_theme("Light")


def control(lab: Lab, key: str) -> Locator:
    """Return the control of a setting."""
    return lab.page.get_by_label(key, exact=True)


def press(lab: Lab, name: str) -> None:
    """Click a button of the tuner."""
    lab.page.locator(".ab-tuner").get_by_role("button", name=name, exact=True).click()


def told(lab: Lab, text: str) -> None:
    """Wait until the tuner says something."""
    expect(lab.page.locator(".ab-footer .ab-notice")).to_have_text(text)


def test_tune_apply_save_undo(lab: Lab, notebook: Notebook) -> None:
    """A bad value is refused at once; a good one holds for the session, then in the file, until it is taken back."""
    file = notebook.file.with_name("agentbench.yaml")
    control(lab, RATE).fill("fast")
    expect(lab.page.get_by_text("expected a number, found text", exact=True)).to_be_visible()
    expect(lab.page.get_by_role("button", name="Apply to session")).to_be_disabled()
    control(lab, RATE).fill("40")
    press(lab, "Apply to session")
    told(lab, "Applied to this session: scripted.streamRate.")
    notebook.run(2)
    assert "session" in notebook.text(2)
    assert file.read_text() == CONFIG
    press(lab, "Diff")
    expect(lab.page.locator(".ab-added")).to_have_text("+    streamRate: 40   # calm\n")
    press(lab, "Save to file")
    told(lab, "Saved in agentbench.yaml: scripted.streamRate.")
    assert file.read_text() == CONFIG.replace("25", "40")
    press(lab, "Undo save of scripted.streamRate")
    told(lab, "Undone: save of scripted.streamRate.")
    assert file.read_text() == CONFIG


def test_keyboard_alone(lab: Lab, notebook: Notebook) -> None:
    """From the filter to the control and on to the button; and no key reaches the notebook."""
    page = lab.page
    page.get_by_label("Filter settings").focus()
    page.keyboard.type("titleConvo")
    expect(control(lab, RATE)).to_have_count(0)
    control(lab, "titleConvo").focus()
    page.keyboard.press("Space")
    expect(page.locator(".ab-count")).to_have_text("1 pending")
    for key in ("b", "d", "d", "a"):
        page.keyboard.press(key)
    page.get_by_role("button", name="Apply to session").focus()
    page.keyboard.press("Enter")
    told(lab, "Applied to this session: scripted.titleConvo.")
    assert page.locator(".jp-Cell").count() == 3


def test_two_views_agree(lab: Lab) -> None:
    """What is typed in one view is pending in the other, and the endpoint is the same."""
    notebook = lab.open([SET_UP, "tuner = %agent config edit scripted", "tuner", "tuner"])
    notebook.run_all()
    first, second = lab.page.locator(".ab-tuner").all()
    first.get_by_label(RATE, exact=True).fill("40")
    expect(second.get_by_label(RATE, exact=True)).to_have_value("40")
    second.get_by_role("combobox", name="Endpoint", exact=True).select_option("all")
    expect(first.get_by_label("titleConvo", exact=True)).to_be_checked()


def test_a_page_that_is_loaded_again_keeps_what_is_pending(lab: Lab, notebook: Notebook) -> None:
    """The kernel has it."""
    control(lab, RATE).fill("40")
    expect(lab.page.locator(".ab-count")).to_have_text("1 pending")
    notebook.reopen(lab, "live")
    expect(control(lab, RATE)).to_have_value("40")
    expect(lab.page.locator(".ab-count")).to_have_text("1 pending")


def test_the_record_stays(lab: Lab, notebook: Notebook, pictures: Path) -> None:
    """Without the kernel a table tells what differs from the defaults, and what was changed."""
    control(lab, RATE).fill("40")
    press(lab, "Apply to session")
    told(lab, "Applied to this session: scripted.streamRate.")
    for kernel in READERS:
        notebook.reopen(lab, kernel)
        record = lab.page.locator(".agentbench-record")
        expect(record).to_be_visible()
        expect(record).to_contain_text("scripted.streamRate")
        expect(record).to_contain_text("Applied scripted.streamRate: 40")
        notebook.screenshot(pictures / f"tuner-{kernel}.png")


def test_no_secret_in_the_page(lab: Lab, notebook: Notebook) -> None:
    """What stands in the file in clear is masked in the form, the previews and the notebook's file."""
    page = lab.page
    for tab in ("Headers", "Title prompt", "Tool results", "Settings"):
        page.get_by_role("tab", name=tab).click()
        assert "tiger" not in page.locator(".ab-tuner").evaluate("el => el.outerHTML")
    expect(page.get_by_label("headers 2, value")).to_have_value("****")
    assert "tiger" not in str(notebook.save().cells[1])


def test_it_is_readable(lab: Lab, notebook: Notebook, pictures: Path) -> None:
    """In both themes, narrow or wide, with an error and every tab: no serious violation, and pictures to look at."""
    page, box = lab.page, lab.page.locator(".ab-tuner")
    control(lab, RATE).fill("fast")
    expect(page.get_by_text("expected a number, found text", exact=True)).to_be_visible()
    for theme, width in LOOKS:
        lab.use_theme(theme)
        if width:
            box.evaluate(f"el => {{ el.style.width = '{width}px'; }}")
        name = f"tuner-{theme.lower()}-{width or 'wide'}"
        for tab in ("Settings", "Headers", "Title prompt", "Tool results", "Diff"):
            page.get_by_role("tab", name=tab).click()
            page.wait_for_timeout(300)
            assert violations(page) == []
            notebook.screenshot(pictures / f"{name}-{tab.split()[0].lower()}.png")
        assert box.evaluate("el => el.scrollWidth <= el.clientWidth")
