// The search of documents that an answer began with: one line, and what was found.

import { useContext } from "preact/hooks";
import { Spinner } from "../shared/ui";
import { PassageButton } from "./cited";
import { Fold } from "./fold";
import { TurnId } from "./picture";
import type { Block } from "./types";

export function SearchStep({ block: { found } }: { block: Block }) {
  const turn = useContext(TurnId);
  if (!found) {
    return (
      <p class="ab-hint">
        <Spinner label="" /> Searching documents
      </p>
    );
  }
  if (found.passages.length === 0) return <p class="ab-hint">{found.line}. Nothing was found.</p>;
  return (
    <Fold class="ab-fold ab-call" summary={<span dir="auto">{found.line}</span>}>
      {() => (
        <ul class="ab-found">
          {found.passages.map((passage) => (
            <li key={passage.n}>
              <PassageButton turn={turn} n={passage.n} title={passage.title} />
              <span class="ab-muted"> score {Number(passage.score.toPrecision(3))}</span>
            </li>
          ))}
        </ul>
      )}
    </Fold>
  );
}
