"""Runs of a thread: start, follow, list, return and change them, hand in what functions gave back, and cancel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agentbench.protocol.assistants.requests import ChangeMetadata, CreateRun, CreateThreadAndRun, SubmitOutputs
from agentbench.storage.paging import Page
from agentbench.surfaces.assistants.base import body_of, change_of, query_of
from agentbench.surfaces.assistants.steps import Include
from agentbench.surfaces.assistants.stream import event_stream
from agentbench.surfaces.base import Route, json_response, openai_error

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response as HTTPResponse

    from agentbench.auth.principal import Principal
    from agentbench.protocol.assistants.objects import Run
    from agentbench.runner import Runner

__all__ = ["ROUTES"]

_RUNS = "/threads/{thread_id}/runs"
_RUN = f"{_RUNS}/{{run_id}}"

_POLL_AFTER = {"openai-poll-after-ms": "300"}
"""After how long the SDK looks again; it reads this from the run that it got."""


async def create_run(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `POST /threads/{thread_id}/runs`."""
    wanted = await body_of(request, CreateRun)
    include = query_of(request, Include).include
    run = await runner.assistants.start(principal, request.path_params["thread_id"], wanted, include=include)
    return _told(runner, run, stream=wanted.stream)


async def create_thread_and_run(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `POST /threads/runs`."""
    wanted = await body_of(request, CreateThreadAndRun)
    return _told(runner, await runner.assistants.start_with_thread(principal, wanted), stream=wanted.stream)


async def submit_outputs(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `POST /threads/{thread_id}/runs/{run_id}/submit_tool_outputs`."""
    wanted = await body_of(request, SubmitOutputs)
    return _told(runner, await runner.assistants.submit(principal, *_ids(request), wanted), stream=wanted.stream)


async def list_runs(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `GET /threads/{thread_id}/runs`."""
    page = query_of(request, Page)
    return json_response(await runner.assistants.runs(principal, request.path_params["thread_id"], page))


async def retrieve_run(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `GET /threads/{thread_id}/runs/{run_id}`."""
    return _told(runner, await runner.assistants.run(principal, *_ids(request)))


async def change_run(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `POST /threads/{thread_id}/runs/{run_id}`."""
    wanted = await change_of(request, ChangeMetadata)
    return _told(runner, await runner.assistants.change_run(principal, *_ids(request), wanted))


async def cancel_run(request: Request, runner: Runner, principal: Principal) -> HTTPResponse:
    """Answer `POST /threads/{thread_id}/runs/{run_id}/cancel`."""
    return _told(runner, await runner.assistants.cancel(principal, *_ids(request)))


def _ids(request: Request) -> tuple[str, str]:
    return request.path_params["thread_id"], request.path_params["run_id"]


def _told(runner: Runner, run: Run, *, stream: bool | None = False) -> HTTPResponse:
    if stream:
        return event_stream(runner.assistants.follow(run.id))
    return json_response(run, headers=_POLL_AFTER)


ROUTES = (
    Route(
        "POST", "/threads/runs", create_thread_and_run, openai_error, "Create a thread and run", body=CreateThreadAndRun
    ),
    Route("POST", _RUNS, create_run, openai_error, "Run an assistant on a thread", body=CreateRun, query=Include),
    Route("GET", _RUNS, list_runs, openai_error, "List a thread's runs", query=Page),
    Route("GET", _RUN, retrieve_run, openai_error, "Return a run"),
    Route("POST", _RUN, change_run, openai_error, "Change a run's metadata", body=ChangeMetadata),
    Route("POST", f"{_RUN}/cancel", cancel_run, openai_error, "Cancel a run"),
    Route(
        "POST",
        f"{_RUN}/submit_tool_outputs",
        submit_outputs,
        openai_error,
        "Hand in what functions gave back",
        body=SubmitOutputs,
    ),
)
