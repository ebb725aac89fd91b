"""Who may use which model of an Ollama, what the operator's settings change, and who pays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import ollama
import pytest
from tests.providers.upstream import Upstream, reply

from agentbench import Workbench
from agentbench.auth.principal import Principal
from agentbench.gateway.transports import InProcessTransport
from agentbench.storage import usage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from agentbench.storage.usage import UsageRow

    Make = Callable[..., "Front"]

HI = [{"role": "user", "content": "Hi"}]
DONE = reply(body=b'{"message":{"role":"assistant","content":"x"},"done":true,"prompt_eval_count":1,"eval_count":2}')
TAGS = reply(body=b'{"models":[{"name":"a:latest","model":"a:latest"},{"name":"b:7b","model":"b:7b"}]}')
ADMIN = Principal(user="someone", role="ADMIN", remote=True)


class Front:
    """A gateway in this process in front of the scripted Ollama, as somebody sees it."""

    def __init__(self, bench: Workbench, principal: Principal) -> None:
        self.bench = bench
        transport = InProcessTransport(bench._open_loop(), lambda: bench.app, principal)
        self.client = ollama.Client(host="http://x/ollama", transport=transport)

    def rows(self) -> list[UsageRow]:
        """Return the ledger."""
        return self.bench._database.read_now(usage.rows)

    def chat(self, model: str, **options: Any) -> ollama.ChatResponse:
        """Ask for a plain answer."""
        return self.client.chat(model, HI, options=options)


@pytest.fixture
def front(far: Upstream, tmp_path: Path) -> Iterator[Make]:
    """Give a function that makes one of settings of the endpoint, and of anything else."""
    made: list[Front] = []

    def make(principal: Principal = ADMIN, *, names_models: bool = True, more: Any = None, **settings: Any) -> Front:
        config = {
            "interface": {"remoteAgents": {"use": True, "models": names_models}},
            "endpoints": {"ollama": {"baseURL": far.url} | settings, "scripted": {"models": {"m": [{"text": "ok"}]}}},
            "agents": [{"id": "bot", "endpoint": "scripted", "model": "m"}],
            **(more or {}),
        }
        made.append(Front(Workbench(config, home=tmp_path / "bench"), principal))
        return made[-1]

    yield make
    for each in made:
        each.client.close()
        each.bench.close()


def sent(far: Upstream) -> dict[str, Any]:
    """Return the body that the Ollama got last."""
    body: dict[str, Any] = msgspec.json.decode(far.requests[-1].partition(b"\r\n\r\n")[2])
    return body


def test_only_models_of_the_config(front: Make, far: Upstream) -> None:
    """Where the config lists models and no others, only those are shown and called, with their tag or without."""
    there = front(models={"default": ["a"], "fetch": False})
    far.answers[:] = [TAGS, DONE]
    assert [each.model for each in there.client.list().models] == ["a:latest"]
    assert there.chat("a:latest").message.content == "x"
    with pytest.raises(ollama.ResponseError, match="no model 'b:7b'") as caught:
        there.chat("b:7b")
    assert (caught.value.status_code, len(far.requests)) == (404, 2)


def test_who_may_name_no_models_has_agents(front: Make, far: Upstream) -> None:
    """A caller that may name agents only gets them by the same API, and nothing of the Ollama's."""
    there = front(Principal(user="someone", role="USER", remote=True), names_models=False)
    assert [each.model for each in there.client.list().models if "e5" not in (each.model or "")] == ["bot:latest"]
    assert there.chat("bot").message.content == "ok"
    with pytest.raises(ollama.ResponseError, match="no model 'a'"):
        there.chat("a")
    assert far.requests == []


def test_an_administrator_has_the_ollama(front: Make, far: Upstream) -> None:
    """Who configured it may use it, but not with a key for a few agents."""
    far.answers[:] = [TAGS]
    assert [each.model for each in front(names_models=False).client.list().models] == ["a:latest", "b:7b"]
    few = front(Principal(user="someone", role="ADMIN", remote=True, agents=("bot",)), names_models=False)
    assert "a:latest" not in [each.model for each in few.client.list().models]


def test_a_personal_endpoint_is_the_kernels(front: Make, far: Upstream) -> None:
    """An Ollama that each person has the key of doesn't answer callers over HTTP."""
    there = front(apiKey="user_provided")
    assert "bot:latest" in [each.model for each in there.client.list().models]
    assert far.requests == []


def test_parameters_of_the_operator(front: Make, far: Upstream) -> None:
    """What the config adds to bodies and takes out of them holds for calls, and for calls only."""
    there = front(addParams={"keep_alive": "1h"}, dropParams=["think"])
    far.answers[:] = [DONE, reply(body=b'{"model_info":{}}')]
    there.client.chat("a", HI, think=True)
    assert (sent(far)["keep_alive"], "think" in sent(far)) == ("1h", False)
    there.client.show("a")
    assert sent(far) == {"model": "a"}


def test_a_balance_that_is_too_small(front: Make, far: Upstream) -> None:
    """Nothing is sent that a balance doesn't cover; clients are told what there is and what it takes."""
    rules = {"balance": {"enabled": True, "startBalance": 7}}
    there = front(more=rules, tokenConfig={"a": {"prompt": 1, "completion": 2}})
    with pytest.raises(ollama.ResponseError, match="The balance is too small") as caught:
        there.chat("a", num_predict=1000)
    assert (caught.value.status_code, far.requests) == (402, [])
    assert (there.rows()[-1].status, there.rows()[-1].cost) == ("failed", 0)


def test_a_small_balance_makes_a_short_answer(front: Make, far: Upstream) -> None:
    """Where the caller sets no limit, the answer may be as long as the balance covers; it is charged what it took."""
    rules = {"balance": {"enabled": True, "startBalance": 1000}}
    there = front(more=rules, tokenConfig={"a": {"prompt": 1, "completion": 2}})
    far.answers[:] = [DONE]
    there.chat("a")
    assert 256 < sent(far)["options"]["num_predict"] < 500
    assert there.rows()[-1].credits == 5
    balance = there.client._client.get("http://x/api/balance").json()
    assert balance["tokenCredits"] == 995


def test_an_ollama_that_is_down(front: Make) -> None:
    """Where nobody listens, callers learn so at once, and the ledger too."""
    there = front(baseURL="http://127.0.0.1:9")
    with pytest.raises(ollama.ResponseError, match="ollama can't be reached") as caught:
        there.chat("a")
    assert caught.value.status_code == 503
    assert (there.rows()[-1].status, there.rows()[-1].error_type) == ("failed", "upstream_unavailable")
