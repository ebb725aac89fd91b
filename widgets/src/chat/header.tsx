// The conversation's name, who answers, and what it took so far.

import { useEffect, useRef, useState } from "preact/hooks";
import { useTrait } from "../shared/state";
import { Button, Select } from "../shared/ui";
import { useAsking } from "./asking";
import { useChat } from "./context";
import type { Agent, Totals } from "./types";

export function Header() {
  const { canAct, running, announce, focusComposer } = useChat();
  const { ask, trouble } = useAsking();
  const totals = useTrait<Totals | undefined>("totals");
  const fresh = async () => {
    if ((await ask("fresh")) === undefined) return;
    announce("A new conversation.");
    focusComposer();
  };
  return (
    <header class="ab-head">
      <div class="ab-head-row">
        <Title />
        {canAct && (
          <Button label="New conversation" disabled={running} onClick={fresh}>
            New
          </Button>
        )}
      </div>
      <div class="ab-head-row">
        {canAct ? <Choices onUse={(choice) => ask("use", choice)} /> : <Chosen />}
        <span class="ab-muted ab-totals">{totals?.line}</span>
      </div>
      {trouble}
    </header>
  );
}

function Title() {
  const { canAct } = useChat();
  const title = useTrait<string | null>("title");
  const [isEdited, setEdited] = useState(false);
  const { ask, trouble } = useAsking();
  const button = useRef<HTMLSpanElement>(null);
  const shown = title || "New conversation";
  if (!canAct) return <b class="ab-title">{shown}</b>;
  const end = async (text: string | null) => {
    setEdited(false);
    requestAnimationFrame(() => button.current?.querySelector("button")?.focus());
    const name = text?.trim();
    if (name && name !== title) await ask("rename", { title: name });
  };
  if (isEdited) return <TitleField title={title ?? ""} onEnd={end} />;
  return (
    <span class="ab-title" ref={button}>
      <button type="button" title="Rename" aria-label={`${shown}: rename`} onClick={() => setEdited(true)} dir="auto">
        {shown}
      </button>
      {trouble}
    </span>
  );
}

function TitleField({ title, onEnd }: { title: string; onEnd: (text: string | null) => void }) {
  const field = useRef<HTMLInputElement>(null);
  const isOver = useRef(false);
  useEffect(() => field.current?.select(), []);
  const end = (text: string | null) => {
    if (isOver.current) return; // it loses the keyboard when it goes
    isOver.current = true;
    onEnd(text);
  };
  return (
    <input
      ref={field}
      class="ab-title"
      aria-label="Title"
      dir="auto"
      maxLength={200}
      defaultValue={title}
      onKeyDown={(event) => {
        if (event.key === "Enter" && !event.isComposing) end(event.currentTarget.value);
        if (event.key === "Escape") {
          event.stopPropagation();
          end(null);
        }
      }}
      onBlur={(event) => end(event.currentTarget.value)}
    />
  );
}

function Choices({ onUse }: { onUse: (choice: { agent?: string; model?: string }) => void }) {
  const { running } = useChat();
  const agents = useTrait<Agent[]>("agents") ?? [];
  const models = useTrait<string[]>("models") ?? [];
  const agent = useTrait<string>("agent");
  const model = useTrait<string>("model");
  const own = agents.find((each) => each.id === agent)?.model;
  return (
    <>
      {agents.length > 0 && (
        <Select
          label="Agent"
          value={agent}
          disabled={running}
          options={agents.map(({ id, name }) => ({ value: id, label: name }))}
          onChange={(value) => onUse({ agent: value })}
        />
      )}
      <Select
        label="Model"
        value={model}
        disabled={running}
        options={[
          { value: "", label: own ? `${own} (the agent's)` : "the agent's own" },
          ...withChosen(models, model).map((value) => ({ value, label: value })),
        ]}
        onChange={(value) => onUse({ model: value })}
      />
    </>
  );
}

const withChosen = (models: string[], chosen: string) =>
  chosen && !models.includes(chosen) ? [chosen, ...models] : models;

function Chosen() {
  const agents = useTrait<Agent[]>("agents") ?? [];
  const chosen = useTrait<string>("agent");
  const model = useTrait<string>("model");
  const agent = agents.find((each) => each.id === chosen);
  return <span class="ab-muted">{[agent?.name, model || agent?.model].filter(Boolean).join(" · ")}</span>;
}
