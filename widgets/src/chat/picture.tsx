// One image: as it came in the turn, or fetched from the kernel when it comes into view.
//
// Notebook servers drop what is more than a megabyte a second, so images are fetched one after the other.

import { createContext } from "preact";
import { useContext, useEffect, useRef, useState } from "preact/hooks";
import type { Kernel } from "../shared/kernel";
import { useKernel } from "../shared/state";
import { useChat } from "./context";

export const SAFE = /^data:image\/(?:png|jpeg|gif|webp|svg\+xml)[;,]/i;
const HELD = /^held:(\d+)$/;
const BYTES_PER_MS = 500;

/** The turn that an image belongs to. */
export const TurnId = createContext("");

export const isHeld = (src: string) => HELD.test(src);

interface Props {
  src: string;
  alt: string;
  /** The call that gave the image back; none for one of the question. */
  call?: string | undefined;
}

export function Picture({ src, alt, call }: Props) {
  const { canAct } = useChat();
  if (!isHeld(src)) return <img src={SAFE.test(src) ? src : undefined} alt={alt} />;
  if (!canAct) return <span class="ab-held">{alt}: not in this page</span>;
  return <HeldPicture src={src} alt={alt} call={call} />;
}

function HeldPicture({ src, alt, call = "" }: Props) {
  const box = useRef<HTMLElement | null>(null);
  const { url, error, again } = useHeld({ turn: useContext(TurnId), index: Number(HELD.exec(src)?.[1]), call }, box);
  if (url) return <img src={url} alt={alt} />;
  if (error) {
    return (
      <button type="button" class="ab-held" title={error} onClick={again}>
        Load the image
      </button>
    );
  }
  return (
    <span class="ab-held" role="img" aria-label={`${alt}, loading`} ref={box}>
      Loading
    </span>
  );
}

interface Place {
  turn: string;
  index: number;
  call: string;
}

/** An image's address while it is shown; it is asked for when it is seen first. */
function useHeld({ turn, index, call }: Place, box: { current: HTMLElement | null }) {
  const kernel = useKernel();
  const [tries, setTries] = useState(0);
  const [url, setUrl] = useState("");
  const [error, setError] = useState("");
  useEffect(() => whenSeen(box.current, () => setTries(1)), [box]);
  useEffect(() => {
    if (tries === 0) return;
    const gone = new AbortController();
    let address = "";
    setUrl("");
    fetched(kernel, { turn, index, call }, gone.signal).then(
      (blob) => {
        if (gone.signal.aborted) return;
        address = URL.createObjectURL(blob);
        setUrl(address);
      },
      (reason: Error) => gone.signal.aborted || setError(reason.message),
    );
    return () => {
      gone.abort();
      if (address) URL.revokeObjectURL(address);
    };
  }, [kernel, turn, index, call, tries]);
  const again = () => {
    setError("");
    setTries(tries + 1);
  };
  return { url, error, again };
}

const queues = new WeakMap<Kernel, Promise<unknown>>();

/** Ask for an image when those that were asked for before are there. */
function fetched(kernel: Kernel, place: Place, gone: AbortSignal): Promise<Blob> {
  const asked = (queues.get(kernel) ?? Promise.resolve()).then(() => {
    gone.throwIfAborted();
    return kernel.ask("image", { ...place });
  });
  const pause = (bytes: number) => new Promise((resolve) => setTimeout(resolve, bytes / BYTES_PER_MS));
  queues.set(
    kernel,
    asked.then(
      ({ buffers }) => pause(buffers[0]?.byteLength ?? 0),
      () => {},
    ),
  );
  return asked.then(({ value, buffers }) => new Blob(buffers as BlobPart[], value as { type: string }));
}

function whenSeen(element: HTMLElement | null, then: () => void): () => void {
  if (!element || typeof IntersectionObserver === "undefined") {
    then();
    return () => {};
  }
  const observer = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    then();
  });
  observer.observe(element);
  return () => observer.disconnect();
}
