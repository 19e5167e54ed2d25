// Pages in Chromium.

import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";
import { expect } from "vitest";

/** A browser of this machine, or the one that CHROMIUM names. */
export const executablePath = [process.env.CHROMIUM ?? "", "/usr/bin/chromium", "/usr/bin/google-chrome"].find((path) =>
  existsSync(path),
);

export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: executablePath ?? "", args: ["--no-sandbox"] });
}

/** The `result` that the page at an address sets, and the complaints of its console. */
export async function open(browser: Browser, address: string) {
  const page = await browser.newPage();
  // The limit of the test counts.
  page.setDefaultTimeout(0);
  const complaints: string[] = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
  try {
    await page.goto(address);
    const found = await page
      .waitForFunction(() => (globalThis as { result?: unknown }).result)
      .catch((error: Error) => expect.fail([error.message, ...complaints].join("\n")));
    return { result: await found.jsonValue(), complaints };
  } finally {
    await page.close();
  }
}
