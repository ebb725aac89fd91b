"""An answer as Markdown and as plain text."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
import pytest

from agentbench.notebook.blocks import Block
from agentbench.notebook.markdown import bundle, plain, summary_line
from agentbench.storage.usage import UsageRow

if TYPE_CHECKING:
    from agentbench.notebook.blocks import Kind

ROW = UsageRow(
    id="use_1",
    time=datetime(2026, 11, 23, tzinfo=UTC),
    user="kernel",
    context="message",
    endpoint="local",
    model="tiny",
    input_tokens=12,
    output_tokens=345,
    cost=0.00123,
    duration=1.26,
    status="completed",
)
IMAGE = "<img src=x onerror=alert(1)>"


@pytest.mark.parametrize(
    ("kind", "markdown", "text"),
    [
        ("text", "a **b**\n\n&lt;c>", "a **b**\n\n<c>"),
        ("json", "```json\na **b**\n\n<c>\n```", "a **b**\n\n<c>"),
        ("refusal", "> a **b**\n> \n> &lt;c>", "a **b**\n\n<c>"),
        ("reasoning", "<details><summary>Reasoning</summary>\n\na **b**\n\n&lt;c>\n\n</details>", ""),
        ("call", "**f**\n\n```json\na **b**\n\n<c>\n```", "f(a **b**\n\n<c>)"),
        ("output", "```\na **b**\n\n<c>\n```", "→ a **b**\n\n<c>"),
    ],
)
def test_each_kind_of_block_has_its_look(kind: Kind, markdown: str, text: str) -> None:
    """Prose is Markdown, data is code, reasoning is folded away and left out of plain text."""
    block = Block(kind, "a **b**\n\n<c>", "f" if kind == "call" else "")
    assert bundle([block]) == {"text/markdown": markdown, "text/plain": text}


def test_the_summary_comes_last() -> None:
    """Below the answer stand why it ended early and what it took."""
    shown = bundle([Block("text", "Hi")], note="Stopped early: interrupted.", row=ROW)
    line = "local/tiny · 12 → 345 tokens · 1.3 s · $0.0012"
    assert shown["text/markdown"] == f"Hi\n\n*Stopped early: interrupted.*\n\n<sub>{line}</sub>"
    assert shown["text/plain"] == f"Hi\n\n(Stopped early: interrupted.)\n\n— {line}"


@pytest.mark.parametrize(
    ("known", "line"),
    [
        ({"cost": None}, "local/tiny · 12 → 345 tokens · 1.3 s"),
        ({"input_tokens": None, "output_tokens": None, "cost": 0.0}, "local/tiny · 1.3 s · $0"),
        ({"input_tokens": 12_345, "cost": None}, "local/tiny · 12,345 → 345 tokens · 1.3 s"),
        ({"input_tokens": None, "cost": 12.346}, "local/tiny · ? → 345 tokens · 1.3 s · $12.35"),
        ({"duration": 0.0031, "cost": 1e-6}, "local/tiny · 12 → 345 tokens · 3 ms · $0.000001"),
        ({"duration": 0.42, "cost": 1234.5}, "local/tiny · 12 → 345 tokens · 420 ms · $1234.50"),
    ],
)
def test_the_summary_leaves_out_what_is_unknown(known: dict[str, float | None], line: str) -> None:
    """Counts that nobody gave are not made up."""
    assert summary_line(msgspec.structs.replace(ROW, **known)) == line


def test_a_note_is_plain_text() -> None:
    """What a provider writes into its error can't become markup."""
    assert bundle([], note=f"Broke off: {IMAGE} *x*")["text/markdown"] == (
        "*Broke off: \\<img src=x onerror=alert(1)\\> \\*x\\**"
    )


def test_a_functions_name_is_plain_text() -> None:
    """A model may call whatever it likes."""
    assert bundle([Block("call", "{}", f"f\n\n{IMAGE}")])["text/markdown"].startswith(
        "**f \\<img src=x onerror=alert(1)\\>**"
    )


def test_what_follows_open_code_is_not_code() -> None:
    """An answer that ends within a block of code doesn't swallow its note."""
    shown = bundle([Block("text", "```py\nx = 1")], note="Stopped early: max output tokens.")
    assert shown["text/markdown"] == "```py\nx = 1\n```\n\n*Stopped early: max output tokens.*"


def test_nothing_is_shown_as_nothing() -> None:
    """An answer with nothing in it is empty."""
    assert bundle([]) == {"text/markdown": "", "text/plain": ""}
    assert plain([Block("reasoning", "Hm.")]) == ""
