"""What each recording of the Assistants API must become."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.providers.replay import JEJU, SAID, SEOUL, THOUGHT_AND_SAID, TWO_CALLS, Told

if TYPE_CHECKING:
    from tests.providers.replay import Shape

EXPECTED: dict[str, tuple[Shape, Told]] = {
    "azure_refusal.sse": (SAID, Told(refusal="I can't help with that.", usage=(31, 9, 0, 0))),
    "lean_whole.sse": (SAID, Told(text="All at once.")),
    "openai_calls.sse": (TWO_CALLS, Told(calls=(SEOUL, JEJU), usage=(0, 0, 0, 0))),
    "openai_cancelled.sse": (SAID, Told(status="cancelled", text="I was about", usage=(10, 3, 0, 0))),
    "openai_citation.sse": (
        SAID,
        Told(text="Bees dance.【4:0†guide.md】 So they tell.", usage=(900, 20, 0, 0)),
    ),
    "openai_code.sse": (
        THOUGHT_AND_SAID,
        Told(text="It is 42.", thought="```python\nprint(6 * 7)\n```\n\n```\n42\n```", usage=(150, 30, 0, 0)),
    ),
    "openai_error.sse": (
        SAID,
        Told(status="failed", text="The", why="The upstream broke off: The server had an error."),
    ),
    "openai_failed.sse": (
        SAID,
        Told(status="failed", text="The first", why="The run failed upstream: You exceeded your current quota."),
    ),
    "openai_incomplete.sse": (
        SAID,
        Told(status="incomplete", text="Once upon", usage=(14, 16, 0, 0), why="max_output_tokens"),
    ),
    "openai_text.sse": (SAID, Told(text="Hello there, 안녕.", usage=(21, 6, 0, 0))),
}
