"""Open WebUI's client against `/ollama`, over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from owui_client import OpenWebUI
from owui_client.models.ollama import (
    ChatMessage,
    GenerateChatCompletionForm,
    GenerateCompletionForm,
    GenerateEmbedForm,
    ModelNameForm,
)
from tests.providers.upstream import reply, stream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from owui_client.routers.ollama import OllamaClient
    from tests.providers.upstream import Upstream
    from tests.surfaces.ollama.conftest import Served

CHAT = {"model": "bot", "messages": [ChatMessage(role="user", content="Hi")]}
PIECE = b'{"message":{"role":"assistant","content":"x"},"done":false}\n'
END = b'{"message":{"role":"assistant","content":""},"done":true}\n'

pytestmark = pytest.mark.anyio


@pytest.fixture
async def passed(served: Served) -> AsyncIterator[OllamaClient]:
    """Give the client of a gateway with an Ollama behind it."""
    webui = OpenWebUI(served.url.replace("/ollama", "/api"), served.key)
    yield webui.ollama
    await webui._client.aclose()


async def test_with_an_ollama(passed: OllamaClient, far: Upstream) -> None:
    """Its calls go through, with the number of the Ollama in the address or without."""
    far.answers[:] = [
        reply(body=b'{"models":[]}'),
        reply(body=b'{"version":"0.9.0"}'),
        stream(PIECE, END, kind="application/x-ndjson"),
        reply(body=END),
        reply(body=b'{"embeddings":[[1.0]]}'),
        reply(body=b'{"model_info":{}}'),
        stream(b'{"status":"success"}\n', kind="application/x-ndjson"),
        reply(body=b'{"object":"list","data":[{"id":"m"}]}'),
    ]
    assert await passed.get_status() == {"status": True}
    assert await passed.head_status()
    assert await passed.get_models(0) == {"models": []}
    assert await passed.get_version() == {"version": "0.9.0"}
    assert await passed.chat(GenerateChatCompletionForm(**CHAT)) == (PIECE + END).decode()
    assert (await passed.generate(GenerateCompletionForm(model="m", prompt="x", stream=False), 0))["done"]
    assert (await passed.embed(GenerateEmbedForm(model="m", input="x")))["embeddings"] == [[1.0]]
    assert await passed.show_model(ModelNameForm(model="m")) == {"model_info": {}}
    assert await passed.pull_model(ModelNameForm(model="m")) == {"status": "success"}
    assert (await passed.get_openai_models())["data"] == [{"id": "m"}]
