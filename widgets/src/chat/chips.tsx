// The documents that answers rest on, and how far each is.

import { Button } from "../shared/ui";
import type { ChatDocument } from "./types";

interface Props {
  documents: readonly ChatDocument[];
  onRemove: (document: ChatDocument) => void;
  onRetry: (document: ChatDocument) => void;
}

const KINDS = { file: "ready", collection: "collection", url: "web page", text: "text" } as const;

export function Chips({ documents, onRemove, onRetry }: Props) {
  if (documents.length === 0) return null;
  return (
    <ul class="ab-chips" aria-label="Documents that answers rest on">
      {documents.map((each) => (
        <li key={each.key} class={`ab-chip ab-chip-${each.state}`}>
          <span class="ab-chip-name" dir="auto" title={each.name}>
            {each.name}
          </span>
          <span class="ab-chip-state">{words(each)}</span>
          <Bar document={each} />
          {each.retry && (
            <Button kind="quiet" label={`Process ${each.name} again`} onClick={() => onRetry(each)}>
              Retry
            </Button>
          )}
          <Button kind="quiet" label={`Remove ${each.name}`} onClick={() => onRemove(each)}>
            ×
          </Button>
          {each.error && <span class="ab-chip-error">{each.error}</span>}
        </li>
      ))}
    </ul>
  );
}

function words({ state, kind, done, total }: ChatDocument): string {
  if (state === "ready") return KINDS[kind];
  if (state === "uploading") return `uploading ${total > 0 ? Math.floor((100 * done) / total) : 0}%`;
  return state === "embedding" ? `embedding ${done} of ${total}` : state;
}

function Bar({ document: { name, state, done, total } }: { document: ChatDocument }) {
  if (state !== "uploading" && state !== "embedding") return null;
  return <progress value={done} max={Math.max(total, 1)} aria-label={`${name}: ${state}`} />;
}
