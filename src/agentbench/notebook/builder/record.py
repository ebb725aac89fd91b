"""An assistant as a table: what stays in the notebook when the form is gone."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from agentbench.notebook.records import Record
from agentbench.notebook.render import html_of
from agentbench.notebook.sanitize import literal, safe
from agentbench.notebook.tables import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agentbench.notebook.builder.form import Form
    from agentbench.notebook.builder.trying import Answer

__all__ = ["record_of"]

_LONGEST = 2_000
_LEFT = ' style="text-align:left"'  # JupyterLab's tables lean to the right


def record_of(key: str, form: Form, pending: Sequence[str], done: Sequence[str], tried: Answer | None) -> Record:
    """Return an assistant as it is shown, what was done here, and the last answer that was tried."""
    title = f"Assistant {form.name or key or 'without a name'}"
    rows = list(_rows(key, form))
    note = f"Not saved: {', '.join(pending)}." if pending else ""
    table = Table(("assistant", "value"), rows, note=note or ("" if rows else "Nothing is filled in yet."))
    return Record(
        _html(title, table, done, tried), _markdown(title, table, done, tried), _plain(title, table, done, tried)
    )


def _rows(key: str, form: Form) -> Iterator[tuple[str, str]]:
    tools = [name for name in ("file_search", "code_interpreter") if getattr(form, name)]
    rows = {
        "id": key,
        "name": form.name,
        "description": form.description,
        "model": form.model,
        "instructions": form.instructions,
        "temperature": form.temperature,
        "top_p": form.top_p,
        "tools": ", ".join((*tools, *form.functions)),
        "functions": form.others,
        "files": form.store,
        "metadata": ", ".join(f"{name}: {value}" for name, value in form.metadata),
    }
    for name, value in rows.items():
        if value.strip():
            yield name, value if len(value) <= _LONGEST else f"{value[:_LONGEST]}…"


def _html(title: str, table: Table, done: Sequence[str], tried: Answer | None) -> str:
    rows = "".join(
        f'<tr><th scope="row"{_LEFT}>{escape(name)}</th><td{_LEFT}>{"<br>".join(escape(value).splitlines())}</td></tr>'
        for name, value in table.rows
    )
    parts = [f"<table><caption>{escape(title)}</caption><tbody>{rows}</tbody></table>"]
    if table.note:
        parts.append(f"<p>{escape(table.note)}</p>")
    if done:
        parts.append(f"<p>Done here:</p><ol>{''.join(f'<li>{escape(each)}</li>' for each in done)}</ol>")
    if tried is not None:
        said = "".join(f"<p><em>{escape(each)}</em></p>" for each in _about(tried))
        parts.append(f"<blockquote><p>{escape(tried.question)}</p></blockquote>{html_of(tried.text)}{said}")
    return "".join(parts)


def _markdown(title: str, table: Table, done: Sequence[str], tried: Answer | None) -> str:
    parts = [f"**{literal(title)}**", table._repr_markdown_()]
    if done:
        parts.append("Done here:\n\n" + "\n".join(f"1. {literal(each)}" for each in done))
    if tried is not None:
        parts += [f"> {literal(tried.question)}", safe(tried.text), *(f"*{literal(each)}*" for each in _about(tried))]
    return "\n\n".join(parts)


def _plain(title: str, table: Table, done: Sequence[str], tried: Answer | None) -> str:
    parts = [f"{title}\n{table!r}"]
    if done:
        parts.append("Done here:" + "".join(f"\n- {each}" for each in done))
    if tried is not None:
        parts += [f"> {tried.question}", tried.text, *_about(tried)]
    return "\n\n".join(filter(None, parts))


def _about(tried: Answer) -> list[str]:
    return [each for each in (tried.note, tried.error, tried.line) if each]
