"""Which keys the schema requires where, and of what type. The tables are the spec's; their check is one loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from agentbench.protocol.grammar.report import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentbench.protocol.grammar.report import Report

__all__ = [
    "EVENTS",
    "INTEGER",
    "LIST",
    "OBJECT",
    "TEXT",
    "check_event",
    "check_item",
    "check_keys",
    "check_part",
    "check_response",
    "has_keys",
    "wrong_keys",
]


_MISSING = object()
_HUGE = 2**63  # what is larger is no count or index, and Python doesn't write out the largest


class _Kind(NamedTuple):
    """The types of a value that will do; a boolean isn't taken for a number."""

    words: str
    types: frozenset[type]

    def holds(self, value: object) -> bool:
        return type(value) in self.types and (type(value) is not int or -_HUGE < value < _HUGE)

    @property
    def or_null(self) -> _Kind:
        return _Kind(f"{self.words} or null", self.types | {type(None)})


TEXT = _Kind("a text", frozenset({str}))
INTEGER = _Kind("a whole number", frozenset({int}))
OBJECT = _Kind("an object", frozenset({dict}))
_NUMBER = _Kind("a number", frozenset({int, float}))
_FLAG = _Kind("true or false", frozenset({bool}))
LIST = _Kind("a list", frozenset({list, tuple}))
_CHOICE = _Kind("a text or an object", frozenset({str, dict}))
_OUTPUT = _Kind("a text or a list", frozenset({str, list, tuple}))
_ANY = _Kind("anything", frozenset({str, int, float, bool, dict, list, tuple, type(None)}))

_Keys = dict[str, _Kind]
_NUMBERED: _Keys = {"sequence_number": INTEGER}
_RESPONSE = {**_NUMBERED, "response": OBJECT}
_ITEM = {**_NUMBERED, "output_index": INTEGER, "item": OBJECT}
_PLACE = {**_NUMBERED, "item_id": TEXT, "output_index": INTEGER}
_CONTENT = {**_PLACE, "content_index": INTEGER}
_SUMMARY = {**_PLACE, "summary_index": INTEGER}

EVENTS: Mapping[str, _Keys] = {
    "response.created": _RESPONSE,
    "response.queued": _RESPONSE,
    "response.in_progress": _RESPONSE,
    "response.completed": _RESPONSE,
    "response.failed": _RESPONSE,
    "response.incomplete": _RESPONSE,
    "response.output_item.added": _ITEM,
    "response.output_item.done": _ITEM,
    "response.content_part.added": {**_CONTENT, "part": OBJECT},
    "response.content_part.done": {**_CONTENT, "part": OBJECT},
    "response.output_text.delta": {**_CONTENT, "delta": TEXT},
    "response.output_text.done": {**_CONTENT, "text": TEXT},
    "response.output_text.annotation.added": {
        **_CONTENT,
        "annotation_index": INTEGER,
        "annotation": OBJECT.or_null,
    },
    "response.refusal.delta": {**_CONTENT, "delta": TEXT},
    "response.refusal.done": {**_CONTENT, "refusal": TEXT},
    "response.reasoning.delta": {**_CONTENT, "delta": TEXT},
    "response.reasoning.done": {**_CONTENT, "text": TEXT},
    "response.reasoning_summary_part.added": {**_SUMMARY, "part": OBJECT},
    "response.reasoning_summary_part.done": {**_SUMMARY, "part": OBJECT},
    "response.reasoning_summary_text.delta": {**_SUMMARY, "delta": TEXT},
    "response.reasoning_summary_text.done": {**_SUMMARY, "text": TEXT},
    "response.function_call_arguments.delta": {**_PLACE, "delta": TEXT},
    "response.function_call_arguments.done": {**_PLACE, "arguments": TEXT},
    "error": {**_NUMBERED, "error": OBJECT},
}
"""By type, besides `type` itself."""

