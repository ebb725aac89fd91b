"""The real SDKs in front, a provider's recorded bytes behind, and no socket between SDK and gateway."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from tests.providers.replay import recorded

from agentbench import Workbench

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Replay(BaseHTTPRequestHandler):
    """Answers with the recording that the request's base path names."""

    def do_POST(self) -> None:
        """Send the recorded bytes."""
        self.rfile.read(int(self.headers["content-length"]))
        body = recorded(f"openai_chat/{self.path.split('/')[1]}.sse")
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


@pytest.fixture(scope="module")
def upstream() -> Iterator[str]:
    """Serve recordings on this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Replay)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def bench(upstream: str, home: Path) -> Iterator[Workbench]:
    """Give a workbench with an endpoint for each recording."""
    names = ("openai_text", "openai_parallel_calls", "deepseek_reasoning")
    endpoints = [{"name": each, "baseURL": f"{upstream}/{each}", "models": {"default": ["m"]}} for each in names]
    with Workbench({"endpoints": {"custom": endpoints}}, home=home) as bench:
        yield bench


def test_responses(bench: Workbench) -> None:
    """The stream helper's final response is what the chat streamed, through the chat provider."""
    with bench.openai().responses.stream(model="openai_text/m", input="Hi") as stream:
        for _ in stream:
            pass
        final = stream.get_final_response()
    chat = bench.openai().chat.completions.create(model="openai_text/m", messages=[{"role": "user", "content": "Hi"}])
    assert final.output_text == chat.choices[0].message.content != ""


def test_parallel_calls(bench: Workbench) -> None:
    """Calls come out whole on both of OpenAI's surfaces, in the same order."""
    made = bench.openai().responses.create(model="openai_parallel_calls/m", input="Hi")
    calls = [(item.name, item.arguments) for item in made.output if item.type == "function_call"]
    asked = [{"role": "user", "content": "Hi"}]
    chat = bench.openai().chat.completions.create(model="openai_parallel_calls/m", messages=asked)  # type: ignore[arg-type]
    told = [(each.function.name, each.function.arguments) for each in chat.choices[0].message.tool_calls or ()]  # type: ignore[union-attr]
    assert calls == told
    assert len(calls) > 1


def test_reasoning_for_anthropic(bench: Workbench) -> None:
    """What a reasoning model thought and said comes out as the anthropic SDK's blocks."""
    pytest.importorskip("anthropic")
    asked = [{"role": "user", "content": "Hi"}]
    made = bench.anthropic().messages.create(model="deepseek_reasoning/m", max_tokens=50, messages=asked)
    assert [block.type for block in made.content] == ["thinking", "text"]
