"""The form for assistants, without a browser."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from agentbench import Workbench
from agentbench.errors import PermissionDenied, UnknownName
from agentbench.notebook.export import export
from notebook.widgets.views import View

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agentbench.protocol.assistants.objects import Assistant

CONFIG = {
    "endpoints": {
        "scripted": {
            "models": {
                "hello": [{"text": "Roses are **red** <b>"}],
                "slow": [{"text": "This much came."}, {"wait": 60}],
                "coder": [{"call": {"name": "code_interpreter", "arguments": {"code": "print(6 * 7)"}}}],
                "caller": [{"call": {"name": "sky", "arguments": {"city": "Oslo"}}}],
            }
        },
        "assistants": {"substitutes": {"gpt-4": "bot"}},
    },
    "agents": [{"id": "bot", "endpoint": "scripted", "model": "hello"}],
}
OTHERS = '[{"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}]'


def sky(city: str) -> str:
    """Tell what the sky is like."""
    return f"blue over {city}"


@pytest.fixture
def bench(home: Path) -> Iterator[Workbench]:
    """Give a workbench that has a function."""
    with Workbench(CONFIG, home=home) as bench:
        bench.add_tool(sky)
        yield bench


@pytest.fixture
def view(bench: Workbench) -> Iterator[View]:
    """Give a view of a form for a new assistant."""
    form = bench.assistant_form()
    yield View(form)
    form.close()


def put(view: View, **values: Any) -> None:
    """Fill in controls of the assistant that is shown."""
    for control, value in values.items():
        view.ok("put", assistant=view.widget.assistant, control=control, value=value)


def ended(view: View) -> dict[str, Any]:
    """Wait for the end of an answer that is tried, and return it."""
    view.widget._trying._thread.join(10)
    answer: dict[str, Any] = view.widget.answer
    return answer


def saved(bench: Workbench, view: View) -> Assistant:
    """Return the assistant that is shown, as it is stored."""
    return bench.find_assistant(view.widget.assistant).assistant


def disable(bench: Workbench) -> None:
    """Let nobody make assistants any more."""
    bench.config.set("assistants.disableBuilder", True)  # noqa: FBT003 - it is the value


def test_an_assistant_is_made(view: View, bench: Workbench) -> None:
    """What was filled in becomes an assistant, which is shown from then on."""
    put(view, name="Poet", model="gpt-4", instructions="Rhyme.", temperature="0.5", functions=["sky"], others=OTHERS)
    put(view, metadata=[["team", "sky"], ["", ""]])
    assert view.ok("save") == f"Made Poet ({view.widget.assistant})."
    made = saved(bench, view)
    assert [each.function.name for each in made.tools] == ["sky", "look_up"]
    assert (made.name, made.model, made.instructions, made.temperature) == ("Poet", "gpt-4", "Rhyme.", 0.5)
    assert (made.metadata, made.top_p) == ({"team": "sky"}, 1.0)
    assert (view.widget.pending, view.widget.form["functions"]) == ([], ["sky"])


def test_a_change_leaves_the_rest(view: View, bench: Workbench) -> None:
    """What isn't changed here keeps what others made of it meanwhile; what is emptied is cleared."""
    view = View(bench.assistant_form(bench.assistant("Poet", model="bot", description="Rhymes.", top_p=0.5).id))
    put(view, description="", instructions="Rhyme.")
    bench.assistant("Poet", metadata={"team": "sky"}, temperature=1.5)
    assert view.ok("save").startswith("Saved Poet (")
    changed = saved(bench, view)
    assert (changed.description, changed.instructions, changed.top_p) == (None, "Rhyme.", 0.5)
    assert (changed.metadata, changed.temperature) == ({"team": "sky"}, 1.5)
    assert view.widget.form["temperature"] == "1.5"


@pytest.mark.parametrize(
    ("control", "value", "why"),
    [
        ("temperature", "3", "temperature is a number from 0 to 2."),
        ("top_p", "nan", "top_p is a number from 0 to 1."),
        ("others", "[{", "This is not JSON"),
        ("others", '[{"name": "a b"}]', "functions[0].name"),
        ("others", '[{"name": "sky"}, {"name": "sky"}]', "Two functions are called 'sky'"),
        ("metadata", [["a", "1"], ["a", "2"]], "Two values have the key 'a'"),
        ("metadata", [["", "1"]], "The value '1' has no key"),
        ("name", "x" * 300, "name: "),
        ("model", " ", "An assistant needs a model"),
        ("code_interpreter", True, "Code is not run here"),
    ],
)
def test_an_error_is_shown_at_its_control(view: View, control: str, value: object, why: str) -> None:
    """Saving is refused, the control says why, and nothing that was typed is lost."""
    put(view, model="bot", instructions="Rhyme.")
    put(view, **{control: value})
    assert why in view.ask("save")["error"]["message"]
    assert why in view.widget.errors[control]
    assert (view.widget.form[control], view.widget.form["instructions"]) == (value, "Rhyme.")


