"""The text of a file in each format, as the worker process reads it."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import anyio
import msgspec
import pytest

from agentbench.retrieval.extraction import extract
from agentbench.retrieval.extraction.encodings import decode
from documents import pdf, pptx, word, xlsx

if TYPE_CHECKING:
    from pathlib import Path

    from agentbench.retrieval.values import Extracted

GIB = 1024**3
KOREAN = "지역은 서울입니다.\n인구는 많고, 도시는 아름답습니다.\n"
JAPANESE = "これは日本語の文書です。東京は日本の首都であり、人口が多い都市です。\n" * 3
CHINESE = "这是一个中文文档。北京是中华人民共和国的首都。\n" * 3


def read(data: bytes | Path, name: str, content_type: str | None = None) -> Extracted:
    """Extract a file within the usual limits."""

    async def run() -> Extracted:
        return await extract(data, name, content_type, seconds=60, memory=2 * GIB)

    return anyio.run(run)


def test_pdf_has_pages() -> None:
    """A PDF's pages are found at their offsets; one without text is named in a note."""
    found = read(pdf(["First page.", "", "Third page."]), "a.pdf")
    assert found.text == "First page.\n\n\n\nThird page."
    assert [found.text[start:].split("\n")[0] for start in found.pages] == ["First page.", "", "Third page."]
    assert found.notes == ("Pages without text (scanned?): 2.",)


def test_word_document_is_markdown_in_order() -> None:
    """Headings, lists, tables, headers and footers of a Word document come in their order."""
    found = read(word(), "a.docx")
    table = "| Part | Price |\n| --- | --- |\n| bolt | 3 |"
    expected = ("Confidential", "# 안내서", "# Installing", "Run the program.", "- first\n- second", table)
    assert found.text == "\n\n".join((*expected, "After the table.", "Acme"))
    assert found.markup == "markdown"


def test_slides_are_pages_in_their_order() -> None:
    """Slides come in the order of the presentation, with their notes, but not with their numbers."""
    found = read(pptx([("Plan", "Build it", "slowly"), ("End", "질문?", "none")]), "a.pptx")
    first = "# Plan\n\nBuild it\n\nNotes:\n\nslowly"
    assert found.text == f"{first}\n\n# End\n\n질문?\n\nNotes:\n\nnone"
    assert found.pages == (0, len(first) + 2)


def test_sheets_are_pages_whose_rows_name_their_columns() -> None:
    """Each row of a sheet can be understood alone; whole numbers look so; empty sheets are left out."""
    people = [["Name", "Year"], ["Ada", 1843.0], ["Grace", 1952.5]]
    found = read(xlsx({"People": people, "Empty": [], "Numbers": [[1, 2], [3, 4]]}), "a.xlsx")
    assert found.text == "People\n\nName: Ada; Year: 1843\nName: Grace; Year: 1952.5\n\nNumbers\n\n1 | 2\n3 | 4"
    assert found.page_names == ("People", "Numbers")
    assert found.text[found.pages[1] :].startswith("Numbers")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_separated_values(delimiter: str) -> None:
    """Separated values are read whatever separates them, also Korean ones in the encoding of Excel."""
    lines = (("이름", "나이", "도시"), ("김철수", "30", '"서울, 부산; 대구"'), ("이영희", "41", "인천"))
    found = read("\n".join(map(delimiter.join, lines)).encode("cp949"), "a.csv")
    assert found.text == "이름: 김철수; 나이: 30; 도시: 서울, 부산; 대구\n이름: 이영희; 나이: 41; 도시: 인천"


