// `stepwell help <name>`: an optimizer, a module, a schedule, or a function of the SDK.

import { CommandError } from "../command-error.js";
import { type Environment, printResult } from "../output/environment.js";
import { textTable } from "../output/text-table.js";
import { functionSignatures, optionTexts, type Signature } from "./declarations.js";

/** A thing that has a name in the SDK. */
export interface Topic {
  readonly kind: "optimizer" | "module" | "schedule" | "preset" | "function" | "method";
  readonly name: string;
  /** One or more sentences. */
  readonly about: string;
  /** The name in PyTorch. */
  readonly pytorch?: string;
  /** Names of the k-api, or of a number of dimensions, that stand for this one. */
  readonly aliases?: readonly string[];
  /** Names and defaults of options; null for an option that must be given. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** Options that have no default. */
  readonly required?: readonly string[];
  /** Sentences of options, with their ranges and names in PyTorch. */
  readonly texts?: Readonly<Record<string, string>>;
  /** Declarations of a function in TypeScript, each with its documentation. */
  readonly signatures?: readonly Signature[];
}

/** Runs the command. */
export async function helpTopic(name: string, environment: Environment): Promise<void> {
  const topics = await allTopics();
  const found = topicsOf(name, topics);
  if (found.length === 0) {
    throw new CommandError("ERR_UNKNOWN_NAME", `help: unknown name "${name}"${nearest(name, topics)}`);
  }
  printResult(environment, found.map(describe).join("\n\n"), found);
}

/** The topics of a name, or else of a name of PyTorch or of the k-api that stands for them. */
function topicsOf(name: string, topics: readonly Topic[]): readonly Topic[] {
  const exact = topics.filter((topic) => topic.name === name);
  if (exact.length > 0) return exact;
  const word = name.replace(/^(?:torch\.|nn\.|optim\.|lr_scheduler\.|functional\.|F\.)+/, "").toLowerCase();
  const isOf = ({ name, pytorch, aliases = [] }: Topic) =>
    name === word ||
    name.split(".")[1]?.toLowerCase() === word ||
    aliases.includes(word) ||
    pytorch?.toLowerCase().split(".").at(-1) === word;
  return topics.filter(isOf);
}

/** Names that `help` knows, sorted. */
export async function topicNames(): Promise<readonly string[]> {
  return [...new Set((await allTopics()).map(({ name }) => name))].sort();
}

async function allTopics(): Promise<readonly Topic[]> {
  const sdk = await import("@stepwell/sdk");
  const { help } = sdk;
  const { named, implementation, required, aliases, schedules } = optionTexts();
  return [
    ...help("optimizer").map(({ optimizer, pytorch, about }) => {
      const options = { ...help(optimizer, true), ...implementationDefaults };
      const texts = { ...named.get(optimizer), ...implementation };
      return { kind: "optimizer", name: optimizer, about, pytorch, options, texts } as const;
    }),
    ...help("module").map(({ module, about, options }) => {
      return {
        kind: "module",
        name: module,
        about,
        options,
        texts: named.get(module) ?? {},
        required: required.get(module) ?? [],
        aliases: aliases.get(module) ?? [],
      } as const;
    }),
    ...help("schedule").map(({ schedule, about, pytorch, options }) => {
      const texts = schedules.named.get(schedule) ?? {};
      return {
        kind: "schedule",
        name: schedule,
        about,
        pytorch,
        options,
        texts,
        required: schedules.required.get(schedule) ?? [],
      } as const;
    }),
    ...help("preset").map(({ preset, optimizer, about, source, options }) => {
      return {
        kind: "preset",
        name: preset,
        about: `Options of ${optimizer}. ${about} From ${source}.`,
        options,
      } as const;
    }),
    ...functions(
      new Set(Object.keys(sdk)),
      new Map(help("tensor").map(({ operation, pytorch }) => [operation, pytorch])),
    ),
  ];
}

/** Options of `opt` that are of the optimizer as a whole, and not in the tables of options of groups. */
const implementationDefaults = { fused: true, offload: false };

/** The functions of the SDK, from its declarations. Operations have names in PyTorch. */
function functions(exported: ReadonlySet<string>, pytorch: ReadonlyMap<string, string>): readonly Topic[] {
  return [...functionSignatures(exported)].map(([name, signatures]) => {
    const original = pytorch.get(name);
    const kind = name.includes(".") ? "method" : "function";
    return { kind, name, about: "", ...(original && { pytorch: `torch.${original}` }), signatures };
  });
}

function describe({ kind, name, about, pytorch, aliases, options, required, texts, signatures }: Topic): string {
  const lines = [`${name} (${kind})${pytorch ? `, ${pytorch} in PyTorch` : ""}`];
  if (about) lines.push(about);
  if (aliases && aliases.length > 0) lines.push(`Also ${aliases.join(", ")}.`);
  if (options && Object.keys(options).length > 0) {
    const rows = Object.entries(options).map(([option, value]) => [
      `  ${option}`,
      required?.includes(option) ? "must be given" : JSON.stringify(value),
      texts?.[option] ?? "",
    ]);
    lines.push("", textTable([["  option", kind === "preset" ? "value" : "default"], ...rows]));
  }
  for (const { about, declaration } of signatures ?? []) lines.push("", declaration, ...indented(about));
  return lines.join("\n");
}

const indented = (text: string) => (text === "" ? [] : text.split("\n").map((line) => `  ${line}`.trimEnd()));

/** A part of a sentence with the name that differs in the fewest letters. */
function nearest(name: string, topics: readonly Topic[]): string {
  let best: { name: string; distance: number } | undefined;
  for (const topic of topics) {
    const distance = editDistance(name.toLowerCase(), topic.name.toLowerCase());
    if (!best || distance < best.distance) best = { name: topic.name, distance };
  }
  return best ? `: did you mean "${best.name}"?` : "";
}

/** Levenshtein's distance of two short words. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
