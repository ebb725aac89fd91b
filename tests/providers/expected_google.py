"""What each recording of the Gemini API must become: its items in order, and what they tell."""

from __future__ import annotations

from tests.providers.replay import JEJU, SAID, SEOUL, TWO_CALLS, Shape, Told

from agentbench.protocol.items import FunctionCall, Message, Reasoning

__all__ = ["EXPECTED"]

OVERLOADED = "The upstream broke off: The model is overloaded. Please try again later."

EXPECTED: dict[str, tuple[Shape, Told]] = {
    "array.json": (SAID, Told(text="An array in pieces.", usage=(4, 5, 0, 0))),
    "cached_length.sse": (
        SAID,
        Told(status="incomplete", text="Once upon", usage=(4236, 41, 4089, 39), why="max_output_tokens"),
    ),
    "error.sse": (SAID, Told(status="failed", text="So far", usage=(9, 0, 0, 0), why=OVERLOADED)),
    "error_unframed.sse": (SAID, Told(status="failed", text="So far", usage=(9, 0, 0, 0), why=OVERLOADED)),
    "malformed_call.sse": (
        (),
        Told(
            status="failed",
            usage=(62, 0, 0, 0),
            why="The upstream broke off: the model wrote a function call that can't be read. Try again.",
        ),
    ),
    "not_streamed.json": (
        (Reasoning, Message, Reasoning),
        Told(text="Not streamed.", summary=("Let me see.",), usage=(4, 12, 0, 9)),
    ),
    "parallel_calls.sse": (TWO_CALLS, Told(calls=(SEOUL, JEJU), usage=(62, 30, 0, 0))),
    "prompt_blocked.sse": ((), Told(status="incomplete", usage=(17, 0, 0, 0), why="content_filter")),
    "safety_stop.sse": (
        SAID,
        Told(status="incomplete", text="Once there was", usage=(9, 3, 0, 0), why="content_filter"),
    ),
    "search.sse": (SAID, Told(text="서울 인구는 940만 명. 면적은 605 km².", usage=(108, 66, 0, 45))),
    "signed_calls.sse": (
        (Reasoning, Message, Reasoning, FunctionCall, FunctionCall),
        Told(
            text="Two calls follow.",
            summary=("**Two cities**\n\nAsk for both.",),
            calls=(SEOUL, JEJU),
            usage=(71, 89, 0, 55),
        ),
    ),
    "text.sse": (SAID, Told(text="Hello there! How can I help?", usage=(5, 9, 0, 0))),
    "thoughts.sse": (
        (Reasoning, Message, Reasoning),
        Told(
            text="9.8 is greater.",
            summary=("**Comparing decimals**\n\n9.8 is 9.80.\n\n\n",),
            usage=(11, 94, 0, 88),
        ),
    ),
}
