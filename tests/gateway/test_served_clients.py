"""Real clients over a socket: the openai and anthropic SDKs and openai-agents against `agentbench serve`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import openai
import pydantic
import pytest
from tests.gateway.test_serve_process import API, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.gateway.test_serve_process import Server

DOCS = Path(__file__).parents[2] / "docs"
CONFIG = """\
endpoints:
  scripted:
    models:
      talk:
        turns:
          - [{text: first answer}, {usage: {input_tokens: 3, output_tokens: 2}}]
          - [{text: second answer}]
      form: [{text: '{"name": "Paris"}'}]
      tool:
        turns:
          - [{call: {name: minutes, arguments: {dish: egg}}}]
          - [{text: Seven minutes.}]
agents:
  - {id: guide, endpoint: scripted, model: talk}
  - {id: talk, endpoint: scripted, model: talk}
  - {id: form, endpoint: scripted, model: form}
  - {id: tool, endpoint: scripted, model: tool}
"""
SCHEMA = {"type": "object", "properties": {"dish": {"type": "string"}}, "required": ["dish"]}


class City(pydantic.BaseModel):
    """What to answer in."""

    name: str


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give a server that all tests ask."""
    with serving(tmp_path_factory.mktemp("served"), config=CONFIG) as server:
        yield server


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[openai.OpenAI]:
    """Give the openai SDK with the server's key."""
    with openai.OpenAI(base_url=server.url + API, api_key=server.key, max_retries=0) as client:
        yield client


def test_a_chain_of_responses(client: openai.OpenAI) -> None:
    """A response continues from the id of the one before, and can be fetched."""
    first = client.responses.create(model="talk", input="one")
    second = client.responses.create(model="talk", input="two", previous_response_id=first.id)
    assert (first.output_text, second.output_text) == ("first answer", "second answer")
    assert client.responses.retrieve(first.id).output_text == "first answer"


def test_the_stream_helper(client: openai.OpenAI) -> None:
    """The helper accepts every event, and its final response is the answer."""
    with client.responses.stream(model="talk", input="one") as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_response()
    assert (kinds[0], kinds[-1]) == ("response.created", "response.completed")
    assert (final.output_text, final.usage and final.usage.input_tokens) == ("first answer", 3)


def test_parse(client: openai.OpenAI) -> None:
    """An answer comes back as a value of the class that was asked for."""
    assert client.responses.parse(model="form", input="Where?", text_format=City).output_parsed == City(name="Paris")


def test_a_function_of_the_clients(client: openai.OpenAI) -> None:
    """The call goes out, its output comes in, and the answer follows."""
    tools: list[openai.types.responses.ToolParam] = [
        {"type": "function", "name": "minutes", "parameters": SCHEMA, "strict": False}
    ]
    asked = client.responses.create(model="tool", input="How long?", tools=tools)
    call = next(item for item in asked.output if item.type == "function_call")
    output: openai.types.responses.ResponseInputItemParam = {
        "type": "function_call_output",
        "call_id": call.call_id,
        "output": "7",
    }
    told = client.responses.create(model="tool", input=[output], tools=tools, previous_response_id=asked.id)
    assert (call.name, told.output_text) == ("minutes", "Seven minutes.")


def test_a_chat_stream(client: openai.OpenAI) -> None:
    """Chunks carry the text, and the usage when it is asked for."""
    asked = [{"role": "user", "content": "one"}]
    chunks = list(
        client.chat.completions.create(  # type: ignore[call-overload]
            model="talk", messages=asked, stream=True, stream_options={"include_usage": True}
        )
    )
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "first answer"
    assert chunks[-1].usage.prompt_tokens == 3


def test_models(client: openai.OpenAI) -> None:
    """The agents are models; one can be fetched by its name."""
    assert [model.id for model in client.models.list()] == ["guide", "talk", "form", "tool"]
    assert client.models.retrieve("tool").id == "tool"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("nobody")


def test_anthropic(server: Server) -> None:
    """The anthropic SDK creates, streams, and has a tool called."""
    anthropic = pytest.importorskip("anthropic")
    asked = [{"role": "user", "content": "How long?"}]
    tools = [{"name": "minutes", "input_schema": SCHEMA}]
    with anthropic.Anthropic(base_url=f"{server.url}/api/agents", api_key=server.key, max_retries=0) as client:
        made = client.messages.create(model="talk", max_tokens=50, messages=asked)
        with client.messages.stream(model="talk", max_tokens=50, messages=asked) as stream:
            text = "".join(stream.text_stream)
        called = client.messages.create(model="tool", max_tokens=50, messages=asked, tools=tools)
    assert (made.content[0].text, text) == ("first answer", "first answer")
    assert (called.stop_reason, called.content[-1].input) == ("tool_use", {"dish": "egg"})


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("page", ["api", "serving"])
def test_curl(server: Server, page: str) -> None:
    """The commands of the pages work as they stand, with the address and the key filled in."""
    blocks = re.findall(r"^```sh\n(curl .*?)^```$", (DOCS / f"{page}.md").read_text(), re.DOTALL | re.MULTILINE)
    commands = "".join(blocks).replace("http://127.0.0.1:8017", server.url).replace("curl ", "curl -sSf ")
    environ = os.environ | {"KEY": server.key}
    done = subprocess.run(["/bin/sh", "-ec", commands], env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "first answer" in done.stdout


@pytest.mark.anyio
async def test_openai_agents(server: Server) -> None:
    """An agent of openai-agents runs its tool loop."""
    agents = pytest.importorskip("agents")
    agents.set_tracing_disabled(disabled=True)

    @agents.function_tool
    def minutes(dish: str) -> str:
        """Tell how long a dish cooks."""
        return f"{dish}: 7"

    async with openai.AsyncOpenAI(base_url=server.url + API, api_key=server.key) as client:
        model = agents.OpenAIResponsesModel("tool", openai_client=client)
        done = await agents.Runner.run(agents.Agent(name="cook", model=model, tools=[minutes]), "How long?")
    assert done.final_output == "Seven minutes."
