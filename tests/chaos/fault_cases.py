"""Which faults are tried, on which wire formats, and how each must end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.chaos.driving import Case
from tests.chaos.garbage import GARBAGE, WELL
from tests.chaos.misbehaviour import WAITS
from tests.chaos.wires import WIRES, arrived, events, text_of, whole

if TYPE_CHECKING:
    from tests.chaos.driving import Ending
    from tests.chaos.wires import Wire

__all__ = ["good", "hasty", "patient"]

_TOO_LONG = {"far", "huge"}  # nobody waits for so long
_CUTS = {"reset": 1, "fin": 4, "half": 7, "short": 7, "bare": 7}
"""Which of the offsets are tried, at most, at share 1."""


def good(times: int) -> list[Case]:
    """Return so many runs with nothing wrong, of each wire format."""
    return [
        Case(name, "good", ending="whole", text=text_of(wire)) for name, wire in WIRES.items() for _ in range(times)
    ]


def patient(share: float) -> dict[str, list[Case]]:
    """Return the cases that end by themselves, by what they try."""
    return {
        **{f"{fault} at every byte": _cuts(fault, max(1, round(step / share))) for fault, step in _CUTS.items()},
        "garbage": _garbage(),
        "statuses": _statuses(),
        "storms": _storms(),
        "kept connections closed": _kept(share),
        "around the end": _ends(),
        "odd, but whole": _odd(),
        "packed": _packed(),
        "what never ends": _endless(share),
    }


def hasty(share: float) -> dict[str, list[Case]]:
    """Return the cases that a time limit ends, or their reader."""
    return {"silence": _silent(max(1, round(20 / share))), "slow loris": _loris(), "stopped by the reader": _stopped()}


def _cuts(fault: str, step: int) -> list[Case]:
    return [_cut(fault, name, offset) for name, wire in WIRES.items() for offset in _offsets(fault, wire, step)]


def _offsets(fault: str, wire: Wire, step: int) -> list[int]:
    size = len(whole(wire)) if fault in ("reset", "fin", "half") else len(b"".join(events(wire)))
    return [*range(0, size, step), size]


def _cut(fault: str, name: str, offset: int) -> Case:
    wire = WIRES[name]
    size = arrived(wire, offset) if fault in ("reset", "fin", "half") else offset
    total = len(b"".join(events(wire)))
    ending: Ending = "any"
    if size < total - sum(map(len, events(wire)[-3:])):  # in which upstreams say that they are done
        ending = "broken"
    elif size == total and (fault in ("short", "bare") or offset == len(whole(wire))):
        ending = "whole"
    fresh = fault in ("short", "bare") or offset > 0
    return Case(name, fault, str(offset), ending=ending, text=text_of(wire, size), most=1 if fresh else 2)


def _garbage() -> list[Case]:
    wrong = [each for each in GARBAGE if each not in WELL]
    cases = [Case(name, "says", each) for name in WIRES for each in wrong for _ in range(2)]
    return cases + [
        Case(name, "says", each, ending="whole", text=text_of(wire)) for name, wire in WIRES.items() for each in WELL
    ]


def _statuses() -> list[Case]:
    known = (101, 201, 202, 203, 204, 205, 206, 300, 301, 302, 303, 304, 307, 308, *range(400, 419), 422, 425, 426, 428)
    known += (429, 431, 451, 499, *range(500, 512), 520, 521, 522, 523, 524, 525, 526, 527, 529, 530, 598, 599, 799)
    return [
        Case(name, "status", str(status), ending="any" if status < 300 else "broken", most=3)
        for name in WIRES
        for status in known
    ]


def _storms() -> list[Case]:
    cases = []
    for name, wire in WIRES.items():
        for status in (429, 503):
            for wait in WAITS:
                gives_up = wait in _TOO_LONG
                cases.append(Case(name, "storm", f"{status}.{wait}.99", ending="broken", most=1 if gives_up else 3))
                ending: Ending = "broken" if gives_up else "whole"
                text = None if gives_up else text_of(wire)
                cases.append(Case(name, "storm", f"{status}.{wait}.1", ending=ending, text=text, most=2))
    return cases


def _kept(share: float) -> list[Case]:
    faults = ("then_closes", "then_resets", "stale", "stale_fin", "good", "smuggled", "stale_begun")
    times = max(2, round(30 * share))
    return [
        Case(
            name,
            fault,
            ending="any" if fault == "stale_begun" else "whole",
            text=None if fault == "stale_begun" else text_of(wire),
            most=2 if fault in ("stale", "stale_fin") else 1,
        )
        for _ in range(times)
        for name, wire in WIRES.items()
        for fault in faults
    ]


def _ends() -> list[Case]:
    return [Case(name, fault, ending=ending) for name in WIRES for fault, ending in _AROUND.items()]


_AROUND: dict[str, Ending] = {"twice": "any", "again": "any", "backwards": "any", "goes_on": "whole", "stays": "whole"}


def _odd() -> list[Case]:
    return [
        Case(name, fault, argument, ending="whole", text=text_of(wire))
        for name, wire in WIRES.items()
        for fault, argument in (("bytewise", ""), ("late", "3"), ("packed", "gzip"), ("packed", "deflate"))
        for _ in range(3)
    ]


def _packed() -> list[Case]:
    bombs = (("bomb", "gzip"), ("bomb_in_bomb", ""), ("bomb_refusal", "gzip"))
    wrong = (("mispacked", "gzip"), ("mispacked", "deflate"), *bombs)
    cases = [Case(name, *each, ending="broken") for name in WIRES for each in wrong]
    return cases + [Case(name, "mispacked", each) for name in WIRES for each in ("br", "zstd", "gzip.gzip", "rot13")]


def _endless(share: float) -> list[Case]:
    names = list(WIRES) if share >= 1 else ["chat"]
    faults = ("line", "event", "head", "header", "informing", "extension", "trailers", "json")
    cases = [Case(name, f"endless_{fault}") for name in names for fault in faults]
    cases += [Case(name, f"endless_{fault}") for name in names[::4] for fault in ("comments", "blanks")]
    cases += [Case(name, "endless_refusal", status, most=3) for name in names for status in ("400", "500")]
    return [*cases, Case("chat", "endless_answer", ending="broken")]


def _silent(step: int) -> list[Case]:
    return [
        Case(name, "mute", str(offset), ending="broken", text=text_of(wire, arrived(wire, offset)))
        for name, wire in WIRES.items()
        for offset in range(0, len(whole(wire)) // 2, step)
    ]


def _loris() -> list[Case]:
    return [Case(name, "loris", "100", ending="broken") for name in WIRES for _ in range(4)]


def _stopped() -> list[Case]:
    slow = [Case(name, "loris_body", "100", ending="broken", stop_after=1.0) for name in WIRES for _ in range(4)]
    endless = [Case(name, "endless_answer", ending="broken", stop_after=0.5) for name in WIRES]
    return [*slow, *endless]
