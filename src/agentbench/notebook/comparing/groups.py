"""The trials of a comparison by who was asked, and by what."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentbench.protocol.trial import Trial

__all__ = ["MOST_PROMPTS", "MOST_RUNS", "Group", "Sheet", "groups_of", "has_many_prompts", "sheet_of"]

MOST_PROMPTS = 20
"""Of many prompts so many are shown."""
MOST_RUNS = 5
"""Of one answerer so many answers to the same prompt are shown."""


class Group(NamedTuple):
    """One answerer, the places of its trials among all, and how often it was asked the same.

    `model` is empty where the name says it.
    """

    name: str
    model: str
    places: tuple[int, ...]
    runs: int


class Sheet(NamedTuple):
    """Many prompts and who answers them: of each prompt that is shown the places of the trials, by answerer."""

    names: tuple[str, ...]
    rows: list[tuple[str, list[tuple[int, ...]]]]
    left: int


def groups_of(trials: Sequence[Trial], names: Sequence[str]) -> list[Group]:
    """Return the answerers in the order in which they come up; `names` has one a trial."""
    found: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        found.setdefault(name, []).append(place)
    return [_group(name, places, [trials[each] for each in places]) for name, places in found.items()]


def has_many_prompts(trials: Sequence[Trial]) -> bool:
    """Whether more than one prompt was asked."""
    return len({trial.place for trial in trials}) > 1


def sheet_of(trials: Sequence[Trial], groups: Sequence[Group]) -> Sheet:
    """Return the first prompts, and where in a comparison the trials of each are."""
    prompts = {trial.place: trial.prompt for trial in trials}
    cells: dict[tuple[int, int], list[int]] = {}
    for number, group in enumerate(groups):
        for place in group.places:
            cells.setdefault((trials[place].place, number), []).append(place)
    rows = [
        (prompts[each], [tuple(cells.get((each, number), ())[:MOST_RUNS]) for number in range(len(groups))])
        for each in list(prompts)[:MOST_PROMPTS]
    ]
    return Sheet(tuple(group.name for group in groups), rows, len(prompts) - len(rows))


def _group(name: str, places: Sequence[int], trials: Sequence[Trial]) -> Group:
    model = next((trial.model for trial in trials if trial.model is not None), "")
    return Group(name, "" if model in name else model, tuple(places), max(trial.run for trial in trials))
