// The rows of the command line, of machines without libtorch, and of libtorch from a tarball.

import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { run } from "./machine.js";
import { install } from "./managers.js";
import { programs } from "./programs.js";
import { expectTraining, type Row } from "./rows.js";

/** The packages and the folder of the rows. */
export interface CommandLineOptions {
  /** The folder for projects. */
  readonly folder: string;
  /** The tarballs for a project that installs from files. */
  readonly tarballs: readonly string[];
  /** Packs @stepwell/libtorch for files, and returns its tarball. */
  readonly libtorch: () => Promise<string>;
}

/**
 * An environment of nothing but Node: no Python, no cache, no home, and no variables of this process. `programs` are folders of more
 * programs.
 */
function empty(folder: string, ...programs: readonly string[]): NodeJS.ProcessEnv {
  const home = mkdtempSync(join(folder, "home-"));
  // The folder of Node may have a Python, too.
  symlinkSync(process.execPath, join(home, "node"));
  return { HOME: home, PATH: [home, ...programs].join(":") };
}

/** Runs a program in the environment, and in no other one. */
function runIn(env: NodeJS.ProcessEnv, project: string, ...command: readonly string[]) {
  const words = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  return run("/usr/bin/env", ["-i", ...words, ...command], project);
}

/** The rows. Their projects have all packages, or the ones without the command line. */
export function commandLineRows({ folder, tarballs, libtorch }: CommandLineOptions): readonly Row[] {
  const libraries = tarballs.filter((path) => !/stepwell-(?:cli-)?\d/.test(path));
  let count = 0;
  const project = (packages: readonly string[]) => install(join(folder, `empty-${++count}`), "npm", packages).folder;
  const isInstead = (path: string, command: RegExp) => {
    const { stderr, ...result } = runIn(empty(folder), path, process.execPath, programs.ESM);
    const text = expectTraining({ ...result, stderr }, "absent");
    if (!command.test(stderr)) throw new Error(`expected ${command}, given ${stderr}`);
    return `${text}, which names ${command.source.replaceAll("\\", "")}`;
  };
  const fetched = (client: string, ...more: readonly string[]) => {
    const path = project(tarballs);
    const env = empty(folder, ...more, dirname(process.execPath), "/usr/bin", "/bin");
    const doctor = runIn(env, path, "npx", "--no-install", "stepwell", "doctor", "--fetch");
    if (doctor.status !== 0) throw new Error(`doctor --fetch by ${client}: ${doctor.stdout}${doctor.stderr}`);
    const { stdout } = runIn(env, path, "npx", "--no-install", "stepwell", "doctor", "--json");
    const { source } = JSON.parse(stdout).engines[0].libtorch;
    if (source !== "cache") throw new Error(`expected libtorch in the cache, given ${stdout}`);
    return expectTraining(runIn(env, path, process.execPath, programs.ESM), "there");
  };
  return [
    {
      words: ["empty folder, no Python", "npm, tarballs", "ESM", "libtorch absent"],
      check: () => isInstead(project(libraries), /node \S+fetch\/main\.js|npm install \S+stepwell-libtorch-\S+\.tgz/),
    },
    {
      words: ["empty folder, no Python", "npm, tarballs", "ESM", "libtorch from its tarball"],
      check: async () => {
        const path = project([...libraries, await libtorch()]);
        return expectTraining(runIn(empty(folder), path, process.execPath, programs.ESM), "there");
      },
    },
    {
      words: ["npx stepwell", "npm, tarballs", "train, resume, inspect"],
      check: () => {
        const path = project(tarballs);
        writeFileSync(join(path, "data.csv"), "a,b,sum\n1,2,3\n4,5,9\n0,1,1\n2,2,4\n");
        for (const line of [
          'train data.csv --model ["linear",2,1] --epochs 2 --quiet',
          "resume run.safetensors --epochs 3 --quiet",
          "inspect run.safetensors",
        ]) {
          const result = run("npx", ["--no-install", "stepwell", ...line.split(" ")], path);
          if (result.status !== 0) throw new Error(`stepwell ${line}: ${result.stdout}${result.stderr}`);
        }
        return "each ends with exit code 0";
      },
    },
    {
      words: ["npx stepwell doctor --fetch", "npm, tarballs", "Python's pip"],
      check: () => fetched("pip", pythonFolder()),
    },
    {
      words: ["npx stepwell doctor --fetch", "npm, tarballs", "pip of today, which resumes"],
      check: () => fetched("pip of today", join(pythonWith(folder, "pip"), "bin")),
    },
    {
      words: ["npx stepwell doctor --fetch", "npm, tarballs", "uv, and a Python without pip"],
      check: () => fetched("uv", join(pythonWith(folder, "uv"), "bin")),
    },
  ];
}

function pythonFolder(): string {
  return dirname(run("python3", ["-c", "import sys; print(sys.executable)"], "/").stdout.trim());
}

/** A virtual environment with the newest pip; or with uv, from which pip is removed. */
function pythonWith(folder: string, tool: "pip" | "uv"): string {
  const path = join(folder, `python-${tool}`);
  mkdirSync(path, { recursive: true });
  const python = join(path, "bin", "python3");
  const steps = [
    ["python3", "-m", "venv", path],
    [python, "-m", "pip", "install", "--quiet", "--upgrade", tool],
    ...(tool === "uv" ? [[python, "-m", "pip", "uninstall", "--quiet", "--yes", "pip"]] : []),
  ];
  for (const [command = "", ...args] of steps) {
    const { status, stderr } = run(command, args, folder);
    if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${stderr}`);
  }
  return path;
}
