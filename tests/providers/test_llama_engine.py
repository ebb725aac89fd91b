"""The engine of local models: on a made-up server that does what llama.cpp's does, then on the real model."""

from __future__ import annotations

import asyncio
import itertools
import subprocess
import sys
import threading
import time
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import anyio
import msgspec
import pytest

from agentbench.errors import (
    ContextTooLong,
    InvalidRequest,
    MissingExtra,
    UpstreamError,
    UpstreamUnavailable,
    WeightsUnavailable,
)
from agentbench.providers import weights
from agentbench.providers.llama_engine import Engine, engine_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping
    from pathlib import Path

pytestmark = pytest.mark.anyio

ACCEPTED = {"choices": [], "prompt_progress": {"processed": 0}}
TOO_LONG = {"code": 400, "type": "exceed_context_size_error", "message": "…", "n_prompt_tokens": 9031, "n_ctx": 8192}
LEAVE = """
import asyncio, sys, threading
from agentbench.providers import weights
from agentbench.providers.llama_engine import engine_for

engine = engine_for(weights.find())
begun = threading.Event()

async def chat():
    async for _ in engine.chat({"messages": [{"role": "user", "content": sys.argv[2]}], "ignore_eos": True}):
        begun.set()

if sys.argv[1] == "chatting":
    threading.Thread(target=asyncio.run, args=(chat(),), daemon=True).start()
    begun.wait()
print("leaving")
"""


class Server:
    """Does what llama.cpp's server does: says the given words, a millisecond each, or an error."""

    def __init__(self, *words: str, error: object = None) -> None:
        self.words: Iterable[str] = words
        self.error = error
        self.bodies: list[Mapping[str, Any]] = []
        self.begun = threading.Semaphore(0)
        self.may_speak = threading.Event()
        self.may_speak.set()
        self.returned = False

    def handle_chat_completions(self, body: Mapping[str, Any], callback: Callable[[Mapping[str, Any]], bool]) -> None:
        """Call back with each chunk until the callback says True."""
        self.bodies.append(body)
        self.begun.release()
        if isinstance(self.error, Exception):
            raise self.error
        if self.words or not self.error:
            self.speak(callback)
        if self.error:
            callback({"error": self.error})
        self.returned = True

    def speak(self, callback: Callable[[Mapping[str, Any]], bool]) -> None:
        """Say the words."""
        stopped = callback(ACCEPTED)
        self.may_speak.wait(20)
        for word in self.words:
            if stopped:
                return
            time.sleep(0.001)
            stopped = callback(chunk(word))


@pytest.fixture
def endless() -> Server:
    """Return a server that speaks until it is stopped."""
    server = Server()
    server.words = itertools.repeat("word")
    return server


def chunk(word: str) -> dict[str, Any]:
    """Return an OpenAI-style chunk."""
    return {"choices": [{"delta": {"content": word}}]}


def request(text: str = "Why is the sky blue?", **options: object) -> dict[str, Any]:
    """Return a chat request."""
    return {"messages": [{"role": "user", "content": text}], **options}


async def answer(engine: Engine, body: dict[str, Any]) -> list[Mapping[str, Any]]:
    """Return all chunks of an answer."""
    return [each async for batch in engine.chat(body) for each in batch]


async def rest_of(batches: AsyncIterator[list[Mapping[str, Any]]], into: list[Mapping[str, Any]] | None = None) -> None:
    """Read to the end, into a list if one is given."""
    async for batch in batches:
        if into is not None:
            into += batch


def text_of(chunks: list[Mapping[str, Any]]) -> str:
    """Return what the model said."""
    deltas = (choice["delta"] for each in chunks for choice in each["choices"])
    return "".join(delta.get("content") or "" for delta in deltas)


async def test_chunks_come_in_order() -> None:
    """Every chunk arrives, the reports on the prompt's progress don't."""
    engine = Engine(Server("a", "b", "c"), 100)
    assert await answer(engine, request()) == [chunk("a"), chunk("b"), chunk("c")]


async def test_the_first_batch_is_there_before_the_answer() -> None:
    """An empty batch says that the request was accepted, while the model has said nothing."""
    server = Server("a")
    server.may_speak.clear()
    async with aclosing(Engine(server, 100).chat(request())) as batches:
        assert await anext(batches) == []
        server.may_speak.set()
        assert await anext(batches) == [chunk("a")]


