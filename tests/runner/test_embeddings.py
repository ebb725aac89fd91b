"""Embedding by name: batches, trouble, the ledger, money, and who may name what."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import anyio
import msgspec
import numpy as np
import pytest

from agentbench.auth.principal import KERNEL, Principal
from agentbench.config import Catalog, Endpoint, RemoteAccess
from agentbench.config.balance import BalanceRules
from agentbench.config.rates import Rates
from agentbench.config.retrieval import NANO_E5, RetrievalSettings
from agentbench.errors import (
    AgentbenchError,
    BudgetExceeded,
    ContextTooLong,
    InsufficientBalance,
    InvalidRequest,
    UnknownName,
    UpstreamGarbled,
    UpstreamRateLimited,
    UpstreamRefused,
    UpstreamRejected,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from agentbench.providers.embedding import Embedded, Reranked
from agentbench.runner.budget import Budget, Budgets
from agentbench.runner.embeddings import Embeddings
from agentbench.runner.purse import Purse
from agentbench.runner.rates import rates_for
from agentbench.storage import usage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from agentbench.storage.database import Database
    from agentbench.storage.usage import UsageRow

pytestmark = pytest.mark.anyio

PAID = Rates(input=Decimal(2), output=Decimal(0))
ACME = Endpoint(name="acme", provider="openai_chat", models=("chat", "e"), rates={"e": PAID})
OTHER = Endpoint(name="other", provider="openai_chat", models=("e",))
LOCAL = Endpoint(name="local", provider="llama_cpp", models=("smollm",))
MINE = Endpoint(name="mine", provider="openai_chat", fetch_models=True, personal=True)
SETTINGS = RetrievalSettings(embedder="acme/e", reranker="acme/r", batch_size=2, concurrency=2)
ANN = Principal(user="ann", remote=True)


class FakeEmbedder:
    """Gives each text the vector (its length, 1), and raises its troubles before, one a call."""

    def __init__(self) -> None:
        self.troubles: list[Exception] = []
        self.calls: list[tuple[str, list[str], str]] = []
        self.tokens: Callable[[Sequence[str]], int | None] = len
        self.width = 2
        self.held = asyncio.Event()
        self.held.set()
        self.running = self.most = 0

    def embedding(self, _: Endpoint) -> FakeEmbedder:
        """Return itself, as the provider of every endpoint."""
        return self

    reranking = embedding

    async def embed(
        self, _: Endpoint, model: str, texts: Sequence[str], kind: str, *, dimensions: int | None = None
    ) -> Embedded:
        """Embed."""
        self.calls.append((model, list(texts), kind))
        self.running += 1
        self.most = max(self.most, self.running)
        await self.held.wait()
        self.running -= 1
        if self.troubles:
            raise self.troubles.pop(0)
        rows = [[len(text), *[1.0] * ((dimensions or self.width) - 1)] for text in texts]
        return Embedded(np.array(rows, np.float32), self.tokens(texts))

    async def rerank(self, _: Endpoint, model: str, query: str, texts: Sequence[str]) -> Reranked:
        """Score each text by its length."""
        self.calls.append((model, list(texts), query))
        return Reranked(tuple(float(len(text)) for text in texts), 5)


class Scene:
    """Embeddings on a fake; `waits` are the seconds that it would have slept."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.catalog = Catalog(
            endpoints={each.name: each for each in (LOCAL, ACME, OTHER, MINE)}, agents={}, retrieval=SETTINGS
        )
        self.upstream = FakeEmbedder()
        self.waits: list[float] = []
        self.budgets = Budgets()
        providers: Any = self.upstream
        self.embeddings = Embeddings(
            lambda: self.catalog,
            providers,
            database,
            purse=Purse(lambda: self.catalog.balance, database),
            budgets=self.budgets,
            may_name_models=lambda principal: not principal.remote or self.catalog.remote.models,
            sleep=self.sleep,
        )

    async def sleep(self, seconds: float) -> None:
        """Note the wait."""
        self.waits.append(seconds)

    def change(self, **fields: Any) -> None:
        """Change the catalog."""
        self.catalog = msgspec.structs.replace(self.catalog, **fields)

    async def rows(self) -> list[UsageRow]:
        """Return the ledger."""
        return await self.database.read(usage.rows)


