// Pages of symbols as Markdown.

import { type ApiGroup, type ApiPage, addressOfSymbol, anchorOf } from "./api-groups.js";
import type { Form, Member, PublicSymbol } from "./symbols.js";

/** The Markdown of a page of symbols. */
export function markdownOf({ title, symbols }: ApiPage): string {
  const contents = symbols.map(({ name }) => `[\`${name}\`](#${anchorOf(name)})`).join(" · ");
  return [`# ${title} {#top}`, ...(symbols.length > 1 ? [contents] : []), ...symbols.map(section)].join("\n\n");
}

/** The Markdown of the list of all pages, with their symbols. */
export function contentsOf(groups: readonly ApiGroup[]): string {
  const begin =
    "# Reference\n\nEvery name that a program imports from `@stepwell/sdk`, from its declarations. `help` has tables of options at run time.";
  const parts = groups.map(({ name, text, pages }) => {
    const rows = pages.map(({ file, title, symbols }) => {
      const names = symbols.map((symbol) => linked(symbol.name)).join(" ");
      return `### [${title}](/api/${name}/${file})\n\n${name === "options" || name === "types" ? "" : names}`;
    });
    return [`## ${text}`, ...rows].join("\n\n");
  });
  return [begin, ...parts].join("\n\n");
}

function section(symbol: PublicSymbol): string {
  const heading = `## ${code(symbol.name)} {#${anchorOf(symbol.name)}}`;
  if (symbol.name !== symbol.declaredName && addressOfSymbol.has(symbol.declaredName)) {
    return `${heading}\n\nAnother name of ${linked(symbol.declaredName)}.`;
  }
  return [heading, forms(symbol.forms), members(symbol)].filter(Boolean).join("\n\n");
}

function members({ name, members }: PublicSymbol): string {
  const properties = members.filter(({ type }) => type !== undefined);
  const methods = members.filter(({ type }) => type === undefined);
  const names = [...new Set(methods.map((method) => method.name))];
  const sections = names.map((method) =>
    methodSection(
      name,
      method,
      methods.filter((one) => one.name === method),
    ),
  );
  return [table(properties), ...sections].filter(Boolean).join("\n\n");
}

function methodSection(owner: string, name: string, methods: readonly Member[]): string {
  // Two hyphens, since `position` of `Training` is not `TrainingPosition`.
  const id = `${anchorOf(owner)}--${anchorOf(name.replace(/\W/g, ""))}`;
  const text = forms(methods.map((method) => ({ ...method, examples: [] })));
  return name === "()" ? text : `### ${code(name)} {#${id}}\n\n${text}`;
}

/** Signatures with their texts. Overloads with one text have it once, after their signatures. */
function forms(all: readonly Form[]): string {
  const groups: { signatures: string[]; text: string; examples: readonly string[] }[] = [];
  for (const { signature, documentation, examples } of all) {
    const last = groups.at(-1);
    if (last?.text === documentation) last.signatures.push(signature);
    else groups.push({ signatures: [signature], text: documentation, examples });
  }
  return groups
    .map(({ signatures, text, examples }) =>
      [signature(signatures), prose(text), ...examples.map(example)].filter(Boolean).join("\n\n"),
    )
    .join("\n\n");
}

const pytorchName = /^PyTorch's name of (.+)\.$/;

/** Properties in a table. PyTorch's name of an option stands with the option. */
function table(properties: readonly Member[]): string {
  if (properties.length === 0) return "";
  const others = properties.filter(({ documentation }) => pytorchName.test(documentation));
  const rows = properties
    .filter((property) => !others.includes(property))
    .map(({ name, type = "", documentation }) => {
      const also = others.filter((other) =>
        pytorchName
          .exec(other.documentation)?.[1]
          ?.split(/ and |, /)
          .includes(`\`${name}\``),
      );
      const names = [name, ...also.map((other) => other.name)].map(code).join("<br>");
      return `| ${names} | ${type.split("\n").length > 1 ? "" : code(type)} | ${prose(documentation).replaceAll("\n", " ").replaceAll("|", "\\|")} |`;
    });
  return ["| name | type | |", "| --- | --- | --- |", ...rows].join("\n");
}

/** Text of a comment: links to symbols become links to their pages, and no mark of HTML or of Vue has a meaning. */
function prose(text: string): string {
  return text
    .split(/(```[\s\S]*?```|`[^`]*`)/)
    .map((part, index) => (index % 2 === 1 ? part.replace(/^```ts/, "```typescript") : withLinks(part)))
    .join("");
}

function withLinks(text: string): string {
  return text
    .split(/\{@link (\w+)\}/)
    .map((part, index) => (index % 2 === 1 ? linked(part) : part.replaceAll("<", "&lt;").replaceAll("{{", "&#123;{")))
    .join("");
}

function linked(name: string): string {
  const address = addressOfSymbol.get(name);
  return address === undefined ? code(name) : `[${code(name)}](${address})`;
}

/** An example of a comment is a fragment, without its imports, and does not run. */
function example(text: string): string {
  return text.replace(/^```ts\n/, "```typescript\n");
}

/** Signatures in one block. The name of an interface alone says nothing more than its heading. */
function signature(signatures: readonly string[]): string {
  const text = signatures.join("\n\n");
  return /^interface \w+$/.test(text) ? "" : fence(text);
}

const fence = (text: string) => `\`\`\`typescript\n${text}\n\`\`\``;
const code = (text: string) => `\`${text.replaceAll("|", "\\|")}\``;
