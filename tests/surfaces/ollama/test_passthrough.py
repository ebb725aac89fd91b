"""The passthrough over real HTTP: Ollama's client, the gateway with its accounts, and a scripted Ollama behind it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx2
import msgspec
import ollama
import pytest
from tests.providers.upstream import drop, hang, reply, stream

if TYPE_CHECKING:
    from tests.providers.upstream import Upstream
    from tests.surfaces.ollama.conftest import Served

HI = [{"role": "user", "content": "Hi"}]
LINES = tuple(
    line.encode() + b"\n"
    for line in (
        '{"model":"llama3.2","created_at":"x", "message":{"role":"assistant","content":"Bläu"},"done":false}',
        '{ "model":"llama3.2","unknown":[1.50],"message":{"role":"assistant","content":"."},"done":false}',
        '{"model":"m","message":{"role":"assistant","content":""},"done":true,"prompt_eval_count":26,"eval_count":298}',
    )
)
NDJSON = "application/x-ndjson"


def sent(far: Upstream, place: int = -1) -> dict[str, Any]:
    """Return the body of a request that the Ollama got."""
    body: dict[str, Any] = msgspec.json.decode(far.requests[place].partition(b"\r\n\r\n")[2])
    return body


def test_a_stream_comes_byte_for_byte(served: Served, far: Upstream) -> None:
    """The lines of a chat come as the Ollama wrote them, spaces and unknown keys included, and are counted."""
    far.answers[:] = [stream(*LINES, kind=NDJSON)]
    with served.http() as http:
        answer = http.post(
            "/api/chat", content=b'{"model": "llama3.2", "messages": [{"role": "user", "content": "?"}]}'
        )
    assert answer.content == b"".join(LINES)
    assert answer.headers["content-type"] == NDJSON
    row = served.rows()[-1]
    assert (row.endpoint, row.model, row.input_tokens, row.output_tokens) == ("ollama", "llama3.2", 26, 298)
    assert (row.status, row.estimated, row.context, row.agent) == ("completed", False, "message", None)
    assert row.time_to_first_token is not None


def test_what_the_upstream_sees(served: Served, far: Upstream) -> None:
    """The caller's credential stays here; the endpoint's key and headers go, and the name without our prefix."""
    far.answers[:] = [stream(*LINES, kind=NDJSON)]
    list(served.client.chat("ollama/llama3.2", HI, stream=True, options={"seed": 1}))
    head = far.requests[0].lower()
    assert head.startswith(b"post /api/chat http/1.1")
    assert b"authorization: bearer the-operators-own-key" in head
    assert b"x-team: blue" in head
    assert served.key.encode() not in head
    assert sent(far) == {
        "model": "llama3.2",
        "messages": [{"role": "user", "content": "Hi"}],
        "tools": [],
        "stream": True,
        "options": {"seed": 1},
    }


def test_no_line_waits_for_the_next(served: Served, far: Upstream) -> None:
    """A line is there before there is another; a client that goes away ends the call, which is counted as estimated."""
    far.answers[:] = [stream(LINES[0], kind=NDJSON, then=hang)]
    with served.http() as http, http.stream("POST", "/api/chat", json={"model": "m", "messages": HI}) as answer:
        assert next(answer.iter_raw()) == LINES[0]
        before = len(served.rows())
    deadline = time.monotonic() + 5
    while len(served.rows()) == before and time.monotonic() < deadline:
        time.sleep(0.01)
    row = served.rows()[-1]
    assert (row.model, row.status, row.estimated) == ("m", "incomplete", True)
    assert row.output_tokens == 2
    assert far.client_left.is_set()


def test_an_upstream_that_breaks_off(served: Served, far: Upstream) -> None:
    """A stream that the Ollama drops ends in a line with the error, which its client raises."""
    far.answers[:] = [stream(LINES[0], kind=NDJSON, then=drop)]
    parts = served.client.chat("m", HI, stream=True)
    assert next(parts).message.content == "Bläu"
    with pytest.raises(ollama.ResponseError, match="ollama dropped the connection"):
        next(parts)
    assert served.rows()[-1].status == "failed"


class Plain(NamedTuple):
    """A call without a stream, what the Ollama answers, and the tokens of its row."""

    path: str
    body: dict[str, Any]
    answer: bytes
    tokens: tuple[int, int]


PLAIN = (
    Plain("/api/chat", {"messages": HI, "stream": False}, LINES[2], (26, 298)),
    Plain(
        "/api/generate",
        {"prompt": "Hi", "stream": False},
        b'{"done":true,"prompt_eval_count":3,"eval_count":4}',
        (3, 4),
    ),
    Plain("/api/embed", {"input": ["a", "b"]}, b'{"embeddings":[[0.10]],"prompt_eval_count":3}', (3, 0)),
    Plain("/v1/embeddings", {"input": "a"}, b'{"data":[],"usage":{"prompt_tokens":5}}', (5, 0)),
    Plain("/v1/chat/completions", {"messages": HI}, b'{"usage":{"prompt_tokens":7,"completion_tokens":2}}', (7, 2)),
    Plain("/v1/responses", {"input": "Hi"}, b'{"usage":{"input_tokens":8,"output_tokens":9}}', (8, 9)),
    Plain("/v1/messages/0", {"messages": HI}, b'{"usage":{"input_tokens":1,"output_tokens":2}}', (1, 2)),
)


@pytest.mark.parametrize("plain", PLAIN, ids=[plain.path for plain in PLAIN])
def test_every_call_is_counted(served: Served, far: Upstream, plain: Plain) -> None:
    """Plain answers come as they are too, with a row in the ledger whichever API's counts they hold."""
    far.answers[:] = [reply(body=plain.answer)]
    with served.http() as http:
        assert http.post(plain.path, json={"model": "m", **plain.body}).content == plain.answer
    assert far.requests[0].startswith(f"POST {plain.path.removesuffix('/0')} ".encode())
    row = served.rows()[-1]
    assert (row.input_tokens, row.output_tokens, row.status) == (*plain.tokens, "completed")
    assert row.context == ("embedding" if "embed" in plain.path else "message")


