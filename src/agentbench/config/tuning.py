"""Changes of a config that are being made: tried out before they hold, shown as a diff, applied, saved, taken back.

What a form needs to know of a key is in `form.py`, what holds now in `standing.py`. Nothing that a `Draft` returns
holds a secret.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET

from agentbench.config.changes import Edit
from agentbench.config.discover import ASSISTANTS
from agentbench.config.explain import block_name
from agentbench.config.form import Field, fields_at
from agentbench.config.history import History, names
from agentbench.config.layers import HEADERS
from agentbench.config.masked_diff import masked_diff
from agentbench.config.masking import has_secret, masked, restored
from agentbench.config.problem import spell
from agentbench.config.saving import file_edits
from agentbench.config.standing import Place, Said, Standing, Written
from agentbench.config.wishes import Wish, read_wish, yaml_text
from agentbench.errors import ConfigError, InvalidRequest

if TYPE_CHECKING:
    from agentbench.config.config import Config
    from agentbench.config.endpoint import Catalog
    from agentbench.config.problem import Problem

__all__ = ["Draft", "Row"]

_SHARED = ("all", "agents")
_NO_FILE = "There is no file to save in. Name one: Workbench('agentbench.yaml')."


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A key in a form: what it is, what holds, and what is wished for instead.

    `value` is what its control shows. `error` is in the words of `agentbench check`.
    """

    field: Field
    now: Said
    default: str
    overrode: tuple[Said, ...]
    parts: tuple[Said, ...]
    here: Place
    value: Any
    pending: bool = False
    unset: bool = False
    error: str = ""


