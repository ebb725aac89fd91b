// The chat: a header, the transcript, and a field for the next message.

import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { widget } from "../shared/mount";
import { useStatus, useTrait, useView } from "../shared/state";
import { spoken } from "./announcing";
import { useAsking } from "./asking";
import { Composer } from "./composer";
import { type Chat, ChatContext } from "./context";
import { Conversation } from "./conversation";
import { DropZone } from "./field";
import { Header } from "./header";
import { PassagePanel } from "./passage";
import { Transcript } from "./transcript";
import "./chat.css";

function ChatView() {
  const stopping = useAsking();
  const [said, announce] = useState("");
  const conversation = useConversation(announce);
  const field = useRef<HTMLTextAreaElement>(null);
  const arriving = useRef<Chat["arriving"]["current"]>(null);
  const status = useStatus();
  // What ran has ended with its kernel.
  const running = (useTrait<boolean>("running") ?? false) && status !== "lost";
  const canAct = status !== "none";
  const isLive = status === "live";
  const following = useRef(true);
  const taking = useRef<(files: File[]) => void>(() => {});
  const [passage, setPassage] = useState<{ turn: string; n: number } | null>(null);
  const showPassage = useCallback((turn: string, n: number) => setPassage({ turn, n }), []);
  const focusComposer = () => field.current?.focus();
  const chat = useMemo<Chat>(
    () => ({
      conversation,
      canAct,
      isLive,
      running,
      focusComposer,
      following,
      taking,
      showPassage,
      announce,
      arriving,
    }),
    [conversation, canAct, isLive, running, showPassage],
  );
  const stop = async () => {
    announce("Stopping.");
    await stopping.ask("stop");
    focusComposer();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape" && running) stop();
  };
  return (
    <ChatContext.Provider value={chat}>
      <DropZone class="ab-chat-view" onFiles={(files) => taking.current(files)} onKeyDown={onKeyDown}>
        <Header />
        <Transcript turns={conversation.shown} earlier={conversation.earlier} />
        {stopping.trouble}
        {canAct && <Composer field={field} onStop={stop} />}
        {passage && <PassagePanel {...passage} onClose={() => setPassage(null)} />}
        <div class="ab-hidden" role="status" aria-live="polite">
          {said}
        </div>
      </DropZone>
    </ChatContext.Provider>
  );
}

/** The conversation; the component is drawn again when it has changed, and what is news is announced. */
function useConversation(announce: (sentence: string) => void): Conversation {
  const { model, kernel } = useView();
  const conversation = useMemo(() => new Conversation(model, kernel), [model, kernel]);
  const [, setDrawn] = useState(0);
  useEffect(() => {
    let before = conversation.shown.at(-1);
    const forget = conversation.subscribe(() => {
      const now = conversation.shown.at(-1);
      const sentence = spoken(before, now);
      if (sentence) announce(sentence);
      before = now;
      setDrawn((count) => count + 1);
    });
    const end = conversation.start();
    return () => {
      end();
      forget();
    };
  }, [conversation, announce]);
  return conversation;
}

export default widget(ChatView, "chat");
