// A registry of npm packages on this machine, with the packages published to it.

import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../free-port.js";
import { run } from "./machine.js";

export interface Registry {
  readonly url: string;
  publish(tarballs: readonly string[]): void;
  close(): void;
}

/** Starts verdaccio, which needs Node 22, and publishes tarballs to it. It asks no other registry. */
export async function startRegistry(folder: string, tools: string, tarballs: readonly string[]): Promise<Registry> {
  mkdirSync(folder, { recursive: true });
  const settings = [
    `storage: ${join(folder, "storage")}`,
    "auth: { htpasswd: { file: ./htpasswd, max_users: -1 } }",
    "uplinks: {}",
    // libtorch has 124 MB.
    "max_body_size: 300mb",
    "packages: { '**': { access: $all, publish: $all } }",
    "log: { type: stdout, format: json, level: warn }",
  ];
  writeFileSync(join(folder, "config.yaml"), settings.join("\n"));
  const port = await freePort("localhost");
  const program = join(tools, "verdaccio/bin/verdaccio");
  const node = join(tools, "node-22/bin/node");
  const listen = `localhost:${port}`;
  const child = spawn(node, [program, "--config", "config.yaml", "--listen", listen], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const log = createWriteStream(join(folder, "log"));
  child.stdout.pipe(log);
  child.stderr.pipe(log);
  const url = `http://${listen}/`;
  await answers(url, child);
  // npm publishes only with a token, and this registry takes any.
  writeFileSync(join(folder, ".npmrc"), `registry=${url}\n//${listen}/:_authToken=any\n`);
  const publish = (tarballs: readonly string[]) => {
    for (const tarball of tarballs) {
      const { status, stderr } = run("npm", ["publish", tarball, "--access", "public"], folder);
      if (status !== 0) throw new Error(`npm publish ${tarball} failed: ${stderr}`);
    }
  };
  publish(tarballs);
  return { url, publish, close: () => child.kill() };
}

/** Waits until the server answers, or has ended. */
async function answers(url: string, child: ChildProcess) {
  while (child.exitCode === null) {
    try {
      await fetch(`${url}-/ping`);
      return;
    } catch {
      await new Promise((fulfil) => setTimeout(fulfil, 100));
    }
  }
  throw new Error(`verdaccio ended with exit code ${child.exitCode}`);
}
