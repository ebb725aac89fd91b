"""Assistants from Python: made, changed, listed, asked and deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.retrieval.shelves import WordEmbedder

import agentbench
from agentbench import Workbench
from agentbench.auth.principal import KERNEL
from agentbench.errors import InvalidRequest, PermissionDenied, UnknownName
from agentbench.protocol.assistants.requests import CreateAssistant
from agentbench.protocol.assistants.tools import FunctionSpec, FunctionTool
from agentbench.protocol.items import FunctionCall, FunctionCallOutput

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from agentbench.protocol import Response

CALL = [[{"call": {"name": "sunset", "arguments": {"city": "Paris"}}}], [{"text": "At twenty to eight."}]]
CONFIG: dict[str, Any] = {
    "endpoints": {
        "scripted": {
            "models": {"hello": [{"text": "Hello."}], "sun": {"turns": CALL}, "cites": [{"text": "Noon [1]."}]}
        },
        "assistants": {"substitutes": {"gpt-4o": "scripted/hello"}},
    },
    "agents": [{"id": "bot", "endpoint": "scripted", "model": "hello"}],
}


def sunset(city: str) -> str:
    """Tell when the sun sets."""
    return f"19:40 in {city}"


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Workbench]:
    """Give a workbench that embeds quickly."""
    with Workbench(CONFIG) as bench:
        library, embedder = bench._runner.library, WordEmbedder()
        for part in (library, library._processing):
            part._embedder = lambda _: embedder
        monkeypatch.setattr(bench._runner.embeddings, "embedder", lambda **_: embedder)
        yield bench


@pytest.fixture
def ferry(tmp_path: Path) -> Path:
    """Give a file on disk."""
    path = tmp_path / "ferry.md"
    path.write_text("# Ferry\n\nThe boat leaves at noon.\n")
    return path


def made(bench: Workbench, **fields: Any) -> str:
    """Make an assistant as a client does; return its id."""
    body = CreateAssistant(**{"model": "scripted/sun", **fields})
    return bench._loop.portal.call(bench._runner.assistants.create, KERNEL, body).id


def kinds(response: Response) -> list[str]:
    """Return the kinds of an answer's items."""
    return [type(item).__name__ for item in response.output]


def test_it_is_made_once(bench: Workbench) -> None:
    """Its name makes it, and later changes just what is given; without anything given it is found."""
    first = bench.assistant("Tutor", instructions="Be kind.", model="gpt-4o", temperature=0.2)
    second = bench.assistant("Tutor", description="Knows sums.")
    assert second.id == first.id
    assert second.assistant.instructions == "Be kind."
    assert second.assistant.description == "Knows sums."
    assert bench.assistant("Tutor").assistant == second.assistant
    assert bench.assistant(first.id, model="bot").assistant.model == "bot"


def test_a_new_one_answers_as_the_first_agent(bench: Workbench) -> None:
    """Without a model it has the first agent's."""
    assert bench.assistant("Tutor").assistant.model == "bot"
    assert bench.find_target("Tutor").name == "scripted/hello"


@pytest.mark.parametrize("model", ["gpt-4o", "bot", "scripted/hello"])
def test_it_is_asked(bench: Workbench, model: str) -> None:
    """By its id, its name or the handle it answers on an agent, a model, or a substitute; the ledger knows it."""
    tutor = bench.assistant("Math Tutor", model=model)
    for answer in (tutor.ask("Hi"), bench.ask("Hi", agent=tutor.id), bench.ask("Hi", agent="Math Tutor")):
        assert answer.output_text == "Hello."
    assert set(bench.usage()["agent"]) == {tutor.id}
    assert set(bench.usage()["model"]) == {"hello"}


def test_it_is_told_its_instructions(bench: Workbench) -> None:
    """Its instructions and sampling go to the model."""
    bench.assistant("Tutor", instructions="Be kind.", temperature=0.2)
    stream = bench.stream("Hi", agent="Tutor")
    planned = bench._loop.portal.call(stream.run.planned)
    stream.close()
    assert planned.instructions == "Be kind."
    assert planned.temperature == 0.2


def test_agents_win(bench: Workbench) -> None:
    """A name that an agent has is the agent's."""
    bench.assistant("bot", model="scripted/sun")
    assert bench.find_agent("bot") is bench.catalog.agents["bot"]
    assert bench.find_target("bot").name == "scripted/hello"


def test_functions_run_here(bench: Workbench) -> None:
    """A function joins the toolbox, and runs when the assistant is asked here."""
    tutor = bench.assistant("Sun", model="scripted/sun", tools=[sunset])
    assert tutor.tools == ["sunset"]
    answer = tutor.ask("When does the sun set?")
    assert kinds(answer) == ["FunctionCall", "FunctionCallOutput", "Message"]
    [result] = [item for item in answer.output if isinstance(item, FunctionCallOutput)]
    assert result.output == "19:40 in Paris"
    assert "sunset" in bench.tool_names()


