"""What each recording of Responses must become: its items in order, and what they tell."""

from __future__ import annotations

from tests.providers.replay import ALL_FOUR, JEJU, SAID, SEOUL, THOUGHT_AND_SAID, TWO_CALLS, Shape, Told

from agentbench.protocol.items import FunctionCall, Message, Reasoning

__all__ = ["EXPECTED"]

EXPECTED: dict[str, tuple[Shape, Told]] = {
    "end_only.sse": (
        ALL_FOUR,
        Told(text="Two calls follow.", summary=("Ask twice.",), calls=(SEOUL, JEJU), usage=(40, 20, 0, 0)),
    ),
    "llama_cpp_not_streamed.json": (SAID, Told(text="Hello there. I'm here", usage=(12, 6, 11, 0))),
    "llama_cpp_parallel_calls.sse": (
        TWO_CALLS,
        Told(
            calls=(("get_weather", '{"city": "Sinergy"}'), ("get_weather", '{"city": "Bern"}')),
            usage=(573, 65, 572, 0),
        ),
    ),
    "llama_cpp_reasoning.sse": (
        THOUGHT_AND_SAID,
        Told(text="Hello theres", thought="The user greets me.\n", usage=(10, 26, 3, 0)),
    ),
    "llama_cpp_text.sse": (SAID, Told(text="L'Étoile, la Marseillaise,", usage=(37, 12, 24, 0))),
    "openai_citations.sse": (SAID, Told(text="Seoul has 9.4 million people.", usage=(318, 44, 0, 0))),
    "openai_error.sse": (
        SAID,
        Told(status="failed", text="The", why="The upstream broke off: Rate limit reached for gpt-5-mini."),
    ),
    "openai_failed.sse": (
        SAID,
        Told(
            status="failed",
            text="The first",
            why="The upstream broke off: The model produced an invalid response.",
        ),
    ),
    "openai_incomplete.sse": (
        SAID,
        Told(status="incomplete", text="Once upon", usage=(14, 16, 0, 0), why="max_output_tokens"),
    ),
    "openai_not_streamed.json": (THOUGHT_AND_SAID, Told(text="Not streamed.", usage=(12, 30, 0, 20))),
    "openai_parallel_calls.sse": (
        (Reasoning, FunctionCall, FunctionCall),
        Told(calls=(SEOUL, ("now", "{}")), usage=(92, 118, 64, 64)),
    ),
    "openai_reasoning.sse": (
        THOUGHT_AND_SAID,
        Told(
            text="9.8 is greater — 맞아요.",
            summary=("**Comparing decimals**\n\n9.8 is 9.80.", "**Answering**\n\nSay so."),
            usage=(24, 212, 0, 192),
        ),
    ),
    "openai_refusal.sse": (SAID, Told(refusal="I can't help with that.", usage=(31, 9, 0, 0))),
    "unsteady_ids.sse": (
        (Message, FunctionCall, FunctionCall),
        Told(text="Both now.", calls=(SEOUL, ("now", "{}")), usage=(50, 25, 0, 0)),
    ),
    "whole_items.sse": (
        ALL_FOUR,
        Told(text="Two calls follow.", summary=("Ask twice.",), calls=(SEOUL, JEJU), usage=(40, 20, 0, 0)),
    ),
}
