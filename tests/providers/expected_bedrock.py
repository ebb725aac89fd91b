"""What each recording of Bedrock's ConverseStream must become: its items in order, and what they tell."""

from __future__ import annotations

from tests.providers.replay import ALL_FOUR, JEJU, SAID, SEOUL, THOUGHT_AND_SAID, Shape, Told

from agentbench.protocol.items import FunctionCall

__all__ = ["EXPECTED"]

EXPECTED: dict[str, tuple[Shape, Told]] = {
    "claude_cache.jsonl": (SAID, Told(text="Hello!", usage=(1290, 9, 1146, 0))),
    "claude_max_tokens.jsonl": (
        SAID,
        Told(status="incomplete", text="Once upon", usage=(14, 16, 0, 0), why="max_output_tokens"),
    ),
    "claude_no_arguments.jsonl": ((FunctionCall,), Told(calls=(("now", "{}"),), usage=(300, 33, 0, 0))),
    "claude_redacted.jsonl": (THOUGHT_AND_SAID, Told(text="So it is.", usage=(91, 66, 0, 0))),
    "claude_text.jsonl": (SAID, Told(text="A café in 서울: ☕️\nWelcome!", usage=(14, 17, 0, 0))),
    "claude_thinking_calls.jsonl": (
        ALL_FOUR,
        Told(text="Two calls follow.", thought="Both cities, then.", calls=(SEOUL, JEJU), usage=(612, 141, 0, 0)),
    ),
    "gpt_oss_unsigned.jsonl": (
        THOUGHT_AND_SAID,
        Told(text="Hi there", thought="User greets.", usage=(70, 24, 0, 0)),
    ),
    "guardrail.jsonl": (
        SAID,
        Told(
            status="incomplete",
            text="Sorry, the model cannot answer this question.",
            usage=(0, 0, 0, 0),
            why="content_filter",
        ),
    ),
    "malformed_tool_use.jsonl": (
        SAID,
        Told(status="failed", text="Let me", why="The model's answer is broken (malformed_tool_use). Try again."),
    ),
    "model_stream_error.jsonl": (
        SAID,
        Told(
            status="failed",
            text="The first",
            why="The upstream broke off: The system encountered an unexpected error during processing. "
            "Try your request again.",
        ),
    ),
    "nova_grounded.jsonl": (SAID, Told(text="Seoul has 9.4 million people.", usage=(318, 44, 0, 0))),
    "nova_redacted_words.jsonl": (
        THOUGHT_AND_SAID,
        Told(text="9.8 is greater.", thought="[REDACTED]", usage=(40, 210, 0, 0)),
    ),
    "throttled.jsonl": (
        SAID,
        Told(
            status="failed",
            text="The",
            why="The upstream broke off: Too many tokens, please wait before trying again.",
        ),
    ),
}