def test_a_wrong_request_changes_nothing(view: View) -> None:
    """A control that there isn't, a value that it can't hold, another's id."""
    assert "no field 'nam'" in view.ask("put", assistant="", control="nam", value="x")["error"]["message"]
    assert view.ask("put", assistant="", control="name", value=5)["error"]["type"] == "invalid_request_error"
    assert "no assistant" in view.ask("put", assistant="asst_x", control="name", value="x")["error"]["message"]
    assert view.widget.pending == []


def test_who_answers(view: View) -> None:
    """The form tells who stands behind a model, or that nobody does; models to choose from are named."""
    put(view, model="gpt-4")
    assert view.widget.answers == {"by": "scripted/hello", "why": ""}
    put(view, model="gpt-5")
    assert "no model 'gpt-5'" in view.widget.answers["why"]
    assert {"bot", "scripted/slow", "gpt-4"} <= set(view.widget.models)


def test_pending_is_kept_while_another_is_shown(view: View, bench: Workbench) -> None:
    """Each assistant has its own; a copy of one begins with all that its form holds."""
    poet = bench.assistant("Poet", model="bot", instructions="Rhyme.")
    view.ok("choose", assistant=poet.id)
    put(view, instructions="Rhyme well.")
    view.ok("choose", assistant="")
    assert view.widget.form["instructions"] == ""
    assert [each["pending"] for each in view.widget.assistants] == [True]
    view.ok("choose", assistant=poet.id)
    view.ok("copy_to_new")
    assert (view.widget.assistant, view.widget.form["instructions"]) == ("", "Rhyme well.")
    view.ok("choose", assistant=poet.id)
    assert "isn't saved yet" in view.ask("copy_to_new")["error"]["message"]
    view.ok("discard")
    assert (view.widget.form["instructions"], view.widget.pending) == ("Rhyme.", [])


def test_a_try_needs_no_saving(view: View, bench: Workbench) -> None:
    """The answer is what the form describes, with what it took; nothing is made or stored."""
    put(view, model="gpt-4", instructions="Rhyme.")
    assert view.ok("ask", text="Who <i>?") is True
    answer = ended(view)
    assert (answer["running"], answer["error"]) == (False, "")
    assert "<strong>red</strong> &lt;b&gt;" in answer["html"]
    assert answer["line"].startswith("scripted/hello · ")
    assert (bench.assistant_names(), bench.conversations()) == ({}, [])


def test_a_try_calls_functions(view: View) -> None:
    """Those of the toolbox run here, once they are ticked."""
    put(view, model="scripted/caller", functions=["sky"])
    view.ok("ask", text="How is the sky?")
    assert "blue over Oslo" in ended(view)["html"]


def test_a_try_runs_code(view: View, bench: Workbench) -> None:
    """Where the operator allows it."""
    bench.config.set("assistants.codeInterpreter", True)  # noqa: FBT003 - it is the value
    put(view, model="scripted/coder", code_interpreter=True)
    view.ok("ask", text="What is it?")
    assert "<pre>42</pre>" in ended(view)["html"].replace("\n", "")


def test_a_try_can_be_stopped(view: View) -> None:
    """What came stays, and another one can't begin before."""
    put(view, model="scripted/slow")
    came = threading.Event()
    view.widget.observe(lambda change: came.set() if "This much" in change["new"]["html"] else None, "answer")
    view.ok("ask", text="Go.")
    assert came.wait(10)
    assert "still coming" in view.ask("ask", text="Again.")["error"]["message"]
    assert view.ok("stop") is True
    assert "This much came." in ended(view)["html"]
    assert view.ok("stop") is False


def test_an_answer_goes_with_its_assistant(view: View) -> None:
    """Once another assistant is shown, the answer of the one before ends and is gone."""
    put(view, model="scripted/slow")
    view.ok("ask", text="Go.")
    trying = view.widget._trying
    view.ok("choose", assistant="")
    trying._thread.join(10)
    assert (trying.answer.running, view.widget.answer) == (False, None)


def test_a_try_of_what_nobody_answers(view: View) -> None:
    """The error stands where the answer would."""
    put(view, model="gpt-5")
    view.ok("ask", text="Who?")
    assert "no model 'gpt-5'" in ended(view)["error"]


