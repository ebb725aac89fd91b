"""What each recording of Ollama's own API must become: its items in order, and what they tell."""

from __future__ import annotations

from tests.providers.replay import JEJU, SAID, SEOUL, THOUGHT_AND_SAID, TWO_CALLS, Shape, Told

from agentbench.protocol.items import FunctionCall, Message, Reasoning

__all__ = ["EXPECTED"]

EXPECTED: dict[str, tuple[Shape, Told]] = {
    "call_without_arguments.ndjson": (
        (Message, FunctionCall),
        Told(text="Let me look.", calls=(("now", "{}"),), usage=(90, 12, 0, 0)),
    ),
    "calls.ndjson": (
        (Reasoning, FunctionCall, FunctionCall),
        Told(thought="Two cities.", calls=(SEOUL, JEJU), usage=(168, 61, 0, 0)),
    ),
    "calls_without_ids.ndjson": (TWO_CALLS, Told(calls=(SEOUL, JEJU), usage=(184, 40, 0, 0))),
    "error.ndjson": (
        SAID,
        Told(
            status="failed",
            text="Yes, I",
            why="The upstream broke off: an error was encountered while running the model: CUDA error",
        ),
    ),
    "json.ndjson": (SAID, Told(text='{ "city": "Seoul" }', usage=(41, 9, 0, 0))),
    "korean.ndjson": (SAID, Told(text="안녕하세요, 서울! ☕️\n<b>", usage=(15, 9, 0, 0))),
    "length.ndjson": (
        SAID,
        Told(status="incomplete", text="Once upon", usage=(30, 2, 0, 0), why="max_output_tokens"),
    ),
    "load.ndjson": ((), Told()),
    "logprobs.ndjson": (SAID, Told(text="Hi!", usage=(11, 3, 0, 0))),
    "old_server.ndjson": (SAID, Told(text="Hello!", usage=(0, 3, 0, 0))),
    "thinking.ndjson": (
        THOUGHT_AND_SAID,
        Told(text="9.8 is greater.", thought="9.11 < 9.8?\nYes.", usage=(24, 31, 0, 0)),
    ),
    "whole.ndjson": (THOUGHT_AND_SAID, Told(text="Not streamed.", thought="Say it.", usage=(26, 4, 0, 0))),
}
