// A tool call as one row: what is called and how it went; arguments and result are folded.

import { useEffect, useRef } from "preact/hooks";
import { seconds } from "../shared/format";
import { Button, Spinner } from "../shared/ui";
import { useAsking } from "./asking";
import { useChat } from "./context";
import { Fold } from "./fold";
import { Images } from "./images";
import { Pieces } from "./pieces";
import type { Block, BlockState } from "./types";

const STATES: Record<BlockState, string> = {
  running: "running",
  waiting: "waits for you",
  done: "done",
  failed: "failed",
  refused: "denied",
};
const MAX_LINE = 120;
const MAX_SHOWN = 20_000;

export function Call({ block }: { block: Block }) {
  const { canAct } = useChat();
  const waits = block.state === "waiting" && canAct;
  return (
    <div class={`ab-call ab-call-${block.state}`}>
      <Fold class="ab-fold" summary={<Summary block={block} />}>
        {() => <Details block={block} />}
      </Fold>
      {waits && <Approval block={block} />}
      {block.state === "failed" && block.note && <p class="ab-hint ab-bad">{block.note}</p>}
    </div>
  );
}

function Summary({ block }: { block: Block }) {
  const line = block.arguments
    .slice(0, 4 * MAX_LINE)
    .replace(/\s+/g, " ")
    .slice(0, MAX_LINE);
  return (
    <span class="ab-call-line">
      <b class="ab-mono">{block.name}</b>
      <span class="ab-mono ab-muted ab-cut">{line}</span>
      <span class="ab-call-state">
        {block.state === "running" && <Spinner label="" />}
        {STATES[block.state]}
        {block.seconds != null && ` · ${seconds(block.seconds)}`}
      </span>
    </span>
  );
}

function Details({ block }: { block: Block }) {
  const { result } = block;
  return (
    <>
      <h5>Arguments</h5>
      <pre class="ab-plain">{shortened(block.arguments) || "none"}</pre>
      {result && (
        <>
          <h5>Result</h5>
          <Pieces html={result.html} />
          <Images images={result.images} label={`Image from ${block.name}`} call={block.call_id} />
          {result.note && <p class="ab-hint">{result.note}</p>}
        </>
      )}
      {block.state !== "failed" && block.note && <p class="ab-hint">{block.note}</p>}
    </>
  );
}

function shortened(text: string): string {
  const rest = text.length - MAX_SHOWN;
  return rest > 0 ? `${text.slice(0, MAX_SHOWN)}\n… ${rest.toLocaleString("en-US")} more characters` : text;
}

/** Asks whether the call may run. It takes the keyboard, but neither from words being written nor onto a button. */
function Approval({ block }: { block: Block }) {
  const { focusComposer } = useChat();
  const { ask, busy, trouble } = useAsking();
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (box.current && mayTakeFocus(box.current)) box.current.focus();
  }, []);
  const decide = async (granted: boolean) => {
    const root = box.current?.closest(".ab-root");
    const answer = await ask("approve", { call: block.call_id, granted });
    if (answer === undefined) return;
    const next = [...(root?.querySelectorAll<HTMLElement>(".ab-approval") ?? [])].find((each) => each !== box.current);
    if (next) next.focus();
    else focusComposer();
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset can't be given the keyboard
    <div class="ab-approval" role="group" tabIndex={-1} ref={box} aria-label={`May ${block.name} run?`}>
      <span>May it run?</span>
      <Button kind="primary" disabled={busy} onClick={() => decide(true)}>
        Approve
      </Button>
      <Button kind="danger" disabled={busy} onClick={() => decide(false)}>
        Deny
      </Button>
      {trouble}
    </div>
  );
}

function mayTakeFocus(box: HTMLElement): boolean {
  const active = document.activeElement;
  const root = box.closest(".ab-root");
  if (!root?.contains(active)) return false;
  if (active?.closest(".ab-approval")) return false;
  return !(active instanceof HTMLTextAreaElement && active.value !== "");
}
