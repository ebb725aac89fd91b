// What can be done with the assistant that is shown.

import { useEffect, useState } from "preact/hooks";
import type { Requests } from "../shared/requests";
import { useTrait } from "../shared/state";
import { Button, Notice } from "../shared/ui";
import { NEW } from "./types";

export function Footer({ requests, isLive }: { requests: Requests; isLive: boolean }) {
  const assistant = useTrait<string>("assistant");
  const pending = useTrait<string[]>("pending");
  const readOnly = useTrait<string>("read_only");
  const refused = useTrait<string>("refused");
  const { told, run } = requests;
  const canChange = readOnly === "" && refused === "";
  return (
    <div class="ab-footer">
      {told && <Notice kind={told.kind}>{told.text}</Notice>}
      {refused === "" && (
        <div class="ab-bar">
          <span class="ab-count">{counted(pending.length)}</span>
          <span class="ab-grow" />
          {assistant !== NEW && canChange && (
            <Delete key={assistant} disabled={!isLive} onDelete={() => run("delete")} />
          )}
          {assistant !== NEW && (
            <Button disabled={!isLive} onClick={() => void run("copy_to_new")}>
              Copy to a new one
            </Button>
          )}
          {canChange && (
            <>
              <Button disabled={!isLive || pending.length === 0} onClick={() => void run("discard")}>
                Discard
              </Button>
              <Button kind="primary" disabled={!isLive || pending.length === 0} onClick={() => void run("save")}>
                {assistant === NEW ? "Make assistant" : "Save"}
              </Button>
            </>
          )}
        </div>
      )}
    </div>
  );
}

const PATIENCE_MS = 8_000;

/** Asks once more, in place of itself. */
function Delete({ disabled, onDelete }: { disabled: boolean; onDelete: () => Promise<boolean> }) {
  const [isAsking, setAsking] = useState(false);
  useEffect(() => {
    if (!isAsking) return;
    const timer = setTimeout(() => setAsking(false), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [isAsking]);
  if (!isAsking) {
    return (
      <Button disabled={disabled} onClick={() => setAsking(true)}>
        Delete
      </Button>
    );
  }
  const answer = (isSure: boolean) => () => {
    setAsking(false);
    if (isSure) void onDelete();
  };
  return (
    <span class="ab-sure" role="status">
      For good?{" "}
      <Button kind="danger" disabled={disabled} onClick={answer(true)}>
        Delete it
      </Button>{" "}
      <Button onClick={answer(false)}>Keep it</Button>
    </span>
  );
}

function counted(pending: number): string {
  if (pending === 0) return "No changes";
  return pending === 1 ? "1 field isn't saved" : `${pending} fields aren't saved`;
}
