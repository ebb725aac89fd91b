// What is pending, and what can be done with it.

import { useTrait } from "../shared/state";
import { Button, Notice } from "../shared/ui";
import type { Actions } from "./actions";

export function Footer({ actions, onDiff }: { actions: Actions; onDiff: () => void }) {
  const pending = useTrait<string[]>("pending");
  const session = useTrait<string[]>("session");
  const problems = useTrait<string[]>("problems");
  const undoes = useTrait<string>("undoes");
  const redoes = useTrait<string>("redoes");
  const file = useTrait<string | null>("file");
  const act = (op: string) => () => void actions.run(op);
  const nothing = pending.length === 0 && session.length === 0;
  return (
    <div class="ab-footer">
      {actions.told && <Notice kind={actions.told.kind}>{actions.told.text}</Notice>}
      {problems.length > 0 && <Problems problems={problems} />}
      <div class="ab-bar">
        <span class="ab-count" title={[...pending, ...session].join(", ")}>
          {counted(pending.length, session.length)}
        </span>
        <span class="ab-grow" />
        <Button label={undoes && `Undo ${undoes}`} disabled={!undoes} onClick={act("undo")}>
          Undo
        </Button>
        <Button label={redoes && `Redo ${redoes}`} disabled={!redoes} onClick={act("redo")}>
          Redo
        </Button>
        <Button disabled={pending.length === 0} onClick={act("discard")}>
          Discard
        </Button>
        <Button disabled={nothing || file === null} onClick={onDiff}>
          Diff
        </Button>
        <Button disabled={nothing || file === null || problems.length > 0} onClick={act("save")}>
          Save to file
        </Button>
        <Button kind="primary" disabled={pending.length === 0 || problems.length > 0} onClick={act("apply")}>
          Apply to session
        </Button>
      </div>
    </div>
  );
}

function Problems({ problems }: { problems: string[] }) {
  const [first, ...others] = problems;
  return (
    <p class="ab-problems">
      {first}
      {others.length > 0 && ` (and ${others.length} more)`}
    </p>
  );
}

function counted(pending: number, session: number): string {
  const parts = [pending ? `${pending} pending` : "", session ? `${session} in this session, unsaved` : ""];
  return parts.filter(Boolean).join(" · ") || "No changes";
}
