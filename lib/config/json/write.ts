/** What can be written as JSON, with 64-bit integers. */
export type JsonValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue | undefined };

/** Writes JSON in one line; a bigint as the integer it is, which JSON.stringify does not. */
export function writeJson(value: JsonValue): string {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item: JsonValue) => writeJson(item)).join(',')}]`;
  const entries = Object.entries(value as Record<string, JsonValue | undefined>);
  const texts = entries.flatMap(([name, child]) =>
    child === undefined ? [] : [`${JSON.stringify(name)}:${writeJson(child)}`],
  );
  return `{${texts.join(',')}}`;
}
