"""What an answer leaves behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec import structs

from agentbench import Workbench
from agentbench.errors import InvalidRequest
from agentbench.notebook.result import Result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SCRIPTS: dict[str, list[dict[str, Any]]] = {
    "hello": [
        {"reasoning": "Hm."},
        {"text": "Hello **world**"},
        {"usage": {"input_tokens": 3, "output_tokens": 2}},
    ],
    "json": [{"text": '{"city": "Oslo"}'}],
    "cut": [{"text": "Half"}, {"finish": "length"}],
}


@pytest.fixture
def ask() -> Iterator[Callable[..., Result]]:
    """Return a function that asks a scripted model and returns the result."""
    with Workbench({"endpoints": {"scripted": {"models": SCRIPTS}}}) as bench:

        def ask(model: str, **options: Any) -> Result:
            stream = bench.stream("Go.", model=f"scripted/{model}", **options)
            events = list(stream)
            return Result(stream.response, stream.run.row, events, [number / 10 for number in range(len(events))])

        yield ask


def test_a_result_tells_its_answer(ask: Callable[..., Result]) -> None:
    """Text, response and usage are those of the answer; as text it is the answer."""
    result = ask("hello")
    assert result.text == str(result) == "Hello **world**"
    assert result.response.status == "completed"
    assert result.usage is not None
    assert (result.usage.input_tokens, result.usage.output_tokens) == (3, 2)


def test_events_are_a_frame(ask: Callable[..., Result]) -> None:
    """Each event is a row with its time, from the first to the last."""
    events = ask("hello").events
    assert events["type"].iloc[0] == "response.created"
    assert events["type"].iloc[-1] == "response.completed"
    assert events["seconds"].is_monotonic_increasing
    assert "".join(events.loc[events["type"] == "response.output_text.delta", "delta"]) == "Hello **world**"


def test_a_result_is_shown_as_markdown_and_text(ask: Callable[..., Result]) -> None:
    """Markdown folds the reasoning away, text leaves it out; both end in the summary line."""
    result = ask("hello")
    assert result.usage is not None
    result.usage = structs.replace(result.usage, duration=0.004)
    shown = result._repr_mimebundle_()
    line = "scripted/hello · 3 → 2 tokens · 4 ms · $0"
    markdown = "<details><summary>Reasoning</summary>\n\nHm.\n\n</details>\n\nHello **world**"
    assert shown["text/markdown"] == f"{markdown}\n\n<sub>{line}</sub>"
    assert shown["text/plain"] == repr(result) == f"Hello **world**\n\n— {line}"


def test_an_early_end_is_shown(ask: Callable[..., Result]) -> None:
    """An answer that was cut says so, in both forms."""
    shown = ask("cut")._repr_mimebundle_()
    assert "\n\n*Stopped early: max output tokens.*\n\n" in shown["text/markdown"]
    assert "\n\n(Stopped early: max output tokens.)\n\n" in shown["text/plain"]


def test_json_is_parsed_and_fenced(ask: Callable[..., Result]) -> None:
    """An answer in JSON is a value to work with, and is shown as code."""
    result = ask("json", schema={"type": "object"})
    assert result.parsed == {"city": "Oslo"}
    assert result._repr_mimebundle_()["text/markdown"].startswith('```json\n{"city": "Oslo"}\n```')


def test_prose_is_not_json(ask: Callable[..., Result]) -> None:
    """Prose can't be parsed, and the error says how to ask."""
    with pytest.raises(InvalidRequest, match=r"The answer is not JSON: .* Ask with --json SCHEMA"):
        _ = ask("hello").parsed


def test_json_that_was_cut_says_why(ask: Callable[..., Result]) -> None:
    """An answer that ended before its JSON did names what stopped it, not how to ask."""
    with pytest.raises(InvalidRequest, match=r"The answer is not JSON: .* Stopped early: max output tokens"):
        _ = ask("cut").parsed
