"""Chats in a notebook: the models that they talk to, and what a person does with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from browser.lab import Lab, Notebook

PAUSE = {"wait": 0.02}
TEN_WORDS = "one two three four five six seven eight nine ten "
SCRIPTS = {
    "hello": {"turns": [[{"text": "The **first** answer."}], [{"text": "The second answer."}]]},
    "slow": [{"text": "This much came."}, {"wait": 60}, {"text": "Never."}],
    "writer": {
        "turns": [
            [{"text": "I will write it."}, {"call": {"name": "write_file", "arguments": {"path": "a.txt"}}}],
            [{"text": "It is done."}],
        ]
    },
    # 2,000 words in 200 steps, in paragraphs, code and a list, as models write.
    "long": [
        *(step for place in range(160) for step in ({"text": TEN_WORDS + "\n\n" * (place % 5 == 0)}, PAUSE)),
        {"text": "\n\n```python\n"},
        *(step for _ in range(40) for step in ({"text": "total = value + 1  # and a comment\n"}, PAUSE)),
        {"text": "```\n\nThe very end."},
    ],
}
SET_UP = f"""\
import agentbench

@agentbench.tool(approval="ask")
def write_file(path: str) -> str:
    "Write a file."
    return f"wrote {{path}}"

bench = agentbench.Workbench({{
    "agents": [
        {{"id": "plain", "endpoint": "scripted", "model": "hello"}},
        {{"id": "clerk", "endpoint": "scripted", "model": "writer", "tools": ["write_file"]}},
    ],
    "endpoints": {{"scripted": {{"models": {SCRIPTS!r}}}}},
}})
bench.add_tool(write_file)
"""


def opened(lab: Lab, *options: str, more: tuple[str, ...] = ()) -> Notebook:
    """Open a notebook with a chat in its second cell, and run it."""
    notebook = lab.open([SET_UP, f"chat = bench.chat({', '.join(options)})\nchat", *more])
    notebook.run_all()
    return notebook


def view_of(page: Page, index: int = 0) -> Locator:
    """Return a view of a chat that is ready."""
    view = page.locator(".ab-chat").nth(index)
    expect(view.get_by_label("Message", exact=True)).to_be_visible()
    return view


def ask(view: Locator, text: str) -> None:
    """Send a question, and wait until the kernel has it."""
    field = view.get_by_label("Message", exact=True)
    field.fill(text)
    field.press("Enter")
    expect(field).to_have_value("")


def button(view: Locator, name: str) -> Locator:
    """Return a button of the view."""
    return view.get_by_role("button", name=name, exact=True)


def shows(view: Locator, *texts: str) -> None:
    """Wait until the view has these turns, each with its text."""
    expect(view.locator(".ab-turn")).to_contain_text(list(texts))


def ended(view: Locator) -> None:
    """Wait until no answer is coming."""
    expect(button(view, "Send")).to_be_visible(timeout=60_000)