async def test_the_request_is_streamed_as_it_is() -> None:
    """The server gets the caller's request, with what the engine needs for streaming and stopping."""
    server = Server()
    await answer(Engine(server, 100), request(temperature=0.5, stream=False))
    assert server.bodies == [request(temperature=0.5, stream=True, return_progress=True)]


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (TOO_LONG, ContextTooLong, "has 9031 tokens, and the local model reads at most 8192"),
        ({"code": 400, "message": "no temperature"}, InvalidRequest, "can't take this request: no temperature"),
        (ValueError("bad schema\nline 2"), InvalidRequest, "can't take this request: bad schema$"),
        ({"code": 500, "message": "out of order"}, UpstreamError, "The local model failed: out of order"),
    ],
)
async def test_refusals_come_before_the_first_batch(error: object, kind: type[Exception], message: str) -> None:
    """What llama.cpp says against a request is raised as the error of ours that fits."""
    with pytest.raises(kind, match=message):
        await anext(Engine(Server(error=error), 100).chat(request()))


async def test_a_failure_comes_after_what_was_said() -> None:
    """When chats together fill the shared context, each keeps what it had."""
    said: list[Mapping[str, Any]] = []
    server = Server("a", error={"code": 500, "message": "Context size has been exceeded."})
    with pytest.raises(UpstreamUnavailable, match="ask fewer at once"):
        await rest_of(Engine(server, 100).chat(request()), said)
    assert said == [chunk("a")]


async def test_closing_stops_the_model_and_waits(endless: Server) -> None:
    """After `aclose` the server has stopped, and the place is free."""
    batches = Engine(endless, 100).chat(request())
    await anext(batches)
    await batches.aclose()
    assert endless.returned


async def test_cancelling_stops_the_model_and_waits(endless: Server) -> None:
    """After a task was cancelled, no chat is left running."""
    engine = Engine(endless, 100)
    with anyio.move_on_after(0.1) as chatting:
        await answer(engine, request())
    assert chatting.cancelled_caught
    assert endless.returned
    assert engine._generations == set()


async def test_a_chat_that_waits_for_its_turn_is_given_up_at_once() -> None:
    """Four chats are answered at once; the fifth can be cancelled without waiting for them."""
    server = Server("a")
    server.may_speak.clear()
    engine = Engine(server, 100)
    async with anyio.create_task_group() as tasks:
        for _ in range(4):
            tasks.start_soon(answer, engine, request())
            await anyio.to_thread.run_sync(server.begun.acquire)
        started = time.monotonic()
        with anyio.move_on_after(0.1) as waiting:
            await answer(engine, request("the fifth"))
        assert waiting.cancelled_caught
        assert time.monotonic() - started < 5
        server.may_speak.set()
    assert [body["messages"][0]["content"] for body in server.bodies] == [request()["messages"][0]["content"]] * 4


async def test_closing_the_engine_ends_its_chats(endless: Server) -> None:
    """A reader is told when the model goes away, and so is who comes later."""
    engine = Engine(endless, 100)
    reading = engine.chat(request())
    await anext(reading)
    await anyio.to_thread.run_sync(engine.close)
    assert endless.returned
    for batches in (reading, engine.chat(request())):
        with pytest.raises(UpstreamUnavailable, match="was shut down"):
            await rest_of(batches)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the reader can't end without its loop
def test_a_closed_loop_stops_the_model(endless: Server) -> None:
    """A reader whose event loop is gone leaves no chat running."""
    engine = Engine(endless, 100)
    loop = asyncio.new_event_loop()
    batches = engine.chat(request())
    loop.run_until_complete(anext(batches))
    (generation,) = engine._generations
    loop.close()
    generation.join(20)
    assert endless.returned


def test_missing_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without `xllamacpp` the error names the extra to install."""
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    with pytest.raises(MissingExtra, match=r"agentbench\[local\]"):
        engine_for(tmp_path / "x.gguf")


def test_a_broken_file(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A file that llama.cpp can't load is named, and llama.cpp prints nothing."""
    pytest.importorskip("xllamacpp")
    file = tmp_path / "broken.gguf"
    file.write_bytes(b"GGUF" + bytes(100))
    with pytest.raises(WeightsUnavailable, match=r"llama.cpp can't load .*broken\.gguf"):
        engine_for(file)
    assert capfd.readouterr() == ("", "")


