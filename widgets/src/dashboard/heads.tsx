// The heads of a table of figures.

interface Props {
  texts: readonly string[];
  numbers: readonly string[];
  /** Numbers that a narrow panel has no room for. */
  wide?: readonly string[];
}

export function Heads({ texts, numbers, wide = [] }: Props) {
  const columns = [
    ...texts.map((name) => [name, undefined] as const),
    ...numbers.map((name) => [name, "ab-num"] as const),
    ...wide.map((name) => [name, "ab-num ab-wide"] as const),
  ];
  return (
    <thead>
      <tr>
        {columns.map(([name, kind]) => (
          <th key={name} scope="col" class={kind}>
            {name}
          </th>
        ))}
      </tr>
    </thead>
  );
}
