// What an answer rests on, below it: each passage once, and what else the model named.

import { useContext } from "preact/hooks";
import { PassageButton } from "./cited";
import { OutsideLink } from "./images";
import { TurnId } from "./picture";
import type { Source } from "./types";

export function Sources({ sources }: { sources: readonly Source[] | undefined }) {
  if (!sources || sources.length === 0) return null;
  return (
    <section class="ab-sources" aria-label="Sources">
      <span class="ab-label">Sources</span>
      <ul>
        {sources.map((source, index) => (
          <li key={index} dir="auto">
            {source.n == null ? <Named source={source} /> : <Numbered source={source} n={source.n} />}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Numbered({ source, n }: { source: Source; n: number }) {
  const turn = useContext(TurnId);
  return (
    <>
      <PassageButton turn={turn} n={n} title={source.title} />
      {source.cited === false && <span class="ab-muted"> not cited</span>}
      {isWeb(source.url) && (
        <>
          {" "}
          <OutsideLink url={source.url} label="web page" />
        </>
      )}
    </>
  );
}

function Named({ source: { title, url, quote } }: { source: Source }) {
  return (
    <>
      {isWeb(url) ? <OutsideLink url={url} label={title || url} /> : title}
      {quote && <blockquote dir="auto">{quote}</blockquote>}
    </>
  );
}

const isWeb = (url: string | null): url is string => url !== null && /^https?:/i.test(url);