@pytest.fixture
def engine() -> Engine:
    """Return the engine of the real model; it is loaded once."""
    path = weights.find()
    assert path is not None
    return engine_for(path)


@pytest.mark.local_model
def test_loaded_once_a_process(engine: Engine) -> None:
    """Callers that come at the same time get the same engine, with the context that was asked for."""
    path, found = weights.find(), []
    assert path is not None
    threads = [threading.Thread(target=lambda: found.append(engine_for(path, context_length=512))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(map(id, found))) == 1
    assert (found[0].context_length, engine.context_length) == (512, 8192)


@pytest.mark.local_model
async def test_the_answer_streams(engine: Engine, capfd: pytest.CaptureFixture[str]) -> None:
    """Words come while the model still answers; the last chunks have the reason and the usage; nothing is printed."""
    batches = [
        batch
        async for batch in engine.chat(request(max_tokens=24, ignore_eos=True, stream_options={"include_usage": True}))
    ]
    *_, finish, usage = [each for batch in batches for each in batch]
    assert len([batch for batch in batches if text_of(batch)]) > 5
    assert finish["choices"][0]["finish_reason"] == "length"
    assert usage["usage"]["completion_tokens"] == 24
    assert capfd.readouterr() == ("", "")


@pytest.mark.local_model
async def test_two_chats_at_once(engine: Engine) -> None:
    """Each of two chats has words before the other has ended."""
    told: list[int] = []

    async def chat(number: int) -> None:
        async for batch in engine.chat(request(f"Tell me story {number}.", max_tokens=24, ignore_eos=True)):
            told.extend([number] * len(batch))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(chat, 1)
        tasks.start_soon(chat, 2)
    ends = {number: len(told) - told[::-1].index(number) for number in (1, 2)}
    assert told.index(1) < ends[2]
    assert told.index(2) < ends[1]


@pytest.mark.local_model
async def test_closing_stops_the_real_model(engine: Engine) -> None:
    """Of 4000 tokens that were asked for, only those are made that were wanted."""
    before = tokens_made(engine)
    async with aclosing(engine.chat(request(max_tokens=4000, ignore_eos=True))) as batches:
        while not text_of(await anext(batches)):
            pass
    assert tokens_made(engine) - before < 100


def tokens_made(engine: Engine) -> int:
    """Return how many tokens llama.cpp says it has generated; waits until it is free."""
    while True:
        lines = engine._server.handle_metrics().splitlines()
        metrics = dict(line.removeprefix("llamacpp:").split() for line in lines if not line.startswith("#"))
        if metrics["requests_processing"] == "0":
            return int(metrics["tokens_predicted_total"])
        time.sleep(0.01)


@pytest.mark.local_model
async def test_a_schema_is_obeyed(engine: Engine) -> None:
    """`response_format` makes the model say JSON of that shape."""
    schema = {
        "type": "object",
        "properties": {"sky": {"enum": ["blue", "green"]}, "sure": {"type": "boolean"}},
        "required": ["sky", "sure"],
    }
    form = {"type": "json_schema", "json_schema": {"name": "sky", "schema": schema}}
    said = msgspec.json.decode(text_of(await answer(engine, request(max_tokens=60, response_format=form))))
    assert said.keys() == {"sky", "sure"}
    assert said["sky"] in {"blue", "green"}


@pytest.mark.local_model
async def test_real_refusals(engine: Engine) -> None:
    """A prompt that doesn't fit and a schema that is none are refused."""
    with pytest.raises(ContextTooLong, match="at most 8192"):
        await answer(engine, request("hello " * 9000))
    with pytest.raises(InvalidRequest, match="unrecognized type"):
        await answer(engine, request(response_format={"type": "json_schema", "json_schema": {"schema": {"type": "x"}}}))


@pytest.mark.local_model
@pytest.mark.parametrize("doing", ["nothing", "chatting"])
def test_python_exits_in_time(doing: str) -> None:
    """A loaded model, and one that is answering, neither hold up Python's exit nor break it."""
    started = time.monotonic()
    command = [sys.executable, "-W", "error", "-c", LEAVE, doing, "Tell me a long story."]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "leaving\n", "")
    assert time.monotonic() - started < 30
