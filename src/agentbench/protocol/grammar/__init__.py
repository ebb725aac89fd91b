"""The grammar of streams, as small named rules, checked on raw JSON that any server may have sent.

`check` reads Open Responses events, `check_chat` the chunks of chat completions, `check_frames` the server-sent frames
that either came in, `check_recording` all that a recording holds. None of them raises, whatever it is given.
"""

from __future__ import annotations

from agentbench.protocol.grammar.chat import check_chat
from agentbench.protocol.grammar.chat_rules import CHAT_RULES
from agentbench.protocol.grammar.frames import FRAME_RULES, check_frames
from agentbench.protocol.grammar.report import Rule, Violation
from agentbench.protocol.grammar.rules import RULES, rules_table
from agentbench.protocol.grammar.stream import check
from agentbench.protocol.grammar.summary import check_recording, summary, violation_rows

__all__ = [
    "CHAT_RULES",
    "FRAME_RULES",
    "RULES",
    "Rule",
    "Violation",
    "check",
    "check_chat",
    "check_frames",
    "check_recording",
    "rules_table",
    "summary",
    "violation_rows",
]
