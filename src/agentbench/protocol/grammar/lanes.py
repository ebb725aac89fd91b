"""Words while they come: the parts of an item, and the arguments of a call, each against what its `done` says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agentbench.protocol.grammar.report import same, shown

if TYPE_CHECKING:
    from agentbench.protocol.grammar.report import Report

__all__ = ["Lane", "Part", "Words", "words_of"]

_REASONING = ("reasoning_text", "output_text", "text")
_FITTING = {
    "output_text": ("output_text", "text"),
    "refusal": ("refusal",),
    "reasoning": _REASONING,
    "summary": ("summary_text",),
}
"""The types of the parts that deltas of a kind may grow."""


class Words:
    """Deltas and the whole that they make. What began unseen is not compared."""

    def __init__(self, *, seen: bool = True) -> None:
        self.told: str | None = None
        self._pieces: list[str] = []
        self._seen = seen

    def delta(self, delta: str, what: str, report: Report) -> None:
        """Take a piece."""
        if self.told is not None:
            report.add("nothing-after-text-done", f"{what} grows after its done event.")
        self._pieces.append(delta)

    def whole(self, words: str, what: str, rule: str, report: Report) -> None:
        """Take the whole; `rule` says that it comes once."""
        if self.told is not None:
            report.add(rule, f"{what} is told whole a second time.")
            return
        self.told = words
        joined = "".join(self._pieces)
        if self._seen and joined != words:
            report.differs("deltas-equal-done", f"{what}, joined from {len(self._pieces)} deltas", joined, words)


class Part:
    """One part of an item between its `added` and its `done`."""

    def __init__(self, kind: object, *, seen: bool = True) -> None:
        self.kind = kind
        self.words = Words(seen=seen)
        self.seen = seen
        self.done: dict[str, Any] | None = None
        self.annotations: list[Any] = []

    def check_kind(self, delta_kind: str, what: str, report: Report) -> None:
        """Report deltas of another kind."""
        if isinstance(self.kind, str) and self.kind not in _FITTING[delta_kind] and ":" not in self.kind:
            report.add("deltas-fit-part", f"{what} is of type {shown(self.kind)}, which {delta_kind} doesn't fit.")

    def finish(self, part: dict[str, Any], what: str, report: Report) -> None:
        """Compare the finished part with what came."""
        self.done = part
        if self.seen and not same(part.get("type"), self.kind):
            report.differs("part-kind-stable", f"{what} type", self.kind, part.get("type"))
        words = words_of(part)
        if words is not None and self.words.told is None and self.seen:
            report.add("text-done", f"{what} is done before its words were told whole.")
        elif words is not None and self.words.told is not None and words != self.words.told:
            report.differs("part-equals-done", what, self.words.told, words)
        kept = part.get("annotations") or []
        if self.seen and isinstance(kept, list | tuple) and not same(list(kept), self.annotations):
            report.add("annotations-kept", f"{what}: {len(self.annotations)} annotations came, it has {len(kept)}.")


class Lane:
    """The parts of one item: its content, or its summary."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._parts: dict[int, Part] = {}

    def label(self, index: int) -> str:
        """Return what messages call a part."""
        return f"{self._name} part {index}"

    def added(self, index: int, part: dict[str, Any], report: Report) -> None:
        """Begin a part."""
        expected = len(self._parts)
        if index != expected:
            report.add("part-index", f"{self._name}: expected part {expected}, got part {index}.")
        if words_of(part):
            report.add("part-begins-empty", f"{self.label(index)} begins with {shown(words_of(part))}.")
        self._parts[index] = Part(part.get("type"), seen=not words_of(part))

    def find(self, index: int, report: Report) -> Part | None:
        """Return an open part; one that was never added is reported once, and taken as if it were."""
        part = self._parts.get(index)
        if part is None:
            report.add("part-added-first", f"{self.label(index)} was not added before.")
            part = self._parts[index] = Part(None, seen=False)
        if part.done is not None:
            report.add("nothing-after-part-done", f"{self.label(index)} was done already.")
            return None
        return part

    def close(self, parts: object, report: Report) -> None:
        """Compare the parts of the finished item with those that came."""
        waiting = [index for index, part in self._parts.items() if part.done is None]
        if waiting:
            report.add("parts-done", f"{self._name}: parts {', '.join(map(str, waiting[:8]))} are not done.")
            return
        came = [self._parts[index].done for index in sorted(self._parts)]
        told = list(parts) if isinstance(parts, list | tuple) else []
        if len(told) != len(came):
            report.add("item-equals-parts", f"{self._name}: {len(came)} parts came, the item has {len(told)}.")
        elif (
            at := next((n for n, pair in enumerate(zip(came, told, strict=True)) if not same(*pair)), None)
        ) is not None:
            report.add("item-equals-parts", f"{self.label(at)} of the item is not the one that was done.")


def words_of(part: dict[str, Any]) -> str | None:
    """Return the words of a part; None for one that has none."""
    found = part.get("refusal") if part.get("type") == "refusal" else part.get("text")
    return found if isinstance(found, str) else None
