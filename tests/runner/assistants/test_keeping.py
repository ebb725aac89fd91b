"""Assistants: what may be made, who sees them, who may change them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from tests.runner.assistants.desks import Desk
from tests.runner.assistants.settled import ANN, BOB, ROOT, settle

from agentbench.auth.principal import KERNEL
from agentbench.errors import InvalidRequest, PermissionDenied, UnknownName
from agentbench.protocol.assistants.requests import ChangeAssistant
from agentbench.protocol.assistants.tools import (
    CodeInterpreter,
    CodeResources,
    FileSearch,
    FunctionSpec,
    FunctionTool,
    ToolResources,
)
from agentbench.storage.paging import Page

if TYPE_CHECKING:
    from agentbench.auth.principal import Principal
    from agentbench.runner import Runner

pytestmark = pytest.mark.anyio
FUNCTION = FunctionTool(function=FunctionSpec(name="look"))
EVERYONE = (ANN, BOB, ROOT, KERNEL)


@pytest.fixture
def desk(runner: Runner) -> Desk:
    """Give a desk."""
    return Desk(runner)


async def seen(desk: Desk, *ids: str) -> list[list[str]]:
    """Return which of the assistants Ann, Bob, an administrator and the kernel see; lists and look-ups agree."""
    out = []
    for who in EVERYONE:
        listed = [each.id for each in (await desk.assistants(who, Page(order="asc"))).data]
        found = [each for each in ids if await is_there(desk, who, each)]
        assert listed == found
        out.append([str(ids.index(each)) for each in listed])
    return out


async def is_there(desk: Desk, who: Principal, assistant_id: str) -> bool:
    """Look an assistant up."""
    try:
        return (await desk.assistant(who, assistant_id)).id == assistant_id
    except UnknownName:
        return False


async def test_an_assistant_with_nothing_but_a_model(desk: Desk) -> None:
    """What nobody says is as the API has it."""
    made = await desk.made(model="gpt-4-turbo")
    assert made.id.startswith("asst_")
    assert (made.model, made.name, made.instructions, made.tools, made.metadata) == ("gpt-4-turbo", None, None, (), {})
    assert (made.temperature, made.top_p, made.response_format, made.tool_resources) == (1.0, 1.0, "auto", None)
    assert await desk.assistant(BOB, made.id) == made


async def test_what_is_said_is_kept(desk: Desk) -> None:
    """All that a body has is the assistant's; who made it is its author."""
    given: dict[str, Any] = {"name": "보조", "tools": (FUNCTION,), "metadata": {"a": "b"}, "temperature": 0.0}
    made = await desk.made(**given, response_format={"type": "json_object"}, tool_resources={})
    assert {name: getattr(made, name) for name in given} == given
    stored = await desk.stored(BOB, made.id)
    assert (stored.assistant, stored.user) == (made, "ann")


