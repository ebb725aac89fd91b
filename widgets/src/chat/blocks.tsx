// The parts of an answer.

import { seconds } from "../shared/format";
import { memo } from "../shared/memo";
import { Spinner } from "../shared/ui";
import { Call } from "./call";
import { Cited } from "./cited";
import { Fold } from "./fold";
import { Images } from "./images";
import { Pieces } from "./pieces";
import { SearchStep } from "./search";
import type { Block } from "./types";

/** The same block object is never drawn twice; of one that grew, only the pieces that changed. */
export const BlockView = memo(function BlockView({ block }: { block: Block }) {
  switch (block.kind) {
    case "call":
      return <Call block={block} />;
    case "search":
      return <SearchStep block={block} />;
    case "text":
      return (
        <Cited>
          <Content block={block} />
        </Cited>
      );
    case "reasoning":
      return <Reasoning block={block} />;
    case "refusal":
      return (
        <div class="ab-refusal">
          <span class="ab-label">The model refused</span>
          <Content block={block} />
        </div>
      );
    default:
      return <Content block={block} />;
  }
});

function Reasoning({ block }: { block: Block }) {
  const isOver = block.state !== "running";
  const time = block.seconds == null ? "" : ` for ${seconds(block.seconds)}`;
  const summary = isOver ? (
    `Thought${time}`
  ) : (
    <>
      <Spinner label="" /> Thinking
    </>
  );
  return (
    <Fold class="ab-fold ab-reasoning" summary={summary}>
      {() => <Content block={block} />}
    </Fold>
  );
}

function Content({ block }: { block: Block }) {
  return (
    <>
      <Pieces html={block.html} />
      <Images images={block.images} label="Image from the model" call={block.call_id} />
      {block.note && <p class="ab-hint">{block.note}</p>}
    </>
  );
}
