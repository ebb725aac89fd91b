// What a turn took, and what can be done with it.

import { useEffect, useRef, useState } from "preact/hooks";
import { clock } from "../shared/format";
import { Button } from "../shared/ui";
import { type Asking, useAsking } from "./asking";
import { useChat } from "./context";
import { copyText } from "./copying";
import type { Turn } from "./types";

interface Props {
  turn: Turn;
  onEdit: () => void;
}

export function Footer({ turn, onEdit }: Props) {
  const { canAct, running, following, announce, focusComposer } = useChat();
  const asking = useAsking();
  const isOver = turn.status !== "running";
  const retry = async () => {
    following.current = true;
    if ((await asking.ask("retry", { turn: turn.id })) === undefined) return;
    announce("Asking again.");
    focusComposer();
  };
  return (
    <>
      <div class="ab-footer">
        <Branches turn={turn} />
        <span class="ab-muted ab-grow">
          {[turn.usage?.line ?? turn.model, turn.at && clock(turn.at)].filter(Boolean).join(" · ")}
        </span>
        {isOver && <CopyButton turn={turn} asking={asking} />}
        {isOver && canAct && (
          <>
            <Button kind="quiet" disabled={running || asking.busy} onClick={retry}>
              Retry
            </Button>
            <Button kind="quiet" disabled={running} onClick={onEdit}>
              Edit
            </Button>
          </>
        )}
      </div>
      {asking.waiting}
      {asking.trouble}
    </>
  );
}

/** Copies the answer's Markdown; where nobody can be asked for it, the text as it is shown. */
function CopyButton({ turn, asking }: { turn: Turn; asking: Asking }) {
  const { canAct, announce } = useChat();
  const [isDone, setDone] = useState(false);
  const place = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    const timer = setTimeout(() => setDone(false), 2000);
    return () => clearTimeout(timer);
  }, [isDone]);
  const copy = async () => {
    const answer = place.current?.closest(".ab-turn")?.querySelector<HTMLElement>(".ab-answer");
    const found = canAct ? await asking.ask<{ markdown: string }>("copy", { turn: turn.id }) : undefined;
    if (canAct && !found) return;
    const hasWorked = await copyText(found?.markdown ?? answer?.innerText ?? "");
    if (!hasWorked) return asking.fail("The browser doesn't let this page copy. Select the text, and copy it by hand.");
    setDone(true);
    announce("The answer is copied.");
  };
  return (
    <span ref={place}>
      <Button kind="quiet" onClick={copy}>
        {isDone ? "Copied" : "Copy"}
      </Button>
    </span>
  );
}

/** Leads to the other branches that begin here. */
function Branches({ turn }: { turn: Turn }) {
  const chat = useChat();
  const { ask, trouble } = useAsking();
  const row = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    const arrival = chat.arriving.current;
    if (arrival?.turn !== turn.id) return;
    chat.arriving.current = null;
    const [back, forth] = row.current?.querySelectorAll("button") ?? [];
    const wanted = arrival.step < 0 ? back : forth;
    (wanted?.disabled ? (wanted === back ? forth : back) : wanted)?.focus();
  }, [chat, turn.id]);
  const place = turn.siblings.indexOf(turn.id);
  if (turn.siblings.length < 2 || place < 0) return null;
  const button = (step: -1 | 1, label: string, sign: string) => {
    const target = turn.siblings[place + step];
    const go = async () => {
      chat.arriving.current = target ? { turn: target, step } : null;
      if ((await ask("switch", { turn: target })) === undefined) chat.arriving.current = null;
      else chat.announce(`Branch ${place + 1 + step} of ${turn.siblings.length}.`);
    };
    if (!chat.canAct) return null;
    return (
      <Button kind="quiet" label={label} disabled={!target || chat.running} onClick={go}>
        {sign}
      </Button>
    );
  };
  return (
    <span class="ab-branches" ref={row}>
      {button(-1, "Previous branch", "‹")}
      <span>
        {place + 1} / {turn.siblings.length}
      </span>
      {button(1, "Next branch", "›")}
      {trouble}
    </span>
  );
}
