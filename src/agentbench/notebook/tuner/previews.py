"""What pending settings would do: the headers that are sent, the question for a title, a long result made short."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentbench.config.discover import ASSISTANTS
from agentbench.config.header_preview import headers_preview
from agentbench.errors import InvalidRequest
from agentbench.notebook.twins import question_of
from agentbench.protocol.items import FunctionCallOutput, Message
from agentbench.runner.target import find_target
from agentbench.runner.title_prompts import title_request
from agentbench.runner.titles import title_target
from agentbench.runner.tool_results import shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentbench.config.endpoint import Catalog
    from agentbench.runner.target import Target
    from agentbench.storage.responses import StoredResponse

__all__ = ["preview_headers", "preview_title", "preview_truncation"]

_QUESTION = "Why is the sky blue in the day, but red in the evening?"
_ANSWER = "Air scatters blue light more than red. In the evening light comes a longer way through it."
_ANY = "the model that answers"  # in place of a name where an endpoint lists its models only when asked
_SHOWN = 4_000
_MOST = 2_000_000
_LINE = "{:>6} The quick brown fox jumps over the lazy dog.\n"


def preview_headers(catalog: Catalog, block: str) -> dict[str, Any]:
    """Return the headers that an endpoint is sent, secrets masked, and whose they are."""
    target = _target(catalog, block)
    agent = target.agent.id if target.agent is not None else None
    headers = headers_preview(catalog, target.endpoint.name, agent=agent)
    return {"of": _of(target, block), "headers": list(headers.items())}


def preview_title(catalog: Catalog, block: str, turns: Sequence[StoredResponse]) -> dict[str, Any]:
    """Return who is asked for a title and what, of the conversation's first turn, or of an example without one."""
    target = _target(catalog, block)
    titles, asked = target.endpoint.titles, title_target(catalog, target)
    question, answer = _first_turn(turns) or (_QUESTION, _ANSWER)
    request = title_request(question, answer if titles.timing == "final" else "", titles, asked)
    prompt = "\n\n".join(item.text for item in request.input if isinstance(item, Message))
    return {
        "of": _of(target, block),
        "enabled": titles.enabled,
        "asked": asked.model if asked.model == _ANY else asked.name,
        "prompt": prompt,
        "json": titles.method == "structured",
        "example": not turns,
    }


def preview_truncation(
    catalog: Catalog, block: str, turns: Sequence[StoredResponse], sample: str = ""
) -> dict[str, Any]:
    """Return what a model reads of a tool's result: of the sample, else of the conversation's longest, or an example.

    The text is the part around the cut.
    """
    if len(sample) > _MOST:
        raise InvalidRequest(f"A sample may have {_MOST:,} characters.")
    target = _target(catalog, block)
    limit = target.endpoint.max_tool_result_chars
    longest = max(_results(turns), key=len, default="")
    text = sample or longest or _example(limit)
    short = text if limit is None else shortened(text, limit)
    return {
        "of": _of(target, block),
        "limit": limit,
        "before": len(text),
        "after": len(short),
        "text": shortened(short, _SHOWN),
        "source": "sample" if sample else "conversation" if longest else "example",
    }


def _target(catalog: Catalog, block: str) -> Target:
    """Return who would answer: for all, and for assistants that no upstream has, the default endpoint."""
    if block == "agents":
        return find_target(catalog, agent=catalog.default_agent.id, model=None)
    is_none = block in ("all", ASSISTANTS) and block not in catalog.endpoints
    endpoint = catalog.default_endpoint if is_none else catalog.endpoint(block)
    model = endpoint.default_model or _ANY
    return find_target(catalog, agent=None, model=f"{endpoint.name}/{model}")


def _of(target: Target, block: str) -> str:
    return (
        f"{target.agent.id} at {target.endpoint.name}" if block == "agents" and target.agent else target.endpoint.name
    )


def _first_turn(turns: Sequence[StoredResponse]) -> tuple[str, str] | None:
    return (question_of(turns[0]), turns[0].response.output_text) if turns else None


def _results(turns: Sequence[StoredResponse]) -> list[str]:
    items = [item for turn in turns for item in (*turn.input, *turn.response.output)]
    outputs = [item.output for item in items if isinstance(item, FunctionCallOutput)]
    return [each for each in outputs if isinstance(each, str)]


def _example(limit: int | None) -> str:
    """Return a text that is long enough to be cut."""
    size = min(2 * (limit or 1_000), _MOST)
    count = size // len(_LINE.format(1)) + 1
    return "".join(_LINE.format(number) for number in range(1, count + 1))
