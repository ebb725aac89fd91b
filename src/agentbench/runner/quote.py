"""What models cost, and what a question would cost on each: nothing is sent to any of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentbench.config.effective import endpoint_for
from agentbench.config.rates import Rates, Tokens
from agentbench.protocol.values import Value
from agentbench.runner.headers import at_kernel
from agentbench.runner.rates import rates_for, worst_case, worst_cost
from agentbench.runner.target import find_target
from agentbench.runner.tool_results import with_short_results

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agentbench.runner.run import Run
    from agentbench.runner.runner import Runner

__all__ = ["Quote", "prices", "quotes"]


class Quote(Value, frozen=True, kw_only=True):
    """What a question would cost on one model. Tokens are estimated, and so is what they cost, in US dollars."""

    endpoint: str
    model: str
    input_tokens: int
    """With the instructions, the tools and the conversation so far."""
    max_output_tokens: int
    """As the request or the agent says, or what is reckoned with where neither does."""
    rates: Rates | None
    """None if nobody knows them."""
    chosen: bool = False
    """Whether this is the model that would answer."""

    @property
    def name(self) -> str:
        """The model as people write it: `endpoint/model`."""
        return f"{self.endpoint}/{self.model}"

    @property
    def input_usd(self) -> float | None:
        """What asking costs, if no cache helps; None if the price is unknown."""
        return None if self.rates is None else float(self.rates.cost(Tokens(input=self.input_tokens)))

    @property
    def worst_usd(self) -> float | None:
        """What it costs with the longest answer, in one call of the model; None if the price is unknown."""
        tokens = Tokens(input=self.input_tokens, output=self.max_output_tokens)
        return None if self.rates is None else float(worst_cost(self.rates, tokens))


async def quotes(runner: Runner, run: Run) -> tuple[Quote, ...]:
    """Return what a run that hasn't begun would cost, on its own model and on each that is known without asking.

    The cheapest comes first, those of unknown price last. Raises what the run would raise before it calls a model.
    """
    request, target, catalog = await run.planned(), run.target, runner.catalog
    own = (target.endpoint.name, target.model)
    found = []
    for name, model in dict.fromkeys([own, *_known(runner)]):
        endpoint = endpoint_for(catalog, catalog.endpoint(name), target.agent)
        if endpoint.unsupported:
            continue
        tokens = worst_case(with_short_results(request, endpoint.max_tool_result_chars))
        found.append(
            Quote(
                endpoint=name,
                model=model,
                input_tokens=tokens.input,
                max_output_tokens=tokens.output,
                rates=await rates_for(endpoint, model),
                chosen=(name, model) == own,
            )
        )
    return tuple(sorted(found, key=lambda quote: float("inf") if quote.worst_usd is None else quote.worst_usd))


async def prices(runner: Runner, model: str | None = None) -> Mapping[str, Rates | None]:
    """Return the rates that hold, by `endpoint/model`: of each model that is known without asking, or of those named.

    Raises what `find_target` raises where nobody knows a model of that name.
    """
    known = _known(runner)
    if model is not None:
        target = [each for each in known if model in (each[1], "/".join(each))]
        if not target:
            found = find_target(runner.catalog, agent=None, model=model)
            target = [(found.endpoint.name, found.model)]
        known = target
    return {f"{name}/{each}": await rates_for(runner.catalog.endpoint(name), each) for name, each in known}


def _known(runner: Runner) -> list[tuple[str, str]]:
    """Return each endpoint's models, as far as they are known without asking."""
    endpoints = runner.catalog.endpoints.values()
    return [(each.name, model) for each in endpoints for model in runner.providers.known_models(at_kernel(each))]
