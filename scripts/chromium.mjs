// The browser that the tests of the page run in: one that is here, or Debian's.

import { ask, run } from "./command.mjs";

const names = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];

/** The path of a Chromium, which CHROMIUM may name; undefined if there is none. */
export function findChromium() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  for (const name of names) {
    const path = ask("sh", ["-c", `command -v ${name}`]);
    if (path) return path;
  }
  return undefined;
}

/** Installs Debian's Chromium where there is none and this user may; the path, or undefined. */
export async function provideChromium(log = console.error) {
  const found = findChromium();
  if (found) return found;
  const mayInstall = process.getuid?.() === 0 && ask("apt-get", ["--version"]) !== undefined;
  if (!mayInstall) return undefined;
  log("chromium: installing Debian's, for the tests of the page");
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  await run("apt-get", ["update", "-qq"], { env, quiet: true });
  await run("apt-get", ["install", "-y", "-qq", "--no-install-recommends", "chromium"], { env, quiet: true });
  return findChromium();
}
