// Images in messages: from files to data URLs that fit through the notebook's connection, and back on the page.
//
// Notebook servers close a connection on a message above 10 MiB, and models see no more than about 2,048 pixels.

import { Button } from "../shared/ui";
import { isHeld, Picture, SAFE } from "./picture";

const TYPES = ["image/png", "image/jpeg", "image/gif", "image/webp"];
const AS_IS_BYTES = 220_000; // what is larger isn't part of a turn, but is fetched
const MAX_SENT_BYTES = 1_000_000;
const MAX_ALL_CHARACTERS = 8_000_000;
const MAX_SIDE = 2048;
const QUALITIES = [0.9, 0.75, 0.5];
const NO_DOCUMENTS = "A question that is edited keeps its documents. Add others at the message field, and ask there.";

/** Return the files as data URLs; raises an error that can be shown. */
export async function dataUrls(files: readonly File[], present: readonly string[] = []): Promise<string[]> {
  const other = files.find((file) => !isImage(file));
  if (other) throw new Error(`${other.name || "This file"} isn't an image. ${NO_DOCUMENTS}`);
  const urls: string[] = [];
  for (const file of files) urls.push(await dataUrl(file.size > AS_IS_BYTES ? await smaller(file) : file));
  const size = [...present, ...urls].reduce((sum, url) => sum + url.length, 0);
  if (size > MAX_ALL_CHARACTERS)
    throw new Error("These images are too large for one message. Remove one, or send two.");
  return urls;
}

export const isImage = (file: File): boolean => TYPES.includes(file.type);

/** Return the files of a paste or a drop. */
export function filesOf(data: DataTransfer | null): File[] {
  return Array.from(data?.files ?? []);
}

function dataUrl(blob: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result as string);
    reader.onerror = () => reject(new Error("The image couldn't be read."));
    reader.readAsDataURL(blob);
  });
}

async function smaller(file: File): Promise<Blob> {
  const bitmap = await createImageBitmap(file).catch(() => {
    throw new Error(`${file.name || "The image"} couldn't be read as an image.`);
  });
  const scale = Math.min(1, MAX_SIDE / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = canvas.getContext("2d");
  if (!context) throw new Error("This browser can't make the image smaller.");
  context.fillStyle = "#fff"; // JPEG has no transparency
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return encoded(canvas, file);
}

async function encoded(canvas: HTMLCanvasElement, file: File): Promise<Blob> {
  for (const quality of QUALITIES) {
    const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/jpeg", quality));
    if (blob && blob.size <= MAX_SENT_BYTES) return blob.size < file.size ? blob : file;
  }
  throw new Error(`${file.name || "The image"} is too large, even when it is made smaller.`);
}

/** Images of a message or a result; one that would be fetched from elsewhere is a link. */
export function Images({ images, label, call }: { images: readonly string[]; label: string; call?: string }) {
  if (images.length === 0) return null;
  return (
    <div class="ab-images">
      {images.map((src, index) => {
        const name = images.length > 1 ? `${label} ${index + 1}` : label;
        if (SAFE.test(src) || isHeld(src)) return <Picture key={index} src={src} alt={name} call={call} />;
        return /^https?:/i.test(src) ? <OutsideLink key={index} url={src} label={name} /> : null;
      })}
    </div>
  );
}

export function OutsideLink({ url, label }: { url: string; label: string }) {
  return (
    <a href={url} target="_blank" rel="noopener noreferrer">
      {label}
    </a>
  );
}

/** Images that a message will have; each can be removed. */
export function Thumbnails({ images, onRemove }: { images: readonly string[]; onRemove: (index: number) => void }) {
  if (images.length === 0) return null;
  return (
    <ul class="ab-thumbnails" aria-label="Images to send">
      {images.map((src, index) => (
        <li key={index}>
          <Picture src={src} alt={`${index + 1} to send`} />
          <Button kind="quiet" label={`Remove image ${index + 1}`} onClick={() => onRemove(index)}>
            ×
          </Button>
        </li>
      ))}
    </ul>
  );
}
