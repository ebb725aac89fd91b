from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from browser.axe import violations
from browser.lab import LOOKS, READERS
from notebook.widgets.ledger import add, row

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Page

    from browser.lab import Lab, Notebook

pytestmark = pytest.mark.browser

CALLS = 400
MODELS = {"hello": [{"text": "Hello."}, {"usage": {"input_tokens": 1000, "output_tokens": 500}}]}
SHOWN_CALLS = "parseInt(document.querySelector('.ab-figure dd').innerText)"
SHOWN = "!!document.querySelector('.ab-dashboard .ab-lines')"


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """Give a ledger with 400 calls, the last of them now."""
    file = tmp_path / "ledger.db"
    now = datetime.now(UTC)
    add(file, *(row(n, time=now - timedelta(minutes=17 * (CALLS - n))) for n in range(CALLS)))
    return file


@pytest.fixture
def dashboard(lab: Lab, ledger: Path) -> Iterator[Notebook]:
    """Give a notebook that shows a dashboard in its second cell."""
    yield shown(lab, ledger)
    lab.use_theme("Light")


def shown(lab: Lab, ledger: Path, *cells: str) -> Notebook:
    """Open a notebook with a dashboard of that ledger."""
    set_up = f"""\
import time
import agentbench
from agentbench.runner.budget import Budget
bench = agentbench.Workbench({{"endpoints": {{"scripted": {{"models": {MODELS!r}}}}}}}, database_url="sqlite:///{ledger}")
bench.budgets.standing = Budget(tokens=100_000)
"""
    show = "dashboard = bench.dashboard()\ndashboard"
    notebook = lab.open([set_up, show, "len(dashboard.frame()), dashboard.selected is None", *cells])
    notebook.run(0)
    notebook.run(1)
    lab.page.wait_for_function(SHOWN)
    return notebook


def figure(page: Page, name: str) -> str:
    """Return one of the figures at the top."""
    return page.locator(".ab-figure", has_text=name).locator("dd").inner_text()


def wait_for_figure(page: Page, name: str, text: str) -> None:
    """Wait until a figure says that."""
    page.locator(".ab-figure", has_text=name).locator("dd", has_text=text).wait_for()


def brush(page: Page, start: float, end: float) -> None:
    """Drag over the bars, from one share of their width to another."""
    box = page.locator(".ab-brush").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + start * box["width"], box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + end * box["width"], box["y"] + 70, steps=8)
    page.mouse.up()


def counted(notebook: Notebook) -> list[str]:
    """Run the cell that asks for the frame; return how many rows it has, and whether no range is chosen."""
    notebook.page.wait_for_timeout(500)  # changes go to the kernel one at a time
    notebook.run(2)
    return re.findall(r"\d+|True|False", notebook.text(2))


def test_brush_by_mouse(lab: Lab, dashboard: Notebook) -> None:
    """What is brushed is what is counted, and what `frame()` has in the next cell."""
    assert counted(dashboard) == ["400", "True"]
    brush(lab.page, 0.3, 0.6)
    inside = int(figure(lab.page, "Calls").split()[0])
    assert 100 < inside < 150
    assert counted(dashboard) == [str(inside), "False"]
    lab.page.get_by_role("button", name="cloud/small", exact=True).click()
    fewer = int(figure(lab.page, "Calls").split()[0])
    assert fewer < inside
    assert counted(dashboard) == [str(fewer), "False"]
    lab.page.get_by_role("button", name="Show all").click()
    assert counted(dashboard) == ["400", "True"]


def test_brush_by_keyboard(lab: Lab, dashboard: Notebook) -> None:
    """Arrow keys move the ends, Escape clears them, and the notebook gets none of these keys."""
    page = lab.page
    page.get_by_role("slider", name="Start of the range").focus()
    for key in ("ArrowRight", "PageUp", "ArrowRight"):
        page.keyboard.press(key)
    inside = figure(page, "Calls").split()[0]
    assert 0 < int(inside) < 400
    assert counted(dashboard) == [inside, "False"]
    page.get_by_role("slider", name="End of the range").focus()
    for key in ("b", "d", "d", "Escape"):
        page.keyboard.press(key)
    wait_for_figure(page, "Calls", "400")
    assert page.locator(".jp-Cell").count() == 3
    assert counted(dashboard) == ["400", "True"]


