"""Steps of a run: list and return them, with the passages that were found if a client asks for those."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from agentbench.protocol.values import Value
from agentbench.storage.paging import Page
from agentbench.surfaces.assistants.base import query_of
from agentbench.surfaces.base import Route, json_response, openai_error

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response as HTTPResponse

    from agentbench.auth.principal import Principal
    from agentbench.runner import Runner

__all__ = ["ROUTES", "Include"]

_STEPS = "/threads/{thread_id}/runs/{run_id}/steps"
_STEP = f"{_STEPS}/{{step_id}}"

Included = Literal["step_details.tool_calls[*].file_search.results[*].content"]


class Include(Value, frozen=True, kw_only=True):
    """What to tell beyond the usual."""

    include: tuple[Included, ...] = ()


class StepsQuery(Page, frozen=True, kw_only=True):
    """A page of a run's steps."""

    include: tuple[Included, ...] = ()


async def list_steps(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `GET /threads/{thread_id}/runs/{run_id}/steps`."""
    page = query_of(request, StepsQuery)
    thread_id, run_id = request.path_params["thread_id"], request.path_params["run_id"]
    return json_response(await runner.assistants.steps(principal, thread_id, run_id, page, include=page.include))


async def retrieve_step(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `GET /threads/{thread_id}/runs/{run_id}/steps/{step_id}`."""
    ids = (request.path_params[name] for name in ("thread_id", "run_id", "step_id"))
    include = query_of(request, Include).include
    return json_response(await runner.assistants.step(principal, *ids, include=include))


ROUTES = (
    Route("GET", _STEPS, list_steps, openai_error, "List a run's steps", query=StepsQuery),
    Route("GET", _STEP, retrieve_step, openai_error, "Return a step of a run", query=Include),
)