def test_other_functions_are_the_callers(bench: Workbench) -> None:
    """A call of a function that isn't in the toolbox comes back."""
    sun = made(bench, tools=(FunctionTool(function=FunctionSpec(name="sunset")),))
    [call] = bench.ask("When?", agent=sun).output
    assert isinstance(call, FunctionCall)
    assert call.name == "sunset"


def test_its_code_runs(home: Path) -> None:
    """Where the operator allows code, a call of it runs; files that it makes are the person's."""
    call = {"call": {"name": "code_interpreter", "arguments": {"code": "open('a.txt', 'w').write('x'); print(6 * 7)"}}}
    models = {"coder": {"turns": [[call], [{"text": "42"}]]}}
    endpoints = {"scripted": {"models": models}, "assistants": {"codeInterpreter": True}}
    with Workbench({"endpoints": endpoints}, home=home) as bench:
        coder = bench.assistant("Coder", model="scripted/coder", tools=["code_interpreter"])
        answer = coder.ask("What is six times seven?")
        assert kinds(answer) == ["FunctionCall", "FunctionCallOutput", "Message"]
        [result] = [item for item in answer.output if isinstance(item, FunctionCallOutput)]
        assert result.output == "42\n\n[Files, which the person has now: a.txt]"
        assert bench.files()["name"].tolist() == ["a.txt"]


def test_its_form_of_answers(bench: Workbench) -> None:
    """What form its answers have goes to the model, unless a question asks for another."""
    plain = made(bench, response_format={"type": "json_object"}, model="bot")
    stream = bench.stream("Hi", agent=plain)
    other = bench.stream("Hi", agent=plain, schema={"type": "object", "properties": {"a": {"type": "string"}}})
    assert [each.run.turn.request.text.format.__class__.__name__ for each in (stream, other)] == [
        "JsonObjectFormat",
        "JsonSchemaFormat",
    ]
    stream.close()
    other.close()


def test_it_searches_its_files(bench: Workbench, ferry: Path, tmp_path: Path) -> None:
    """Files are searched; other files take their place, a collection is taken as it is, and none clears them."""
    guide = bench.assistant("Guide", model="scripted/cites", files=ferry, progress=False)
    assert (guide.tools, guide.file_names()) == (["file_search"], ["ferry.md"])
    answer = guide.ask("When does the boat leave?")
    assert kinds(answer) == ["FunctionCall", "FunctionCallOutput", "Message"]
    assert answer.output[2].content[0].annotations[0].title == "ferry.md, Ferry"  # type: ignore[union-attr]
    (tmp_path / "bus.md").write_text("# Bus\n\nIt never comes.\n")
    assert bench.assistant("Guide", files=[tmp_path / "bus*"], progress=False).file_names() == ["bus.md"]
    shelf = bench.collection("shelf").add(ferry, progress=False)
    assert bench.assistant("Guide", files=shelf).file_names() == ["ferry.md"]
    assert bench.assistant("Guide", files=()).file_names() == []
    assert bench.collection("shelf").files()["name"].tolist() == ["ferry.md"]


def test_a_slip_in_a_file_makes_nothing(bench: Workbench, ferry: Path) -> None:
    """A file that isn't there is told before anything is made."""
    with pytest.raises(InvalidRequest, match=r"No file matches .*ferri\.md"):
        bench.assistant("Guide", files=ferry.with_name("ferri.md"))
    assert bench.assistants().empty


def test_a_slip_in_a_tool(bench: Workbench) -> None:
    """A tool that there isn't is an error with the nearest name."""
    with pytest.raises(UnknownName, match=r"There is no tool 'file_serch'\. Did you mean 'file_search'\?"):
        bench.assistant("Guide", tools=["file_serch"])
    with pytest.raises(InvalidRequest, match="codeInterpreter"):
        bench.assistant("Guide", tools="code_interpreter")


def test_they_are_listed(bench: Workbench, ferry: Path) -> None:
    """They are a frame, the newest first; an empty one has the same types."""
    empty = bench.assistants()
    bench.assistant("Sun", model="gpt-4o", tools=[sunset])
    guide = bench.assistant("Guide", files=ferry, progress=False)
    frame = bench.assistants()
    assert frame["name"].tolist() == ["Guide", "Sun"]
    assert frame["tools"].tolist() == ["file_search", "sunset"]
    assert frame["model"].tolist() == ["bot", "gpt-4o"]
    assert frame["files"].tolist() == [1, 0]
    assert frame["author"].tolist() == ["kernel", "kernel"]
    assert frame["created_at"][0].timestamp() == guide.assistant.created_at
    assert list(frame.dtypes) == list(empty.dtypes)


