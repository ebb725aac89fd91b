"""Answers that make no sense, each made from a good one; by name, and in alphabetical order of what is wrong."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import msgspec
from tests.chaos.wires import chunk, events, head
from tests.providers.bedrock_frames import raw_frame

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.chaos.wires import Wire

__all__ = ["GARBAGE", "WELL"]

WELL = ("blanks_behind", "early_hints", "many_headers", "no_reason", "odd_case", "latin_header", "utf8_in_header")
"""The names of those that are odd, but whole answers."""

_NOISE = random.Random(10).randbytes(4096)  # noqa: S311 - it has to be the same each time
_PAGE = b"<!doctype html><html><body><h1>502 Bad Gateway</h1></body></html>"


def _body(wire: Wire) -> bytes:
    return b"".join(events(wire))


def _sized(wire: Wire, body: bytes, *lines: str, status: str = "200 OK") -> bytes:
    return head(wire, f"content-length: {len(body)}", *lines, status=status) + body


def _framed(wire: Wire, *payloads: bytes) -> bytes:
    """Return an answer whose events hold these bytes, between the first half of the recording and its end."""
    half = events(wire)[: len(events(wire)) // 2]
    return _sized(wire, b"".join(half) + b"".join(_event(wire, each) for each in payloads))


def _event(wire: Wire, payload: bytes) -> bytes:
    if "amazon" in wire.kind:
        names = {":event-type": "contentBlockDelta", ":content-type": "application/json", ":message-type": "event"}
        return raw_frame(names, payload)
    return payload + b"\n" if "ndjson" in wire.kind else b"data: " + payload + b"\n\n"


def _with_text(wire: Wire, text: bytes) -> bytes:
    """Return an answer whose text is given as it stands within the quotes of JSON."""
    return _framed(wire, _DELTAS[wire.decoder] % text)


_DELTAS = {
    "openai_chat": b'{"choices":[{"index":0,"delta":{"content":"%b"}}]}',
    "openai_responses": b'{"type":"response.output_text.delta","item_id":"m","output_index":0,"delta":"%b"}',
    "anthropic": b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"%b"}}',
    "google": b'{"candidates":[{"content":{"parts":[{"text":"%b"}]}}]}',
    "ollama": b'{"message":{"role":"assistant","content":"%b"},"done":false}',
    "bedrock": b'{"contentBlockIndex":0,"delta":{"text":"%b"}}',
}
_NESTED = b'{"choices":%b,"delta":%b,"candidates":%b,"message":%b,"usage":%b,"error":%b}'
_ODD_COUNTS = b'{"usage":%b,"usageMetadata":%b,"prompt_eval_count":%b,"eval_count":%b,"index":%b,"output_index":%b}'
_ONE = b'{"type":"message_start","index":%b,"output_index":%b,"contentBlockIndex":%b,"choices":[{"index":%b}]}'


def _filled(template: bytes, value: bytes) -> bytes:
    return template.replace(b"%b", value)


def _raw(start: bytes) -> Callable[[Wire], bytes]:
    """Return an answer with its own first lines; the rest is as it should be."""
    return lambda wire: start + b"content-type: %b\r\n\r\n" % wire.kind.encode() + _body(wire)


def _chunked(bad: bytes) -> Callable[[Wire], bytes]:
    """Return an answer in chunks, with something else in the middle of them."""

    def answer(wire: Wire) -> bytes:
        first, *others = events(wire)
        return head(wire, "transfer-encoding: chunked") + chunk(first) + bad + b"".join(map(chunk, others))

    return answer


def _lengths(*lines: str, rest: bytes = b"") -> Callable[[Wire], bytes]:
    return lambda wire: head(wire, *lines) + _body(wire) + rest


def _events_of(*payloads: bytes) -> Callable[[Wire], bytes]:
    return lambda wire: _framed(wire, *payloads)


def _only(body: bytes, *lines: str, status: str = "200 OK") -> Callable[[Wire], bytes]:
    return lambda wire: _sized(wire, body, *lines, status=status)


def _typed(kind: str, body: bytes) -> Callable[[Wire], bytes]:
    return lambda wire: _sized(wire._replace(kind=kind), body)


def _text(text: bytes) -> Callable[[Wire], bytes]:
    return lambda wire: _with_text(wire, text)


_OBJECT = msgspec.json.encode({"error": {"message": "It broke.", "code": 500}})
GARBAGE: dict[str, Callable[[Wire], bytes]] = {
    # what isn't HTTP
    "no_http": lambda _: _NOISE,
    "old_http": _body,
    "future_http": _raw(b"HTTP/9.9 200 OK\r\n"),
    "icy": _raw(b"ICY 200 OK\r\n"),
    "status_words": _raw(b"HTTP/1.1 OK OK\r\n"),
    "status_999": _raw(b"HTTP/1.1 999 Whatever\r\n"),
    "status_0": _raw(b"HTTP/1.1 0 Whatever\r\n"),
    "status_huge": _raw(b"HTTP/1.1 99999999999999999999 Whatever\r\n"),
    "no_reason": _raw(b"HTTP/1.1 200\r\n"),
    "no_colon": _raw(b"HTTP/1.1 200 OK\r\nthis is no header\r\n"),
    "nul_header": _raw(b"HTTP/1.1 200 OK\r\nx-a: \0\r\n"),
    "latin_header": _raw(b"HTTP/1.1 200 OK\r\nx-a: caf\xe9\r\n"),
    "utf8_in_header": _raw("HTTP/1.1 200 OK\r\nx-a: 안녕\r\n".encode()),
    "folded_header": _raw(b"HTTP/1.1 200 OK\r\nx-a: b\r\n c\r\n"),
    "bare_line_feeds": lambda wire: head(wire, "connection: close").replace(b"\r\n", b"\n") + _body(wire),
    "many_headers": _raw(b"HTTP/1.1 200 OK\r\n" + b"x-a: b\r\n" * 5000),
    "long_header": _raw(b"HTTP/1.1 200 OK\r\nx-a: " + b"b" * 200_000 + b"\r\n"),
    "odd_case": lambda wire: b"HTTP/1.1 200 OK\r\nCONTENT-TYPE: %b\r\n\r\n" % wire.kind.upper().encode() + _body(wire),
    "early_hints": lambda wire: b"HTTP/1.1 103 Early Hints\r\nx-a: b\r\n\r\n" * 20 + _sized(wire, _body(wire)),
    # wrong lengths
    "length_negative": _lengths("content-length: -1"),
    "length_words": _lengths("content-length: many"),
    "length_huge": _lengths("content-length: 99999999999999999999999999"),
    "length_too_long": _lengths("content-length: 99999"),
    "length_too_short": _lengths("content-length: 10"),
    "length_twice": _lengths("content-length: 10", "content-length: 20"),
    "length_and_chunks": _lengths("content-length: 10", "transfer-encoding: chunked"),
    "blanks_behind": lambda wire: _sized(wire, _body(wire)) + b"\r\n\r\n\0",
    "no_length_204": lambda wire: head(wire, status="204 No Content") + _body(wire),
    "chunk_words": _chunked(b"zz\r\nab\r\n"),
    "chunk_negative": _chunked(b"-1\r\nab\r\n"),
    "chunk_huge": _chunked(b"fffffffffffffffffffff\r\nab\r\n"),
    "chunk_large": _chunked(b"7fffffffffffffff\r\nab\r\n"),
    "chunk_no_end": _chunked(b"2\r\nabcdef\r\n"),
    "chunk_empty_line": _chunked(b"\r\n\r\n\r\n"),
    "coding_unknown": _lengths("transfer-encoding: rot13"),
    # wrong contents
    "empty": _only(b""),
    "binary": _only(_NOISE),
    "zeros": _only(b"\0" * 5000),
    "ones": _only(b"\xff" * 5000),
    "page": _typed("text/html", _PAGE),
    "page_as_stream": _only(_PAGE),
    "json_object": _typed("application/json", _OBJECT),
    "json_array": _typed("application/json", b"[" + _OBJECT + b"]"),
    "json_cut": _typed("application/json", _OBJECT[:-3]),
    "json_nested": _typed("application/json", b"[" * 100_000),
    "json_number": _typed("application/json", b"1" * 5000),
    "json_nan": _typed("application/json", b"NaN"),
    "json_empty": _typed("application/json", b""),
    "json_utf16": _typed("application/json", '{"a": 1}'.encode("utf-16")),
    "plain": _typed("text/plain", b"Hello"),
    "no_kind": lambda _: b"HTTP/1.1 200 OK\r\n\r\nHello",
    "odd_kind": _typed('text/event-stream; charset="nö\u00ff"', b"data: 1\n\n"),
    "utf16": lambda wire: _sized(wire, _body(wire).decode("latin-1").encode("utf-16")),
    "latin1": _text(b"caf\xe9"),
    "overlong": _text(b"\xc0\xaf"),
    "surrogate": _text(b"\\ud800 alone"),
    "surrogate_raw": _text(b"\xed\xa0\x80"),
    "nul_escaped": _text(b"a\\u0000b"),
    "nul_raw": _text(b"a\0b"),
    "controls": _text(b"\\u0007\\u001b[31mred\\u202e"),
    "markup": _text(b"<script>alert(1)</script>"),
    "no_comma": _events_of(b'{"choices":[{"index":0 "delta":{}}]}'),
    "cut": _events_of(b'{"choices":[{"index":0,"del'),
    "two_at_once": _events_of(b'{"a":1}{"b":2}'),
    "null": _events_of(b"null"),
    "true": _events_of(b"true"),
    "number": _events_of(b"42"),
    "text": _events_of(b'"hello"'),
    "array": _events_of(b"[]"),
    "object": _events_of(b"{}"),
    "done_first": _events_of(b"[DONE]", b"[DONE]", b'{"a":1}'),
    "wrong_types": _events_of(_filled(_NESTED, b"5")),
    "wrong_texts": _events_of(_filled(_NESTED, b'"x"')),
    "wrong_lists": _events_of(_filled(_NESTED, b"[[]]")),
    "nested": _events_of(_filled(_NESTED, b"[" * 20_000 + b"]" * 20_000)),
    "nested_objects": _events_of(b'{"choices":' * 20_000),
    "huge_integer": _events_of(_filled(_ONE, b"9" * 400)),
    "huge_float": _events_of(_filled(_ONE, b"1e999")),
    "long_digits": _events_of(_filled(_ONE, b"9" * 50_000)),
    "negative_index": _events_of(_filled(_ONE, b"-1")),
    "odd_counts": _events_of(_filled(_ODD_COUNTS, b"-7")),
    "odd_counts_huge": _events_of(_filled(_ODD_COUNTS, b"1" + b"0" * 300)),
    "odd_counts_nan": _events_of(_filled(_ODD_COUNTS, b"NaN")),
    "error_number": _events_of(b'{"error":500}'),
    "error_list": _events_of(b'{"error":[1,2]}'),
    "error_nested": _events_of(b'{"error":{"message":{"message":["x"]}}}'),
    "error_null": _events_of(b'{"error":{"message":null,"type":null}}'),
    "error_key": _events_of(b'{"error":{"message":"wrong key sk-canary-0123456789abcdef"}}'),
}
