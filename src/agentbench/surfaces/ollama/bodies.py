"""From the bodies of `/api/chat` and `/api/generate` to a request of ours.

Settings of how a model is run (`num_ctx`, `keep_alive`, `top_k` …) are the operator's here and are passed over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentbench.errors import InvalidRequest
from agentbench.protocol.decode import decode_request
from agentbench.surfaces.fields import list_at, object_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from agentbench.protocol import CreateResponse

__all__ = ["chat_request", "generate_request", "wants_stream"]

_OPTIONS = ("temperature", "top_p", "presence_penalty", "frequency_penalty", "seed", "stop")
_UNSUPPORTED = ("suffix", "raw", "template", "context", "width", "height", "steps")
_IMAGES = {"iVBOR": "png", "/9j/": "jpeg", "R0lGOD": "gif", "UklGR": "webp"}
"""How images of each kind begin in base64."""


def wants_stream(body: Mapping[str, Any]) -> bool:
    """Return whether the answer is to be streamed, which it is unless the body says no."""
    stream = body.get("stream")
    if stream is not None and not isinstance(stream, bool):
        raise InvalidRequest("stream: expected true or false.", param="stream")
    return stream is not False


def chat_request(body: Mapping[str, Any], model: str) -> CreateResponse:
    """Return the request of a chat; raises `InvalidRequest` for what can't be asked here."""
    raw = _settings(body, model)
    raw["input"] = list(_Messages().read(list_at(body, "messages")))
    raw["tools"] = [_tool(tool, f"tools[{n}]") for n, tool in enumerate(list_at(body, "tools"))]
    return decode_request(raw)


def generate_request(body: Mapping[str, Any], model: str) -> CreateResponse:
    """Return the request of a single prompt; raises `InvalidRequest` for what can't be asked here."""
    for name in _UNSUPPORTED:
        if body.get(name):
            raise InvalidRequest(
                f"`{name}` can't be used here: models are asked with messages. Leave it out, or use /api/chat.",
                param=name,
            )
    raw = _settings(body, model)
    raw["instructions"] = body.get("system") or None
    raw["input"] = [{"type": "message", "role": "user", "content": _content(body, "prompt", "")}]
    return decode_request(raw)


def _settings(body: Mapping[str, Any], model: str) -> dict[str, Any]:
    options = object_at(body, "options")
    raw: dict[str, Any] = {name: options[name] for name in _OPTIONS if options.get(name) is not None}
    raw |= {"model": model, "store": False, "stream": wants_stream(body)}
    limit = options.get("num_predict")
    if limit is not None and not (isinstance(limit, int | float) and limit < 0):  # -1: as long as it gets
        raw["max_output_tokens"] = limit
    if (think := body.get("think")) is not None:
        effort = think if not isinstance(think, bool) else "medium" if think else "none"
        raw["reasoning"] = {"effort": effort}
    if (form := _format(body.get("format"))) is not None:
        raw["text"] = {"format": form}
    if body.get("logprobs"):
        raw["top_logprobs"] = body.get("top_logprobs") or 1
    return raw


def _format(form: object) -> dict[str, Any] | None:
    if form is None or form == "":
        return None
    if form == "json":
        return {"type": "json_object"}
    if isinstance(form, dict):
        return {"type": "json_schema", "name": "answer", "schema": form, "strict": True}
    raise InvalidRequest('format: expected "json" or a JSON schema.', param="format")


class _Messages:
    """Reads messages in order, and matches the results of tools with their calls, which need no ids here."""

    def __init__(self) -> None:
        self._open: dict[str, str] = {}
        self._count = 0

    def read(self, messages: list[Any]) -> Iterator[dict[str, Any]]:
        for number, message in enumerate(messages):
            at = f"messages[{number}]"
            if not isinstance(message, dict):
                raise InvalidRequest(f"{at}: expected an object.", param=at)
            yield from self._items(message, at)

    def _items(self, message: dict[str, Any], at: str) -> Iterator[dict[str, Any]]:
        role, content = message.get("role"), _content(message, "content", at)
        if role == "tool":
            yield {"type": "function_call_output", "call_id": self._answered(message, at), "output": content}
            return
        calls = list_at(message, "tool_calls", at)
        if content or not calls:
            yield {"type": "message", "role": role, "content": content}
        for number, call in enumerate(calls):
            yield self._call(call, f"{at}.tool_calls[{number}]")

    def _call(self, call: Any, at: str) -> dict[str, Any]:
        function = object_at(call, "function", at) if isinstance(call, dict) else {}
        if not isinstance(function.get("name"), str):
            raise InvalidRequest(f"{at}: expected a call with the function's name.", param=at)
        self._count += 1
        call_id = str(call.get("id") or f"call_{self._count}")
        self._open[call_id] = function["name"]
        arguments = function.get("arguments") or {}
        return {"type": "function_call", "call_id": call_id, "name": function["name"], "arguments": arguments}

    def _answered(self, message: dict[str, Any], at: str) -> str:
        """Return the call that a result belongs to: by its id, by its tool's name, or the oldest that has none yet."""
        given, name = message.get("tool_call_id"), message.get("tool_name") or message.get("name")
        fitting = (each for each, of in self._open.items() if name is None or of == name)
        found = given if given in self._open else next(fitting, None)
        if found is None:
            raise InvalidRequest(f"{at}: there is no call before it that this could be the result of.", param=at)
        del self._open[found]
        return str(found)


def _content(owner: Mapping[str, Any], key: str, at: str) -> str | list[dict[str, Any]]:
    """Return a text, or with images the parts of it."""
    text, images = owner.get(key) or "", list_at(owner, "images", at)
    path = f"{at}.{key}".lstrip(".")
    if not isinstance(text, str):
        raise InvalidRequest(f"{path}: expected a text.", param=path)
    if not images:
        return text
    pictures = [{"type": "input_image", "image_url": _image(image, f"{at}.images".lstrip("."))} for image in images]
    return [{"type": "input_text", "text": text}, *pictures]


def _image(data: object, at: str) -> str:
    if isinstance(data, str):
        if data.startswith("data:image/"):
            return data
        kind = next((kind for start, kind in _IMAGES.items() if data.startswith(start)), None)
        if kind is not None:
            return f"data:image/{kind};base64,{data}"
    raise InvalidRequest(f"{at}: expected PNG, JPEG, GIF or WebP images in base64.", param=at)


def _tool(tool: Any, at: str) -> dict[str, Any]:
    if not isinstance(tool, dict) or not isinstance(tool.get("function"), dict):
        raise InvalidRequest(f"{at}: expected a tool of type 'function'.", param=at)
    return {**tool["function"], "type": "function"}
