// The results of a run on a GPU, as JSON and as Markdown.

export interface Failure {
  readonly file?: string;
  readonly test?: string;
  readonly message: string;
}

export interface PartResult {
  readonly name: string;
  readonly about: string;
  readonly state: "passed" | "failed" | "not run";
  readonly seconds: number;
  readonly passed: number;
  readonly skipped: number;
  readonly failures: readonly Failure[];
  /** Markdown of the part itself: tables of the benchmark. */
  readonly text?: string;
}

export interface Machine {
  readonly date: string;
  readonly device: string;
  readonly gpu: string;
  readonly driver: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memory: string;
  readonly system: string;
  readonly node: string;
  readonly libtorch: string;
  /** The state of CUDA as the SDK reports it. */
  readonly cuda: string;
}

export interface RunResults {
  readonly passed: boolean;
  readonly seconds: number;
  readonly machine: Machine;
  readonly parts: readonly PartResult[];
}

/** Whether each part that was asked for has passed. */
export const allPassed = (parts: readonly PartResult[]) => parts.every(({ state }) => state === "passed");

/** In failures of a part that are printed one by one; results.json has all of them. */
const maxListed = 20;

export function markdown({ machine, seconds, parts, passed }: RunResults): string {
  const rows = Object.entries(machine).map(([name, value]) => `| ${name} | ${cell(String(value))} |`);
  const counts = parts.map(
    (part) =>
      `| ${part.name} | ${part.state} | ${part.passed} | ${part.failures.length} | ${part.skipped} | ${part.seconds.toFixed(1)} | ${part.about} |`,
  );
  return [
    `# Stepwell on ${machine.device}: ${passed ? "all parts passed" : "not all parts passed"}`,
    ["| machine | |", "| --- | --- |", ...rows].join("\n"),
    [
      `## Parts, ${Math.round(seconds)} s`,
      "",
      "| part | state | passed | failed | skipped | seconds | about |",
      "| --- | --- | ---: | ---: | ---: | ---: | --- |",
      ...counts,
    ].join("\n"),
    ...parts.filter(({ failures }) => failures.length > 0).map(failureList),
    ...parts.flatMap(({ text }) => text ?? []),
  ]
    .join("\n\n")
    .concat("\n");
}

function failureList({ name, failures }: PartResult): string {
  const lines = failures.slice(0, maxListed).map(({ file, test, message }) => {
    const where = [file, test].filter(Boolean).join(": ");
    const [first = "", ...more] = message.trim().split("\n");
    return `- ${where ? `${where}: ` : ""}${first}${more.length > 0 ? " …" : ""}`;
  });
  const rest = failures.length - lines.length;
  return [`## Failures of ${name}`, "", ...lines, ...(rest > 0 ? [`- and ${rest} more, in results.json`] : [])].join(
    "\n",
  );
}

const cell = (text: string) => text.replaceAll("|", "\\|").replaceAll("\n", " ");
