"""Long tool results: what is left of them for the model, and that the whole stays for everyone else."""

from __future__ import annotations

import re
from functools import partial
from json import JSONEncoder
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.runner.fakes import FakeProvider, SteppedProvider, answer, catalog, play, question, runner_of, wants

from agentbench.config import Endpoint
from agentbench.protocol.content import InputImage, InputText
from agentbench.protocol.items import FunctionCall, FunctionCallOutput, user_message
from agentbench.runner import Turn
from agentbench.runner.characters import is_within_character
from agentbench.runner.tool_results import shortened, with_short_results
from agentbench.runner.tools import as_tool
from agentbench.storage import responses

if TYPE_CHECKING:
    from agentbench.protocol import CreateResponse
    from agentbench.storage.database import Database

NOTE = re.compile(r"\n\n\[\.\.\. ([\d,]+) of ([\d,]+) characters left out \.\.\.\]\n\n")
LIMITED = Endpoint(name="fake", provider="scripted", models=("m",), max_tool_result_chars=100)
LONG = "x" * 5000
PIECES = st.sampled_from(["a", "é", "e\u0301", "한", "👩\u200d👧", "🇰🇷", "\n", " ", "\\", '"'])
ESCAPED = st.text().map(lambda text: msgspec.json.encode(text).decode())
TEXTS = (
    st.lists(PIECES, max_size=400).map("".join)
    | st.lists(st.sampled_from(["e\u0301", "👩\u200d👧"]), max_size=200).map("".join)
    | st.lists(st.sampled_from([r"\u00e9", r"\ud83d\ude00", r"\n", r"\"", r"\\", "a"]), max_size=200).map("".join)
    | ESCAPED
)


@pytest.mark.parametrize("limit", [5, 6, 100])
def test_short_results_stay(limit: int) -> None:
    """What fits is as it was."""
    assert shortened("short", limit) == "short"


def test_a_long_result() -> None:
    """Seven tenths of the room are its head, the rest its tail; between them stands how much is missing."""
    text = "".join(f"{number:05}" for number in range(4000))
    short = shortened(text, 1000)
    head, missing, whole, tail = NOTE.split(short)
    assert len(short) <= 1000
    assert (whole, int(missing.replace(",", ""))) == ("20,000", 20_000 - len(head) - len(tail))
    assert (text[: len(head)], text[-len(tail) :]) == (head, tail)
    assert (len(head), len(tail)) == (665, 285)


def test_cuts_at_line_breaks() -> None:
    """Where lines end near a cut they stay whole."""
    lines = [f"line {number} of a log\n" for number in range(1000)]
    head, _, _, tail = NOTE.split(shortened("".join(lines), 2000))
    assert head == "".join(lines[: head.count("\n")])
    assert tail == "".join(lines[-tail.count("\n") :])
    assert len(head) + len(tail) > 1800


def test_a_line_break_that_costs_too_much() -> None:
    """No more than half of the head or the tail is given up for it."""
    head, _, _, tail = NOTE.split(shortened(f"ab\n{LONG}\ncd", 100))
    assert (len(head), len(tail)) == (37, 15)


@pytest.mark.parametrize("limit", [0, 1, 30, 48])
def test_a_tiny_limit(limit: int) -> None:
    """Without room for the note there is only the beginning."""
    assert shortened(LONG, limit) == "x" * limit


@given(TEXTS, st.integers(0, 300))
@example("a" * 200, 60)
def test_any_text_and_limit(text: str, limit: int) -> None:
    """It is never longer than the limit; what is left is the text's own, and no character is broken."""
    short = shortened(text, limit)
    assert len(short) <= max(limit, 0)
    if short == text:
        return
    note = NOTE.search(short)
    head, tail = (short[: note.start()], short[note.end() :]) if note else (short, "")
    assert text.startswith(head)
    assert text.endswith(tail)
    assert not is_within_character(text, len(head))
    assert not is_within_character(text, len(text) - len(tail))
    if note:
        assert note[1] == f"{len(text) - len(head) - len(tail):,}"


