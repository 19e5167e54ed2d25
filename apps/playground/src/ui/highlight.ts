/** A part of a program and what it is. */
export interface Part {
  readonly kind: "keyword" | "string" | "number" | "comment" | "call" | "plain";
  readonly text: string;
}

const patterns = [
  ["comment", "\\/\\/[^\\n]*"],
  ["string", '"[^"\\n]*"'],
  ["keyword", "\\b(?:import|from|function|const|let|for|if|return|as|true|false|null)\\b"],
  ["call", "\\b[a-zA-Z]\\w*(?=\\()"],
  ["number", "(?<![\\w.])-?\\d+(?:\\.\\d+)?(?:e[+-]?\\d+)?\\b"],
] as const;
const grammar = new RegExp(patterns.map(([kind, source]) => `(?<${kind}>${source})`).join("|"), "g");

/** A program in parts that are to look different. */
export function highlight(text: string): readonly Part[] {
  const parts: Part[] = [];
  let at = 0;
  for (const match of text.matchAll(grammar)) {
    if (match.index > at) parts.push({ kind: "plain", text: text.slice(at, match.index) });
    const kind = patterns.find(([name]) => match.groups?.[name] !== undefined)?.[0] ?? "plain";
    parts.push({ kind, text: match[0] });
    at = match.index + match[0].length;
  }
  parts.push({ kind: "plain", text: text.slice(at) });
  return parts;
}
