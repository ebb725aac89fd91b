"""What an upstream is told of who asks, and who may ask where the key is a person's own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace
from tests.runner.fakes import FakeProvider, answer, catalog, play, question, runner_of

from agentbench.auth.principal import KERNEL, Bearer, Principal
from agentbench.config import Agent, Endpoint, Secret, Titles
from agentbench.config.endpoint import Deployment
from agentbench.config.header_templates import parse
from agentbench.config.layers import Layer
from agentbench.errors import TokenExpired
from agentbench.protocol import CreateResponse
from agentbench.protocol.items import user_message
from agentbench.runner.compaction import compact
from agentbench.runner.headers import at_kernel, with_headers
from agentbench.runner.turn import Turn
from agentbench.storage import conversations, responses, users

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentbench.config.header_templates import Template
    from agentbench.runner import Runner
    from agentbench.storage.database import Database

pytestmark = pytest.mark.anyio

USER = ("ID", "EMAIL", "NAME", "USERNAME", "ROLE", "PROVIDER", "OPENIDID")
BODY = ("CONVERSATIONID", "PARENTMESSAGEID", "MESSAGEID")
OPENID = ("ACCESS_TOKEN", "TOKEN", "ID_TOKEN", "USER_ID", "USER_EMAIL", "USER_NAME", "EXPIRES_AT")
WHO = {name: f"{{{{LIBRECHAT_USER_{name}}}}}" for name in USER}
CHAT = {name: f"{{{{LIBRECHAT_BODY_{name}}}}}" for name in BODY}
OUTSIDE = {name: f"{{{{LIBRECHAT_OPENID_{name}}}}}" for name in OPENID}


def templates(**headers: str) -> Mapping[str, Template]:
    """Return headers as they are written."""
    return MappingProxyType({name: parse(value, {}) for name, value in headers.items()})


def endpoint(**headers: str) -> Endpoint:
    """Return an endpoint with these headers."""
    return Endpoint(name="there", provider="openai_chat", models=("m",), header_templates=templates(**headers))


def bearer(seconds: float = 60, **fields: Any) -> Bearer:
    """Return the bearer of a token that ends in so many seconds."""
    given: dict[str, Any] = {
        "issuer": "https://i",
        "subject": "ann-1",
        "name": "ann@example.org",
        "token": Secret("a.b.c"),
    }
    return Bearer(**given | fields, expires_at=datetime.now(UTC) + timedelta(seconds=seconds))


@pytest.fixture
async def ann(database: Database) -> Principal:
    """Give a user who has an account."""
    add = partial(users.add, email="ann@example.org", role="USER")
    return Principal(user=(await database.write(add)).id, remote=True)


@pytest.fixture
async def bob(database: Database) -> Principal:
    """Give a user who came with a token of an outside issuer."""
    add = partial(users.add, email="bob@example.org", role="USER", issuer="https://i", subject="bob-1")
    who = bearer(subject="bob-1", name="bob@example.org", full_name="Bob Byte")
    return Principal(user=(await database.write(add)).id, remote=True, bearer=who)


async def sent(endpoint: Endpoint, principal: Principal, database: Database, **chat: str) -> Mapping[str, str]:
    """Return the headers of a request."""
    return (await with_headers(endpoint, principal, database, **chat)).headers


async def test_a_user(database: Database, ann: Principal) -> None:
    """The account says who asks; what it doesn't know isn't sent."""
    assert await sent(endpoint(**WHO), ann, database) == {
        "ID": ann.user,
        "EMAIL": "ann@example.org",
        "NAME": "ann",
        "USERNAME": "ann",
        "ROLE": "USER",
        "PROVIDER": "local",
    }


async def test_the_kernel(database: Database) -> None:
    """The person at the kernel has a name too, with and without an account in the database."""
    told = await sent(endpoint(**WHO), KERNEL, database)
    assert told == {
        "ID": "kernel",
        "EMAIL": "kernel@localhost",
        "NAME": "kernel",
        "USERNAME": "kernel",
        "ROLE": "ADMIN",
        "PROVIDER": "local",
    }
    assert at_kernel(endpoint(**WHO)).headers == told


async def test_a_bearer(database: Database, bob: Principal) -> None:
    """The token says more; there is no ID token, so a header that wants it isn't sent."""
    assert bob.bearer is not None
    assert await sent(endpoint(**WHO), bob, database) == {
        "ID": bob.user,
        "EMAIL": "bob@example.org",
        "NAME": "Bob Byte",
        "USERNAME": "bob",
        "ROLE": "USER",
        "PROVIDER": "openid",
        "OPENIDID": "bob-1",
    }
    assert await sent(endpoint(**OUTSIDE), bob, database) == {
        "ACCESS_TOKEN": "a.b.c",
        "TOKEN": "a.b.c",
        "USER_ID": "bob-1",
        "USER_EMAIL": "bob@example.org",
        "USER_NAME": "Bob Byte",
        "EXPIRES_AT": str(int(bob.bearer.expires_at.timestamp())),
    }


