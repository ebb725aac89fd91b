// The turns, in a box of their own that follows what is new while the reader is at its end.

import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Button } from "../shared/ui";
import { useAsking } from "./asking";
import { useChat } from "./context";
import { TurnView } from "./turn";
import type { Turn } from "./types";

const NEAR_PX = 32;

export function Transcript({ turns, earlier }: { turns: readonly Turn[]; earlier: number }) {
  const box = useRef<HTMLDivElement>(null);
  const { isAtEnd, toEnd, onGrown, onMoved } = useFollowing(box);
  const hold = useHeldPlace(box, turns[0]?.id);
  const { running } = useChat();
  return (
    <div class="ab-scroll">
      <div
        ref={box}
        class="ab-log"
        role="log"
        // The answer is announced when it is whole; each piece of it would be noise.
        aria-live="off"
        aria-busy={running}
        aria-label="Conversation"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard scrolls it
        tabIndex={0}
        onScroll={onMoved}
        onLoadCapture={onGrown}
      >
        {turns.length === 0 && <p class="ab-empty ab-muted">Ask a question to begin.</p>}
        {earlier > 0 && <Earlier count={earlier} onShow={hold} />}
        {turns.map((turn) => (
          <TurnView key={turn.id} turn={turn} />
        ))}
      </div>
      {!isAtEnd && (
        <div class="ab-latest">
          <Button onClick={toEnd}>Latest ↓</Button>
        </div>
      )}
    </div>
  );
}

/** Scrolls to what is new, unless the reader has left the end. */
function useFollowing(box: { current: HTMLDivElement | null }) {
  const { following } = useChat();
  const [isAtEnd, setAtEnd] = useState(true);
  const top = useRef(0);
  const toEnd = useCallback(() => {
    following.current = true;
    setAtEnd(true);
    if (!box.current) return;
    box.current.scrollTop = box.current.scrollHeight;
    top.current = box.current.scrollTop;
  }, [box, following]);
  const onGrown = useCallback(() => following.current && toEnd(), [following, toEnd]);
  useLayoutEffect(() => {
    onGrown();
  });
  const onMoved = useCallback(
    (event: Event) => {
      const element = box.current;
      if (!element) return;
      const isNear = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_PX;
      // What grew below since the last scrolling isn't the reader's doing; what was unfolded is.
      const isReaders = element.scrollTop < top.current || event.type === "toggle";
      if (isNear || isReaders) following.current = isNear;
      top.current = element.scrollTop;
      setAtEnd(following.current);
    },
    [box, following],
  );
  useEffect(() => {
    if (!box.current || typeof ResizeObserver === "undefined") return;
    const observer = new ResizeObserver(onGrown);
    observer.observe(box.current);
    return () => observer.disconnect();
  }, [box, onGrown]);
  useEffect(() => {
    const element = box.current;
    element?.addEventListener("toggle", onMoved, true); // it doesn't bubble
    return () => element?.removeEventListener("toggle", onMoved, true);
  }, [box, onMoved]);
  return { isAtEnd, toEnd, onGrown, onMoved };
}

/** Keeps what is being read where it is when earlier turns are put before it. */
function useHeldPlace(box: { current: HTMLDivElement | null }, first: string | undefined) {
  const held = useRef<{ turn: string; top: number } | null>(null);
  useLayoutEffect(() => {
    const turn = held.current && find(box.current, held.current.turn);
    if (turn && held.current && box.current) {
      box.current.scrollTop += turn.getBoundingClientRect().top - held.current.top;
    }
    held.current = null;
  }, [first]);
  return () => {
    const turn = first === undefined ? null : find(box.current, first);
    if (turn && first) held.current = { turn: first, top: turn.getBoundingClientRect().top };
  };
}

const find = (box: HTMLElement | null, id: string) =>
  Array.from(box?.querySelectorAll<HTMLElement>(".ab-turn") ?? []).find((each) => each.dataset.turn === id);

function Earlier({ count, onShow }: { count: number; onShow: () => void }) {
  const { conversation, canAct } = useChat();
  const { attempt, busy, trouble } = useAsking();
  const row = useRef<HTMLDivElement>(null);
  const show = async () => {
    const log = row.current?.closest<HTMLElement>(".ab-log");
    onShow();
    await attempt(() => conversation.showEarlier());
    requestAnimationFrame(() => row.current ?? log?.focus()); // the button goes with the last of them
  };
  const words = `${count} earlier ${count === 1 ? "turn" : "turns"}`;
  return (
    <div class="ab-earlier" ref={row}>
      {canAct ? (
        <Button disabled={busy} onClick={show}>
          Show {words}
        </Button>
      ) : (
        <span class="ab-muted">{words} not shown</span>
      )}
      {trouble}
    </div>
  );
}
