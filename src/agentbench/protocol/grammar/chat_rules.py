"""The rules of a stream of chat completion chunks, as OpenAI's API reference tells them."""

from __future__ import annotations

from agentbench.protocol.grammar.report import Rule

__all__ = ["CHAT_RULES"]

_CHUNK = "The chat completion chunk object"
_STREAM = "Create chat completion: stream"

CHAT_RULES: tuple[Rule, ...] = tuple(
    Rule(name=name, sentence=sentence, section=section)
    for name, sentence, section in (
        ("chunk-object", "Each chunk is a JSON object.", _STREAM),
        ("chunk-keys", "Each chunk has id, object, created, model and choices, each of its type.", _CHUNK),
        ("chunk-kind", "A chunk's object is `chat.completion.chunk`.", _CHUNK),
        ("chunk-head-stable", "All chunks have the same id, creation time and model.", _CHUNK),
        ("choice-keys", "Each choice has an index, a delta, and a finish_reason that is null or known.", _CHUNK),
        ("role-first", "The first delta of a choice has the role assistant, and none changes it.", _CHUNK),
        ("delta-types", "Content, refusal and reasoning are texts or null.", _CHUNK),
        ("finish-once", "Each choice is given a finish_reason exactly once.", _CHUNK),
        ("nothing-after-finish", "After its finish_reason nothing comes for a choice.", _CHUNK),
        ("calls-have-finish", "Who finishes with tool_calls has called a tool.", _CHUNK),
        ("call-index", "Each piece of a tool call has an index, and new calls are counted 0, 1, 2 and so on.", _CHUNK),
        (
            "call-begins-whole",
            "The first piece of a call has its id, the type function, and the function's name.",
            _CHUNK,
        ),
        ("call-id-stable", "A call keeps its id, and no other has it.", _CHUNK),
        ("call-arguments", "A call's arguments are pieces of text.", _CHUNK),
        ("usage-chunk", "The usage that was asked for comes once, in a last chunk that has no choices.", _STREAM),
        ("usage-counts", "The usage counts prompt and completion tokens, and their sum.", _CHUNK),
        ("error-ends", "After an error comes no other chunk.", _STREAM),
        ("done-last", "The stream ends with `data: [DONE]`, once.", _STREAM),
    )
)
