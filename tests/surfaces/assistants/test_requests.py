"""What clients send: bodies, queries and ids, as values; and what is wrong with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec import UNSET
from tests.surfaces.assistants.recorder import Recorder, recording

from agentbench.auth.principal import KERNEL
from agentbench.protocol.assistants.requests import ChangeAssistant, CreateThread, CreateThreadAndRun
from agentbench.protocol.assistants.tools import FileSearch
from agentbench.storage.database import Database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import httpx2

pytestmark = pytest.mark.anyio
AGENTS = "http://127.0.0.1/api/agents/v1/"
CONTENT = "step_details.tool_calls[*].file_search.results[*].content"


@pytest.fixture(scope="module")
def recorder() -> Recorder:
    """Give what notes the calls."""
    return Recorder()


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """Run on one loop for all tests here."""
    return "asyncio"


@pytest.fixture(scope="module")
async def http(recorder: Recorder, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[httpx2.AsyncClient]:
    """Give a client."""
    folder: Path = tmp_path_factory.mktemp("gateway")
    database = Database(f"sqlite:///{folder / 'gateway.db'}")
    async with recording(recorder, database) as http:
        yield http
    database.close()


@pytest.mark.parametrize(
    ("address", "asked"),
    [
        ("GET assistants/a", ("assistant", "a")),
        ("DELETE assistants/a", ("delete", "a")),
        ("GET threads/t", ("thread", "t")),
        ("DELETE threads/t", ("delete_thread", "t")),
        ("GET threads/t/messages/m", ("message", "t", "m")),
        ("DELETE threads/t/messages/m", ("delete_message", "t", "m")),
        ("GET threads/t/runs/r", ("run", "t", "r")),
        ("POST threads/t/runs/r/cancel", ("cancel", "t", "r")),
        ("GET threads/t/runs/r/steps/s", ("step", "t", "r", "s")),
    ],
)
async def test_ids(http: httpx2.AsyncClient, recorder: Recorder, address: str, asked: tuple[str, ...]) -> None:
    """The ids in an address come in its order, after who asks."""
    method, path = address.split()
    for base in ("", AGENTS):
        assert (await http.request(method, base + path)).status_code == 200
        assert recorder.asked[:2] == (asked[0], (KERNEL, *asked[1:]))
        recorder.asked = ("", (), {})


@pytest.mark.parametrize(
    ("path", "asked", "body"),
    [
        ("assistants", ("create",), {"model": "m"}),
        ("assistants/a", ("change", "a"), {}),
        ("threads", ("create_thread",), {}),
        ("threads/t", ("change_thread", "t"), {}),
        ("threads/t/messages", ("add_message", "t"), {"role": "user", "content": "Hi"}),
        ("threads/t/messages/m", ("change_message", "t", "m"), {}),
        ("threads/runs", ("start_with_thread",), {"assistant_id": "a"}),
        ("threads/t/runs", ("start", "t"), {"assistant_id": "a"}),
        ("threads/t/runs/r", ("change_run", "t", "r"), {}),
        ("threads/t/runs/r/submit_tool_outputs", ("submit", "t", "r"), {"tool_outputs": []}),
    ],
)
async def test_bodies(
    http: httpx2.AsyncClient, recorder: Recorder, path: str, asked: tuple[str, ...], body: dict[str, Any]
) -> None:
    """A body comes last; what nobody knows is passed over."""
    answer = await http.post(path, json=body | {"unheard_of": 1})
    assert answer.status_code == 200
    assert (recorder.asked[0], recorder.asked[1][:-1]) == (asked[0], (KERNEL, *asked[1:]))


async def test_nulls(http: httpx2.AsyncClient, recorder: Recorder) -> None:
    """A null is as good as nothing, but clears what a change names."""
    await http.post("threads", json={"messages": None, "metadata": None})
    assert recorder.body == CreateThread()
    await http.post("assistants/a", json={"name": None})
    assert (recorder.body, recorder.body.description) == (ChangeAssistant(name=None), UNSET)


async def test_no_body(http: httpx2.AsyncClient, recorder: Recorder) -> None:
    """It is an empty one."""
    assert (await http.post("threads")).status_code == 200
    assert recorder.body == CreateThread()


@pytest.mark.parametrize("beta", ["assistants=v2", "assistants=v1", None])
async def test_versions(http: httpx2.AsyncClient, recorder: Recorder, beta: str | None) -> None:
    """Whatever version a client says, it gets the second."""
    body = {"assistant_id": "a", "tools": [{"type": "file_search", "file_search": None}]}
    await http.post("threads/runs", json=body, headers={"openai-beta": beta} if beta else {})
    assert recorder.body == CreateThreadAndRun(assistant_id="a", tools=(FileSearch(),))


async def test_pages(http: httpx2.AsyncClient, recorder: Recorder) -> None:
    """A list takes its page from the query; what is empty there isn't there."""
    for path in ("assistants", "threads/t/messages", "threads/t/runs", "threads/t/runs/r/steps"):
        await http.get(path, params={"limit": "7", "order": "asc", "after": "x", "before": ""})
        page = recorder.body
        assert (page.limit, page.order, page.after, page.before) == (7, "asc", "x", None)
    await http.get("threads/t/messages", params={"run_id": "run_1"})
    assert recorder.asked[2] == {"run_id": "run_1"}