async def test_nobody_from_outside(database: Database, ann: Principal) -> None:
    """Without an outside identity a header with its token isn't sent at all; other facts of it are empty."""
    written = endpoint(A="Bearer {{LIBRECHAT_OPENID_TOKEN}}", B="id={{LIBRECHAT_OPENID_USER_ID}}")
    assert await sent(written, ann, database) == {"B": "id="}
    assert await sent(written, KERNEL, database) == {"B": "id="}


@pytest.mark.parametrize("seconds", [29, 0, -20])
async def test_a_token_that_ends(database: Database, seconds: float) -> None:
    """It isn't sent half a minute before its end; where no header wants it, it doesn't matter."""
    late = Principal(user="u", remote=True, bearer=bearer(seconds))
    with pytest.raises(TokenExpired, match="Get a new one from its issuer"):
        await with_headers(endpoint(A="{{LIBRECHAT_OPENID_TOKEN}}"), late, database)
    assert await sent(endpoint(A="{{LIBRECHAT_OPENID_USER_ID}}"), late, database) == {"A": "ann-1"}
    assert await sent(endpoint(A="1"), late, database) == {"A": "1"}


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("별이", "b64:67OE7J20"),
        ("Zoë", "Zoë"),
        ("a\r\nX-Admin: b", "aX-Admin: b"),
        ("{{LIBRECHAT_OPENID_TOKEN}}", "{{LIBRECHAT_OPENID_TOKEN}}"),
        ("${PATH}", "${PATH}"),
        ("\ud800", "b64:Pw=="),
    ],
)
async def test_names(database: Database, name: str, told: str) -> None:
    """A name is encoded where a header can't hold it, and never read for placeholders or line breaks."""
    who = Principal(user="u", remote=True, bearer=bearer(full_name=name))
    assert await sent(endpoint(N="{{LIBRECHAT_USER_NAME}}"), who, database) == {"N": told}


async def test_the_conversation(database: Database) -> None:
    """Its ids are told where there are any."""
    chat = {"conversation": "conv_1", "parent": "resp_1", "message": "resp_2"}
    told = await sent(endpoint(**CHAT), KERNEL, database, **chat)
    assert told == dict(zip(CHAT, chat.values(), strict=True))
    assert await sent(endpoint(**CHAT), KERNEL, database) == {}


async def test_deployments(database: Database) -> None:
    """Each has the endpoint's headers and its own, which win, sent or not."""
    own = templates(**{"x-a": "{{LIBRECHAT_OPENID_TOKEN}}", "X-B": "{{LIBRECHAT_USER_ID}}"})
    places = {"m": Deployment(name="d", base_url="u", header_templates=own), "n": Deployment(name="e", base_url="u")}
    azure = replace(endpoint(**{"X-A": "a", "x-b": "b", "X-C": "c"}), deployments=places)
    filled = await with_headers(azure, KERNEL, database)
    assert {model: each.headers for model, each in filled.deployments.items()} == {
        "m": {"X-B": "kernel", "X-C": "c"},
        "n": {"X-A": "a", "x-b": "b", "X-C": "c"},
    }
    assert filled.headers == {}


async def test_where_nothing_is_sent(database: Database) -> None:
    """A model in this process takes no headers, so no token is wanted for it."""
    local = replace(endpoint(A="{{LIBRECHAT_OPENID_TOKEN}}"), provider="llama_cpp")
    late = Principal(user="u", remote=True, bearer=bearer(1))
    assert (await with_headers(local, late, database)).name == "there"


