// What every part of the chat may need: whether it can act, and where the keyboard goes next.

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Conversation } from "./conversation";

export interface Chat {
  conversation: Conversation;
  /** There is a kernel that may be asked. */
  canAct: boolean;
  running: boolean;
  /** The kernel answers; a turn that runs goes on. */
  isLive: boolean;
  /** Put the keyboard into the field for the next message. */
  focusComposer: () => void;
  /** The reader is at the end, or has just asked: what is new is scrolled to. */
  following: { current: boolean };
  /** Takes files that are dropped anywhere on the chat. */
  taking: { current: (files: File[]) => void };
  /** Show a passage that a turn's answer may cite, where it stands. */
  showPassage: (turn: string, n: number) => void;
  /** Say something to screen readers. */
  announce: (sentence: string) => void;
  /** The button that gets the keyboard when the branch it led to is there. */
  arriving: { current: { turn: string; step: -1 | 1 } | null };
}

export const ChatContext = createContext<Chat | null>(null);

export function useChat(): Chat {
  const chat = useContext(ChatContext);
  if (!chat) throw new Error("outside of the chat");
  return chat;
}