@pytest.fixture
def scene(database: Database) -> Scene:
    """Return embeddings whose upstream does as it is told."""
    return Scene(database)


async def test_batches(scene: Scene) -> None:
    """Texts go out in batches, and come back in their order as vectors of length 1, each call with its row."""
    vectors = await scene.embeddings.embed("acme/e", ["a", "bb", "ccc", "dddd", "eeeee"], "passage")
    assert sorted(scene.upstream.calls) == [
        ("e", ["a", "bb"], "passage"),
        ("e", ["ccc", "dddd"], "passage"),
        ("e", ["eeeee"], "passage"),
    ]
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1)
    assert np.allclose(vectors[:, 0] / vectors[:, 1], [1, 2, 3, 4, 5])
    rows = await scene.rows()
    assert {(row.context, row.endpoint, row.model, row.user, row.status) for row in rows} == {
        ("embedding", "acme", "e", KERNEL.user, "completed")
    }
    assert sorted((row.input_tokens, row.output_tokens, row.credits) for row in rows) == [
        (1, 0, 2.0),
        (2, 0, 4.0),
        (2, 0, 4.0),
    ]


async def test_nothing(scene: Scene) -> None:
    """No texts are no call."""
    assert (await scene.embeddings.embed("acme/e", [], "passage")).shape[0] == 0
    assert scene.upstream.calls == []


async def test_concurrency(scene: Scene) -> None:
    """No more calls run at once than the operator wants, however many ask."""
    scene.upstream.held.clear()
    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(scene.embeddings.embed, "acme/e", ["a"] * 6, "passage")
        await anyio.sleep(0.05)
        assert scene.upstream.running == 2
        scene.upstream.held.set()
    assert (scene.upstream.most, len(scene.upstream.calls)) == (2, 9)


@pytest.mark.parametrize("trouble", [UpstreamRateLimited, UpstreamTimeout, UpstreamUnavailable])
async def test_trouble_passes(trouble: type[Exception], scene: Scene) -> None:
    """What may pass is waited for, as long as the upstream asks or more; the ledger has one row."""
    scene.upstream.troubles = [trouble("Busy.", retry_after=3), trouble("Busy.")]  # type: ignore[call-arg]
    await scene.embeddings.embed("acme/e", ["a"], "passage")
    assert 4 <= scene.waits[0] <= 5
    assert 2 <= scene.waits[1] <= 3
    assert [row.status for row in await scene.rows()] == ["completed"]


@pytest.mark.parametrize(("kind", "most"), [("passage", 90), ("query", 15)])
async def test_trouble_stays(kind: Any, most: float, scene: Scene) -> None:
    """Trouble that stays is told at last, with its reason; a query isn't kept waiting as long as a file."""
    scene.upstream.troubles = [UpstreamUnavailable(f"acme is in trouble: {number}.") for number in range(200)]
    with pytest.raises(UpstreamUnavailable, match="acme is in trouble"):
        await scene.embeddings.embed("acme/e", ["a"], kind)
    assert most / 3 < sum(scene.waits) <= most
    assert [(row.status, row.error_type) for row in await scene.rows()] == [("failed", "upstream_unavailable")]


async def test_too_long_a_wait(scene: Scene) -> None:
    """An upstream that asks to wait longer than anybody will isn't waited for."""
    scene.upstream.troubles = [UpstreamRateLimited("Tomorrow.", retry_after=3600)]
    with pytest.raises(UpstreamRateLimited, match="Tomorrow"):
        await scene.embeddings.embed("acme/e", ["a"], "passage")
    assert scene.waits == []