# -- turns ----------------------------------------------------------------------------------------------------------


class Listening(FakeProvider):
    """Keeps the headers of each request."""

    def __init__(self) -> None:
        super().__init__()
        self.headers: list[Mapping[str, str]] = []

    def encode(self, request: CreateResponse, endpoint: Endpoint) -> CreateResponse:
        """Keep them."""
        self.headers.append(endpoint.headers)
        return super().encode(request, endpoint)


@pytest.fixture
def provider() -> Listening:
    """Give the provider."""
    return Listening()


async def test_a_turn(database: Database, provider: Listening) -> None:
    """Its headers hold the ids that are stored."""
    runner = runner_of(provider, database, catalog(endpoint(**CHAT)))
    conversation = await database.write(partial(conversations.create, user="kernel"))
    first = await answer(play(runner, conversation=conversation.id))
    second = await answer(play(runner, conversation=conversation.id))
    assert provider.headers == [
        {"CONVERSATIONID": conversation.id, "MESSAGEID": first.id},
        {"CONVERSATIONID": conversation.id, "PARENTMESSAGEID": first.id, "MESSAGEID": second.id},
    ]


async def test_a_background_turn(database: Database, provider: Listening, bob: Principal) -> None:
    """It has its caller's headers, and isn't begun where the token ends."""
    runner = runner_of(provider, database, catalog(endpoint(T="{{LIBRECHAT_OPENID_TOKEN}}")))
    turn = Turn(request=question(background=True), principal=bob)
    started = await runner.background.start(runner.start(turn))
    await started.ended.wait()
    assert provider.headers == [{"T": "a.b.c"}]
    late = runner.start(replace(turn, principal=replace(bob, bearer=bearer(5))))
    with pytest.raises(TokenExpired):
        await runner.background.start(late)
    find = partial(responses.get, response_id=late.response.id, user=bob.user)
    assert (provider.opened, await database.read(find)) == (1, None)


async def test_compaction(database: Database, provider: Listening, bob: Principal) -> None:
    """What sums a conversation up is asked with the caller's headers too."""
    runner = runner_of(provider, database, catalog(endpoint(T="{{LIBRECHAT_OPENID_TOKEN}}")))
    long = CreateResponse(input=(user_message("x" * 9_000), user_message("And?")))
    await compact(runner, Turn(request=long, principal=bob))
    assert provider.headers == [{"T": "a.b.c"}]


async def titled(runner: Runner, database: Database) -> str:
    """Have a conversation named; return its id."""
    conversation = await database.write(partial(conversations.create, user="kernel"))
    await answer(play(runner, conversation=conversation.id))
    await runner.titles.settled()
    return conversation.id


async def test_titles(database: Database, provider: Listening) -> None:
    """A title's request has the headers of the endpoint that makes it, filled for the same person and conversation."""
    talks = replace(endpoint(X="talks"), titles=Titles(enabled=True, timing="final", endpoint="names"))
    names = replace(endpoint(Y="names {{LIBRECHAT_USER_ID}} {{LIBRECHAT_BODY_CONVERSATIONID}}"), name="names")
    conversation = await titled(runner_of(provider, database, catalog(talks, names)), database)
    assert provider.headers == [{"X": "talks"}, {"Y": f"names kernel {conversation}"}]


async def test_an_agents_titles(database: Database, provider: Listening) -> None:
    """At the endpoint that answers, the agent's own headers hold for the title too."""
    there = replace(endpoint(X="there"), titles=Titles(enabled=True, timing="final"))
    own = Layer(name="agent", values={"headers": templates(Z="agent")}, origins={})
    base = Layer(
        name="endpoint",
        values={"headers": there.header_templates, "titleConvo": True, "titleTiming": "final"},
        origins={},
    )
    agents = (Agent(id="bot", name="Bot", endpoint="there", layer=own),)
    known = replace(catalog(there, agents=agents), layers={"there": (base,)})
    await titled(runner_of(provider, database, known), database)
    assert provider.headers == [{"X": "there", "Z": "agent"}] * 2
