"""What each recording of Chat Completions must become: its items in order, and what they tell."""

from __future__ import annotations

from tests.providers.replay import JEJU, SAID, SEOUL, THOUGHT_AND_SAID, TWO_CALLS, Shape, Told

from agentbench.protocol.items import FunctionCall, Message, Reasoning

__all__ = ["EXPECTED"]

EXPECTED: dict[str, tuple[Shape, Told]] = {
    "azure_filtered.sse": (
        SAID,
        Told(status="incomplete", text="Once there was", usage=(21, 5, 0, 0), why="content_filter"),
    ),
    "azure_text.sse": (SAID, Told(text="This is a test.", usage=(21, 5, 0, 0))),
    "deepseek_cache_hit.sse": (SAID, Told(text="Hello!", usage=(70, 2, 64, 0))),
    "deepseek_reasoning.sse": (
        THOUGHT_AND_SAID,
        Told(text="9.8 is greater.", thought="9.11 < 9.8?\n好", usage=(83, 21, 64, 14)),
    ),
    "gemini_parallel_calls.sse": (
        TWO_CALLS,
        Told(calls=(SEOUL, ("get_weather", '{"city":"제주"}')), usage=(66, 38, 0, 0)),
    ),
    "llama_cpp_json.sse": (SAID, Told(text='{\n  "city": "Santabar",\n  "people": 2\n}', usage=(34, 22, 24, 0))),
    "llama_cpp_korean.sse": (
        SAID,
        Told(status="incomplete", text="안녕하세요, 세상! 🌍🇰", usage=(10, 30, 9, 0), why="max_output_tokens"),
    ),
    "llama_cpp_length.sse": (
        SAID,
        Told(status="incomplete", text="L'Étoile, la Marseillaise,", usage=(37, 12, 36, 0), why="max_output_tokens"),
    ),
    "llama_cpp_logprobs.sse": (
        SAID,
        Told(status="incomplete", text="Hello there! I'm here", usage=(33, 6, 24, 0), why="max_output_tokens"),
    ),
    "llama_cpp_not_streamed.json": (
        SAID,
        Told(status="incomplete", text="Hello there. I'm here", usage=(12, 6, 1, 0), why="max_output_tokens"),
    ),
    "llama_cpp_parallel_calls.sse": (
        TWO_CALLS,
        Told(
            calls=(("get_weather", '{"city": "Sinergy"}'), ("get_weather", '{"city": "Bern"}')),
            usage=(573, 65, 174, 0),
        ),
    ),
    "llama_cpp_reasoning.sse": (
        THOUGHT_AND_SAID,
        Told(text="Hello andbye", thought="The user greets me.\n", usage=(12, 25, 1, 0)),
    ),
    "mistral_call.sse": ((FunctionCall,), Told(calls=(("get_weather", '{"city": "Paris"}'),), usage=(88, 22, 0, 0))),
    "mistral_thinking.sse": (
        THOUGHT_AND_SAID,
        Told(text="Bonjour à tous", thought="A greeting.", usage=(9, 24, 0, 0)),
    ),
    "ollama_calls.sse": (
        (Reasoning, FunctionCall, FunctionCall),
        Told(thought="Two cities.", calls=(SEOUL, JEJU), usage=(168, 61, 0, 0)),
    ),
    "openai_error.sse": (
        SAID,
        Told(
            status="failed",
            text="The first step",
            why="The upstream broke off: The server had an error while processing your request. Sorry about that!",
        ),
    ),
    "openai_parallel_calls.sse": (
        TWO_CALLS,
        Told(
            calls=(("get_weather", '{"city": "Seoul"}'), ("get_time", '{"zone": "Asia/Seoul"}')), usage=(84, 52, 0, 0)
        ),
    ),
    "openai_refusal.sse": (SAID, Told(refusal="I'm sorry, I can't help with that.", usage=(75, 12, 0, 0))),
    "openai_text.sse": (SAID, Told(text="A café in 서울: ☕️\nWelcome!", usage=(1290, 14, 1152, 0))),
    "openrouter_error.sse": (
        SAID,
        Told(status="failed", text="So far", why="The upstream broke off: Provider disconnected unexpectedly"),
    ),
    "openrouter_search.sse": (
        THOUGHT_AND_SAID,
        Told(text="Seoul has 9.4 million people.", thought="Search says so.", usage=(412, 31, 128, 6)),
    ),
    "vllm_error.sse": (
        SAID,
        Told(
            status="failed",
            text="Half",
            usage=(171, 1, 0, 0),
            why="The upstream broke off: EngineCore encountered an issue. See stack trace (above) for the root cause.",
        ),
    ),
    "vllm_reasoning_call.sse": (
        (Reasoning, Message, FunctionCall),
        Told(
            text="\n\n",
            thought="The user wants weather.\n",
            calls=(("get_weather", '{"city": "Seoul"}'),),
            usage=(171, 27, 0, 0),
        ),
    ),
}
