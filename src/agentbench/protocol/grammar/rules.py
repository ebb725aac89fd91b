"""The rules of an Open Responses stream, release 2026-04-24, each with the section of the spec that it comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentbench.protocol.grammar.report import Rule

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["RULES", "rules_table"]

_STREAMING = "Streaming"
_MACHINES = "Items are state machines"
_STREAMABLE = "Items are streamable"
_SCHEMA = "OpenAPI schema"

RULES: tuple[Rule, ...] = tuple(
    Rule(name=name, sentence=sentence, section=section)
    for name, sentence, section in (
        # -- each event
        ("event-object", "Each event is a JSON object with a `type`.", "Semantic events"),
        (
            "known-type",
            "An event's type is one of the 24 of the spec, or an extension's own, `slug:name`.",
            "Extending streaming events",
        ),
        ("required-keys", "Events, items, parts and responses have all the keys that the schema requires.", _SCHEMA),
        ("key-types", "Each required key holds a value of its type.", _SCHEMA),
        ("known-values", "A key whose values are listed in the schema holds one of them.", _SCHEMA),
        ("ids-not-empty", "No id, and no name of a function or model, is empty.", _SCHEMA),
        (
            "sequence-numbers",
            "Events are numbered from 0 without gaps, so that a client sees what it missed.",
            _STREAMING,
        ),
        # -- the response
        ("created-first", "The first event is `response.created`, and it comes once.", _STREAMING),
        (
            "lifecycle-order",
            "`response.queued`, if it comes, and then `response.in_progress` come once each, before any item.",
            "State machines",
        ),
        (
            "one-terminal",
            "One event ends the stream: `response.completed`, `.incomplete` or `.failed`.",
            "State machines",
        ),
        ("nothing-after-terminal", "Nothing follows the event that ends the stream.", "State machines"),
        ("status-fits-event", "The response's status is the one that its event tells of.", "State machines"),
        ("response-stable", "The response keeps its id and its creation time.", _SCHEMA),
        ("output-empty-at-first", "The response has no output before its items come.", _STREAMABLE),
        ("times-in-seconds", "Times are whole seconds since 1970.", _SCHEMA),
        ("completed-at", "`completed_at` is null until the response is completed, and then a time.", _SCHEMA),
        ("error-when-failed", "A failed response says why in `error`; in any other, `error` is null.", "Errors"),
        (
            "details-when-incomplete",
            "An incomplete response says why in `incomplete_details`; in any other, that is null.",
            _SCHEMA,
        ),
        ("usage-sum", "The total of the usage is its input and its output.", _SCHEMA),
        (
            "usage-parts",
            "Cached tokens are a part of the input, reasoning tokens of the output; none is negative.",
            _SCHEMA,
        ),
        ("error-then-failed", "After an `error` event comes `response.failed`.", "Errors"),
        # -- items
        ("known-items", "An item's type is one of the spec's, or an extension's own, `slug:name`.", "Extending Items"),
        ("item-statuses", "An item is in_progress, completed or incomplete.", _MACHINES),
        ("output-index", "Items are added at output index 0, 1, 2 and so on.", _STREAMABLE),
        ("item-added-first", "An item is added before anything else is told of it.", _STREAMABLE),
        ("item-begins-empty", "An item that begins in progress has no content, summary or arguments yet.", _STREAMABLE),
        ("whole-item-final", "An item that is added with a final status doesn't change any more.", _MACHINES),
        ("item-ids-unique", "No two items have the same id.", "Items"),
        ("call-ids-unique", "No two function calls have the same call id.", "Items"),
        ("item-id-stable", "An item keeps its id.", "Items"),
        ("item-kind-stable", "An item keeps its type, and its role, call id or name.", "Items"),
        ("events-fit-item", "Parts and deltas fit the type of their item.", _STREAMABLE),
        ("item-done-status", "An item that is done is completed or incomplete.", _MACHINES),
        ("nothing-after-item-done", "Nothing is told of an item that is done.", _MACHINES),
        ("items-done", "Every item that was added is done before the stream ends.", _MACHINES),
        ("incomplete-item-last", "After an incomplete item no other begins.", _MACHINES),
        ("incomplete-item", "A response with an incomplete item isn't completed.", _MACHINES),
        ("output-equals-items", "The last response's output is the items that were done, in order.", _STREAMABLE),
        # -- content and summary parts
        ("part-index", "The parts of an item are added at index 0, 1, 2 and so on.", _STREAMABLE),
        ("part-added-first", "A part is added before its deltas come.", _STREAMABLE),
        ("part-begins-empty", "A part begins without words.", _STREAMABLE),
        ("deltas-fit-part", "Deltas fit the type of their part.", _STREAMABLE),
        ("nothing-after-text-done", "No delta follows the `done` of a text, a refusal or arguments.", _STREAMABLE),
        ("text-done", "A part's words are told whole, once, before the part is done.", _STREAMABLE),
        ("deltas-equal-done", "The deltas, joined, are the words of their `done`.", _STREAMABLE),
        ("part-kind-stable", "A part keeps its type.", _STREAMABLE),
        ("part-equals-done", "A part that is done has the words that were told.", _STREAMABLE),
        ("nothing-after-part-done", "Nothing is told of a part that is done.", _STREAMABLE),
        ("parts-done", "Every part that was added is done before its item.", _STREAMABLE),
        ("item-equals-parts", "A finished item's content and summary are the parts that were done.", _STREAMABLE),
        ("annotation-index", "Annotations of a part are added at index 0, 1, 2 and so on.", _STREAMABLE),
        ("annotations-kept", "A part that is done has the annotations that were added, and no others.", _STREAMABLE),
        # -- arguments
        ("arguments-done", "A call's arguments are told whole, once, before the call is done.", _STREAMABLE),
        ("arguments-equal-done", "A finished call has the arguments that were told.", _STREAMABLE),
    )
)


def rules_table(rules: Iterable[Rule] = RULES) -> str:
    """Return rules as a Markdown table."""
    rows = [f"| `{rule.name}` | {rule.sentence} | {rule.section} |" for rule in rules]
    return "\n".join(["| rule | what it demands | section |", "| --- | --- | --- |", *rows, ""])
