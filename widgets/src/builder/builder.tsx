// The whole form: which assistant, what it is, and beside that what it answers.

import { useEffect, useMemo } from "preact/hooks";
import { type Requests, useRequests } from "../shared/requests";
import { useStatus, useTrait } from "../shared/state";
import { Notice, Select } from "../shared/ui";
import { type Editing, EditingContext } from "./context";
import { Field, LongText, Text } from "./field";
import { Files } from "./files";
import { Footer } from "./footer";
import { Metadata } from "./metadata";
import { ReadingTable } from "./reading";
import { Tools } from "./tools";
import { Trying } from "./trying";
import { type Answers, called, type Form, type Listed, NEW } from "./types";

const SAYS: ReadonlySet<string> = new Set(["save", "delete"]);

export function Builder() {
  return useStatus() === "none" ? <ReadingTable /> : <Live />;
}

function Live() {
  const requests = useRequests(SAYS);
  const isLive = useStatus() === "live";
  const assistant = useTrait<string>("assistant");
  const readOnly = useTrait<string>("read_only");
  const refused = useTrait<string>("refused");
  const { run } = requests;
  useEffect(() => void run("refresh"), [run]); // others may have changed assistants since
  return (
    <>
      <div class="ab-bar">
        <Chooser requests={requests} isLive={isLive} />
      </div>
      {refused && <Notice kind="warning">{refused}</Notice>}
      {readOnly && <Notice kind="info">{readOnly}</Notice>}
      <div class="ab-sides">
        <fieldset disabled={!isLive || readOnly !== "" || refused !== ""}>
          <Fields key={assistant} assistant={assistant} requests={requests} />
        </fieldset>
        {!refused && <Trying requests={requests} isLive={isLive} />}
      </div>
      <Footer requests={requests} isLive={isLive} />
    </>
  );
}

function Chooser({ requests, isLive }: { requests: Requests; isLive: boolean }) {
  const assistant = useTrait<string>("assistant");
  const listed = useTrait<Listed[]>("assistants");
  return (
    <Select
      label="Assistant"
      value={assistant}
      disabled={!isLive}
      options={[
        { value: NEW, label: "New assistant" },
        ...listed.map((each) => ({ value: each.id, label: called(each) })),
      ]}
      onChange={(each) => void requests.run("choose", { assistant: each })}
    />
  );
}

function Fields({ assistant, requests }: { assistant: string; requests: Requests }) {
  const form = useTrait<Form>("form");
  const pending = useTrait<string[]>("pending");
  const errors = useTrait<Record<string, string>>("errors");
  const id = useMemo(() => `ab-builder-${Math.random().toString(36).slice(2)}`, []);
  const { run } = requests;
  const editing: Editing = {
    id,
    form,
    pending,
    errors,
    put: async (control, value) => void (await run("put", { assistant, control, value })),
  };
  return (
    <EditingContext.Provider value={editing}>
      <Field control="name" label="Name">
        <Text control="name" placeholder="such as Poet" />
      </Field>
      <Field control="description" label="Description">
        <Text control="description" />
      </Field>
      <Model />
      <Field control="instructions" label="Instructions" hint="What it is told before each conversation.">
        <LongText control="instructions" least={4} />
      </Field>
      <Field control="temperature" label="Temperature" hint="0 is sober, 2 is wild.">
        <Text control="temperature" placeholder="the model's" />
      </Field>
      <Field control="top_p" label="Top p" hint="0 to 1: how many of the likeliest words count.">
        <Text control="top_p" placeholder="the model's" />
      </Field>
      <Tools />
      <Files requests={requests} />
      <Metadata />
    </EditingContext.Provider>
  );
}

function Model() {
  const models = useTrait<string[]>("models");
  const { by, why } = useTrait<Answers>("answers");
  const hint = by ? `${by} answers.` : why || "An agent, an endpoint/model, or a name from old code.";
  return (
    <Field control="model" label="Model" hint={hint}>
      <Text control="model" suggestions={models} />
    </Field>
  );
}
