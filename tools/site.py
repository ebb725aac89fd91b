"""What the site has besides the pages of docs: the notebooks with their outputs, and the project's own papers.

MkDocs calls the functions whose names begin with `on_`; mkdocs.yml names this file. Links from the pages to what lies
outside `docs` lead to the copies here, so that the site needs no other server.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
from mkdocs.structure.files import File
from nbconvert import MarkdownExporter
from traitlets.config import Config

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

__all__ = ["on_config", "on_files", "on_page_markdown"]

PROJECT = Path(__file__).resolve().parent.parent
PAPERS = ("CHANGELOG.md", "CONTRIBUTING.md")
OUTSIDE = re.compile(r"\]\(\.\./(?P<path>[\w./-]+?)(?P<anchor>#[\w-]+)?\)")
# A notebook shows an output in the richest form that it has; HTML would be a view that needs its script.
ORDER = ["text/markdown", "text/html", "image/png", "image/jpeg", "text/plain"]
LICENSE_LINK = re.compile(
    r"\[(?P<text>[^\]]+)\]\((?P<path>LICENSE|README\.md|docs/(?P<page>[\w.-]+))(?P<anchor>#[\w-]+)?\)"
)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the notebooks into the navigation, below the page about them."""
    section = next(each["Notebooks"] for each in config.nav or () if "Notebooks" in each)
    section += [f"notebooks/{notebook.stem}.md" for notebook in _notebooks()]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the notebooks and the papers."""
    for notebook in _notebooks():
        files.append(_page(config, f"notebooks/{notebook.stem}.md", _as_markdown(notebook)))
    for name in PAPERS:
        text = (PROJECT / name).read_text(encoding="utf-8")
        files.append(_page(config, name.lower(), LICENSE_LINK.sub(_within, text)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001 - MkDocs's shape
    """Let links that leave the folder lead to what was added."""
    return OUTSIDE.sub(lambda found: f"]({_target(found['path'])}{found['anchor'] or ''})", markdown)


def _notebooks() -> list[Path]:
    return sorted((PROJECT / "notebooks").glob("*.ipynb"))


def _page(config: MkDocsConfig, path: str, text: str) -> File:
    return File.generated(config, path, content=text)


def _target(path: str) -> str:
    return path.replace(".ipynb", ".md") if path.startswith("notebooks/") else path.lower()


def _within(found: re.Match[str]) -> str:
    """Return a link of a paper as it is from within the site; what the site has not is its text alone."""
    return f"[{found['text']}]({found['page']}{found['anchor'] or ''})" if found["page"] else found["text"]


def _as_markdown(path: Path) -> str:
    # Neither library has types.
    notebook = nbformat.read(path, as_version=4)
    exporter = MarkdownExporter(config=Config({"NbConvertBase": {"display_data_priority": ORDER}}))  # type: ignore[no-untyped-call]
    text, _ = exporter.from_notebook_node(notebook)
    return re.sub(r"\]\(\.\./docs/", "](../", text)
