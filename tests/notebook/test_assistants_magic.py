"""`%agent assistants`, and chats with assistants."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.notebook.scripts import CONFIG
from tests.notebook.test_completion import completed

import agentbench
from agentbench.errors import PermissionDenied
from agentbench.protocol.items import FunctionCallOutput

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.notebook.conftest import Shell

    from agentbench.workbench.assistant import AssistantHandle

SUNSET = '''
def sunset(city: str) -> str:
    """Tell when the sun sets."""
    return "19:40"
'''


@pytest.fixture
def tutor(shell: Shell) -> AssistantHandle:
    """Give an assistant whose name has a blank."""
    assert shell.run("%agent assistants").empty
    return agentbench.assistant("Math Tutor", model="bot")


@pytest.fixture
def closed_shell(plain_shell: Shell, tutor: AssistantHandle) -> Iterator[Shell]:
    """Give a shell where nobody may build, with an assistant that is there already."""
    settings = {**CONFIG, "endpoints": {**CONFIG["endpoints"], "assistants": {"disableBuilder": True}}}
    with agentbench.Workbench(settings) as bench:
        agentbench.set_workbench(bench)
        assert bench.find_assistant(tutor.id).name == "Math Tutor"
        yield plain_shell


def said(shell: Shell, cell: str) -> str:
    """Run a cell that asks; return the answer."""
    shell.run(cell)
    last = agentbench.last()
    assert last is not None
    return last.text


def test_from_new_to_delete(shell: Shell) -> None:
    """One is made with a cell's text as instructions, shown, changed, listed and deleted."""
    shell.run(SUNSET + "tone = 'kind'")
    made = shell.run("%%agent assistants new 'Sun Set' --tools sunset -m bot\nBe {{tone}}.\nAlways.\n")
    assert made.assistant.instructions == "Be kind.\nAlways."
    assert (made.tools, made.assistant.model) == (["sunset"], "bot")
    changed = shell.run("%agent assistants edit 'Sun Set' --instructions 'Be brief.' -t 0.5")
    assert (changed.id, changed.tools) == (made.id, ["sunset"])
    shown = dict(shell.run(f"%agent assistants show {made.id}").rows)
    assert shown["answered by"] == "scripted/hello"
    assert (shown["instructions"], shown["temperature"]) == ("Be brief.", "0.5")
    assert shell.run("%agent assistants")["name"].tolist() == ["Sun Set"]
    assert shell.run("%agent assistants delete 'Sun Set'").empty


def test_new_again_changes_it(shell: Shell, tmp_path: Path) -> None:
    """A cell that runs again makes no second one; `--raw` leaves braces alone; files are named with commas."""
    (tmp_path / "notes.md").write_text("# Ferry\n\nThe boat leaves at noon.\n")
    shell.ip.user_ns["folder"] = tmp_path
    first = shell.run("%agent assistants new Guide --files {{folder}}/*.md")
    assert first.file_names() == ["notes.md"]
    second = shell.run("%%agent assistants new --raw Guide\nWrite {{x}}.")
    assert (second.id, second.assistant.instructions) == (first.id, "Write {{x}}.")


def test_it_answers(shell: Shell, tutor: AssistantHandle) -> None:
    """In a cell by id or name, and after `use` without being named."""
    for cell in (f"%agent chat -a {tutor.id} Hi", "%agent chat -a 'Math Tutor' Hi", '%%agent -a "Math Tutor"\nHi'):
        assert said(shell, cell) == "Hello **world**"
    assert shell.run("%agent use 'Math Tutor'").rows[0] == ["agent", f"Math Tutor ({tutor.id})"]
    assert said(shell, "%agent chat Hi") == "Hello **world**"
    assert set(agentbench.get_workbench().usage()["agent"]) == {tutor.id}
    assert shell.run("%agent use bot").rows[0] == ["agent", "bot"]


def test_a_deleted_one_is_told(shell: Shell, tutor: AssistantHandle) -> None:
    """One that was deleted while it was in use is an error with its id."""
    shell.run(f"%agent use {tutor.id}")
    tutor.delete()
    assert str(shell.fail("%agent chat Hi")) == f"There is no assistant {tutor.id!r}."


def test_functions_run_in_the_kernel(shell: Shell) -> None:
    """A function that an assistant has is run when it is asked from a cell."""
    bench = agentbench.Workbench(
        {
            "endpoints": {
                "scripted": {
                    "models": {
                        "sun": {
                            "turns": [
                                [{"call": {"name": "sunset", "arguments": {"city": "Paris"}}}],
                                [{"text": "Late."}],
                            ]
                        }
                    }
                }
            }
        }
    )
    with bench:
        agentbench.set_workbench(bench)
        shell.run(SUNSET)
        shell.run("%agent assistants new Sun -m scripted/sun --tools sunset")
        assert said(shell, "%agent chat -a Sun When?") == "Late."
        last = agentbench.last()
        assert last is not None
        assert [result.output for result in last.response.output if isinstance(result, FunctionCallOutput)] == ["19:40"]


