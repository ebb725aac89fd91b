"""From a caller's JSON to a `CreateResponse`, leniently where clients differ and exactly where they err.

Accepted beyond the schema, because clients send it: items without `type`, null for absent, items replayed from
earlier output, text where a list of parts is meant. What is wrong raises `InvalidRequest` whose `param` is its path.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

import msgspec

from agentbench.errors import InvalidRequest
from agentbench.protocol.request import CreateResponse
from agentbench.protocol.values import new_id

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["convert", "decode_json", "decode_request"]

T = TypeVar("T")
_Object = dict[str, Any]

_ID_PREFIX = {
    "message": "msg",
    "function_call": "fc",
    "function_call_output": "fco",
    "reasoning": "rs",
    "compaction": "cmp",
}

_LONGEST_IMAGE_URL = 20 * 2**20


def decode_json(body: bytes | str) -> dict[str, Any]:
    """Return the JSON object in a request's body."""
    try:
        decoded = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise InvalidRequest(f"The body is not valid JSON: {error}.") from None
    if not isinstance(decoded, dict):
        raise InvalidRequest("The body must be a JSON object.")
    return decoded


def convert(raw: Any, kind: type[T], *, at: str = "") -> T:
    """Return plain data as a typed value; `at` is where it stands in the request."""
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError as error:
        what, *path = str(error).replace(" - at `key` in `$", " in a name - at `$").rsplit(" - at `$", 1)
        param = (at + "".join(path).rstrip("`")).lstrip(".") or None
        raise InvalidRequest(f"{param or 'The body'}: {what}.", param=param) from None


def decode_request(raw: Mapping[str, Any]) -> CreateResponse:
    """Return the request that a Responses client means."""
    given = _without_nulls(raw, depth=3)  # down to `text.format`
    given["input"] = _items(given.get("input", []))
    given["tools"] = [_tool(tool, f"tools[{n}]") for n, tool in enumerate(_list(given.get("tools", []), "tools"))]
    if isinstance(given.get("stop"), str):
        given["stop"] = [given["stop"]]
    return convert(given, CreateResponse)


def _items(raw: Any) -> list[_Object]:
    if isinstance(raw, str):
        return [_item({"role": "user", "content": raw}, "input")]
    return [_item(item, f"input[{n}]") for n, item in enumerate(_list(raw, "input"))]


def _item(raw: Any, at: str) -> _Object:
    item = _without_nulls(_object(raw, at))
    kind = item.setdefault("type", _guess(item))
    if kind == "item_reference":
        return item
    if not isinstance(kind, str) or kind not in _ID_PREFIX:
        raise InvalidRequest(f"{at}: unknown item type {kind!r}.", param=f"{at}.type")
    item.setdefault("id", new_id(_ID_PREFIX[kind]))
    item.setdefault("status", "completed")
    if kind == "message":
        item["content"] = _parts(item.get("content", []), str(item.get("role")), f"{at}.content")
    elif kind == "function_call":
        arguments = item.get("arguments", "")
        item["arguments"] = arguments if isinstance(arguments, str) else msgspec.json.encode(arguments).decode()
    elif kind == "function_call_output" and isinstance(item.get("output"), list):
        item["output"] = _parts(item["output"], "user", f"{at}.output")
    return item


def _guess(item: _Object) -> str:
    if "role" in item:
        return "message"
    if "call_id" in item:
        return "function_call_output" if "output" in item else "function_call"
    return "item_reference" if "id" in item else "message"


def _parts(raw: Any, role: str, at: str) -> list[_Object]:
    if isinstance(raw, str):
        return [{"type": "output_text" if role == "assistant" else "input_text", "text": raw}]
    return [_part(part, f"{at}[{n}]") for n, part in enumerate(_list(raw, at))]


def _part(raw: Any, at: str) -> _Object:
    part = _without_nulls(_object(raw, at))
    if part.get("type") == "input_image":
        _check_image(part.get("image_url"), f"{at}.image_url")
    elif part.get("type") == "input_file" and not ("file_data" in part or "file_url" in part):
        raise InvalidRequest(f"{at}: send the file's content in file_data, or its address in file_url.", param=at)
    return part


def _check_image(url: object, at: str) -> None:
    if not isinstance(url, str) or not url.startswith(("https://", "http://", "data:")):
        raise InvalidRequest(f"{at}: send an image's address (https or http), or a data: URL.", param=at)
    if len(url) > _LONGEST_IMAGE_URL:
        raise InvalidRequest(f"{at}: the image is larger than {_LONGEST_IMAGE_URL // 2**20} MB. Send less.", param=at)


def _tool(raw: Any, at: str) -> _Object:
    tool = _without_nulls(_object(raw, at))
    if tool.get("type") != "function":
        raise InvalidRequest(
            f"{at}: tools of type {tool.get('type')!r} are not run here; only 'function' tools are.",
            param=f"{at}.type",
        )
    return tool


def _object(raw: Any, at: str) -> _Object:
    if not isinstance(raw, dict):
        raise InvalidRequest(f"{at}: expected an object.", param=at)
    return cast("_Object", raw)


def _list(raw: Any, at: str) -> list[Any]:
    if not isinstance(raw, list | tuple):
        raise InvalidRequest(f"{at}: expected a list.", param=at)
    return list(raw)


def _without_nulls(raw: Mapping[str, Any], *, depth: int = 1) -> _Object:
    """Drop what is null, `depth` objects deep; further down, as in a JSON schema, null may mean something."""
    return {
        key: _without_nulls(value, depth=depth - 1) if depth > 1 and isinstance(value, dict) else value
        for key, value in raw.items()
        if value is not None
    }