@given(st.text(min_size=30), st.integers(0, 300))
@example('😀\\\n"é' * 40, 200)
@example("\\" * 300, 200)
def test_escapes_of_json(text: str, limit: int) -> None:
    """Head and tail of a JSON string still are JSON when they are closed."""
    short = shortened(JSONEncoder().encode(text)[1:-1], limit)
    note = NOTE.search(short)
    head, tail = (short[: note.start()], short[note.end() :]) if note else (short, "")
    assert text.startswith(msgspec.json.decode(f'"{head}"'))
    assert text.endswith(msgspec.json.decode(f'"{tail}"'))


@pytest.mark.parametrize("pair", ["\\\\", "e\u0301"])
@pytest.mark.parametrize("limit", range(100, 110))
def test_pairs(pair: str, limit: int) -> None:
    """Of two backslashes the first escapes the second, a letter has its accent: however many there are, none parts."""
    head, _, _, tail = NOTE.split(shortened(pair * 300, limit))
    assert (len(head) % 2, len(tail) % 2) == (0, 0)


# -- in a request ---------------------------------------------------------------------------------------------------


def outputs(request: CreateResponse) -> list[object]:
    """Return the tool results in a request."""
    return [item.output for item in request.input if isinstance(item, FunctionCallOutput)]


def result(output: str | tuple[InputText | InputImage, ...]) -> FunctionCallOutput:
    """Return a tool result."""
    return FunctionCallOutput(id="fco_1", call_id="call_1", output=output)


def test_results_made_of_parts() -> None:
    """Their texts share the limit, short ones whole; images stay, and so does the order."""
    image = InputImage(image_url="https://example.org/cat.png")
    parts = (InputText(text=LONG), image, InputText(text="A cat."), InputText(text=LONG))
    request = with_short_results(asking(result(parts)), 306)
    ((first, second, third, fourth),) = outputs(request)
    assert (second, third) == (image, parts[2])
    assert first == fourth == InputText(text=shortened(LONG, 150))


def test_only_results_are_shortened() -> None:
    """What people say is theirs; and without a limit everything stays."""
    said, told = user_message(LONG), result(LONG)
    request = asking(said, told)
    assert with_short_results(request, None) == request
    assert with_short_results(request, 100).input == (said, result(shortened(LONG, 100)))


def asking(*items: object) -> CreateResponse:
    """Return a request of these items."""
    return msgspec.structs.replace(question(), input=items)


# -- in a turn ------------------------------------------------------------------------------------------------------


def read() -> str:
    """Read much."""
    return LONG


@pytest.mark.anyio
async def test_a_tool_that_runs_here(database: Database) -> None:
    """The model reads the short result, now and in later turns; the answer and what is stored have the whole."""
    provider = SteppedProvider([wants("read")], ["Done."])
    runner = runner_of(provider, database, catalog(LIMITED))
    run = runner.start(Turn(request=question()), tools=[as_tool(read)])
    response = await answer(run)
    await answer(play(runner, question(previous_response_id=response.id)))
    stored = await database.read(partial(responses.get, response_id=response.id, user="kernel"))
    assert stored is not None
    whole = [item.output for item in stored.response.output if isinstance(item, FunctionCallOutput)]
    assert whole == [LONG]
    assert [outputs(request) for request in provider.requests] == [[], [shortened(LONG, 100)], [shortened(LONG, 100)]]


@pytest.mark.anyio
async def test_a_tool_that_a_client_runs(database: Database) -> None:
    """The same holds for a result that comes with the request."""
    provider = FakeProvider()
    call = FunctionCall(id="fc_1", call_id="call_1", name="read", arguments="{}")
    request = asking(user_message("Read."), call, result(LONG))
    run = play(runner_of(provider, database, catalog(LIMITED)), request)
    await answer(run)
    assert [outputs(request) for request in provider.requests] == [[shortened(LONG, 100)]]
    assert outputs(run.turn.request) == [LONG]
