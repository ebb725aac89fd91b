"""Lists of models: whom to ask, how long to remember, what to do without an answer."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import anyio
import msgspec
import pytest
from tests.providers.upstream import reply

from agentbench.config import Endpoint, Secret
from agentbench.errors import InvalidRequest, UpstreamUnavailable
from agentbench.providers import Providers
from agentbench.providers.model_lists import ModelLists

if TYPE_CHECKING:
    from tests.providers.upstream import Upstream

    from agentbench.providers.http import Http

pytestmark = pytest.mark.anyio

OPEN = Endpoint(name="acme", provider="openai_chat", base_url="http://a/v1", api_key=Secret("k1"), fetch_models=True)
MIXED = msgspec.structs.replace(OPEN, models=("mine", "b"))


class Listing:
    """A provider that gives its lists in turn, the last one again and again; an error in place of one is raised."""

    def __init__(self, *lists: tuple[str, ...] | Exception) -> None:
        self.lists = list(lists)
        self.asked: list[Endpoint] = []
        self.open = anyio.Event()
        self.open.set()

    async def models(self, endpoint: Endpoint) -> tuple[str, ...]:
        """Answer once `open` is set."""
        self.asked.append(endpoint)
        await self.open.wait()
        told = self.lists.pop(0) if len(self.lists) > 1 else self.lists[0]
        if isinstance(told, Exception):
            raise told
        return told


@pytest.fixture
def clock() -> SimpleNamespace:
    """Return a clock that is set by hand."""
    return SimpleNamespace(now=1000.0)


@pytest.fixture
def lists(clock: SimpleNamespace) -> ModelLists:
    """Return lists that go by the clock."""
    return ModelLists(clock=lambda: clock.now)


def gone() -> UpstreamUnavailable:
    """Return an error."""
    return UpstreamUnavailable("acme is gone.", endpoint="acme")


async def listed(lists: ModelLists, provider: Listing, endpoint: Endpoint = OPEN, **options: Any) -> tuple[str, ...]:
    """Return the list."""
    asked: Any = provider
    return await lists.listed(asked, endpoint, **options)


async def test_not_to_be_asked(lists: ModelLists) -> None:
    """An endpoint whose models are all in the config isn't asked."""
    provider = Listing(("a",))
    assert await listed(lists, provider, msgspec.structs.replace(MIXED, fetch_models=False)) == ("mine", "b")
    assert provider.asked == []


async def test_merged(lists: ModelLists) -> None:
    """The models of the config come first, in their order, then the others that the endpoint lists."""
    assert await listed(lists, Listing(("a", "b", "c")), MIXED) == ("mine", "b", "a", "c")


async def test_remembered(lists: ModelLists, clock: SimpleNamespace) -> None:
    """A list is good for five minutes."""
    provider = Listing(("a",), ("b",))
    assert await listed(lists, provider) == ("a",)
    clock.now += 299
    assert await listed(lists, provider) == ("a",)
    clock.now += 1
    assert await listed(lists, provider) == ("b",)


async def test_fresh(lists: ModelLists, clock: SimpleNamespace) -> None:
    """Who wants a fresh list gets one, and the others then have it, too."""
    provider = Listing(("a",), ("b",))
    await listed(lists, provider)
    clock.now += 1
    assert await listed(lists, provider, fresh=True) == ("b",)
    assert await listed(lists, provider) == ("b",)


@pytest.mark.parametrize(
    "change",
    [
        {"api_key": Secret("k2")},
        {"api_key": None},
        {"base_url": "http://b/v1"},
        {"headers": {"X-User": "ann"}},
        {"provider": "ollama"},
        {"region": "eu-west-1"},
    ],
)
async def test_each_caller_has_a_list(lists: ModelLists, change: dict[str, Any]) -> None:
    """Nobody sees a list that was told to another key, address or user."""
    provider = Listing(("a",), ("b",))
    other = msgspec.structs.replace(OPEN, **change)
    assert await listed(lists, provider) == ("a",)
    assert await listed(lists, provider, other) == ("b",)
    assert (await listed(lists, provider), await listed(lists, provider, other)) == (("a",), ("b",))


async def test_same_caller(lists: ModelLists) -> None:
    """Two endpoints that are the same to the upstream share a list, each with its own models before it."""
    provider = Listing(("a",))
    other = msgspec.structs.replace(OPEN, name="twin", models=("own",))
    assert (await listed(lists, provider), await listed(lists, provider, other)) == (("a",), ("own", "a"))
    assert provider.asked == [OPEN]


