// The rows of the README's examples: as they are written, in JavaScript and compiled, on each Node.

import { cpSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Example, examplesOf } from "../docs/examples.js";
import { run } from "./machine.js";
import type { Project } from "./managers.js";
import { root } from "./programs.js";
import type { Row } from "./rows.js";
import { compilerOptions, typescripts } from "./tools.js";

const examples = examplesOf(join(root, "README.md"));

/** Rows of each form and Node; `nodes` are words and paths. They have a copy of `project`. */
export function exampleRows(
  tools: string,
  nodes: readonly (readonly string[])[],
  project: () => Project,
): readonly Row[] {
  let folder: string | undefined;
  const prepared = () => {
    folder ??= prepare(tools, project());
    return folder;
  };
  const compiled = typescripts.map((version) => ({
    words: ["README's examples", `TypeScript ${version}`],
    check: () => {
      compile(tools, version, prepared(), ["--noEmit"]);
      return `all ${examples.length} compile`;
    },
  }));
  const printed = nodes.flatMap(([version = "", node = ""]) =>
    ["mjs", "js"].map((ending) => ({
      words: ["README's examples", ending === "mjs" ? "JavaScript" : "TypeScript", version],
      check: () => {
        const wrong = examples.flatMap((example, index) => complaint(example, node, prepared(), `${index}.${ending}`));
        if (examples.length === 0 || wrong.length > 0) throw new Error(wrong.join("\n"));
        return `all ${examples.length} print what they say`;
      },
    })),
  );
  return [...compiled, ...printed];
}

/** A folder in which each example is written as JavaScript and compiled from TypeScript. */
function prepare(tools: string, project: Project): string {
  const folder = join(dirname(project.folder), "examples");
  cpSync(project.folder, folder, { recursive: true });
  for (const [index, { code }] of examples.entries()) {
    writeFileSync(join(folder, `${index}.mjs`), code);
    writeFileSync(join(folder, `${index}.ts`), code);
  }
  const types = { types: ["node"], typeRoots: [join(tools, "@types")] };
  const config = { compilerOptions: { ...compilerOptions, ...types }, include: ["*.ts"] };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
  compile(tools, "7", folder, []);
  return folder;
}

function compile(tools: string, version: string, folder: string, options: readonly string[]) {
  const compiler = join(tools, `typescript-${version}`, "bin", "tsc");
  const { status, stdout } = run(process.execPath, [compiler, "-p", ".", ...options], folder);
  if (status !== 0) throw new Error(`TypeScript ${version} does not compile README's examples: ${stdout}`);
}

function complaint({ prints }: Example, node: string, folder: string, file: string): readonly string[] {
  const { stdout, stderr } = run(node, [file], folder);
  const isRight = stdout.trimEnd() === prints.join("\n");
  return isRight ? [] : [`example ${file}: expected ${prints.join("\n")}, given ${stdout}${stderr}`];
}