class Draft:
    """Pending changes of one config."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.history = History(config)
        self._wishes: dict[tuple[str, tuple[str, ...]], Wish] = {}
        self._try()

    @property
    def blocks(self) -> tuple[str, ...]:
        """What can be tuned: the endpoints, assistants, then what holds for all endpoints, and where agents answer."""
        return (*dict.fromkeys((*self.config.catalog.endpoints, ASSISTANTS)), *_SHARED)

    @property
    def pending(self) -> tuple[str, ...]:
        """The names of the keys that are to change."""
        return tuple(".".join((block, *path)) for block, path in self._wishes)

    @property
    def in_session(self) -> tuple[str, ...]:
        """The names of the keys that the session has set, which saving would write too."""
        return tuple(".".join((block, *path)) for block, paths in self.config.session.items() for path in paths)

    def rows(self, block: str) -> list[Row]:
        """Return the form of a block."""
        standing = self._written.standing(block)
        return [self._row(block, each, standing[each.key]) for each in fields_at(self._written.path(block))]

    def put(self, block: str, key: str, value: Any) -> None:
        """Wish for a value, as a control gives it; for what holds already the wish is dropped."""
        field = self._field(block, key)
        self.refresh()
        self._drop(block, key)
        own = self._written.own(block, key)
        if key == HEADERS and isinstance(value, dict):
            self._put_headers(block, own, value)
        else:
            wish = _whole(read_wish(field, value), own, (key,))
            if not self._is_held(block, key, wish):
                nested = [path for path in self.config.session.get(block, {}) if path[0] == key and len(path) > 1]
                self._wishes |= {(block, path): Wish(UNSET) for path in nested}
                self._wishes[block, (key,)] = wish
        self._try()

    def unset(self, block: str, key: str) -> None:
        """Wish that the session, or else the file, says nothing of a key in this block."""
        self._field(block, key)
        self.refresh()
        self._drop(block, key)
        paths = [path for path in self.config.session.get(block, {}) if path[0] == key]
        if not paths and not self._written.place(block, key):
            raise InvalidRequest(f"{block}.{key} isn't set there.")
        for path in paths or [(key,)]:
            self._wishes[block, path] = Wish(UNSET)
        self._try()

    def reset(self, block: str, key: str) -> None:
        """Drop what is wished for a key."""
        self._drop(block, key)
        self._try()

    def discard(self) -> None:
        """Drop every wish."""
        self._wishes.clear()
        self._try()

    def refresh(self) -> None:
        """Look again at what holds: others may have changed it."""
        self._try()

    def diff(self) -> str:
        """Return what saving would change in the file, with secrets masked; empty for nothing."""
        if self.config.file is None:
            raise InvalidRequest(_NO_FILE)
        from agentbench.config.edit import edited

        edits, _ = file_edits(self.config, self._session_edits(), self._removals())
        return masked_diff(*edited(self.config.file, edits), self.config.file)

    def apply(self) -> str:
        """Let the wishes hold for this session, and say what became of them; all or none.

        Raises `ConfigError` if something doesn't fit. What stands in the file can only be taken out by saving.
        """
        edits, waiting = self._session_edits(), self._removals()
        if not edits:
            raise InvalidRequest(_waits(waiting) if waiting else "There is nothing to apply.")
        self._check()
        self.history.apply(edits)
        for each in edits:
            del self._wishes[each.block, each.path]
        self._try()
        return f"Applied to this session: {names(edits)}. {_waits(waiting) if waiting else ''}".strip()

    def save(self) -> str:
        """Write the wishes, and what the session has set, to the file, and say what became of them; all or none.

        A secret goes no further than the session, nor does what each person gives for themselves.
        """
        if self.config.file is None:
            raise InvalidRequest(_NO_FILE)
        self._check()
        session = self._session_edits()
        edits, kept = file_edits(self.config, session, self._removals())
        if not (edits or session):
            raise InvalidRequest(_kept(kept) if kept else "There is nothing to save.")
        self.history.save(session, edits)
        self.discard()
        told = [f"Saved in {self.config.file}: {names(edits)}."] if edits else []
        told += [_kept(kept)] if kept else []
        return " ".join([*told, *self._overridden(edits)])

    def undo(self) -> str:
        """Take back the last apply or save; raises `InvalidRequest` if the file has changed since."""
        told = self.history.undo()
        self._try()
        return told

    def redo(self) -> str:
        """Do again what was undone last."""
        told = self.history.redo()
        self._try()
        return told

    def _row(self, block: str, field: Field, held: Standing) -> Row:
        wishes = {path: each for (name, path), each in self._wishes.items() if name == block and path[0] == field.key}
        taken = [path for path, each in wishes.items() if each.value is UNSET]
        value = self._shown(field, held.value, wishes)
        return Row(
            field=field,
            now=held.now,
            default=held.default or field.default,
            overrode=held.overrode,
            parts=held.parts,
            here=held.here,
            value=value,
            pending=bool(wishes),
            unset=bool(wishes) and len(taken) == len(wishes),
            error=self._error(block, field.key, wishes),
        )

    def _shown(self, field: Field, now: Any, wishes: dict[tuple[str, ...], Wish]) -> Any:
        """Return what a control shows: text for what is edited as text."""
        if field.key == HEADERS:
            wished = {path[-1]: masked(each.value, path) for path, each in wishes.items() if not each.wrong}
            return {name: each for name, each in {**(now or {}), **wished}.items() if each is not UNSET}
        wish = wishes.get((field.key,))
        if wish is not None and wish.value is not UNSET and not wish.wrong:  # what is no value may hold a secret
            now = masked(wish.value, (field.key,))
            if wish.text and now == wish.value:
                return wish.text
        if field.kind == "structured":
            return yaml_text(now)
        return now

    def _error(self, block: str, key: str, wishes: dict[tuple[str, ...], Wish]) -> str:
        if wrong := next((each.wrong for each in wishes.values() if each.wrong), ""):
            return wrong
        whole = (*self._written.path(block), key)
        found = next((each for each in self._problems if wishes and each.path[: len(whole)] == whole), None)
        if found is None:
            return ""
        below = spell(found.path[len(whole) :])
        return f"{below}: {found.text}" if below else found.text

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong with the whole as it would be, a line each."""
        broken = [f"{block}.{path[0]}: {each.wrong}" for (block, path), each in self._wishes.items() if each.wrong]
        return (*broken, *(f"{spell(each.path)}: {each.text}" for each in self._problems))

    def _check(self) -> None:
        self._try()
        if self.problems:
            raise ConfigError("\n".join(self.problems))

    def _try(self) -> None:
        self._written = Written(self.config)
        catalog, found = self.config.trial(self._session_edits(), self._removals())
        self._problems: list[Problem] = found
        self.catalog: Catalog = catalog or self.config.catalog

    def _field(self, block: str, key: str) -> Field:
        fields = {each.key: each for each in fields_at(self._written.path(self._known(block)))}
        if key not in fields:
            raise InvalidRequest(f"There is no setting {key!r} for {block}.")
        if fields[key].fixed:
            raise InvalidRequest(f"{block}.{key} stays as it is: {fields[key].fixed}.")
        return fields[key]

    def _known(self, block: str) -> str:
        return block if block in _SHARED else block_name(self.config.catalog, block)

    def _put_headers(self, block: str, own: dict[str, Any], headers: dict[str, Any]) -> None:
        wishes = {name: _whole(Wish(each), own.get(name), (HEADERS, name)) for name, each in headers.items()}
        wishes |= {name: Wish(UNSET) for name in own if name not in headers}
        for name, wish in wishes.items():
            if wish.wrong or own.get(name) != wish.value:
                self._wishes[block, (HEADERS, name)] = wish

    def _is_held(self, block: str, key: str, wish: Wish) -> bool:
        if wish.wrong:
            return False
        if has_secret(wish.value, (key,)):
            return bool(self._written.own(block, key) == wish.value)
        held = self._written.standing(block)[key].value
        return bool(wish.value == held) or (wish.value in ("", []) and not held)

    def _drop(self, block: str, key: str) -> None:
        for name, path in [*self._wishes]:
            if name == block and path[0] == key:
                del self._wishes[name, path]

    def _session_edits(self) -> list[Edit]:
        return [
            Edit(block, path, each.value)
            for (block, path), each in self._wishes.items()
            if not each.wrong and (each.value is not UNSET or path in self.config.session.get(block, {}))
        ]

    def _removals(self) -> list[Edit]:
        return [
            Edit(block, path, UNSET)
            for (block, path), each in self._wishes.items()
            if each.value is UNSET and path not in self.config.session.get(block, {})
        ]

    def _overridden(self, edits: list[Edit]) -> list[str]:
        """Say which of the saved keys something else overrides."""
        own = [each for each in edits if each.value is not UNSET and each.block not in _SHARED]
        layers = {
            f"{block}.{path[0]}": self._written.standing(block)[path[0]].now.layer
            for block, path, _ in own
            if path[0] != HEADERS
        }
        over = [f"{layer} overrides {name}" for name, layer in layers.items() if layer in _SHARED]
        return [f"But {' and '.join(over)}."] if over else []


def _whole(wish: Wish, written: Any, path: tuple[str, ...]) -> Wish:
    """Return the wish with what was left masked as it was written."""
    try:
        return replace(wish, value=restored(wish.value, written, path))
    except InvalidRequest as error:
        return Wish(None, wrong=error.message)


def _waits(edits: list[Edit]) -> str:
    return f"In the file, so it waits for Save: {names(edits)}."


def _kept(edits: list[Edit]) -> str:
    return (
        f"Only in this session: {names(edits)}. Secrets, and what each person gives, aren't saved; in the file write"
        " ${NAME}."
    )