async def test_asked_once_for_all(lists: ModelLists) -> None:
    """Who asks while a list is being fetched waits for that one."""
    provider = Listing(("a",), ("b",))
    provider.open = anyio.Event()
    found = []

    async def ask(**options: Any) -> None:
        found.append(await listed(lists, provider, **options))

    async with anyio.create_task_group() as group:
        for _ in range(5):
            group.start_soon(ask)
        await anyio.wait_all_tasks_blocked()
        provider.open.set()
    assert (found, len(provider.asked)) == ([("a",)] * 5, 1)


async def test_fails_once_for_all() -> None:
    """Those who wait together get the one error; who asks later makes it ask again."""
    provider, lists = Listing(gone(), ("a",)), ModelLists()
    provider.open = anyio.Event()
    failed = []

    async def ask() -> None:
        with pytest.raises(UpstreamUnavailable):
            await listed(lists, provider)
        failed.append(True)

    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(ask)
        await anyio.wait_all_tasks_blocked()
        provider.open.set()
    assert (len(failed), len(provider.asked)) == (3, 1)
    assert await listed(lists, provider) == ("a",)


async def test_cancelled(lists: ModelLists) -> None:
    """If the one who fetches is cancelled, the next one who waits fetches."""
    provider = Listing(("a",))
    provider.open = anyio.Event()
    first = anyio.CancelScope()
    found = []

    async def ask(scope: anyio.CancelScope) -> None:
        with scope:
            found.append(await listed(lists, provider))

    async with anyio.create_task_group() as group:
        group.start_soon(ask, first)
        await anyio.wait_all_tasks_blocked()
        group.start_soon(ask, anyio.CancelScope())
        await anyio.wait_all_tasks_blocked()
        first.cancel()
        await anyio.wait_all_tasks_blocked()
        provider.open.set()
    assert (found, len(provider.asked)) == ([("a",)], 2)


async def test_falls_back(lists: ModelLists, clock: SimpleNamespace, caplog: pytest.LogCaptureFixture) -> None:
    """If an endpoint can't say, the models of the config do for ten seconds; the log says why."""
    provider = Listing(gone(), ("a",))
    assert await listed(lists, provider, MIXED) == ("mine", "b")
    clock.now += 9
    assert await listed(lists, provider, MIXED) == ("mine", "b")
    clock.now += 1
    assert await listed(lists, provider, MIXED) == ("mine", "b", "a")
    (record,) = [each for each in caplog.records if each.name.startswith("agentbench")]
    assert (record.levelno, record.message) == (
        logging.WARNING,
        "acme is gone. Only the models of the config are listed.",
    )


async def test_nothing_to_fall_back_to(lists: ModelLists, clock: SimpleNamespace) -> None:
    """With no models in the config the error is raised, and the next one who asks makes it ask again."""
    provider = Listing(gone(), ("a",))
    with pytest.raises(UpstreamUnavailable):
        await listed(lists, provider)
    clock.now += 1
    assert await listed(lists, provider) == ("a",)


async def test_known(lists: ModelLists) -> None:
    """What is known without asking is the config's models, and what was listed."""
    assert (lists.known(OPEN), lists.known(MIXED)) == ((), ("mine", "b"))
    await listed(lists, Listing(("a",)))
    assert (lists.known(OPEN), lists.known(MIXED)) == (("a",), ("mine", "b", "a"))


async def test_forgotten(lists: ModelLists, clock: SimpleNamespace) -> None:
    """Lists that nobody may see again don't pile up."""
    for number in range(1000):
        clock.now += 2
        await listed(lists, Listing(("a",)), msgspec.structs.replace(OPEN, headers={"X-User": str(number)}))
    assert len(lists._lines) <= 256


async def test_no_secrets(lists: ModelLists) -> None:
    """What is remembered holds no key."""
    await listed(lists, Listing(("a",)), msgspec.structs.replace(OPEN, headers={"X-Key": "s3cret"}))
    assert "k1" not in repr(vars(lists))
    assert "s3cret" not in repr(vars(lists))


async def test_through_providers(http: Http, upstream: Upstream) -> None:
    """Providers ask over HTTP, once."""
    upstream.answers = [reply(body=b'{"data": [{"id": "b"}, {"id": "a"}]}')]
    providers = Providers(http)
    there = msgspec.structs.replace(MIXED, base_url=upstream.url)
    assert await providers.models(there) == await providers.models(there) == ("mine", "b", "a")
    assert providers.known_models(there) == ("mine", "b", "a")
    assert len(upstream.requests) == 1
    await providers.models(there, fresh=True)
    assert len(upstream.requests) == 2


async def test_unsupported() -> None:
    """An endpoint that can't be used lists nothing."""
    with pytest.raises(InvalidRequest, match="Not yet"):
        await Providers().models(msgspec.structs.replace(MIXED, unsupported="Not yet."))