def test_a_deleted_one_is_gone(bench: Workbench) -> None:
    """In the middle of a conversation too: the next question is an error that says so."""
    tutor = bench.assistant("Tutor")
    talk = bench.start_conversation(agent="Tutor")
    assert talk.agent == tutor.id
    tutor.ask("Hi", conversation=talk)
    tutor.delete()
    with pytest.raises(UnknownName, match=f"There is no assistant '{tutor.id}'"):
        tutor.ask("Still there?", conversation=talk)
    with pytest.raises(UnknownName, match="There is no agent 'Tutor'"):
        bench.ask("Still there?", agent="Tutor")
    with pytest.raises(UnknownName, match="There is no assistant 'Tutor'"):
        bench.delete_assistant("Tutor")


def test_the_builder_may_be_forbidden(home: Path) -> None:
    """Nothing is made, changed or deleted then; what is there can be found and asked."""
    with Workbench(CONFIG, home=home) as bench:
        tutor = bench.assistant("Tutor")
    with Workbench(
        {**CONFIG, "endpoints": {**CONFIG["endpoints"], "assistants": {"disableBuilder": True}}}, home=home
    ) as bench:
        assert bench.assistant("Tutor").id == tutor.id
        assert bench.ask("Hi", agent="Tutor").output_text == "Hello."
        with pytest.raises(PermissionDenied, match="disableBuilder"):
            bench.assistant("Tutor", model="gpt-4o")
        with pytest.raises(PermissionDenied, match="disableBuilder"):
            bench.assistant("Another")
        with pytest.raises(PermissionDenied, match="disableBuilder"):
            bench.delete_assistant("Tutor")


def test_what_it_would_cost(bench: Workbench) -> None:
    """A quote counts the assistant's instructions."""
    bench.assistant("Terse")
    bench.assistant("Wordy", instructions="Be kind. " * 100)
    terse, wordy = (bench.quote("Hi", agent=name)[0].input_tokens for name in ("Terse", "Wordy"))
    assert wordy > terse + 100


def test_its_looks(bench: Workbench) -> None:
    """What a cell shows is escaped and short."""
    tutor = bench.assistant("<b>Tutor</b>", instructions="x" * 1000, tools=[sunset])
    assert repr(tutor) == f"<assistant '<b>Tutor</b>' {tutor.id} on bot, with sunset>"
    shown = tutor._repr_html_()
    assert "&lt;b&gt;Tutor" in shown
    assert "<b>" not in shown
    assert len(shown) < 1000


def test_an_upstreams(home: Path) -> None:
    """An id that isn't here is looked for at the upstream, with nothing of an agent's; one that is off isn't asked."""
    block = {"baseURL": "http://127.0.0.1:9/v1", "apiKey": "k"}
    config = {**CONFIG, "endpoints": {**CONFIG["endpoints"], "assistants": block}}
    with Workbench(config, home=home) as bench:
        target = bench.find_target("asst_there")
        assert target.name == "assistants/asst_there"
        assert target.agent is not None
        assert target.agent.instructions is None
        with pytest.warns(UserWarning, match="The assistants of assistants are left out"):
            assert bench.assistants().empty


def test_those_of_an_upstream_are_listed(bench: Workbench, home: Path) -> None:
    """Another gateway's assistants are rows too, with its endpoint, as far as they may be seen; one is asked by id."""
    sun = bench.assistant("Sun", model="bot", tools=[sunset])
    bench.assistant("Hidden")
    server = bench.serve(port=0)
    key = bench.create_key("other").secret.reveal()
    block = {"baseURL": f"{server.url}/api/assistants/v2", "apiKey": key, "supportedIds": [sun.id]}
    with Workbench({**CONFIG, "endpoints": {"assistants": block}, "agents": []}, home=home / "other") as other:
        [row] = other.assistants().to_dict("records")
        assert (row["id"], row["name"], row["model"], row["tools"]) == (sun.id, "Sun", "bot", "sunset")
        assert row["endpoint"] == "assistants"
        assert other.ask("Hi", agent=sun.id).output_text == "Hello."


def test_the_notebooks_workbench_is_meant(bench: Workbench) -> None:
    """`agentbench.assistant` is a notebook's; outside it says what to do."""
    assert agentbench.assistant.__name__ == "assistant"
    with pytest.raises(InvalidRequest, match="load_ext"):
        agentbench.assistant("Tutor")
