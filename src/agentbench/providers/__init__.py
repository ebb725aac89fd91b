"""One file a wire format. `Providers` makes each on first use and owns their connections."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from agentbench.errors import InvalidRequest
from agentbench.providers.cassettes.deck import Deck
from agentbench.providers.model_lists import ModelLists

if TYPE_CHECKING:
    from agentbench.config.endpoint import Endpoint
    from agentbench.providers.base import Provider
    from agentbench.providers.embedding import EmbeddingProvider, RerankingProvider
    from agentbench.providers.http import Http

__all__ = ["Providers"]

# provider: (module, class, what it is made with)
_TABLE = {
    "openai_chat": ("openai_chat", "OpenAIChat", "http"),
    "openai_responses": ("openai_responses", "OpenAIResponses", "http"),
    "llama_cpp": ("llama_cpp", "LlamaCpp", "deck"),
    "scripted": ("scripted", "Scripted", None),
    "anthropic": ("anthropic", "Anthropic", "http"),
    "google": ("google", "Google", "http"),
    "ollama": ("ollama", "Ollama", "http"),
    "azure_openai": ("azure_openai", "AzureOpenAI", "http"),
    "bedrock": ("bedrock", "Bedrock", "http"),
    "assistants": ("assistants", "Assistants", "http"),
}


class Providers:
    """Finds the provider of an endpoint; `aclose` closes every connection. `deck` is where a cassette is put in."""

    def __init__(self, http: Http | None = None) -> None:
        self.deck = Deck()
        self._http = http
        self._made: dict[str, Provider] = {}
        self._lists = ModelLists()

    def of(self, endpoint: Endpoint) -> Provider:
        """Return the provider that speaks the endpoint's wire format."""
        if endpoint.unsupported:
            raise InvalidRequest(endpoint.unsupported, param="model")
        if endpoint.provider not in self._made:
            self._made[endpoint.provider] = self._make(endpoint.provider)
        return self._made[endpoint.provider]

    @property
    def http(self) -> Http:
        """The HTTP client of all providers, made on first use."""
        if self._http is None:
            from agentbench.providers.http import Http

            self._http = Http(deck=self.deck)
        return self._http

    def embedding(self, endpoint: Endpoint) -> EmbeddingProvider:
        """Return what embeds at an endpoint; raises `InvalidRequest` if nothing does."""
        from agentbench.providers.embedding import EmbeddingProvider

        provider = self.of(endpoint)
        if not isinstance(provider, EmbeddingProvider):
            raise InvalidRequest(f"{endpoint.name} has no API that embeds. Name another endpoint.", param="model")
        return provider

    def reranking(self, endpoint: Endpoint) -> RerankingProvider:
        """Return what reranks at an endpoint; raises `InvalidRequest` if nothing does."""
        from agentbench.providers.embedding import RerankingProvider

        provider = self.of(endpoint)
        if not isinstance(provider, RerankingProvider):
            raise InvalidRequest(f"{endpoint.name} has no API that reranks. Name another endpoint.", param="model")
        return provider

    async def models(self, endpoint: Endpoint, *, fresh: bool = False) -> tuple[str, ...]:
        """Return the models that an endpoint offers, as `ModelLists.listed` does."""
        return await self._lists.listed(self.of(endpoint), endpoint, fresh=fresh)

    def known_models(self, endpoint: Endpoint) -> tuple[str, ...]:
        """Return the models of an endpoint that are known without asking it."""
        return self._lists.known(endpoint)

    async def aclose(self) -> None:
        """Close the HTTP client, if one was made."""
        if self._http is not None:
            await self._http.aclose()

    def _make(self, name: str) -> Provider:
        module, kind, takes = _TABLE[name]
        provider = getattr(import_module(f"agentbench.providers.{module}"), kind)
        return provider() if takes is None else provider(getattr(self, takes))  # type: ignore[no-any-return]
