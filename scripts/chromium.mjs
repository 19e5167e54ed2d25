// The browser for tests of the page: an installed one, or Debian's.

import { outputOf, run } from "./command.mjs";

const names = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];

/** The path of Chromium: the environment variable CHROMIUM, or an installed one; undefined if there is none. */
export function findChromium() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  for (const name of names) {
    const path = outputOf("sh", ["-c", `command -v ${name}`]);
    if (path) return path;
  }
  return undefined;
}

/** Installs Debian's Chromium if there is none and the user may install it. Returns the path, or undefined. */
export async function provideChromium(log = console.error) {
  const found = findChromium();
  if (found) return found;
  const mayInstall = process.getuid?.() === 0 && outputOf("apt-get", ["--version"]) !== undefined;
  if (!mayInstall) return undefined;
  log("chromium: installing Debian's, for the tests of the page");
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  await run("apt-get", ["update", "-qq"], { env, quiet: true });
  await run("apt-get", ["install", "-y", "-qq", "--no-install-recommends", "chromium"], { env, quiet: true });
  return findChromium();
}