def test_calls_appear_while_a_cell_runs(lab: Lab, ledger: Path) -> None:
    """A cell that asks on and on is followed: its calls, and what is left of the budget, are there as they are made."""
    asking = "for _ in range(12):\n    bench.ask('hi', model='scripted/hello')\n    time.sleep(0.5)"
    notebook = shown(lab, ledger, asking)
    notebook.start(3)
    lab.page.wait_for_function(f"() => {{ const now = {SHOWN_CALLS}; return 400 < now && now < 412; }}")
    notebook.wait_idle()
    wait_for_figure(lab.page, "Calls", "412 of 412")
    assert lab.page.get_by_text("18,000 of 100,000 tokens spent, 82,000 left").is_visible()
    assert counted(notebook) == ["412", "True"]


def test_two_views_agree(lab: Lab, ledger: Path) -> None:
    """A range that is brushed in one is in the other."""
    shown(lab, ledger, "dashboard").run(3)
    lab.page.wait_for_function("document.querySelectorAll('.ab-dashboard .ab-lines').length === 2")
    first, second = lab.page.locator(".ab-dashboard").all()
    first.locator(".ab-thumb").first.focus()
    lab.page.keyboard.press("PageUp")
    second.locator(".ab-chip").wait_for()
    figures = [each.locator(".ab-figure dd").first.inner_text() for each in (first, second)]
    assert figures[0] == figures[1] != "400 of 400"


def test_it_is_reopened(lab: Lab, dashboard: Notebook, pictures: Path) -> None:
    """With its kernel it comes back whole; with another one, then with none, its tables are there."""
    page = lab.page
    dashboard.reopen(lab, "live")
    page.wait_for_function(SHOWN)
    assert figure(page, "Calls") == "400 of 400"
    for kernel in READERS:
        dashboard.reopen(lab, kernel)
        record = page.locator("div.agentbench-record")
        record.wait_for()
        dashboard.screenshot(pictures / f"dashboard-{kernel}.png")
        assert record.locator("tr", has_text="calls").first.inner_text().split() == ["calls", "400"]
        assert record.locator("caption", has_text="By model").is_visible()
        assert record.locator("meter").count() > 3


def test_it_is_readable(lab: Lab, dashboard: Notebook, pictures: Path) -> None:
    """In both themes, narrow or wide, with a range and a filter: no serious violation, and a picture to look at."""
    box = lab.page.locator(".ab-dashboard")
    brush(lab.page, 0.3, 0.6)
    lab.page.locator(".ab-chip").wait_for()
    lab.page.get_by_role("button", name="cloud/small", exact=True).click()
    for theme, width in LOOKS:
        lab.use_theme(theme)
        lab.page.wait_for_function(f"document.body.dataset.jpThemeName === 'JupyterLab {theme}'")
        if width:
            box.evaluate("(el, px) => { el.style.width = `${px}px`; }", width)
        dashboard.screenshot(pictures / f"dashboard-{theme.lower()}-{width or 'wide'}.png")
        assert violations(lab.page, ".ab-dashboard") == []
        assert box.evaluate("el => el.scrollWidth - el.clientWidth") <= 0


def test_an_empty_ledger_says_what_to_do(lab: Lab, tmp_path: Path) -> None:
    """Its first call takes the place of that."""
    set_up = f"""\
import agentbench
bench = agentbench.Workbench({{"endpoints": {{"scripted": {{"models": {MODELS!r}}}}}}}, database_url="sqlite:///{tmp_path}/l.db")
"""
    notebook = lab.open([set_up, "bench.dashboard()", "bench.ask('hi', model='scripted/hello').output_text"])
    notebook.run(0)
    notebook.run(1)
    notebook.wait_text(1, "No calls yet.")
    notebook.run(2)
    wait_for_figure(lab.page, "Calls", "1 of 1")


def test_an_exported_page_counts_by_itself(lab: Lab, ledger: Path, tmp_path: Path) -> None:
    """With no kernel and no network it can be brushed and filtered; a call that was just made is in it."""
    file = tmp_path / "usage.html"
    more = f"bench.ask('hi', model='scripted/hello')\nagentbench.export('{file}', dashboard)"
    shown(lab, ledger, more).run(3)
    browser = lab.page.context.browser
    assert browser is not None
    page = browser.new_page()
    page.goto(file.as_uri())
    wait_for_figure(page, "Calls", "401 of 401")
    page.get_by_role("slider", name="Start of the range").press("PageUp")
    page.locator(".ab-chip").wait_for()
    assert 0 < int(figure(page, "Calls").split()[0]) < 401
    assert page.get_by_text("as saved").is_visible()
    assert violations(page, ".ab-dashboard") == []
    page.close()
