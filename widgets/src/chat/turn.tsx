// One question with its answer.

import { useState } from "preact/hooks";
import { memo } from "../shared/memo";
import { Hidden, Spinner } from "../shared/ui";
import { BlockView } from "./blocks";
import { useChat } from "./context";
import { Footer } from "./footer";
import { OutsideLink } from "./images";
import { TurnId } from "./picture";
import { QuestionEditor, QuestionView } from "./question";
import type { Source, Turn } from "./types";

export const TurnView = memo(function TurnView({ turn }: { turn: Turn }) {
  const [isEdited, setEdited] = useState(false);
  const isRunning = turn.status === "running";
  return (
    <TurnId.Provider value={turn.id}>
      <article class={`ab-turn ab-turn-${turn.status}`} data-turn={turn.id}>
        {isEdited ? <QuestionEditor turn={turn} onEnd={() => setEdited(false)} /> : <QuestionView turn={turn} />}
        <div class="ab-answer">
          <Hidden>Answer:</Hidden>
          {turn.blocks.map((block) => (
            <BlockView key={block.key} block={block} />
          ))}
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

function Sources({ sources }: { sources: readonly Source[] | undefined }) {
  if (!sources || sources.length === 0) return null;
  return (
    <section class="ab-sources" aria-label="Sources">
      <span class="ab-label">Sources</span>
      <ol>
        {sources.map((source, index) => (
          <li key={index} dir="auto">
            {source.url && /^https?:/i.test(source.url) ? (
              <OutsideLink url={source.url} label={source.title || source.url} />
            ) : (
              source.title
            )}
            {source.quote && <blockquote dir="auto">{source.quote}</blockquote>}
          </li>
        ))}
      </ol>
    </section>
  );
}
