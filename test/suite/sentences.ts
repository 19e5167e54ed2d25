// The prose and the names of a source file or a document: comments without their marks, Markdown without its code blocks.

/** A sentence, and the line on which its paragraph begins, counted from 1. */
export type Sentence = { readonly text: string; readonly line: number };

/** A line of prose; a comment after code is a paragraph of its own. */
type Line = { readonly text: string; readonly own: boolean };

/** The sentences of a file, whose language its name tells. */
export function sentencesOf(file: string, text: string): readonly Sentence[] {
  return paragraphs(proseOf(file, text)).flatMap(({ text, line }) =>
    splitSentences(text).map((sentence) => ({ text: sentence, line })),
  );
}

function proseOf(file: string, text: string): readonly Line[] {
  const plain = (lines: readonly string[]) =>
    lines.map((line) => ({ text: line.trim(), own: /^\s*(?:#+ |\|)/.test(line) }));
  if (file.endsWith(".md")) return plain(withoutFences(text).split("\n"));
  if (/\.(?:py|toml)$/.test(file))
    return plain(text.split("\n").map((line) => /(?:^|\s)# ?(.*)$/.exec(line)?.[1] ?? ""));
  return slashComments(file, text);
}

/** Joins lines. An empty line ends a paragraph; an item of a list and a tag of a doc comment begin one. */
function paragraphs(lines: readonly Line[]): readonly Sentence[] {
  const found: { text: string; line: number }[] = [];
  let open = false;
  for (const [index, { text, own }] of lines.entries()) {
    if (text === "" || own || /^(?:[-*] |\d+\. |@\w)/.test(text)) open = false;
    if (text === "") continue;
    const last = found.at(-1);
    if (open && last) last.text += ` ${text}`;
    else found.push({ text, line: index + 1 });
    open = !own;
  }
  return found;
}

/** A sentence ends with a full stop or a question mark before a space; a cell of a table is one too. */
function splitSentences(paragraph: string): readonly string[] {
  const cells = paragraph.startsWith("|") ? paragraph.split(/\s*\|\s*/) : [paragraph];
  return cells
    .flatMap((cell) =>
      cell
        .replace(/^(?:#+|[-*]|\d+\.|@\w+(?: \w+ -)?) +/, "")
        .split(/(?<=(?<!\b(?:e\.g|i\.e|cf|vs|no))[.?!]["*)]*)\s+/),
    )
    .map((sentence) => sentence.replace(/^[*("\s]+/, "").trim())
    .filter((sentence) => sentence !== "");
}

/** Blocks of code and the options of a page of the site become empty lines, so that the others keep their numbers. */
function withoutFences(markdown: string): string {
  return markdown
    .replace(/^---\n[\s\S]*?\n---\n/, (options) => options.replace(/[^\n]/g, ""))
    .replace(/^ *```[\s\S]*?^ *```/gm, (code) => code.replace(/[^\n]/g, ""));
}

/** Comments, strings, characters and regular expressions, which have no names of code and whose slashes begin no comment. */
const rust =
  /\/\/[/!]?(?<line>[^\n]*)|\/\*(?<block>[\s\S]*?)\*\/|b?r(?<hashes>#*)"[\s\S]*?"\k<hashes>|"(?:\\[\s\S]|[^"\\])*"|'(?:\\[^\n]+?|[^'\\\n])'/g;
const typescript =
  /\/\/(?<line>[^\n]*)|\/\*(?<block>[\s\S]*?)\*\/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\[\s\S]|[^`\\])*`|(?<=[=(,:[!&|?{};]\s*|return\s+)\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\//g;

const tokens = (file: string) => (file.endsWith(".rs") ? rust : typescript);

/** The prose on each line of Rust, C++ or TypeScript, without the examples in it. */
function slashComments(file: string, text: string): readonly Line[] {
  const lines: Line[] = Array.from({ length: text.split("\n").length }, () => ({ text: "", own: false }));
  let fenced = false;
  for (const { index, groups } of text.matchAll(tokens(file))) {
    const { line, block } = groups ?? {};
    const comment = line ?? block;
    if (comment === undefined) continue;
    const before = text.slice(0, index).split("\n");
    const own = before.at(-1)?.trim() !== "";
    for (const [offset, part] of comment.split("\n").entries()) {
      const prose = part.replace(/^\s*\*+(?:\s|$)/, "").trim();
      if (prose.startsWith("```")) fenced = !fenced;
      else if (!fenced) lines[before.length - 1 + offset] = { text: prose, own };
    }
  }
  return lines;
}

/** The texts of a source file: strings of at least four words, such as messages of errors. */
export function textsOf(file: string, text: string): readonly Sentence[] {
  if (!/\.(?:rs|m?[jt]sx?|mts|cpp|h)$/.test(file)) return [];
  return [...text.matchAll(tokens(file))]
    .filter(([token]) => /^[b"'`r]/.test(token) && token.trim().split(/\s+/).length >= 4)
    .map(({ 0: token, index }) => ({
      text: token.replace(/\$?\{[^}]*\}/g, "x").replace(/\\n|\\\n\s*/g, " "),
      line: text.slice(0, index).split("\n").length,
    }));
}

/** The names in a source file, each once. */
export function namesOf(file: string, text: string): readonly string[] {
  const code = text.replace(tokens(file), " ").replace(/^#include.*/gm, "");
  return [...new Set(code.match(/[A-Za-z_]\w*/g))];
}

/** A name or the path of a file as words in small letters: `PageOffset` and `page_offset` have two. */
export function wordsOf(name: string): readonly string[] {
  return name
    .replace(/([a-z\d])([A-Z])/g, "$1 $2")
    .split(/[^A-Za-z]+/)
    .map((word) => word.toLowerCase());
}
