// How messages change what is known of a conversation. A value that stays the same stays the same object, so that what
// shows it isn't drawn again.

import type { Block, Growth, Placement, Turn } from "./types";

/** Return the turn with a block's newest pieces; null when something before them is missing. */
export function grown(turn: Turn, { block: index, from, html }: Growth): Turn | null {
  const block = turn.blocks[index];
  if (!block || from > block.html.length) return null;
  return withBlock(turn, index, { ...block, html: [...block.html.slice(0, from), ...html] });
}

/** Return the turn with a block put at its place; null when one before it is missing. */
export function placed(turn: Turn, { index, block }: Placement): Turn | null {
  return index > turn.blocks.length ? null : withBlock(turn, index, block);
}

function withBlock(turn: Turn, index: number, block: Block): Turn {
  const blocks = turn.blocks.slice();
  blocks[index] = block;
  return { ...turn, blocks };
}

/** Return `next` with the objects of `known` wherever they say the same. */
export function reused(known: readonly Turn[], next: readonly Turn[]): Turn[] {
  const byId = new Map(known.map((turn) => [turn.id, turn]));
  return next.map((turn) => {
    const old = byId.get(turn.id);
    return old && JSON.stringify(old) === JSON.stringify(turn) ? old : turn;
  });
}

/** Return the known turns that lead up to the first of `turns`, oldest first: none of another branch. */
export function leadingTo(turns: readonly Turn[], known: readonly Turn[]): Turn[] {
  const byId = new Map(known.map((turn) => [turn.id, turn]));
  for (const turn of turns) byId.delete(turn.id);
  const found: Turn[] = [];
  for (let turn = before(turns[0], byId); turn; turn = before(turn, byId)) {
    byId.delete(turn.id);
    found.unshift(turn);
  }
  return found;
}

const before = (turn: Turn | undefined, byId: Map<string, Turn>) => byId.get(turn?.parent ?? "");