def test_files_are_added(view: View, bench: Workbench, tmp_path: Path) -> None:
    """They go into a collection, which the assistant searches once it is saved; what isn't there is told."""
    (tmp_path / "roses.md").write_text("Roses are red.")
    put(view, name="Poet", model="bot")
    for text in (str(tmp_path / "roses.md"), str(tmp_path / "violets.md")):
        done = threading.Event()
        view.widget.observe(lambda change, done=done: None if change["new"]["running"] else done.set(), "adding")
        view.ok("add_files", text=text)
        assert done.wait(20)
    assert "Poet files" in view.widget.record().plain
    assert "violets.md" in view.widget.adding["error"]
    assert [(each["name"], each["status"]) for each in view.widget.files] == [("roses.md", "completed")]
    view.ok("save")
    made = saved(bench, view)
    assert made.tool_resources is not None
    assert made.tool_resources.file_search is not None
    assert made.tool_resources.file_search.vector_store_ids == (bench.collection("Poet files").id,)
    view.ok("ask", text="Which colour?")
    assert "Searched 1 passage" in ended(view)["html"]


def test_saving_waits_for_files(view: View) -> None:
    """An assistant isn't saved before it is known where the files that were just named go."""
    put(view, name="Poet", model="bot")
    view.widget._adding_to = ""
    assert "Files are still being added" in view.ask("save")["error"]["message"]
    assert view.widget.form["name"] == "Poet"


def test_an_assistant_is_deleted(view: View, bench: Workbench) -> None:
    """The form then shows a new one; one that was deleted elsewhere can still be copied."""
    poet = bench.assistant("Poet", model="bot")
    view.ok("choose", assistant=poet.id)
    assert view.ok("delete") == f"Deleted Poet ({poet.id})."
    assert (view.widget.assistant, view.widget.assistants) == ("", [])
    assert "isn't made yet" in view.ask("delete")["error"]["message"]
    other = bench.assistant("Other", model="bot")
    view.ok("choose", assistant=other.id)
    put(view, instructions="Rhyme.")
    other.delete()
    view.ok("refresh")
    assert "no assistant" in view.ask("save")["error"]["message"]
    view.ok("copy_to_new")
    assert view.ok("save").startswith("Made Other (")


def test_opened_by_name(bench: Workbench) -> None:
    """By name or id; an unknown one is named."""
    poet = bench.assistant("Poet", model="bot")
    assert bench.assistant_form("Poet").assistant == bench.assistant_form(poet.id).assistant == poet.id
    with pytest.raises(UnknownName, match=r"There is no assistant 'Poe'\. Did you mean 'Poet'"):
        bench.assistant_form("Poe")


def test_anothers_is_read_only(view: View, bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    """It can be looked at, tried and copied, and no more."""
    poet = bench.assistant("Poet", model="bot")
    monkeypatch.setattr(type(view.widget._view), "user", "somebody")
    view.ok("choose", assistant=poet.id)
    assert "who alone may change it" in view.widget.read_only
    put(view, name="Mine")
    assert view.ask("save")["error"]["type"] == "permission_error"
    assert view.widget.assistants[0]["own"] is False


def test_disable_builder(view: View, bench: Workbench) -> None:
    """No form opens, and one that is open does nothing any more and says why; what was typed stays."""
    put(view, name="Poet", model="bot")
    disable(bench)
    for op, arguments in (("save", {}), ("ask", {"text": "?"}), ("delete", {}), ("add_files", {"text": "a"})):
        assert view.ask(op, **arguments)["error"]["type"] == "permission_error"
    assert "disableBuilder" in view.widget.refused
    put(view, name="Painter")
    view.ok("refresh")
    assert (view.widget.form["name"], bench.assistant_names()) == ("Painter", {})
    with pytest.raises(PermissionDenied, match="disableBuilder"):
        bench.assistant_form()


def test_the_record(view: View) -> None:
    """It has the assistant, what was done, and the last answer, as text that runs nothing."""
    put(view, name="Poet <b>", model="bot", instructions="Rhyme.\n<script>")
    view.ok("ask", text="Who <i>?")
    ended(view)
    view.ok("save")
    put(view, description="Not yet.")
    record = view.widget.record()
    assert "<script>" not in record.html
    assert "Poet &lt;b&gt;" in record.html
    assert "<strong>red</strong>" in record.html
    for text in (record.markdown, record.plain):
        assert "Not saved: description." in text
    assert f"Made Poet <b> ({view.widget.assistant})." in record.plain
    assert "> Who <i>?" in record.plain


def test_an_exported_page_has_all_forms(view: View, bench: Workbench, tmp_path: Path) -> None:
    """They can be read without a kernel, what is pending too."""
    poet = bench.assistant("Poet", model="bot")
    view.ok("refresh")
    put(view, name="Painter")
    forms = view.widget.exported()["forms"]
    assert [forms[""]["name"], forms[poet.id]["name"]] == ["Painter", "Poet"]
    assert "<h2>Assistant</h2>" in export(tmp_path / "page.html", view.widget).read_text()
