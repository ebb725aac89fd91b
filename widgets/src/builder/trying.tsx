// Asks what the form describes, saved or not.

import { useState } from "preact/hooks";
import { Html } from "../shared/html";
import type { Requests } from "../shared/requests";
import { useTrait } from "../shared/state";
import { Button, Hidden, Notice, Spinner } from "../shared/ui";
import type { Answer } from "./types";

export function Trying({ requests, isLive }: { requests: Requests; isLive: boolean }) {
  const answer = useTrait<Answer | null>("answer");
  const [text, setText] = useState("");
  const isRunning = answer?.running === true;
  const canAsk = isLive && !isRunning && text.trim() !== "";
  const ask = async () => {
    if (canAsk && (await requests.run("ask", { text }))) setText((now) => (now === text ? "" : now));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || event.shiftKey || event.altKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    event.stopPropagation(); // with Ctrl the notebook would run the cell
    void ask();
  };
  return (
    <section class="ab-try" aria-label="Try it">
      <h3 class="ab-group">Try it</h3>
      <p class="ab-what">As it stands in the form, saved or not. What it says isn't kept in the history.</p>
      <div class="ab-adding">
        <textarea
          aria-label="Ask it"
          placeholder="Ask it something"
          dir="auto"
          rows={Math.min(6, text.split("\n").length)}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
          onKeyDown={onKeyDown}
        />
        {isRunning ? (
          <Button disabled={!isLive} onClick={() => void requests.run("stop")}>
            Stop
          </Button>
        ) : (
          <Button disabled={!canAsk} onClick={() => void ask()}>
            Ask
          </Button>
        )}
      </div>
      {answer && <Said answer={answer} />}
    </section>
  );
}

/** An answer that came, or comes. */
export function Said({ answer }: { answer: Answer }) {
  return (
    <div class="ab-said" aria-busy={answer.running}>
      <blockquote dir="auto">{answer.question}</blockquote>
      <Html class="ab-html" html={answer.html} />
      {answer.running && <Spinner label="An answer is coming" />}
      {answer.note && <p class="ab-what">{answer.note}</p>}
      {answer.error && <Notice kind="error">{answer.error}</Notice>}
      {answer.line && <p class="ab-what ab-taken">{answer.line}</p>}
      <div aria-live="polite">{!answer.running && !answer.error && <Hidden>The answer has ended.</Hidden>}</div>
    </div>
  );
}
