"""How well files are found: recall@3 and mean reciprocal rank of vectors, of words and of both, on labelled questions.

80 questions in English and Korean over 46 short documents, all made up for this. A question's answer is in one file.
Run it: `python benchmarks/retrieval/quality.py`. It ends with status 1 unless both together beat each alone.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple, get_args

import msgspec

from agentbench import Workbench
from agentbench.retrieval.values import Ranking

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agentbench.workbench.collection import FileCollection

__all__ = ["Quality", "beats", "measured"]

HERE = Path(__file__).parent
DEPTH = 20


class Question(msgspec.Struct, frozen=True):
    """A question, and the file that answers it."""

    question: str
    language: str
    file: str


class Quality(NamedTuple):
    """Shares of the questions, and the mean of 1/rank."""

    recall_at_1: float
    recall_at_3: float
    mrr: float

    @classmethod
    def of(cls, ranks: Sequence[int | None]) -> Quality:
        """Sum up the ranks of the right files; None is one that wasn't found."""
        found = [rank for rank in ranks if rank is not None]
        count = len(ranks)
        return cls(
            sum(rank == 1 for rank in found) / count,
            sum(rank <= 3 for rank in found) / count,  # noqa: PLR2004 - recall@3
            sum(1 / rank for rank in found) / count,
        )


def measured(bench: Workbench, *, language: str | None = None) -> dict[Ranking, Quality]:
    """Return the quality of each ranking, on all questions or on those in a language."""
    papers = bench.collection("quality").add(HERE / "documents", progress=sys.stderr.isatty())
    lines = (HERE / "questions.jsonl").read_bytes().splitlines()
    asked = [msgspec.json.decode(line, type=Question) for line in lines]
    chosen = [each for each in asked if language in (None, each.language)]
    rankings: tuple[Ranking, ...] = get_args(Ranking)
    return {ranking: Quality.of([_rank(papers, each, ranking) for each in chosen]) for ranking in rankings}


def beats(fused: Quality, alone: Quality) -> bool:
    """Tell whether both together are better than one alone, in recall@3 and in reciprocal rank."""
    return fused.recall_at_3 > alone.recall_at_3 and fused.mrr > alone.mrr


def _rank(papers: FileCollection, asked: Question, ranking: Ranking) -> int | None:
    """Return the place of the right file among the files that are found, each counted once."""
    names = list(dict.fromkeys(papers.search(asked.question, ranking=ranking, top_k=DEPTH)["name"]))
    return names.index(asked.file) + 1 if asked.file in names else None


def main() -> int:
    """Print a table; return the exit status."""
    with TemporaryDirectory() as home, Workbench(home=home) as bench:
        print(f"{'questions':10}{'ranking':10}{'recall@1':>10}{'recall@3':>10}{'MRR':>8}")
        for name, language in (("English", "en"), ("Korean", "ko"), ("all", None)):
            found = measured(bench, language=language)
            for ranking, quality in found.items():
                shown = f"{quality.recall_at_1:10.3f}{quality.recall_at_3:10.3f}{quality.mrr:8.3f}"
                print(f"{name:10}{ranking:10}{shown}")
    return 0 if all(beats(found["fused"], found[alone]) for alone in ("vectors", "text")) else 1


if __name__ == "__main__":
    sys.exit(main())