@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        (UpstreamRefused("Wrong key."), (UpstreamRefused, "Wrong key.")),
        (ContextTooLong("Start a new conversation."), (UpstreamRejected, "acme/e can't take a text as long")),
    ],
)
async def test_final_trouble(trouble: Exception, told: tuple[type[Exception], str], scene: Scene) -> None:
    """What doesn't pass is raised at once, in words that fit, and ends the other batches."""
    scene.upstream.troubles = [trouble]
    with pytest.raises(told[0], match=told[1]):
        await scene.embeddings.embed("acme/e", ["a"] * 40, "passage")
    assert scene.waits == []
    assert len(scene.upstream.calls) < 20
    assert "failed" in {row.status for row in await scene.rows()}


async def test_cancelled(scene: Scene) -> None:
    """A call that its caller gives up is in the ledger too, as not completed, and its place is free."""
    scene.upstream.held.clear()
    with anyio.move_on_after(0.05):
        await scene.embeddings.embed("acme/e", ["a"] * 4, "passage")
    scene.upstream.held.set()
    await scene.embeddings.embed("acme/e", ["a"] * 4, "passage")
    assert sorted(row.status for row in await scene.rows()) == ["completed"] * 2 + ["incomplete"] * 2


async def test_odd_vectors(scene: Scene) -> None:
    """Batches of different lengths, and a vector of zeros, aren't a model's: they are refused."""

    async def embed(*args: Any, **_: Any) -> Embedded:
        texts = args[2]
        return Embedded(np.ones((len(texts), 2 if texts[0] else 3), np.float32) * (texts[0] != "0"), None)

    scene.upstream.embed = embed  # type: ignore[method-assign]
    with pytest.raises(UpstreamGarbled, match="of 2 and of 3 numbers"):
        await scene.embeddings.embed("acme/e", ["a", "a", ""], "passage")
    with pytest.raises(UpstreamGarbled, match="zeros"):
        await scene.embeddings.embed("acme/e", ["0"], "passage")


async def test_untold_tokens(scene: Scene) -> None:
    """Tokens that the upstream doesn't tell are estimated, and said to be."""
    scene.upstream.tokens = lambda _: None
    made = await scene.embeddings.embedded("acme/e", ["word " * 80], "passage")
    row = (await scene.rows())[0]
    assert made.input_tokens is None
    assert row.estimated
    assert 100 <= (row.input_tokens or 0) <= 200


async def test_balance(scene: Scene) -> None:
    """A call is paid from the balance of whoever it is for; nothing is sent where that is too small."""
    scene.change(balance=BalanceRules(enabled=True, start=1_000_000_000))
    ann = scene.embeddings.embedder(principal=ANN)
    await ann.embed(["a" * 40], "passage")
    standing = await Purse(lambda: scene.catalog.balance, scene.database).standing("ann")
    assert standing is not None
    assert standing.balance == 998_000_000
    with pytest.raises(InsufficientBalance):
        await ann.embed(["a" * 4000], "passage")
    assert len(scene.upstream.calls) == 1


async def test_budget(scene: Scene) -> None:
    """At the kernel a budget holds; callers over HTTP don't use it up."""
    scene.budgets.standing = Budget(tokens=10)
    await scene.embeddings.embed("acme/e", ["a" * 4000], "passage", ANN)
    with pytest.raises(BudgetExceeded):
        await scene.embeddings.embed("acme/e", ["a" * 4000], "passage")


async def test_no_ledger(scene: Scene) -> None:
    """Where the operator wants no ledger there are no rows."""
    scene.change(transactions=False)
    await scene.embeddings.embed("acme/e", ["a"], "passage")
    assert await scene.rows() == []


