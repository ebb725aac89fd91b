"""Rows, conversations, responses, items and events as pandas DataFrames with real dtypes, and charts of them.

The one room below the notebook that knows pandas and altair.
"""

from __future__ import annotations

from agentbench.frames.events import events_frame, settings_frame
from agentbench.frames.ledger import read_usage
from agentbench.frames.library import collections_frame, files_frame, found_frame
from agentbench.frames.moments import moment
from agentbench.frames.talks import conversations_frame, items_frame, responses_frame
from agentbench.frames.trials import trials_frame
from agentbench.frames.usage import GROUPS, UsageFrame, grouped

__all__ = [
    "GROUPS",
    "UsageFrame",
    "collections_frame",
    "conversations_frame",
    "events_frame",
    "files_frame",
    "found_frame",
    "grouped",
    "items_frame",
    "moment",
    "read_usage",
    "responses_frame",
    "settings_frame",
    "trials_frame",
]
