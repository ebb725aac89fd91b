"""What an answer rests on, as cells and records show it."""

from __future__ import annotations

import msgspec
import pytest
from tests.notebook.inert import faults
from tests.notebook.payloads import PAYLOADS
from tests.notebook.searches import answer, passage, search
from tests.notebook.turns import turn

from agentbench.notebook import markdown
from agentbench.notebook.blocks import Block, Growing, blocks_of
from agentbench.notebook.render import html_of
from agentbench.notebook.sources import cited_by, line_of, search_of, searches_of, shortened, title_of
from agentbench.notebook.twins import conversation_record
from agentbench.protocol import CreateResponse, EventBuilder, draft
from agentbench.protocol.content import OutputText, UrlCitation
from agentbench.protocol.items import FunctionCall, FunctionCallOutput, Message

ONE, TWO = passage(1), passage(2, name="b.md", page=None, url="https://example.org/b", text="Noon.")
OUTPUT = (*search(ONE, TWO), answer("Fast [1].", ONE))
LINE = "Searched 1,234 passages of papers in 12 ms"


def test_a_search_is_read_back() -> None:
    """Its arguments and its result are one value; a tool of that name, or broken JSON, is none."""
    call, found = OUTPUT[:2]
    made = search_of(call, found)
    assert made is not None
    assert (made.queries, made.ids, made.passages) == (("How fast?",), ("coll_1",), (ONE, TWO))
    assert search_of(msgspec.structs.replace(call, call_id="call_1"), found) is None
    assert search_of(call, msgspec.structs.replace(found, output='{"searched": 1')) is None


def test_a_search_in_a_line() -> None:
    """It says how many passages of what, and how long it took; what was only read says that."""
    [made] = searches_of(OUTPUT).values()
    assert line_of(made) == LINE
    many = msgspec.structs.replace(made, searched=1, seconds=2.04, files=("a", "b", "c"))
    assert line_of(many) == "Searched 1 passage of papers, a, b and 1 more in 2.0 s"
    assert line_of(msgspec.structs.replace(made, searched=0)) == "Read papers as a whole"


def test_where_a_passage_is_from() -> None:
    """File, page and heading, as far as there are any, in one line."""
    assert title_of(ONE) == "a.pdf, page 3 · Birds > Speed"
    assert title_of(passage(page=None, heading=None, name="a\nb")) == "a b"


def test_what_is_cited() -> None:
    """Numbers of passages are told from what a model named as its source itself, even by the same number."""
    other = UrlCitation(url="https://example.org", title="web", start_index=0, end_index=3)
    said = Message(id="m", role="assistant", content=(OutputText(text="[2] and", annotations=(other,)),))
    found = cited_by((*OUTPUT, said), searches_of(OUTPUT))
    assert (found.numbers, found.others) == (frozenset({1}), ((other, "[2]"),))


def test_a_search_is_shortened_passage_by_passage() -> None:
    """However much was found, what stays is JSON."""
    call, found = search(*(passage(n, text="x" * 5_000) for n in range(1, 30)))
    short = search_of(call, shortened(call, found, 100))
    assert short is not None
    assert [len(each.text) for each in short.passages] == [101] * 29


def test_a_cell_shows_sources_below_the_answer() -> None:
    """The step is one line; each passage is folded under its number, a web page linked; no JSON."""
    shown = markdown.bundle(blocks_of(OUTPUT))
    first, second, *rest = shown["text/markdown"].split("\n\n", 2)
    assert (first, second) == (f"*{LINE}.*", "Fast [1].")
    assert "**Sources**\n\n<details><summary>&#91;1&#93; a.pdf, page 3 · Birds &gt; Speed</summary>" in rest[0]
    assert "<https://example.org/b>\n\n```\nNoon.\n```" in rest[0]
    assert "searched" not in shown["text/markdown"]
    assert "[2] b.md · Birds > Speed\n  Noon." in shown["text/plain"]


def test_a_growing_cell_shows_the_search() -> None:
    """While the answer comes, the step is the line that stays."""
    builder = EventBuilder(draft(CreateResponse(input=()), model="m"))
    growing = Growing()
    for item in search(ONE):
        for event in builder.item(item):
            growing.feed(event)
    assert growing.blocks == [Block("search", LINE)]


def test_a_record_has_the_passages() -> None:
    """As HTML each is folded, with its text; Markdown and text have them too."""
    record = conversation_record(None, [turn("Why?", OUTPUT)])
    assert "<summary dir" not in record.html
    assert "[1] a.pdf, page 3 · Birds &gt; Speed</summary>" in record.html
    assert '<a href="https://example.org/b"' in record.html
    assert "file_search" not in "".join(record)
    assert [each.count("It dives.") for each in record] == [1, 1, 1]


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
def test_hostile_documents_are_inert(payload: str) -> None:
    """Whatever a file is called, is headed by, comes from or says."""
    text = payload.encode("utf-8", "replace").decode()
    found = passage(name=text, heading=text, url=text, text=text)
    call, result = search(found, name=text)
    record = conversation_record(None, [turn("Why?", (call, result, answer("x [1]", found)))])
    assert faults(record.html) == []
    assert faults(html_of(markdown.bundle(blocks_of((call, result)))["text/markdown"])) == []


def test_a_name_ends_no_markdown() -> None:
    """Signs of Markdown, maths and HTML in a name stay signs: what follows is laid out as ever."""
    found = passage(name="a`</summary>$x\\", page=None, heading="```", text="```\n</details>")
    shown = markdown.bundle(blocks_of(search(found)))["text/markdown"]
    summary = "&#91;1&#93; a&#96;&lt;/summary&gt;&#36;x&#92; · &#96;&#96;&#96;"
    assert shown.endswith(f"<details><summary>{summary}</summary>\n\n````\n```\n</details>\n````\n\n</details>")


def test_a_call_of_a_tool_stays_a_call() -> None:
    """One that only has the same name is shown with its arguments."""
    call = FunctionCall(id="f", call_id="call_1", name="file_search", arguments="{}")
    result = FunctionCallOutput(id="o", call_id="call_1", output="none")
    assert [block.kind for block in blocks_of((call, result))] == ["call", "output"]
