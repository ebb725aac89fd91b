"""What a check finds, and how it words it."""

from __future__ import annotations

from agentbench.protocol.values import Value

__all__ = ["Report", "Rule", "Violation", "same", "shown"]

_LONGEST = 60


class Rule(Value, frozen=True, kw_only=True):
    """One rule of a stream: a stable name, what it demands, and where the demand stands."""

    name: str
    sentence: str
    section: str


class Violation(Value, frozen=True, kw_only=True):
    """A rule that a stream breaks; `index` is the event's place in it, from 0, or None for the stream as a whole."""

    rule: str
    index: int | None
    message: str


class Report:
    """Collects violations; `index` is the event that is looked at."""

    def __init__(self) -> None:
        self.index: int | None = None
        self.violations: list[Violation] = []

    def add(self, rule: str, message: str) -> None:
        """Note that the current event breaks a rule."""
        self.violations.append(Violation(rule=rule, index=self.index, message=message))

    def differs(self, rule: str, what: str, expected: object, came: object) -> None:
        """Note that a value isn't the one that it should be."""
        self.add(rule, f"{what}: expected {shown(expected)}, got {shown(came)}.")


def same(one: object, other: object) -> bool:
    """Tell whether two values are equal; those that are nested too deep to tell are taken as such."""
    try:
        return one == other
    except RecursionError:
        return True


def shown(value: object) -> str:
    """Return a value as a message shows it: short ones whole, long ones cut, trees by their kind."""
    if isinstance(value, dict):
        return f"an object of {len(value)} keys"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return repr(value) if len(value) <= _LONGEST else f"{value[:_LONGEST]!r}… ({len(value):,} characters)"
    try:
        return repr(value)[:_LONGEST]
    except ValueError:  # a whole number of more digits than Python writes out
        return "a huge number"
