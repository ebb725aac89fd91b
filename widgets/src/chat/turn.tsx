// One question with its answer.

import { useState } from "preact/hooks";
import { memo } from "../shared/memo";
import { Hidden, Spinner } from "../shared/ui";
import { BlockView } from "./blocks";
import { Passages } from "./cited";
import { useChat } from "./context";
import { Footer } from "./footer";
import { TurnId } from "./picture";
import { QuestionEditor, QuestionView } from "./question";
import { Sources } from "./sources";
import type { Passage, Turn } from "./types";

const NO_PASSAGES: readonly Passage[] = [];

export const TurnView = memo(function TurnView({ turn }: { turn: Turn }) {
  const [isEdited, setEdited] = useState(false);
  const isRunning = turn.status === "running";
  const found = turn.blocks.find((block) => block.kind === "search")?.found;
  return (
    <TurnId.Provider value={turn.id}>
      <article class={`ab-turn ab-turn-${turn.status}`} data-turn={turn.id}>
        {isEdited ? <QuestionEditor turn={turn} onEnd={() => setEdited(false)} /> : <QuestionView turn={turn} />}
        <div class="ab-answer">
          <Hidden>Answer:</Hidden>
          <Passages.Provider value={found?.passages ?? NO_PASSAGES}>
            {turn.blocks.map((block) => (
              <BlockView key={block.key} block={block} />
            ))}
          </Passages.Provider>
          {isRunning && <Progress turn={turn} />}
          <Ending turn={turn} />
          <Sources sources={turn.sources} />
        </div>
        <Footer turn={turn} onEdit={() => setEdited(true)} />
      </article>
    </TurnId.Provider>
  );
});

function Progress({ turn }: { turn: Turn }) {
  const { isLive } = useChat();
  if (turn.blocks.some((block) => block.state === "waiting")) return null;
  if (!isLive) return <p class="ab-hint">More may have come since.</p>;
  return (
    <p class="ab-hint">
      <Spinner label="" /> {turn.blocks.length > 0 ? "Answering" : "Waiting for the model"}
    </p>
  );
}

/** Why the answer stopped, where it isn't simply complete. */
function Ending({ turn }: { turn: Turn }) {
  if (!turn.note || turn.status === "running") return turn.note ? <p class="ab-hint">{turn.note}</p> : null;
  // No alert: the region below has said it, and old ones aren't news.
  if (turn.status === "failed") return <p class="ab-notice ab-notice-error">{turn.note}</p>;
  return <p class="ab-hint">{turn.note}</p>;
}