def test_a_chat(shell: Shell, tutor: AssistantHandle) -> None:
    """A chat widget shows it by name, and it answers there; one that is made later is found by its id."""
    chat = agentbench.get_workbench().chat("Math Tutor")
    assert chat.agent == tutor.id
    assert chat.agents[-1] == {"id": tutor.id, "name": "Math Tutor", "model": "scripted/hello", "images": True}
    assert chat.ask("Hi").text == "Hello **world**"
    later = agentbench.assistant("Later", model="counter")
    chat.use(agent=later.id)
    assert chat.ask("Hi").text == "second"
    assert [each["name"] for each in chat.agents[-2:]] == ["Math Tutor", "Later"]
    reopened = agentbench.get_workbench().chat(conversation=chat.conversation)
    assert reopened.agent == tutor.id
    chat.close()
    reopened.close()


def test_a_form(shell: Shell, tutor: AssistantHandle) -> None:
    """`form` opens the builder, at a new assistant or at one that is named."""
    form = shell.run("%agent assistants form 'Math Tutor'")
    assert form.assistant == tutor.id
    form.close()
    shell.run("%agent assistants form").close()


def test_tab(shell: Shell, tutor: AssistantHandle) -> None:
    """Ids and names are completed where assistants may stand, and what `--tools` takes."""
    names = {tutor.id, "'Math Tutor'"}
    assert completed(shell, "%agent chat -a ") == {"bot", "counter", *names}
    assert completed(shell, "%agent chat -a asst_") == {tutor.id}
    assert completed(shell, "%agent assistants ") == {"show", "new", "edit", "delete", "form"}
    assert completed(shell, "%agent assistants edit ") == names
    assert completed(shell, "%agent assistants new X --tools file") == {"file_search"}
    assert {tutor.id} == completed(shell, "%agent use asst")


def test_nobody_may_build(closed_shell: Shell) -> None:
    """`disableBuilder` hides what builds from Tab and help, and refuses it; the rest works."""
    assert completed(closed_shell, "%agent assistants ") == {"show"}
    assert "--model" not in completed(closed_shell, "%agent assistants new X --")
    assert "new" not in repr(closed_shell.run("%agent help assistants"))
    assert "edit NAME" not in repr(closed_shell.run("%agent help"))
    for line in ("new X", "edit 'Math Tutor' -t 1", "delete 'Math Tutor'", "form"):
        error = closed_shell.fail(f"%agent assistants {line}")
        assert isinstance(error, PermissionDenied)
        assert "disableBuilder" in str(error)
    assert said(closed_shell, "%agent chat -a 'Math Tutor' Hi") == "Hello **world**"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("assistants nwe X", "There is no %agent assistants nwe. Did you mean new?"),
        ("assistants new", "%agent assistants new needs a name or an id after it."),
        ("assistants new My Own -t 1", "What is 'Own -t 1'? Write a name with blanks in quotes: 'My Own'."),
        ("assistants new X --modle m", "There is no option --modle. Did you mean --model?"),
        ("assistants new X --tools file_serch", "There is no tool 'file_serch'. Did you mean 'file_search'?"),
        ("assistants new X -t 9", "temperature"),
        ("assistants edit Math", "Say what to change"),
        ("assistants edit 'Math Tuto' -t 1", "There is no assistant 'Math Tuto'. Did you mean 'Math Tutor'?"),
        ("assistants show asst_1", "There is no assistant 'asst_1'."),
        ("assistants show 'Math Tutor' -t 1", "%agent assistants show takes no options."),
        ("chat -a asst_1 Hi", "There is no assistant 'asst_1'."),
        ("chat -a Tutorr Hi", "There is no agent 'Tutorr'."),
        ("use asst_1", "There is no assistant 'asst_1'."),
    ],
)
@pytest.mark.usefixtures("tutor")
def test_slips(shell: Shell, line: str, message: str) -> None:
    """A slip is one line that says what to write."""
    assert str(shell.fail(f"%agent {line}")).startswith(message)


@pytest.mark.usefixtures("tutor")
def test_a_text_below(shell: Shell) -> None:
    """Only what takes instructions takes a text below it."""
    assert str(shell.fail("%%agent assistants show 'Math Tutor'\nHm")).startswith(
        "Only %%agent assistants new and edit"
    )


def test_a_name_with_a_blank_is_completed_without_its_quote(shell: Shell, tutor: AssistantHandle) -> None:
    """Who types the first letters of a name gets it with the quotes that it needs."""
    assert tutor.name == "Math Tutor"
    assert "'Math Tutor'" in completed(shell, "%agent chat -a Ma")


def test_the_default_answers_once_the_assistant_in_use_is_deleted(shell: Shell, tutor: AssistantHandle) -> None:
    """Deleting the assistant in use doesn't leave questions with nobody to answer them."""
    before = dict(shell.run("%agent use").rows)["agent"]
    shell.run("%agent use 'Math Tutor'")
    shell.run(f"%agent assistants delete {tutor.id}")
    assert before == dict(shell.run("%agent use").rows)["agent"]