def test_server_sent_events(served: Served, far: Upstream) -> None:
    """A stream of the OpenAI routes comes as it is; without a usage in it, its tokens are estimated."""
    pieces = (b'data: {"choices":[{"delta":{"content":"Blue sky"}}]}\n\n', b"data: [DONE]\n\n")
    far.answers[:] = [stream(*pieces)]
    with served.http() as http:
        answer = http.post("/v1/chat/completions", json={"model": "m", "messages": HI, "stream": True})
    assert (answer.content, answer.headers["content-type"]) == (b"".join(pieces), "text/event-stream")
    row = served.rows()[-1]
    assert (row.output_tokens, row.estimated, row.status) == (2, True, "completed")


def test_an_error_keeps_its_status_and_words(served: Served, far: Upstream) -> None:
    """Both clients can read what the Ollama refuses, each under its key; nothing is charged."""
    far.answers[:] = [reply(404, b'{"error":"model \'m\' not found"}')]
    with pytest.raises(ollama.ResponseError) as caught:
        served.client.chat("m", HI)
    assert (caught.value.status_code, caught.value.error) == (404, "model 'm' not found")
    with served.http() as http:
        assert http.post("/api/chat", json={"model": "m", "messages": HI}).json() == {
            "error": "model 'm' not found",
            "detail": "model 'm' not found",
        }
    row = served.rows()[-1]
    assert (row.status, row.error_type, row.input_tokens) == ("failed", "upstream_error", 0)


def test_a_refused_key_is_not_the_callers(served: Served, far: Upstream) -> None:
    """Where the Ollama refuses the operator's key, the caller gets 502, and never sees the key."""
    far.answers[:] = [reply(401, b'{"error":"bad key the-operators-own-key"}')]
    with pytest.raises(ollama.ResponseError, match="ollama refused the key") as caught:
        served.client.generate("m", "Hi")
    assert caught.value.status_code == 502
    assert "the-operators-own-key" not in caught.value.error


