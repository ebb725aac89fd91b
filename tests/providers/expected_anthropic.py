"""What each recording of Anthropic's Messages must become: its items in order, and what they tell."""

from __future__ import annotations

from tests.providers.replay import ALL_FOUR, JEJU, SAID, SEOUL, THOUGHT_AND_SAID, Shape, Told

from agentbench.protocol.items import FunctionCall, Message, Reasoning

__all__ = ["EXPECTED"]

EXPECTED: dict[str, tuple[Shape, Told]] = {
    "cache.sse": (SAID, Told(text="Hello!", usage=(1290, 9, 1146, 0))),
    "context_window.sse": (
        SAID,
        Told(status="incomplete", text="Nearly", usage=(199990, 10, 0, 0), why="max_output_tokens"),
    ),
    "empty_input.sse": ((FunctionCall,), Told(calls=(("now", "{}"),), usage=(300, 33, 0, 0))),
    "input_at_once.sse": ((FunctionCall, FunctionCall), Told(calls=(SEOUL, ("now", "{}")), usage=(40, 12, 0, 0))),
    "interleaved_thinking.sse": (
        (Reasoning, Message, Reasoning, FunctionCall, FunctionCall),
        Told(
            text="Asking now.",
            summary=("Both cities, then.\nAsk.", "Seoul first."),
            calls=(SEOUL, JEJU),
            usage=(512, 140, 0, 61),
        ),
    ),
    "llama_cpp_not_streamed.json": (
        SAID,
        Told(status="incomplete", text="L'Étoile, la Mar", usage=(37, 8, 36, 0), why="max_output_tokens"),
    ),
    "llama_cpp_text.sse": (
        SAID,
        Told(status="incomplete", text="L'Étoile, la Mar", usage=(37, 8, 0, 0), why="max_output_tokens"),
    ),
    "max_tokens.sse": (
        SAID,
        Told(status="incomplete", text="Once upon", usage=(14, 16, 0, 0), why="max_output_tokens"),
    ),
    "not_streamed.json": (
        ALL_FOUR,
        Told(text="Two calls follow.", summary=("Ask twice.",), calls=(SEOUL, JEJU), usage=(80, 30, 20, 9)),
    ),
    "older_usage.sse": (SAID, Told(text="Hello!", usage=(82, 6, 70, 0))),
    "overloaded.sse": (
        SAID,
        Told(status="failed", text="The first step", usage=(25, 1, 0, 0), why="The upstream broke off: Overloaded"),
    ),
    "parallel_calls.sse": (
        (Message, FunctionCall, FunctionCall),
        Told(text="Two calls follow.", calls=(SEOUL, JEJU), usage=(472, 89, 0, 0)),
    ),
    "paused_search.sse": (
        SAID,
        Told(status="incomplete", text="Let me look.", usage=(2400, 70, 0, 0), why="interrupted"),
    ),
    "rate_limited.sse": (
        (),
        Told(
            status="failed",
            usage=(25, 1, 0, 0),
            why="The upstream broke off: This request would exceed your rate limit for sk-****",
        ),
    ),
    "redacted_thinking.sse": (
        (Reasoning, Reasoning, Reasoning, Message),
        Told(text="Done.", summary=("A first thought.",), usage=(92, 220, 0, 200)),
    ),
    "refusal.sse": (
        SAID,
        Told(
            status="incomplete",
            text="I would",
            refusal="This request was declined.",
            usage=(31, 5, 0, 0),
            why="content_filter",
        ),
    ),
    "refusal_at_once.sse": ((), Told(status="incomplete", usage=(31, 1, 0, 0), why="content_filter")),
    "search_citations.sse": (SAID, Told(text="Seoul has 9.4 million people.", usage=(10682, 150, 0, 0))),
    "stop_sequence.sse": (SAID, Told(text="One, two", usage=(14, 4, 0, 0))),
    "text.sse": (SAID, Told(text="A café in 서울: ☕️\nWelcome!", usage=(25, 15, 0, 0))),
    "thinking_omitted.sse": (THOUGHT_AND_SAID, Told(text="42.", usage=(30, 64, 0, 55))),
    "unknown.sse": (SAID, Told(text="Still here.", usage=(20, 6, 0, 0))),
}
