// What the pending settings would do, asked of the kernel when a tab is opened and when something changes.

import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { useKernel, useTrait } from "../shared/state";
import { Notice } from "../shared/ui";

export type Preview = "headers" | "title" | "truncation";

interface Answer<T> {
  value: T | null;
  error: string;
}

/** Ask again whenever `changed` does; the last answer is shown until the next is there. */
function useAnswer<T>(op: string, args: Record<string, unknown>, changed: string): Answer<T> {
  const kernel = useKernel();
  const [answer, setAnswer] = useState<Answer<T>>({ value: null, error: "" });
  useEffect(() => {
    let isOver = false;
    kernel.request<T>(op, args).then(
      (value) => !isOver && setAnswer({ value, error: "" }),
      (error: Error) => !isOver && setAnswer({ value: null, error: error.message }),
    );
    return () => {
      isOver = true;
    };
  }, [kernel, op, changed]);
  return answer;
}

/** What an answer depends on: any pending change or step. */
function useVersion(): string {
  const fields = useTrait<unknown[]>("fields");
  const steps = [useTrait("pending"), useTrait("session"), useTrait("undoes"), useTrait("redoes"), fields];
  return JSON.stringify(steps);
}

function Shown<T>({ answer, children }: { answer: Answer<T>; children: (value: T) => ComponentChildren }) {
  if (answer.error) return <Notice kind="error">{answer.error}</Notice>;
  return <>{answer.value !== null && children(answer.value)}</>;
}

/** A long text in a box that scrolls. */
function Text({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <section class="ab-scrolled" aria-label={label} tabIndex={0}>
      <pre class="ab-mono">{children}</pre>
    </section>
  );
}

export function PreviewPanel({ endpoint, kind }: { endpoint: string; kind: Preview }) {
  if (kind === "headers") return <Headers endpoint={endpoint} />;
  return kind === "title" ? <TitlePrompt endpoint={endpoint} /> : <Truncation endpoint={endpoint} />;
}

function Headers({ endpoint }: { endpoint: string }) {
  const args = { endpoint, kind: "headers" };
  const answer = useAnswer<{ of: string; headers: [string, string][] }>("preview", args, endpoint + useVersion());
  return (
    <Shown answer={answer}>
      {({ of, headers }) => (
        <>
          <p class="ab-muted">
            {headers.length > 0
              ? `What you send to ${of}, with secrets masked. Headers that the provider itself needs win.`
              : `${of} gets no headers.`}
          </p>
          <table>
            <tbody>
              {headers.map(([name, value]) => (
                <tr key={name}>
                  <th scope="row" class="ab-mono">
                    {name}
                  </th>
                  <td class="ab-mono">{value}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </>
      )}
    </Shown>
  );
}

interface Title {
  of: string;
  enabled: boolean;
  asked: string;
  prompt: string;
  json: boolean;
  example: boolean;
}

function TitlePrompt({ endpoint }: { endpoint: string }) {
  const answer = useAnswer<Title>("preview", { endpoint, kind: "title" }, endpoint + useVersion());
  return (
    <Shown answer={answer}>
      {({ of, enabled, asked, prompt, json, example }) => (
        <>
          <p class="ab-muted">
            {enabled ? `Goes to ${asked}` : `titleConvo is off for ${of}, so nobody is asked. It would go to ${asked}`}
            {json ? ", which answers in JSON. " : ". "}
            {example ? "An example, as there is no conversation yet:" : "On the newest conversation:"}
          </p>
          <Text label="Title prompt">{prompt}</Text>
        </>
      )}
    </Shown>
  );
}

interface Cut {
  of: string;
  limit: number | null;
  before: number;
  after: number;
  text: string;
  source: "sample" | "conversation" | "example";
}

const SOURCES = { sample: "your sample", conversation: "this conversation's longest result", example: "an example" };
const count = (value: number) => value.toLocaleString("en-US");

function Truncation({ endpoint }: { endpoint: string }) {
  const [sample, setSample] = useState("");
  const changed = endpoint + sample + useVersion();
  const answer = useAnswer<Cut>("preview", { endpoint, kind: "truncation", sample }, changed);
  return (
    <>
      <Shown answer={answer}>
        {({ of, limit, before, after, text, source }) => (
          <>
            <p class="ab-muted">
              Of {SOURCES[source]} with {count(before)} characters, a model at {of} reads {count(after)}
              {limit === null ? ": maxToolResultChars isn't set." : ` (maxToolResultChars: ${count(limit)}).`}
            </p>
            <Text label="What a model reads">{text}</Text>
          </>
        )}
      </Shown>
      <label class="ab-sample">
        <span class="ab-label">Sample of your own</span>
        <textarea rows={3} value={sample} onChange={(event) => setSample(event.currentTarget.value)} />
      </label>
    </>
  );
}

export function DiffPanel() {
  const answer = useAnswer<string>("diff", {}, useVersion());
  return (
    <Shown answer={answer}>
      {(diff) =>
        diff ? (
          <Text label="Diff">
            {diff.split("\n").map((line, at) => (
              <span key={at} class={className(line)}>
                {`${line}\n`}
              </span>
            ))}
          </Text>
        ) : (
          <p class="ab-muted">Saving would change nothing in the file.</p>
        )
      }
    </Shown>
  );
}

function className(line: string): string {
  if (/^(\+\+\+|---|@@)/.test(line)) return "ab-muted";
  return line.startsWith("+") ? "ab-added" : line.startsWith("-") ? "ab-removed" : "";
}