async def test_rerank(scene: Scene) -> None:
    """The configured reranker scores all texts in one counted call; without one all are equal."""
    assert await scene.embeddings.rerank("q", ["a", "ccc", "bb"], principal=ANN) == (1.0, 3.0, 2.0)
    assert scene.upstream.calls == [("r", ["a", "ccc", "bb"], "q")]
    assert [(row.context, row.user, row.input_tokens) for row in await scene.rows()] == [("rerank", "ann", 5)]
    scene.change(retrieval=RetrievalSettings())
    assert await scene.embeddings.rerank("q", ["a", "b"]) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("name", "means"),
    [
        ("acme/e", "acme/e"),
        ("ACME/e", "acme/e"),
        ("mine/anything/at-all", "mine/anything/at-all"),
        (NANO_E5, NANO_E5),
        ("multilingual-e5-small", NANO_E5),
        ("chat", "acme/chat"),
    ],
)
def test_names(name: str, means: str, scene: Scene) -> None:
    """A model goes by its endpoint's name, or alone where only one place has it."""
    assert scene.embeddings.name_for(name) == means


@pytest.mark.parametrize(
    ("name", "principal", "error", "said"),
    [
        ("e", KERNEL, InvalidRequest, "acme/e or other/e"),
        ("acme/f", KERNEL, UnknownName, "no model 'acme/f'"),
        ("acne/e", KERNEL, UnknownName, "Did you mean 'acme/e'"),
        ("mine/x", Principal(user="ann", remote=True, role="ADMIN"), InvalidRequest, "only at the kernel"),
    ],
)
def test_wrong_names(name: str, principal: Principal, error: type[AgentbenchError], said: str, scene: Scene) -> None:
    """A name that nobody has, or several, or that isn't for the caller, is refused with the way out."""
    scene.change(remote=RemoteAccess(models=True))
    with pytest.raises(error, match=said):
        scene.embeddings.name_for(name, principal)


def test_who_may_name(scene: Scene) -> None:
    """Callers over HTTP may name what is configured where models may be named; else the kernel's own only."""
    assert scene.embeddings.models() == ["acme/e", NANO_E5]
    assert scene.embeddings.models(ANN) == [NANO_E5]
    assert scene.embeddings.name_for("multilingual-e5-small", ANN) == NANO_E5
    with pytest.raises(UnknownName):
        scene.embeddings.name_for("acme/e", ANN)
    scene.change(remote=RemoteAccess(models=True))
    assert scene.embeddings.name_for("acme/e", ANN) == "acme/e"
    scene.change(retrieval=RetrievalSettings(embedder="mine/e"))
    assert (scene.embeddings.models(), scene.embeddings.models(ANN)) == (["mine/e", NANO_E5], [NANO_E5])


async def test_embedder(scene: Scene) -> None:
    """The library's embedder is the configured one, or another by its name, spelled as its endpoint is."""
    assert scene.embeddings.embedder().name == "acme/e"
    other = scene.embeddings.embedder("OTHER/e")
    assert (other.name, (await other.embed(["a"], "query")).shape) == ("other/e", (1, 2))


async def test_owners_pay(scene: Scene) -> None:
    """What is embedded for a user's files is that user's, and within a budget at the kernel if it is the kernel's."""
    scene.budgets.standing = Budget(tokens=1)
    await scene.embeddings.embedder_for("ann").embed(["a" * 400], "passage")
    with pytest.raises(BudgetExceeded):
        await scene.embeddings.embedder_for(KERNEL.user).embed(["a" * 400], "passage")
    assert [row.user for row in await scene.rows()] == ["ann", KERNEL.user]


async def test_listed_prices() -> None:
    """A listed model that charges for input only is known to cost that."""
    openai = Endpoint(name="openAI", provider="openai_chat", base_url="https://api.openai.com/v1")
    rates = await rates_for(openai, "text-embedding-3-small")
    assert rates is not None
    assert (rates.input, rates.output, rates.source) == (Decimal("0.02"), 0, "genai-prices")
