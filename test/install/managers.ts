// Installs the packages into an empty project, as a user does, with each package manager.

import { mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { run } from "./machine.js";
import { files } from "./programs.js";

/** A project with the packages. */
export interface Project {
  readonly folder: string;
  /** The command that runs a file in Node, without the file. */
  readonly node: readonly string[];
}

interface Manager {
  /** The command that adds packages, without the packages. `tools` is the folder of installed tools. */
  readonly add: (tools: string) => readonly string[];
  /** The command that runs a file, unless it is Node itself. */
  readonly node?: (tools: string) => readonly string[];
  /** Files of the project before the install. */
  readonly settings?: (registry: string) => Readonly<Record<string, string>>;
}

const npmrc = (registry: string) => ({ ".npmrc": registry && `@stepwell:registry=${registry}\n` });

const berry = (linker: string) => (registry: string) => ({
  "yarn.lock": "",
  ".yarnrc.yml": [
    `nodeLinker: ${linker}`,
    "enableGlobalCache: false",
    // Without metadata of the registry of an earlier run.
    "globalFolder: .yarn/global",
    "enableTelemetry: false",
    // Installs versions that are younger than a day.
    "npmMinimalAgeGate: 0",
    ...(registry && [`npmRegistryServer: ${registry}`, "unsafeHttpWhitelist: [localhost]"]),
  ].join("\n"),
});
const yarn4 = (command: string) => (tools: string) => [
  process.execPath,
  join(tools, "@yarnpkg/cli-dist/bin/yarn.js"),
  command,
];

const managers = {
  npm: {
    add: () => ["npm", "install", "--no-audit", "--no-fund"],
    settings: npmrc,
  },
  pnpm: {
    add: (tools) => [process.execPath, join(tools, "pnpm/bin/pnpm.cjs"), "add"],
    settings: npmrc,
  },
  "yarn 1": {
    // Its cache keeps tarballs by name and version, whatever their content.
    add: (tools) => [process.execPath, join(tools, "yarn/bin/yarn.js"), "add", "--cache-folder", ".cache"],
    settings: npmrc,
  },
  "yarn 4": { add: yarn4("add"), settings: berry("node-modules") },
  "yarn 4, plug'n'play": { add: yarn4("add"), node: yarn4("node"), settings: berry("pnp") },
  bun: {
    add: (tools) => [join(tools, "@oven/bun-linux-x64/bin/bun"), "add", "--no-cache"],
    settings: npmrc,
  },
} as const satisfies Record<string, Manager>;

export type ManagerName = keyof typeof managers;
export const managerNames = Object.keys(managers) as readonly ManagerName[];

interface Options {
  readonly tools?: string;
  /** The address of a registry that has the packages. */
  readonly registry?: string;
  /** More variables of the manager. */
  readonly variables?: Readonly<NodeJS.ProcessEnv>;
}

/**
 * Makes a project in `folder` and installs packages in one command: tarballs by their paths, or names from a registry. Throws with
 * the output of the manager if it fails.
 */
export function install(
  folder: string,
  manager: ManagerName,
  packages: readonly string[],
  { tools = "", registry = "", variables = {} }: Options = {},
): Project {
  const { add, node, settings }: Manager = managers[manager];
  mkdirSync(folder, { recursive: true });
  const own = { "package.json": `{ "private": true, "type": "module", "license": "MIT" }\n`, ...settings?.(registry) };
  for (const [name, text] of Object.entries({ ...own, ...files })) writeFileSync(join(folder, name), text);
  const [command = "", ...args] = [...add(tools), ...packages];
  const { status, stdout, stderr } = run(command, args, folder, { variables });
  if (status !== 0) throw new Error(`${basename(command)} ${args.join(" ")} failed in ${folder}: ${stdout}${stderr}`);
  return { folder, node: node?.(tools) ?? [process.execPath] };
}