def test_lists_and_descriptions(served: Served, far: Upstream) -> None:
    """Ollama's client lists, describes and sees what is loaded; names may have our prefix."""
    rows = b'{"models":[{"name":"llama3.2:latest","model":"llama3.2:latest","size":7,"digest":"d","details":{}}]}'
    far.answers[:] = [reply(body=rows), reply(body=rows), reply(body=b'{"model_info":{"a":1}}'), reply(body=rows)]
    client = served.client
    assert [each.model for each in client.list().models] == ["llama3.2:latest"]
    assert [each.model for each in client.ps().models] == ["llama3.2:latest"]
    assert client.show("ollama/llama3.2").modelinfo == {"a": 1}
    assert sent(far) == {"model": "llama3.2"}
    with served.http() as http:
        assert http.get("/api/tags/0").json() == msgspec.json.decode(rows)
        assert http.get("/api/tags/1").json()["error"].startswith("There is no Ollama '1'")


def test_managing_models(served: Served, far: Upstream) -> None:
    """Administrators fetch, copy and delete models there, with progress as it comes."""
    progress = (b'{"status":"pulling manifest"}\n', b'{"status":"pulling x","total":9,"completed":3}\n')
    far.answers[:] = [stream(*progress, kind=NDJSON), reply(), reply(), reply(body=b'{"done":true}')]
    client = served.client
    assert [part.completed for part in client.pull("llama3.2", stream=True)] == [None, 3]
    assert client.copy("a", "b").status == "success"
    assert client.delete("a").status == "success"
    with served.http() as http:
        assert http.post("/api/unload", json={"model": "a"}).status_code == 200
    heads = [request.partition(b" HTTP")[0] for request in far.requests]
    assert heads == [b"POST /api/pull", b"POST /api/copy", b"DELETE /api/delete", b"POST /api/generate"]
    assert sent(far) == {"model": "a", "keep_alive": 0}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "pull"),
        ("POST", "create"),
        ("POST", "copy"),
        ("DELETE", "delete"),
        ("POST", "push"),
        ("POST", "unload"),
    ],
)
def test_only_administrators_manage(served: Served, far: Upstream, method: str, path: str) -> None:
    """A user may read and chat, but not change which models there are."""
    with served.http(served.user_key) as http:
        answer = http.request(method, f"/api/{path}/0", json={"model": "m"})
    assert answer.status_code == 403
    assert answer.json()["detail"] == answer.json()["error"]
    assert far.requests == []


def test_users_may_chat(served: Served, far: Upstream) -> None:
    """A user's call goes through, and is its row."""
    far.answers[:] = [reply(body=LINES[2])]
    with served.http(served.user_key) as http:
        http.post("/api/chat", json={"model": "m", "messages": HI, "stream": False}).raise_for_status()
    assert served.rows()[-1].user != served.rows()[0].user


def test_without_a_credential(served: Served, far: Upstream) -> None:
    """Nobody gets through without a key, but may see that somebody is here."""
    with httpx2.Client(base_url=served.url) as http:
        assert http.post("/api/chat", json={"model": "m", "messages": HI}).status_code == 401
        assert [http.get(path).json() for path in ("", "/")] == [{"status": True}] * 2
        assert http.head("/").status_code == 200
    assert far.requests == []


@pytest.mark.anyio
async def test_the_asynchronous_client(served: Served, far: Upstream) -> None:
    """Ollama's asynchronous client streams too."""
    far.answers[:] = [stream(*LINES, kind=NDJSON)]
    async with ollama.AsyncClient(host=served.url, headers={"Authorization": f"Bearer {served.key}"}) as client:
        parts = [part async for part in await client.chat("m", HI, stream=True)]
    assert ("".join(part.message.content or "" for part in parts), parts[-1].eval_count) == ("Bläu.", 298)
