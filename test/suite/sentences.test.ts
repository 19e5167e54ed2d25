// Comments, documents and names keep to the rules of CONTRIBUTING.md, as far as patterns can tell.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { repositoryFiles } from "./repository-files.js";
import { namesOf, sentencesOf, textsOf, wordsOf } from "./sentences.js";

const root = join(import.meta.dirname, "..", "..");

/** Folders and files that are not checked yet. Take out each that is clean; a part of a folder can stand here alone. */
const pending: readonly string[] = [
  // Its build takes minutes, and a change of its comments makes each user build it again.
  "scripts/wasm-bindgen/",
];

/** Sentences that may break a rule, with the reason. */
const exceptions: readonly { readonly file: string; readonly sentence: string; readonly why: string }[] = [
  { file: "CONTRIBUTING.md", sentence: "Before:", why: "shows what breaks a rule" },
];

/** The limit of rule 5. Text in parentheses is not counted, and a piece of code is one word; numbers and signs are none. */
const MAX_WORDS = 25;

/** A pattern of sentences, a better way to say it, and a sentence that it finds. */
type Rule = { readonly pattern: RegExp; readonly better: string; readonly finds: string };

const rules: readonly Rule[] = [
  { pattern: /^What\b/, better: "start with the name of the thing", finds: "What is done to gradients on the way." },
  { pattern: /^Those\b/, better: "start with the name of the things", finds: "Those that are late." },
  { pattern: /^That of\b/, better: "start with the name of the thing", finds: "That of the second pass." },
  { pattern: /^The same\b/, better: "start with the name of the thing", finds: "The same for a slice." },
  {
    pattern: /\b(?:whoever|nobody|somebody)\b/i,
    better: "say who acts, or use the passive",
    finds: "Memory that nobody uses.",
  },
  { pattern: /\b(?:those|that) of\b/i, better: "repeat the noun", finds: "Sizes are those of the tensor." },
  { pattern: /\bbut that\b/i, better: "except that", finds: "As Adam, but that it decays." },
  {
    pattern: /(?<!\bthere )\b(?:is|are|was|were) no (?!longer|more|less|fewer|better|worse)/i,
    better: "negate the verb: is not a",
    finds: "A list is no tensor.",
  },
  { pattern: /\bmeanwhile\b/i, better: "during the step, at the same time", finds: "A step meanwhile is an error." },
  { pattern: /\bfrom which on\b/i, better: "at least, minimum", finds: "The length from which on threads help." },
  {
    pattern: /(?<!ahead or )\bbehind\b/i,
    better: "after, at a higher address, of",
    finds: "The bytes behind the header.",
  },
  { pattern: /\bbeside\b/i, better: "next to, in addition to", finds: "A dtype beside the array." },
  { pattern: /\b(?:lies?|lay)\b/i, better: "is stored, is, stands", finds: "The gradient lies in memory." },
  { pattern: /\btold\b/i, better: "reported, given, distinguished", finds: "Its size is told." },
  { pattern: /\broom\b/i, better: "buffer, capacity, space", finds: "Room for updates." },
  {
    pattern: /\b(?:riders?|relay|team|desk|ledger|loans?)\b/i,
    better: "the term of the field",
    finds: "The team joins the relay.",
  },
  {
    pattern: /(?<!\.)\b(?:utils?|helpers?)\b/i,
    better: "name the job: worker thread, conversion",
    finds: "Helpers wake up.",
  },
];

/** Words that no name and no path has: metaphors, and words for files of everything. */
const forbiddenWords: ReadonlySet<string> = new Set(
  "rider riders relay team desk ledger loan loans room util utils helper helpers misc junk".split(" "),
);

/** Names that are metaphors although their words may be in others: `patience` is an option of the schedule `plateau`. */
const forbiddenNames: ReadonlySet<string> = new Set(["Patience"]);

const isForbidden = (name: string) =>
  forbiddenNames.has(name) || wordsOf(name).some((word) => forbiddenWords.has(word));

const skipped = /(?:^|\/)(?:generated|peers|data|site|\..*)(?:\/|$)/;
const files = repositoryFiles().filter(
  (file) =>
    /\.(?:rs|m?tsx?|mts|m?js|cpp|h|md|py|toml)$/.test(file) &&
    !skipped.test(file) &&
    file !== "bench/results/report.md",
);
const checked = files.filter((file) => !pending.some((path) => file.startsWith(path)));
const read = (file: string) => readFileSync(join(root, file), "utf8");

/** Every rule that a sentence breaks, as the better way to say it. */
function complaints(sentence: string): readonly string[] {
  const words = withoutCode(sentence)
    .replace(/ \([^)]*\)/g, "")
    .split(/\s+/)
    .filter((word) => /\p{L}/u.test(word)).length;
  const long = words > MAX_WORDS ? [`${words} words, at most ${MAX_WORDS}`] : [];
  return rules
    .filter(({ pattern }) => pattern.test(withoutCode(sentence)))
    .map(({ better }) => better)
    .concat(long);
}

