"""What is refused: bodies beyond the API's limits, tools that the settings forbid, messages that say nothing.

Every function raises `InvalidRequest` with the parameter to change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from agentbench.errors import InvalidRequest
from agentbench.protocol.assistants.content import ImageFilePart, ImageUrlPart
from agentbench.protocol.assistants.tools import FunctionTool
from agentbench.protocol.decode import convert
from agentbench.protocol.request import TextConfig, TextFormat

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentbench.config.assistants import AssistantSettings
    from agentbench.protocol.assistants.objects import Attachment
    from agentbench.protocol.assistants.requests import CreateMessage, PlainText
    from agentbench.protocol.assistants.tools import AssistantTool, ResponseFormat
    from agentbench.protocol.values import Value

    V = TypeVar("V", bound=Value)

__all__ = ["check_message", "check_model", "check_tools", "checked", "text_config", "type_of"]

EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh")
FORMAT: Any = TextFormat  # a union, which `convert` takes but mypy doesn't let it
IMAGE_URLS = ("https://", "http://", "data:image/")


def checked(body: V) -> V:
    """Return a body whose values are within their limits, however it was made."""
    return convert(msgspec.to_builtins(body), type(body))


def type_of(tool: AssistantTool) -> str:
    """Return a tool's type."""
    return str(tool.__struct_config__.tag)


def check_tools(settings: AssistantSettings, tools: Sequence[AssistantTool], *, model: str) -> None:
    """Refuse tools that an assistant or a run on that model may not have."""
    names: set[str] = set()
    for number, tool in enumerate(tools):
        at = f"tools[{number}]"
        if why := _refusal(settings, type_of(tool), model=model):
            raise InvalidRequest(why, param=at)
        if isinstance(tool, FunctionTool):
            if tool.function.name in names:
                raise InvalidRequest(f"Two functions are called {tool.function.name!r}. Rename one.", param=at)
            names.add(tool.function.name)


def check_model(response_format: ResponseFormat | None, reasoning_effort: str | None) -> None:
    """Refuse a form of answers or an effort that there isn't."""
    text_config(response_format)
    if reasoning_effort is not None and reasoning_effort not in EFFORTS:
        raise InvalidRequest(f"The effort is one of {', '.join(EFFORTS)}.", param="reasoning_effort")


def text_config(response_format: ResponseFormat | None) -> TextConfig:
    """Return what form the text should have, as the runner takes it."""
    if response_format is None or isinstance(response_format, str):
        return TextConfig()
    given = response_format
    if given.get("type") == "json_schema":
        at = "response_format.json_schema"
        given = convert(given.get("json_schema"), dict, at=at) | {"type": "json_schema"}
        if not given.get("name"):
            raise InvalidRequest("The schema needs a name.", param=f"{at}.name")
    without_nulls = {key: value for key, value in given.items() if value is not None}
    return TextConfig(format=convert(without_nulls, FORMAT, at="response_format"))


def check_message(settings: AssistantSettings, message: CreateMessage, *, at: str = "") -> None:
    """Refuse a message that says nothing, shows what may not be shown, or brings what nobody may read.

    `at` is where it stands in the request, with a dot at its end.
    """
    parts = (message.content,) if isinstance(message.content, str) else message.content
    if not parts:
        raise InvalidRequest("The message has no content. Write something.", param=f"{at}content")
    for number, part in enumerate(parts):
        where = f"{at}content" if isinstance(part, str) else f"{at}content[{number}]"
        _check_part(settings, part, where)
    for number, attachment in enumerate(message.attachments or ()):
        _check_attachment(settings, attachment, f"{at}attachments[{number}]")


def _check_part(settings: AssistantSettings, part: str | PlainText | ImageFilePart | ImageUrlPart, at: str) -> None:
    if isinstance(part, ImageFilePart | ImageUrlPart):
        if "image_vision" not in settings.capabilities:
            left_out = "endpoints.assistants.capabilities leaves image_vision out"
            raise InvalidRequest(f"Messages here may not have pictures: {left_out}.", param=at)
        if isinstance(part, ImageUrlPart) and not part.image_url.url.startswith(IMAGE_URLS):
            why = "Give a picture's address (https or http), or a data: URL with a picture."
            raise InvalidRequest(why, param=f"{at}.image_url.url")
    elif not (part if isinstance(part, str) else part.text).strip():
        raise InvalidRequest("The text is empty. Write something.", param=at)


def _check_attachment(settings: AssistantSettings, attachment: Attachment, at: str) -> None:
    if not attachment.file_id:
        raise InvalidRequest("The attachment names no file.", param=f"{at}.file_id")
    if not attachment.tools:
        why = "The attachment names no tool that is to read it: code_interpreter, file_search or both."
        raise InvalidRequest(why, param=f"{at}.tools")
    # A thread has no model: what any model may have will do.
    model = next(iter(settings.retrieval_models), "")
    for number, tool in enumerate(attachment.tools):
        place = f"{at}.tools[{number}]"
        if isinstance(tool, FunctionTool):
            raise InvalidRequest("A function reads no files. Name code_interpreter or file_search.", param=place)
        if refused := _refusal(settings, type_of(tool), model=model):
            raise InvalidRequest(refused, param=place)


def _refusal(settings: AssistantSettings, kind: str, *, model: str) -> str | None:
    why = settings.refusal(kind, model=model)
    if why is None and kind == "code_interpreter" and not settings.code_interpreter:
        return "Code is not run here. The operator can allow it with `codeInterpreter: true` in endpoints.assistants."
    return why
