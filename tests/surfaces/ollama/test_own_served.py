"""The same API without an Ollama over HTTP: `/v1`, embeddings, and Open WebUI's client."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import anthropic
import ollama
import openai
import pytest
from owui_client import OpenWebUI
from owui_client.models.ollama import ChatMessage, GenerateChatCompletionForm, ModelNameForm
from tests.providers.upstream import Upstream, reply
from tests.surfaces.scripts import config

from agentbench import Workbench

if TYPE_CHECKING:
    from collections.abc import Iterator

HELLO = "Hello, 세계! 🙂"
VECTORS = reply(body=b'{"data":[{"embedding":[3.0,4.0],"index":0}],"usage":{"prompt_tokens":2,"total_tokens":2}}')


class Ours(NamedTuple):
    """The address of a gateway without an Ollama, and a key."""

    url: str
    key: str


@pytest.fixture(scope="module")
def ours(scripted: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ours]:
    """Give one that embeds at a server of OpenAI's kind."""
    settings = config() | {"interface": {"remoteAgents": {"use": True, "models": True}}}
    server = {"name": "server", "apiKey": "k", "baseURL": scripted.url, "models": {"default": ["e5"], "fetch": False}}
    settings["endpoints"]["custom"] = [server]
    with Workbench(settings, home=tmp_path_factory.mktemp("home")) as bench:
        yield Ours(bench.serve(port=0).url, bench.create_key("admin").secret.reveal())


@pytest.fixture
def client(ours: Ours) -> Iterator[ollama.Client]:
    """Give Ollama's client."""
    with ollama.Client(host=f"{ours.url}/ollama", headers={"Authorization": f"Bearer {ours.key}"}) as client:
        yield client


def test_the_client(client: ollama.Client) -> None:
    """Ollama's client lists, chats, streams and describes."""
    assert client.list().models[0].model == "bot:latest"
    assert client.chat("bot", [{"role": "user", "content": "Hi"}]).message.content == HELLO
    assert "".join(part.response or "" for part in client.generate("bot", "Hi", stream=True)) == HELLO
    assert client.show("bot:latest").capabilities == ["completion", "tools"]


def test_embedding(client: ollama.Client, far: Upstream) -> None:
    """Both forms give the vectors of whatever model embeds; names may have a tag."""
    far.answers[:] = [VECTORS]
    made = client.embed("server/e5:latest", "Hi")
    assert (made.model, made.prompt_eval_count) == ("server/e5:latest", 2)
    assert made.embeddings[0] == pytest.approx([0.6, 0.8])
    assert client.embeddings("e5", "Hi").embedding == pytest.approx([0.6, 0.8])
    with pytest.raises(ollama.ResponseError) as caught:
        client.embed("server/e5", "")
    assert caught.value.status_code == 400


def test_openai(ours: Ours, far: Upstream) -> None:
    """The openai SDK works at `/ollama/v1`, also with names as `/api/tags` lists them."""
    far.answers[:] = [VECTORS]
    with openai.OpenAI(base_url=f"{ours.url}/ollama/v1", api_key=ours.key, max_retries=0) as client:
        assert "bot" in [model.id for model in client.models.list()]
        assert client.models.retrieve("bot:latest").id == "bot"
        made = client.chat.completions.create(model="bot:latest", messages=[{"role": "user", "content": "Hi"}])
        assert made.choices[0].message.content == HELLO
        assert client.responses.create(model="bot", input="Hi").output_text == HELLO
        assert client.embeddings.create(model="server/e5:latest", input="Hi").data[0].embedding[1] == pytest.approx(0.8)
        with pytest.raises(openai.BadRequestError, match="Bare completions"):
            client.completions.create(model="bot", prompt="Hi")


def test_openai_streams(ours: Ours) -> None:
    """A stream at `/ollama/v1` is as any of the gateway's."""
    with openai.OpenAI(base_url=f"{ours.url}/ollama/v1", api_key=ours.key, max_retries=0) as client:
        chunks = client.chat.completions.create(
            model="bot:latest", messages=[{"role": "user", "content": "Hi"}], stream=True
        )
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == HELLO


def test_anthropic(ours: Ours) -> None:
    """The anthropic SDK works at `/ollama`."""
    with anthropic.Anthropic(base_url=f"{ours.url}/ollama", auth_token=ours.key, max_retries=0) as client:
        made = client.messages.create(model="bot", max_tokens=99, messages=[{"role": "user", "content": "Hi"}])
    assert [block.text for block in made.content if block.type == "text"] == [HELLO]


@pytest.mark.anyio
async def test_open_webui(ours: Ours) -> None:
    """Open WebUI's client gets the same, plain and streamed."""
    webui = OpenWebUI(f"{ours.url}/api", ours.key)
    form = GenerateChatCompletionForm(model="bot", messages=[ChatMessage(role="user", content="Hi")], stream=False)
    assert (await webui.ollama.chat(form))["message"]["content"] == HELLO
    assert (await webui.ollama.get_models())["models"][0]["name"] == "bot:latest"
    assert (await webui.ollama.show_model(ModelNameForm(model="bot")))["details"]["family"] == "agent"
    assert list(await webui.ollama.get_loaded_models()) == ["models"]
    await webui._client.aclose()
