"""`%agent export` and `%agent import`, and the notebooks that come of conversations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import nbformat
import pytest
from msgspec.structs import replace
from nbclient import NotebookClient
from tests.notebook.scripts import CONFIG

import agentbench
from agentbench import Workbench
from agentbench.errors import InvalidRequest
from agentbench.notebook.asking_cells import cells_of

if TYPE_CHECKING:
    from tests.notebook.conftest import Shell

FILES = Path(__file__).parents[1] / "archives" / "files"
PIXEL = (
    "data:image/png;base64,"
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
NASTY = [
    "-a is an option?",
    "What is {{ x }}?",
    "%time 1\n\n%%bash\nls?",
    ">>> print(1)\n1",
    "In [1]: x",
    "First\r\nsecond",
    "%agent chat Why?",
    "?help",
    "\"\"\"\\n'''",
    "  indented\n    more",
    "!ls",
]


def sources(bench: Workbench, talk: Any, **options: Any) -> list[str]:
    """Return the sources of a conversation's cells, without its title and the one that loads."""
    return [cell.source for cell in cells_of(bench, bench.archived(talk), **options)][2:]


def asked(bench: Workbench, talk: Any) -> list[Any]:
    """Return what a conversation's turns asked: text, instructions, temperature, model."""
    return [
        (
            turn.input[0].text,  # type: ignore[union-attr]  # a message
            turn.response.instructions,
            turn.response.temperature,
            turn.response.model,
            turn.agent,
        )
        for turn in bench.turns(talk)
    ]


