// The growing field that messages are written in, and the images that go with them.

import type { ComponentChildren, Ref } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { dataUrls, filesOf } from "./images";

interface Props {
  label: string;
  value: string;
  placeholder?: string;
  field: Ref<HTMLTextAreaElement>;
  onInput: (value: string) => void;
  onEnter: () => void;
  onEscape?: () => void;
  onBlur?: () => void;
}

/** Enter sends, Shift+Enter begins a line; Enter that ends a composition of an input method does neither. */
export function MessageField({ label, value, placeholder, field, onInput, onEnter, onEscape, onBlur }: Props) {
  const own = useRef<HTMLTextAreaElement | null>(null);
  useLayoutEffect(() => {
    if (own.current && value !== undefined) grow(own.current);
  }, [value]);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === "Enter" && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      event.stopPropagation(); // with Ctrl the notebook would run the cell
      onEnter();
    } else if (event.key === "Escape" && onEscape) {
      event.stopPropagation();
      onEscape();
    }
  };
  return (
    <textarea
      ref={(element) => {
        own.current = element;
        if (typeof field === "function") field(element);
        else if (field) field.current = element;
      }}
      rows={1}
      dir="auto"
      aria-label={label}
      placeholder={placeholder}
      value={value}
      onInput={(event) => onInput(event.currentTarget.value)}
      onKeyDown={onKeyDown}
      onBlur={onBlur}
    />
  );
}

function grow(area: HTMLTextAreaElement) {
  area.style.height = "auto";
  if (area.scrollHeight > 0) area.style.height = `${area.scrollHeight + 2}px`;
}

interface DropProps {
  class: string;
  onKeyDown?: (event: KeyboardEvent) => void;
  children: ComponentChildren;
  onFiles: (files: File[]) => void;
}

/** Takes files that are pasted or dropped on it. */
export function DropZone({ class: name, children, onFiles, onKeyDown }: DropProps) {
  const zone = useRef<HTMLDivElement>(null);
  const mark = (isOver: boolean) => zone.current?.classList.toggle("ab-over", isOver);
  const onDragOver = (event: DragEvent) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    event.stopPropagation();
    mark(true);
  };
  const onDrop = (event: DragEvent) => {
    mark(false);
    const files = filesOf(event.dataTransfer);
    if (files.length === 0) return;
    event.preventDefault();
    event.stopPropagation();
    onFiles(files);
  };
  const onPaste = (event: ClipboardEvent) => {
    const files = filesOf(event.clipboardData);
    if (files.length === 0 || event.clipboardData?.types.includes("text/plain")) return;
    event.preventDefault();
    event.stopPropagation();
    onFiles(files);
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: a button does the same by keyboard
    <div
      ref={zone}
      class={name}
      onDragOver={onDragOver}
      onDragLeave={() => mark(false)}
      onDrop={onDrop}
      onPaste={onPaste}
      onKeyDown={onKeyDown}
    >
      {children}
    </div>
  );
}

export interface Message {
  text: string;
  images: string[];
}

/** Return the message with the images of these files; raises an error that can be shown. */
export async function withFiles(message: Message, files: File[]): Promise<Message> {
  return { ...message, images: [...message.images, ...(await dataUrls(files, message.images))] };
}
