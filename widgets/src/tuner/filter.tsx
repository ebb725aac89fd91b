// Which settings are shown.

interface FilterProps {
  text: string;
  onText: (text: string) => void;
  onlyChanged: boolean;
  onOnlyChanged: (onlyChanged: boolean) => void;
}

export function Filter({ text, onText, onlyChanged, onOnlyChanged }: FilterProps) {
  return (
    <>
      <input
        class="ab-filter ab-grow"
        type="search"
        aria-label="Filter settings"
        placeholder="Filter"
        value={text}
        onInput={(event) => onText(event.currentTarget.value)}
      />
      <label class="ab-check">
        <input type="checkbox" checked={onlyChanged} onChange={(event) => onOnlyChanged(event.currentTarget.checked)} />
        Only changed
      </label>
    </>
  );
}