@pytest.mark.parametrize("name", ["include", "include[]"])
async def test_includes(http: httpx2.AsyncClient, recorder: Recorder, name: str) -> None:
    """What to include comes with brackets or without."""
    for path in ("threads/t/runs/r/steps", "threads/t/runs/r/steps/s"):
        await http.get(path, params={name: CONTENT})
        assert recorder.asked[2] == {"include": (CONTENT,)}
    await http.post("threads/t/runs", json={"assistant_id": "a"}, params={name: CONTENT})
    assert recorder.asked[2] == {"include": (CONTENT,)}


async def test_polling(http: httpx2.AsyncClient) -> None:
    """A run says when to look again."""
    assert (await http.get("threads/t/runs/r")).headers["openai-poll-after-ms"] == "300"


@pytest.mark.parametrize(
    ("path", "kind"),
    [("assistants/x", "assistant"), ("threads/x", "thread"), ("threads/t/messages/x", "thread.message")],
)
async def test_deletions(http: httpx2.AsyncClient, path: str, kind: str) -> None:
    """The answer names what is gone."""
    assert (await http.delete(path)).json() == {"id": "x", "object": f"{kind}.deleted", "deleted": True}


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=many", "limit"),
        ("order=up", "order"),
        ("include[]=everything", "include"),
        ("include=everything", "include"),
    ],
)
async def test_bad_queries(http: httpx2.AsyncClient, query: str, param: str) -> None:
    """They are a 400 that names the part."""
    answer = await http.get(f"threads/t/runs/r/steps?{query}")
    error = answer.json()["error"]
    assert (answer.status_code, error["param"], error["type"]) == (400, param, "invalid_request_error")
    assert error["message"].startswith(f"{param}: ")


KNOWN_TOOLS = "there are code_interpreter, file_search and function"
LONG = "x" * 513


@pytest.mark.parametrize(
    ("path", "body", "param", "message"),
    [
        ("assistants", {}, "model", "`model` is missing"),
        ("assistants", {"model": None}, "model", "`model` is missing"),
        ("assistants", {"model": ""}, "model", "length >= 1"),
        ("assistants", {"model": "m", "tools": [{"type": "web"}]}, "tools[0].type", KNOWN_TOOLS),
        ("assistants/a", {"tools": [{"type": "retrieval"}]}, "tools[0].type", "called file_search"),
        ("assistants", {"model": "m", "tools": [{"type": "function"}]}, "tools[0].function", "is missing"),
        ("assistants", {"model": "m", "tools": [{}]}, "tools[0].type", "is missing"),
        ("assistants", {"model": "m", "temperature": 3}, "temperature", "<= 2"),
        ("assistants", {"model": "m", "metadata": {"k": LONG}}, "metadata[...]", "length <= 512"),
        ("assistants", {"model": "m", "metadata": {"k" * 65: "v"}}, "metadata", "length <= 64"),
        ("assistants", {"model": "m", "metadata": {str(n): "" for n in range(17)}}, "metadata", "length <= 16"),
        ("threads", {"messages": [{"role": "system", "content": "x"}]}, "messages[0].role", "'system'"),
        ("threads/t/messages", {"role": "user"}, "content", "is missing"),
        ("threads/t/messages", {"role": "user", "content": [{"type": "sound"}]}, "content[0].type", "image_file"),
        (
            "threads/t/messages",
            {"role": "user", "content": "x", "attachments": [{"file_id": "f", "tools": [{"type": "x"}]}]},
            "attachments[0].tools[0].type",
            KNOWN_TOOLS,
        ),
        ("threads/t/runs", {}, "assistant_id", "is missing"),
        ("threads/runs", {"assistant_id": "a", "thread": {"messages": 1}}, "thread.messages", "Expected `array`"),
        ("threads/t/runs/r/submit_tool_outputs", {}, "tool_outputs", "is missing"),
        ("threads/t/runs/r/submit_tool_outputs", {"tool_outputs": [{"output": 1}]}, "tool_outputs[0].output", "str"),
        ("threads/t/runs/r", {"metadata": 1}, "metadata", "Expected `object"),
    ],
)
async def test_bad_bodies(http: httpx2.AsyncClient, path: str, body: dict[str, Any], param: str, message: str) -> None:
    """They are a 400 that names the part, and what there is instead."""
    answer = await http.post(path, json=body)
    error = answer.json()["error"]
    assert (answer.status_code, error["param"], error["code"]) == (400, param, "invalid_request")
    assert message in error["message"]


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b"\xff", b"[" * 100_000])
async def test_not_an_object(http: httpx2.AsyncClient, body: bytes) -> None:
    """Whatever else a body is, it is refused."""
    answer = await http.post("threads", content=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_request")


async def test_addresses(http: httpx2.AsyncClient) -> None:
    """What isn't there is told as OpenAI does, and old programs find models and chat beside the assistants."""
    for method, path, status in (("GET", "nope", 404), ("GET", "threads", 405), ("PUT", "assistants", 405)):
        answer = await http.request(method, path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, "unknown_route")
    names = [each["id"] for each in (await http.get("models")).json()["data"]]
    assert names == [each["id"] for each in (await http.get(f"{AGENTS}models")).json()["data"]]
    asked = {"model": names[0], "messages": [{"role": "user", "content": "Hi"}]}
    assert (await http.post("chat/completions", json=asked)).status_code == 200
    assert (await http.post("responses", json={"model": names[0], "input": "Hi"})).status_code == 200