@pytest.mark.parametrize(
    ("values", "param"),
    [
        ({"model": ""}, "model"),
        ({"name": "n" * 257}, "name"),
        ({"description": "n" * 513}, "description"),
        ({"metadata": {str(each): "" for each in range(17)}}, "metadata"),
        ({"metadata": {"k" * 65: ""}}, "metadata"),
        ({"metadata": {"k": "v" * 513}}, "metadata[...]"),
        ({"temperature": 2.5}, "temperature"),
        ({"top_p": -1}, "top_p"),
        ({"tools": (FUNCTION,) * 129}, "tools"),
        ({"tools": (FUNCTION, FUNCTION)}, "tools[1]"),
        ({"tools": (FunctionTool(function=FunctionSpec(name="no way")),)}, "tools[0].function.name"),
        ({"tools": (CodeInterpreter(),)}, "tools[0]"),
        ({"response_format": {"type": "xml"}}, "response_format.type"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
        ({"response_format": {"type": "json_schema", "json_schema": {}}}, "response_format.json_schema.name"),
        ({"reasoning_effort": "huge"}, "reasoning_effort"),
    ],
)
async def test_values_beyond_their_limits(desk: Desk, values: dict[str, Any], param: str) -> None:
    """They are refused by name, by whichever way they come, and nothing is made or changed."""
    made = await desk.made(model="m")
    with pytest.raises(InvalidRequest) as caught:
        await desk.made(**values)
    assert caught.value.param == param
    with pytest.raises(InvalidRequest):
        await desk.change(ANN, made.id, ChangeAssistant(**values))
    assert (await desk.assistants(ANN, Page())).data == (made,)


@pytest.mark.parametrize(
    ("settings", "tool", "why"),
    [
        ({"capabilities": ("tools",)}, CodeInterpreter(), "capabilities leaves it out"),
        ({"capabilities": ("tools",)}, FileSearch(), "capabilities leaves it out"),
        ({"capabilities": ("retrieval",)}, FUNCTION, "capabilities leaves it out"),
        ({}, CodeInterpreter(), "`codeInterpreter: true`"),
        ({"retrieval_models": ("m",)}, FileSearch(), "isn't among endpoints.assistants.retrievalModels"),
    ],
)
async def test_tools_that_are_refused(
    runner: Runner, desk: Desk, settings: dict[str, Any], tool: Any, why: str
) -> None:
    """A tool that the settings leave out can be given neither at the beginning nor later."""
    settle(runner, **settings)
    with pytest.raises(InvalidRequest, match=why) as caught:
        await desk.made(tools=(tool,))
    assert caught.value.param == "tools[0]"
    made = await desk.made()
    with pytest.raises(InvalidRequest, match=why):
        await desk.change(ANN, made.id, ChangeAssistant(tools=(tool,)))
    assert await desk.assistant(ANN, made.id) == made


async def test_tools_that_are_allowed(runner: Runner, desk: Desk) -> None:
    """Functions need `tools` or `actions`, code needs to be turned on, and searching a model that may."""
    settle(runner, capabilities=("actions", "code_interpreter", "retrieval"), code_interpreter=True)
    assert len((await desk.made(tools=(FUNCTION, CodeInterpreter(), FileSearch()))).tools) == 3
    settle(runner, retrieval_models=("m",))
    assert (await desk.made(model="m", tools=(FileSearch(),))).tools == (FileSearch(),)


async def test_a_model_that_may_not_search(runner: Runner, desk: Desk) -> None:
    """An assistant that searches files can't change to one; without the search it can."""
    settle(runner, retrieval_models=("m",))
    made = await desk.made(model="m", tools=(FileSearch(),))
    with pytest.raises(InvalidRequest, match="retrievalModels"):
        await desk.change(ANN, made.id, ChangeAssistant(model="n"))
    changed = await desk.change(ANN, made.id, ChangeAssistant(model="n", tools=()))
    assert (changed.model, changed.tools) == ("n", ())


async def test_a_change(desk: Desk) -> None:
    """What a change doesn't name stays, and null is what there is without saying anything."""
    made = await desk.made(name="a", description="d", tools=(FUNCTION,), metadata={"a": "b"}, temperature=0.5)
    changed = await desk.change(ANN, made.id, ChangeAssistant(name="b"))
    assert (changed.name, changed.description, changed.tools, changed.temperature) == ("b", "d", (FUNCTION,), 0.5)
    nothing = ChangeAssistant(description=None, tools=None, metadata=None, temperature=None)
    cleared = await desk.change(ANN, made.id, nothing)
    assert (cleared.description, cleared.tools, cleared.metadata, cleared.temperature) == (None, (), {}, 1.0)
    assert await desk.assistant(ANN, made.id) == cleared


async def test_a_change_after_the_settings_changed(runner: Runner, desk: Desk) -> None:
    """A tool that was allowed once is no reason to refuse another name; giving it again is."""
    settle(runner, code_interpreter=True)
    made = await desk.made(tools=(CodeInterpreter(),))
    settle(runner)
    assert (await desk.change(ANN, made.id, ChangeAssistant(name="b"))).tools == (CodeInterpreter(),)
    with pytest.raises(InvalidRequest, match="codeInterpreter: true"):
        await desk.change(ANN, made.id, ChangeAssistant(tools=(CodeInterpreter(),)))


async def test_changes_at_once(desk: Desk) -> None:
    """Of two that change different values neither is lost."""
    made = await desk.made()
    changes = [{"name": "n"}, {"description": "d"}, {"instructions": "i"}, {"top_p": 0.5}]
    await asyncio.gather(*(desk.change(ANN, made.id, ChangeAssistant(**each)) for each in changes))
    now = await desk.assistant(ANN, made.id)
    assert (now.name, now.description, now.instructions, now.top_p) == ("n", "d", "i", 0.5)


async def test_what_tools_work_on(runner: Runner, desk: Desk) -> None:
    """A change of some resources leaves the others, null clears them all, and others' files are unknown."""
    settle(runner, code_interpreter=True)
    uploaded = await desk.upload(ANN, "a.csv", b"a,b", purpose="assistants")
    store = {"file_search": {"vector_stores": [{"file_ids": []}]}}
    made = await desk.made(tools=(CodeInterpreter(), FileSearch()), tool_resources=store)
    code = {"code_interpreter": {"file_ids": [uploaded.id]}}
    changed = await desk.change(ANN, made.id, ChangeAssistant(tool_resources=code))
    assert made.tool_resources is not None
    expected = ToolResources(
        code_interpreter=CodeResources(file_ids=(uploaded.id,)), file_search=made.tool_resources.file_search
    )
    assert changed.tool_resources == expected
    assert (await desk.change(ANN, made.id, ChangeAssistant(tool_resources=None))).tool_resources is None
    with pytest.raises(UnknownName, match="no file"):
        await desk.made(BOB, tool_resources=code)


async def test_without_lists_everybody_sees_all(desk: Desk) -> None:
    """Every assistant, whoever made it, is there for everybody on the gateway."""
    ids = [(await desk.made(who)).id for who in (ANN, BOB)]
    assert await seen(desk, *ids) == [["0", "1"]] * 4


async def test_lists_of_ids(runner: Runner, desk: Desk) -> None:
    """Only supported ids are there, or all but excluded ones, for authors, administrators and the kernel too."""
    ids = [(await desk.made(who)).id for who in (ANN, BOB)]
    settle(runner, supported_ids=(ids[0], "asst_gone"))
    assert await seen(desk, *ids) == [["0"]] * 4
    settle(runner, excluded_ids=(ids[0],))
    assert await seen(desk, *ids) == [["1"]] * 4
    settle(runner, supported_ids=(ids[0],), excluded_ids=(ids[0],))
    assert await seen(desk, *ids) == [["0"]] * 4
    for refused in (desk.change(BOB, ids[1], ChangeAssistant(name="n")), desk.delete(BOB, ids[1])):
        with pytest.raises(UnknownName):
            await refused


async def test_private_assistants(runner: Runner, desk: Desk) -> None:
    """Everybody sees and changes just their own, whatever the lists say; others' aren't there, for nobody."""
    ids = [(await desk.made(who)).id for who in (ANN, BOB)]
    settle(runner, private=True, supported_ids=("asst_other",), excluded_ids=tuple(ids))
    assert await seen(desk, *ids) == [["0"], ["1"], [], []]
    assert (await desk.change(ANN, ids[0], ChangeAssistant(name="n"))).name == "n"
    for who in (BOB, ROOT, KERNEL):
        with pytest.raises(UnknownName):
            await desk.change(who, ids[0], ChangeAssistant(name="m"))


async def test_who_changes_and_deletes(desk: Desk) -> None:
    """The author, and administrators; for others it is forbidden."""
    made = await desk.made(ANN)
    for refused in (desk.change(BOB, made.id, ChangeAssistant(name="n")), desk.delete(BOB, made.id)):
        with pytest.raises(PermissionDenied, match=f"^The assistant {made.id} is another user's"):
            await refused
    for who in (ANN, ROOT, KERNEL):
        assert (await desk.change(who, made.id, ChangeAssistant(name=who.user))).name == who.user
    assert (await desk.stored(ANN, made.id)).user == "ann"
    await desk.delete(ROOT, made.id)
    assert not await is_there(desk, ANN, made.id)


@pytest.mark.parametrize("gone", ["asst_gone", "", "a\0b"])
async def test_what_isnt_there(desk: Desk, gone: str) -> None:
    """An unknown id is told apart from nothing else."""
    for refused in (desk.assistant(ANN, gone), desk.change(ANN, gone, ChangeAssistant()), desk.delete(ANN, gone)):
        with pytest.raises(UnknownName, match="There is no assistant") as caught:
            await refused
        assert caught.value.status == 404


async def test_without_the_builder(runner: Runner, desk: Desk) -> None:
    """Nobody makes, changes or deletes an assistant; those that are there are used."""
    made = await desk.made()
    settle(runner, disable_builder=True)
    for who in EVERYONE:
        for refused in (desk.made(who), desk.change(who, made.id, ChangeAssistant()), desk.delete(who, made.id)):
            with pytest.raises(PermissionDenied, match="disableBuilder"):
                await refused
    assert await desk.assistant(BOB, made.id) == made


async def test_an_assistant_by_its_name(runner: Runner, desk: Desk) -> None:
    """A name means one's own newest assistant of that name, if one may use it."""
    await desk.made(name="bot")
    newest = await desk.made(name="bot")
    await desk.made(BOB, name="bot")
    assert await desk.named(ANN, "bot") == newest
    assert await desk.named(ROOT, "bot") is None
    settle(runner, excluded_ids=(newest.id,))
    assert await desk.named(ANN, "bot") is None


async def test_pages_of_assistants(runner: Runner, desk: Desk) -> None:
    """A page leaves out what may not be seen, and such an id is no cursor."""
    ids = [(await desk.made()).id for _ in range(5)]
    settle(runner, excluded_ids=(ids[3],))
    page = await desk.assistants(BOB, Page(limit=2))
    assert ([each.id for each in page.data], page.has_more) == ([ids[4], ids[2]], True)
    with pytest.raises(InvalidRequest):
        await desk.assistants(BOB, Page(after=ids[3]))