def test_html_keeps_what_is_read() -> None:
    """Of a page, headings, text, tables and the words of links and images stay; scripts and navigation go."""
    page = (
        "<html><head><meta charset='euc-kr'><title>첫 화면</title><style>p {}</style></head><body><nav>Home</nav>"
        "<h2>소개</h2><p>읽을 <a href='/x'>글</a> <img src='data:x' alt='그림'></p><script>evil()</script><!-- no -->"
        "<table><tr><th>a</th></tr><tr><td>1</td></tr></table></body></html>"
    )
    found = read(page.encode("cp949"), "page", "text/html")
    assert found.text == "## 소개\n\n읽을 글 그림\n\n| a |\n| --- |\n| 1 |"
    assert (found.title, found.markup) == ("첫 화면", "markdown")


def test_notebook_cells() -> None:
    """A notebook's text stays as it is, code is fenced, and what a cell printed is kept up to a length."""
    printed = {"output_type": "stream", "name": "stdout", "text": ["x" * 5000]}
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": ["# Study\n", "of things"]},
        {"cell_type": "code", "metadata": {}, "source": "print(1)", "outputs": [printed], "execution_count": 1},
    ]
    notebook = {"cells": cells, "metadata": {"kernelspec": {"language": "python"}}, "nbformat": 4, "nbformat_minor": 5}
    found = read(msgspec.json.encode(notebook), "a.ipynb")
    assert found.text == f"# Study\nof things\n\n```python\nprint(1)\n```\n\n```text\n{'x' * 2000}\n…\n```"


def test_json_shows_its_characters() -> None:
    """JSON is laid out with its characters; what isn't valid comes as it is; lines of it stay lines."""
    assert read(rb'{"name":"\ud55c\uae00"}', "a.json").text == '{\n  "name": "한글"\n}'
    assert read(b'{"name":', "a.json").text == '{"name":'
    assert read(b'{"a":"\\ud55c"}\nnot json\n', "a.jsonl").text == '{"a": "한"}\nnot json'


def test_mail() -> None:
    """A message shows who wrote what to whom, and the text of its body."""
    mail = (
        "From: a@x.org\nTo: b@x.org\nSubject: =?utf-8?b?7ZWc6riA?=\nContent-Type: text/html\n\n<p>Hello <b>you</b></p>"
    )
    assert read(mail.encode(), "a.eml").text == "From: a@x.org\nTo: b@x.org\nSubject: 한글\n\nHello **you**"


def test_code_and_markdown_stay_as_they_are() -> None:
    """Code and markdown are read as they stand; the markup says which it is."""
    code = read(b"def f():\r\n    return 1\r\n", "a.py")
    assert (code.text, code.markup) == ("def f():\n    return 1", "code")
    text = read(b"# Guide\n\n- one", "a.md")
    assert (text.text, text.markup, text.title) == ("# Guide\n\n- one", "markdown", "Guide")


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (KOREAN, "utf-8-sig"),
        (KOREAN, "cp949"),
        (KOREAN, "utf-16"),
        (KOREAN, "utf-16-le"),
        (KOREAN * 3, "utf-16-be"),
        (JAPANESE, "shift_jis"),
        (JAPANESE, "iso2022_jp"),
        (CHINESE, "gb18030"),
        ("x = 1\n" * 20_000 + KOREAN, "euc-kr"),
    ],
)
def test_text_in_any_encoding(text: str, encoding: str) -> None:
    """The encoding of plain text is found out, also where the first 64 kB are ASCII."""
    assert decode(text.encode(encoding)) == text


def test_nothing_unprintable_is_left() -> None:
    """NUL bytes, a terminal's colours and broken ends of UTF-8 are no reason to refuse a text."""
    assert read(b"one\x00 \x1b[31mtwo\x1b[m\r\nthree" + b" words" * 100, "a.log").text.startswith("one two\nthree")
    broken = ("한글 " * 100).encode() + b"\xed\x95"
    assert read(broken, "a.txt").text == "한글 " * 100 + "\ufffd"


def test_file_on_disk(tmp_path: Path) -> None:
    """A file is read from its path as well; the worker gets it open."""
    path = tmp_path / "a.toml"
    path.write_text("[a]\nb = 1\n")
    assert tomllib.loads(read(path, "a.toml").text) == {"a": {"b": 1}}