def test_a_conversation_goes_to_a_file_and_back(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This conversation, or one that is named; importing what is here already adds nothing."""
    monkeypatch.chdir(tmp_path)
    shell.run("%agent chat Hello")
    table = shell.run("%agent export talk.json")
    assert [list(row) for row in table.rows] == [["talk.json", "Hello"]]
    shell.run("%agent new Other")
    assert "Hello" in str(shell.run("%agent export 'my talk.md' Hello"))
    assert (tmp_path / "my talk.md").read_text().startswith("# Hello")
    found = shell.run("%agent import talk.json")
    assert (len(found), found.turns, found.present) == (1, 0, 1)


def test_all_conversations_go_into_one_file(shell: Shell, tmp_path: Path) -> None:
    """An archive, Markdown or lines hold several; a notebook holds one."""
    shell.run(f"%agent import {FILES / 'fine_tuning.jsonl'}")
    shell.run(f"%agent export --all {tmp_path / 'all.json'}")
    assert len(msgspec.json.decode((tmp_path / "all.json").read_bytes())["conversations"]) == 2
    shell.run(f"%agent export --all {tmp_path / 'all.jsonl'}")
    assert len((tmp_path / "all.jsonl").read_text().splitlines()) == 2
    assert "holds one conversation" in str(shell.fail(f"%agent export --all {tmp_path / 'all.ipynb'}"))


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("%agent export", "Name the file"),
        ("%agent export talk.json", "no conversation to export yet"),
        ("%agent import", "Name one file"),
        ("%agent import a.json b.json", "Name one file"),
        ("%agent import nowhere.json", "can't be read"),
    ],
)
def test_what_is_missing_is_told(shell: Shell, cell: str, message: str) -> None:
    """In a sentence that says what to do."""
    error = shell.fail(cell)
    assert isinstance(error, InvalidRequest)
    assert message in str(error)


def test_python_has_the_same(shell: Shell, tmp_path: Path) -> None:
    """`export` takes conversations and their ids, `import_conversations` the magics' workbench."""
    shell.run("%agent chat Hello")
    [talk] = agentbench.get_workbench().conversations()
    assert agentbench.export(talk, tmp_path / "a.json").read_text() == (
        agentbench.export(tmp_path / "b.json", talk.id).read_text()
    )
    assert list(agentbench.import_conversations(tmp_path / "a.json")) == [talk]
    with pytest.raises(InvalidRequest, match="goes only into a page"):
        agentbench.export(5, tmp_path / "x.md")


def test_a_page_is_still_the_widget(shell: Shell, tmp_path: Path) -> None:
    """A file of HTML holds the chat."""
    shell.run("%agent chat Hello")
    shell.run(f"%agent export {tmp_path / 'talk.html'}")
    assert '"bundle":"chat"' in (tmp_path / "talk.html").read_text()


def test_options_that_are_not_the_default_are_in_the_cell(shell: Shell) -> None:
    """Agent, model, temperature, length and instructions are options, where they aren't what holds anyway."""
    bench = agentbench.get_workbench()
    talk = bench.start_conversation()
    bench.ask("One?", conversation=talk)
    bench.ask("Two?", conversation=talk, agent="counter", temperature=0.2, max_output_tokens=9)
    bench.ask("Three?", conversation=talk, model="scripted/json", instructions='Be "brief".\nVery.')
    assert sources(bench, talk) == [
        "%%agent chat\nOne?",
        "%%agent chat -a counter -t 0.2 --max 9\nTwo?",
        '%%agent chat -m scripted/json --system "Be \\"brief\\". Very."\nThree?',
    ]


def test_nasty_questions_are_asked_again_as_they_were(shell: Shell) -> None:
    """Whatever looks like an option, a magic or a prompt; run from the cells, a new conversation has the same turns."""
    bench = agentbench.get_workbench()
    talk = bench.start_conversation()
    for question in NASTY:
        bench.ask(question, conversation=talk, temperature=0.5, instructions="Say 'x' \\ \"y\".")
    for source in sources(bench, talk):
        shell.run(source)
    again = next(each for each in bench.conversations() if each.id != talk.id)
    assert asked(bench, again) == asked(bench, talk)


def test_images_and_schemas_have_cells_of_their_own(shell: Shell) -> None:
    """They show the image, or hold the schema, and the question names the variable; run again it sends the same."""
    bench = agentbench.get_workbench()
    talk = bench.start_conversation()
    bench.ask("See?", conversation=talk, images=PIXEL)
    bench.ask("Where?", conversation=talk, model="scripted/json", schema={"type": "object"})
    cells = cells_of(bench, bench.archived(talk))[2:]
    assert cells[0].folded
    assert cells[0].outputs[0]["data"]["image/png"] == PIXEL.partition(",")[2]
    for cell in cells:
        shell.run(cell.source)
    again = next(each for each in bench.conversations() if each.id != talk.id)
    assert [turn.input[0].content for turn in bench.turns(again)] == [  # type: ignore[union-attr]  # messages
        turn.input[0].content  # type: ignore[union-attr]  # a message
        for turn in bench.turns(talk)
    ]
    assert bench.turns(again)[1].response.text.format == bench.turns(talk)[1].response.text.format


def test_other_branches_are_told_or_written(shell: Shell) -> None:
    """Each is a section that begins a conversation of its own."""
    bench = agentbench.get_workbench()
    talk = bench.start_conversation("Two ways")
    bench.ask("One?", conversation=talk)
    bench.rewind(talk, None)
    bench.ask("Else?", conversation=talk)
    assert cells_of(bench, bench.archived(talk))[0].source == "# Two ways\n\nAnother branch of it is not here."
    assert sources(bench, talk, all_branches=True) == [
        "%%agent chat\nElse?",
        "## Branch 2",
        "%agent new",
        "%%agent chat\nOne?",
    ]


def test_what_is_not_here_is_told_above(shell: Shell) -> None:
    """Models, functions and files that can't be asked again; what the system said is an option of each cell."""
    bench = agentbench.get_workbench()
    [talk] = bench.import_conversations(FILES / "librechat.json")
    cells = cells_of(bench, bench.archived(talk))
    assert cells[2].source.startswith('%%agent chat --system "You know all about tea."\n')
    assert "openAI/gpt-4o's, which this configuration doesn't have" in cells[0].source
    assert "Answers used functions: `lookup`." in cells[0].source
    assert "0 mg" in cells[2].outputs[0]["data"]["text/markdown"]


def test_a_turn_without_words_stays_as_a_comment(shell: Shell) -> None:
    """Its answer is shown, and running the cell does nothing."""
    bench = agentbench.get_workbench()
    [talk] = bench.import_conversations(FILES / "events.sse")
    [cell] = cells_of(bench, bench.archived(talk))[2:]
    assert cell.source.startswith("# ")
    assert "Hello there." in cell.outputs[0]["data"]["text/plain"]
    archived = bench.archived(talk)
    assert cells_of(bench, replace(archived, turns=()))[2:] == []


def test_the_notebook_runs_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a fresh kernel, from top to bottom, with the same answers as it was written with."""
    config = tmp_path / "agentbench.yaml"
    config.write_bytes(msgspec.json.encode(CONFIG))
    monkeypatch.setenv("AGENTBENCH_CONFIG", str(config))
    with Workbench(home=tmp_path / "one") as bench:
        talk = bench.start_conversation("Rain")
        for question in ("One? {{x}}", ">>> two"):
            bench.ask(question, agent="counter", conversation=talk)
        file = bench.export_conversation(talk, tmp_path / "rain.ipynb")
    notebook = nbformat.read(file, as_version=4)
    nbformat.validate(notebook)
    written = [_answers(cell) for cell in notebook.cells]
    NotebookClient(notebook, timeout=60).execute()
    assert [_answers(cell) for cell in notebook.cells] == written == [None, None, "first", "second"]


def _answers(cell: Any) -> str | None:
    """Return the answer that a cell shows, without its last line."""
    outputs = cell.get("outputs", ())
    return outputs[0]["data"]["text/plain"].partition("\n")[0] if outputs else None
