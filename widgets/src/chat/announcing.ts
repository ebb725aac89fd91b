// What screen readers are told: whole sentences about what happens, and the answer once it is there.

import type { Turn } from "./types";

const MAX_READ = 800;
const FRESH_MS = 5_000;

/** Return what to say when the newest turn has changed; "" for nothing. */
export function spoken(before: Turn | undefined, now: Turn | undefined): string {
  if (!now) return "";
  const isSame = before?.id === now.id;
  const call = now.blocks.find((block) => block.state === "waiting");
  if (call && !(isSame && before.blocks.some((block) => block.key === call.key && block.state === "waiting"))) {
    return `${call.name} waits for your approval.`;
  }
  if (now.status === "running") return isSame ? "" : "The model is answering.";
  // A turn that ends at once was never seen running; one of another branch is old.
  if (isSame ? before.status !== "running" : Date.now() - Date.parse(now.at) > FRESH_MS) return "";
  const ending = now.note ? ` ${now.note}` : "";
  if (now.status === "failed") return `The answer failed.${ending}`;
  if (now.status === "stopped") return `The answer was stopped.${ending}`;
  return `The answer is: ${answerText(now)}${ending}`;
}

function answerText(turn: Turn): string {
  const html = turn.blocks.filter((block) => block.kind !== "reasoning" && block.kind !== "call");
  const page = new DOMParser().parseFromString(html.flatMap((block) => block.html).join(" "), "text/html");
  const text = (page.body.textContent ?? "").replace(/\s+/g, " ").trim();
  if (text.length <= MAX_READ) return text || "empty.";
  const end = text.lastIndexOf(". ", MAX_READ);
  return `${text.slice(0, end > 0 ? end + 1 : MAX_READ)} The rest is in the conversation.`;
}