_ITEMS: Mapping[str, _Keys] = {
    "message": {"id": TEXT, "status": TEXT, "role": TEXT, "content": LIST},
    "function_call": {"id": TEXT, "status": TEXT, "call_id": TEXT, "name": TEXT, "arguments": TEXT},
    "function_call_output": {"id": TEXT, "status": TEXT, "call_id": TEXT, "output": _OUTPUT},
    "reasoning": {"id": TEXT, "summary": LIST},
    "compaction": {"id": TEXT, "encrypted_content": TEXT},
}
_OWN_ITEM: _Keys = {"id": TEXT, "status": TEXT}
"""What an extension's item has at least."""
_PARTS: Mapping[str, _Keys] = {
    "output_text": {"text": TEXT, "annotations": LIST},
    "refusal": {"refusal": TEXT},
    "reasoning_text": {"text": TEXT},
    "summary_text": {"text": TEXT},
    "text": {"text": TEXT},
    "input_text": {"text": TEXT},
    "input_image": {},
    "input_file": {},
    "input_video": {"video_url": TEXT},
}
_ERROR: _Keys = {"type": TEXT, "code": TEXT.or_null, "message": TEXT, "param": TEXT.or_null}
_ANNOTATION: _Keys = {"type": TEXT, "url": TEXT, "title": TEXT, "start_index": INTEGER, "end_index": INTEGER}
_RESPONSE_KEYS: _Keys = {
    "id": TEXT,
    "object": TEXT,
    "created_at": INTEGER,
    "completed_at": INTEGER.or_null,
    "status": TEXT,
    "incomplete_details": OBJECT.or_null,
    "model": TEXT,
    "previous_response_id": TEXT.or_null,
    "instructions": TEXT.or_null,
    "output": LIST,
    "error": OBJECT.or_null,
    "tools": LIST,
    "tool_choice": _CHOICE,
    "truncation": TEXT,
    "parallel_tool_calls": _FLAG,
    "text": OBJECT,
    "top_p": _NUMBER,
    "presence_penalty": _NUMBER,
    "frequency_penalty": _NUMBER,
    "top_logprobs": INTEGER,
    "temperature": _NUMBER,
    "reasoning": OBJECT.or_null,
    "usage": OBJECT.or_null,
    "max_output_tokens": INTEGER.or_null,
    "max_tool_calls": INTEGER.or_null,
    "store": _FLAG,
    "background": _FLAG,
    "service_tier": TEXT,
    "metadata": _ANY,
    "safety_identifier": TEXT.or_null,
    "prompt_cache_key": TEXT.or_null,
}
_WITHIN_RESPONSE: Mapping[str, _Keys] = {
    "incomplete_details": {"reason": TEXT},
    "error": {"code": TEXT, "message": TEXT},
    "text": {"format": OBJECT},
    "usage": {
        "input_tokens": INTEGER,
        "output_tokens": INTEGER,
        "total_tokens": INTEGER,
        "input_tokens_details": OBJECT,
        "output_tokens_details": OBJECT,
    },
}
_WITHIN_USAGE: Mapping[str, _Keys] = {
    "input_tokens_details": {"cached_tokens": INTEGER},
    "output_tokens_details": {"reasoning_tokens": INTEGER},
}
_FUNCTION: _Keys = {"name": TEXT, "description": TEXT.or_null, "parameters": OBJECT.or_null, "strict": _FLAG.or_null}

_STATUSES = ("in_progress", "completed", "incomplete")
_ROLES = ("user", "assistant", "system", "developer")
_TRUNCATIONS = ("auto", "disabled")


def check_keys(value: Mapping[str, Any], keys: _Keys, at: str, report: Report) -> bool:
    """Report keys that are missing or of a wrong type; return whether all is well."""
    wrong = [key for key, kind in keys.items() if not kind.holds(value.get(key, _MISSING))]
    if not wrong:
        return True
    if missing := [key for key in wrong if key not in value]:
        report.add("required-keys", f"{at} lacks {', '.join(missing)}.")
    for key in wrong:
        if key in value:
            report.add("key-types", f"{at} {key}: expected {keys[key].words}, got {shown(value[key])}.")
    return False


def wrong_keys(value: Mapping[str, Any], keys: _Keys) -> list[str]:
    """Return what is wrong with the keys, each as the end of a sentence."""
    return [
        f"{key}: expected {kind.words}, got {shown(value[key]) if key in value else 'nothing'}"
        for key, kind in keys.items()
        if not kind.holds(value.get(key, _MISSING))
    ]


def check_event(kind: str, event: Mapping[str, Any], report: Report) -> bool:
    """Check the keys of an event whose type is known."""
    fine = check_keys(event, EVENTS[kind], kind, report)
    if kind == "error" and isinstance(error := event.get("error"), dict):
        check_keys(error, _ERROR, "error", report)
    elif isinstance(annotation := event.get("annotation"), dict):
        _check_annotation(annotation, "annotation", report)
    return fine


