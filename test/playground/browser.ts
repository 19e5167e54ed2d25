// The built page in a real Chromium.

import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { build, type PreviewServer, preview } from "vite";
import { findChromium } from "../../scripts/chromium.mjs";

const app = fileURLToPath(new URL("../../apps/playground/", import.meta.url));
const pictures = fileURLToPath(new URL("screenshots/", import.meta.url));

export const executablePath = findChromium();

/** Complaints that a page should not have. */
export interface Complaints {
  readonly errors: string[];
  readonly violations: string[];
  /** Addresses that were asked for elsewhere than at the page's own server. */
  readonly strangers: string[];
}

export class Site {
  readonly #folder: string;
  readonly #server: PreviewServer;
  readonly #browser: Browser;
  readonly address: string;

  private constructor(folder: string, server: PreviewServer, browser: Browser) {
    this.#folder = folder;
    this.#server = server;
    this.#browser = browser;
    this.address = server.resolvedUrls?.local[0] ?? "";
  }

  /** Builds the page into a folder of its own, serves it, and starts the browser. */
  static async open(): Promise<Site> {
    mkdirSync(pictures, { recursive: true });
    const folder = mkdtempSync(join(tmpdir(), "playground-"));
    const quiet = {
      root: app,
      configFile: join(app, "vite.config.ts"),
      logLevel: "warn",
      build: { outDir: folder, emptyOutDir: true },
    } as const;
    await build(quiet);
    const server = await preview({ ...quiet, preview: { port: 0, host: "127.0.0.1", strictPort: false } });
    // Without the background services of a desktop browser, which would look for hosts elsewhere.
    const services = [
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--disable-quic",
    ];
    const args = ["--no-sandbox", "--disable-gpu", "--no-first-run", ...services];
    const browser = await chromium.launch({ ...(executablePath && { executablePath }), args });
    return new Site(folder, server, browser);
  }

  async close(): Promise<void> {
    await this.#browser.close();
    await this.#server.close();
    rmSync(this.#folder, { recursive: true });
  }

  /** A page at an address, and its complaints. */
  async visit(hash = "", options: BrowserContextOptions = {}): Promise<{ page: Page; complaints: Complaints }> {
    const context = await this.#browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    // The limit of the test counts.
    context.setDefaultTimeout(0);
    const page = await context.newPage();
    const complaints: Complaints = { errors: [], violations: [], strangers: [] };
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") complaints.errors.push(message.text());
    });
    page.on("pageerror", (error) => complaints.errors.push(error.message));
    page.on("request", (request) => {
      const url = request.url();
      if (!url.startsWith(this.address) && !url.startsWith("data:")) complaints.strangers.push(url);
    });
    await page.exposeFunction("tellViolation", (text: string) => complaints.violations.push(text));
    await page.addInitScript(() => {
      const tell = (globalThis as unknown as { tellViolation: (text: string) => void }).tellViolation;
      addEventListener("securitypolicyviolation", (event) => {
        const { violatedDirective, blockedURI } = event as unknown as Record<string, string>;
        tell(`${violatedDirective} ${blockedURI}`);
      });
    });
    await page.goto(`${this.address}${hash && `#${hash}`}`);
    return { page, complaints };
  }
}

/** Keeps a picture of the whole page. */
export async function picture(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
}

/** Waits until the race stands at its start, and keys are listened to. */
export async function untilReady(page: Page): Promise<void> {
  await page.locator("data[data-loss]").first().waitFor();
}

/** Waits until the race has had so many evaluations. */
export async function untilClock(page: Page, clock: number): Promise<void> {
  await page.waitForFunction(
    (wanted) => Number(document.querySelector<HTMLDataElement>("#clock")?.value) >= wanted,
    clock,
  );
}

/** The losses of the table, with all their digits, by the optimizer's label. */
export async function losses(page: Page): Promise<Record<string, number>> {
  const rows = await page
    .locator(".standings tbody tr")
    .evaluateAll((elements) =>
      elements.map((row) => [
        row.querySelector("th")?.textContent ?? "",
        Number(row.querySelector<HTMLDataElement>("data[data-loss]")?.value),
      ]),
    );
  return Object.fromEntries(rows);
}