const withoutCode = (sentence: string) => sentence.replace(/`[^`]*`/g, "`code`").replace(/\]\([^)]*\)/g, "]");

const isException = (file: string, sentence: string) =>
  exceptions.some((exception) => exception.file === file && sentence.includes(exception.sentence));

describe("sentences", () => {
  it("of every language are found", () => {
    for (const ending of [".rs", ".ts", ".tsx", ".mjs", ".cpp", ".h", ".js", ".py", ".md", ".toml"]) {
      const sentences = files.filter((file) => file.endsWith(ending)).flatMap((file) => sentencesOf(file, read(file)));
      expect(sentences.length, ending).toBeGreaterThan(5);
    }
  });

  it("keep to the rules", () => {
    const found = checked.flatMap((file) =>
      sentencesOf(file, read(file))
        .filter(({ text }) => !isException(file, text))
        .flatMap(({ text, line }) => complaints(text).map((complaint) => `${file}:${line}: ${complaint}: ${text}`)),
    );
    expect(found).toEqual([]);
  });

  it("in messages keep to the rules, except for their length", () => {
    const shipped = checked.filter((file) => !/^(?:test|bench)\/|\/tests\//.test(file));
    const found = shipped.flatMap((file) =>
      textsOf(file, read(file))
        .filter(({ text }) => !isException(file, text))
        .flatMap(({ text, line }) => {
          const broken = rules.filter(({ pattern }) => pattern.test(withoutCode(text.slice(1, -1))));
          return broken.map(({ better }) => `${file}:${line}: ${better}: ${text}`);
        }),
    );
    expect(found).toEqual([]);
  });

  it("that are exceptions are there and break a rule", () => {
    for (const { file, sentence } of exceptions) {
      const found = [...sentencesOf(file, read(file)), ...textsOf(file, read(file))];
      const named = found.filter(({ text }) => text.includes(sentence));
      expect(named.flatMap(({ text }) => complaints(text)).length, `${file}: ${sentence}`).toBeGreaterThan(0);
    }
  });

  it.each(rules)("would be found by $pattern", ({ pattern, finds }) => {
    expect(pattern.test(finds)).toBe(true);
    expect(complaints(finds).length).toBeGreaterThan(0);
  });

  it("would be found by their length", () => {
    expect(complaints(`${"word ".repeat(MAX_WORDS - 1)}word.`)).toEqual([]);
    expect(complaints(`${"word ".repeat(MAX_WORDS)}word.`)).toEqual(["26 words, at most 25"]);
  });

  it.each([
    "The gradient is no longer needed.",
    "There is no gradient.",
    "The dtype says what the array holds.",
    "`What` is code, and so is `nobody`.",
    "The mushroom.",
  ])("are not found where they are right: %s", (sentence) => {
    expect(complaints(sentence)).toEqual([]);
  });
});

describe("names", () => {
  it("have no forbidden word", () => {
    const isCode = (file: string) => !/\.(?:md|py|toml)$/.test(file);
    const found = checked.flatMap((file) => {
      const names = [...file.split("/"), ...(isCode(file) ? namesOf(file, read(file)) : [])];
      return names.filter(isForbidden).map((name) => `${file}: ${name}`);
    });
    expect(found).toEqual([]);
  });

  it.each(["GradientRiders", "update_room", "hireTeam", "utils.rs", "Patience"])("would be found: %s", (name) => {
    expect(isForbidden(name)).toBe(true);
  });

  it.each(["patience", "steam", "Mushroom"])("are not found where they are right: %s", (name) => {
    expect(isForbidden(name)).toBe(false);
  });
});

describe("the reader of sentences", () => {
  const texts = (file: string, text: string) => sentencesOf(file, text).map(({ text, line }) => `${line} ${text}`);

  it.each([
    [
      "a.rs",
      '/// One.\n/// Two, of\n/// two lines.\nlet a = "// no";\n//! Three.',
      ["1 One.", "1 Two, of two lines.", "5 Three."],
    ],
    ["a.rs", "let a = '\"'; // One\nlet b: &'a str; // Two", ["1 One", "2 Two"]],
    ["a.rs", "/// One.\n/// ```\n/// let a = 1;\n/// ```\n/// - Two\n/// - Three", ["1 One.", "5 Two", "6 Three"]],
    ["a.ts", "/** One. */\nconst a = /\\/\\/ no/; // Two", ["1 One.", "2 Two"]],
    ["a.ts", "/**\n * One.\n *\n * @param a - Two.\n */\nconst a = `// no`;", ["2 One.", "4 Two."]],
    ["a.md", "# One\nTwo. Three\n```ts\nno();\n```\n| `a` | Four |", ["1 One", "2 Two.", "2 Three", "6 `a`", "6 Four"]],
    ["a.md", "---\ntitle: One\n---\n\nTwo.", ["5 Two."]],
    ["a.toml", 'a = "b" # One.\n# Two.', ["1 One. Two."]],
  ])("finds them in %s: %j", (file, text, expected) => {
    expect(texts(file, text)).toEqual(file === "a.toml" ? ["1 One.", "1 Two."] : expected);
  });

  it("finds messages", () => {
    const text = 'let a = format!("this is no {name}"); // "no message at all"\nlet b = "short";';
    expect(textsOf("a.rs", text)).toEqual([{ text: '"this is no x"', line: 1 }]);
  });

  it("finds names in code alone", () => {
    const text = '#include <c10/util/a.h>\n// team\nlet page_offset: PageRow = "room";';
    expect(namesOf("a.cpp", text)).toEqual(["let", "page_offset", "PageRow"]);
  });
});