def has_keys(kind: str, event: Mapping[str, Any]) -> bool:
    """Tell whether an event has what it takes to be read, whatever its number is."""
    return all(of.holds(event.get(key, _MISSING)) for key, of in EVENTS[kind].items() if key != "sequence_number")


def check_item(item: Mapping[str, Any], at: str, report: Report) -> None:
    """Check the shape of an item, by its type."""
    kind = item.get("type")
    keys = _ITEMS.get(kind) if isinstance(kind, str) else None
    if keys is None:
        check_keys(item, _OWN_ITEM, at, report)
        if not _is_extension(kind):
            report.add("known-items", f"{at} has the type {shown(kind)}. Own types are written slug:name.")
        return
    check_keys(item, keys, at, report)
    _check_filled(item, ("id", "call_id", "name"), at, report)
    status = item.get("status")
    if isinstance(status, str) and status not in _STATUSES:
        report.add("item-statuses", f"{at} has the status {shown(status)}, expected one of {', '.join(_STATUSES)}.")
    if kind == "message":
        _check_value(item, "role", _ROLES, at, report)
    for key in ("content", "summary"):
        if isinstance(parts := item.get(key), list | tuple):
            for place, part in enumerate(parts):
                check_part(part, f"{at} {key}[{place}]", report)


def check_part(part: object, at: str, report: Report) -> None:
    """Check the shape of a content part, by its type."""
    if not isinstance(part, dict):
        report.add("key-types", f"{at}: expected an object, got {shown(part)}.")
        return
    kind = part.get("type")
    keys = _PARTS.get(kind) if isinstance(kind, str) else None
    if keys is not None:
        check_keys(part, keys, at, report)
    elif not _is_extension(kind):
        report.add("known-values", f"{at} has the type {shown(kind)}, which is no content part's.")
    if isinstance(annotations := part.get("annotations"), list | tuple):
        for place, annotation in enumerate(annotations):
            _check_annotation(annotation, f"{at} annotations[{place}]", report)


def check_response(response: Mapping[str, Any], report: Report) -> None:
    """Check the shape of a response, but for the items of its output."""
    at = "response"
    check_keys(response, _RESPONSE_KEYS, at, report)
    _check_filled(response, ("id", "model"), at, report)
    _check_value(response, "object", ("response",), at, report)
    _check_value(response, "truncation", _TRUNCATIONS, at, report)
    _check_within(response, _WITHIN_RESPONSE, at, report)
    if isinstance(usage := response.get("usage"), dict):
        _check_within(usage, _WITHIN_USAGE, f"{at} usage", report)
    tools = response.get("tools")
    for place, tool in enumerate(tools if isinstance(tools, list | tuple) else ()):
        if isinstance(tool, dict) and tool.get("type") == "function":
            check_keys(tool, _FUNCTION, f"{at} tools[{place}]", report)


def _check_within(value: Mapping[str, Any], inner: Mapping[str, _Keys], at: str, report: Report) -> None:
    for key, keys in inner.items():
        if isinstance(found := value.get(key), dict):
            check_keys(found, keys, f"{at} {key}", report)


def _check_annotation(annotation: object, at: str, report: Report) -> None:
    if not isinstance(annotation, dict):
        report.add("key-types", f"{at}: expected an object, got {shown(annotation)}.")
    elif annotation.get("type") == "url_citation":
        check_keys(annotation, _ANNOTATION, at, report)
    elif not _is_extension(annotation.get("type")):
        report.add("known-values", f"{at} has the type {shown(annotation.get('type'))}, expected 'url_citation'.")


def _check_filled(value: Mapping[str, Any], keys: tuple[str, ...], at: str, report: Report) -> None:
    for key in keys:
        if value.get(key) == "":
            report.add("ids-not-empty", f"{at} {key} is empty.")


def _check_value(value: Mapping[str, Any], key: str, known: tuple[str, ...], at: str, report: Report) -> None:
    found = value.get(key)
    if isinstance(found, str) and found not in known:
        report.add("known-values", f"{at} {key}: expected {' or '.join(map(repr, known))}, got {shown(found)}.")


def _is_extension(kind: object) -> bool:
    slug, colon, name = kind.partition(":") if isinstance(kind, str) else ("", "", "")
    return bool(slug and colon and name)
