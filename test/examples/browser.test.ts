import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as k from "@stepwell/sdk";
import type { Browser, BrowserContext } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { executablePath, launch } from "../browser/chromium.js";
import { serve } from "../browser/server.js";

const folder = mkdtempSync(join(tmpdir(), "spirals-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** The figures that the page shows. */
interface Figures {
  readonly steps: number;
  readonly loss: string;
  readonly right: number;
  readonly resumedAt: number;
  readonly saved: number;
}

describe.runIf(executablePath)("the page of two spirals", () => {
  let browser: Browser;
  let server: Awaited<ReturnType<typeof serve>>;
  beforeAll(async () => {
    const root = fileURLToPath(new URL("../../examples/browser/", import.meta.url));
    await build({ root, logLevel: "error", build: { outDir: folder, emptyOutDir: true } });
    // An empty page of the same site.
    server = await serve(folder, (path) => (path === "/none" ? { body: "", type: "text/html" } : {}));
    browser = await launch();
  });
  afterAll(async () => {
    await browser.close();
    server.close();
  });

  /** Opens the page, and returns what reads its figures until they are as wanted. */
  async function open(context: BrowserContext) {
    const page = await context.newPage();
    page.setDefaultTimeout(0);
    const losses = new Map<number, string>();
    let last: Figures | undefined;
    // Each text that the page shows, since a reader from outside would miss some.
    await page.exposeFunction("show", (text: string) => {
      const [, steps, loss = "", right, resumedAt, saved] =
        /^step (\d+), loss (\S+), (\d+) % right, resumed at (\d+), saved at (\d+)$/.exec(text) ?? expect.fail(text);
      last = { steps: Number(steps), loss, right: Number(right), resumedAt: Number(resumedAt), saved: Number(saved) };
      losses.set(last.steps, loss);
    });
    await page.addInitScript(`
      addEventListener("DOMContentLoaded", () => {
        const figures = document.querySelector("output");
        new MutationObserver(() => show(figures.value)).observe(figures, { childList: true });
      });
    `);
    await page.goto(server.address);
    const until = async (isWanted: (figures: Figures) => boolean) => {
      await expect.poll(() => last !== undefined && isWanted(last)).toBe(true);
      return last as Figures;
    };
    return { page, losses, until };
  }

  it("goes on to the bit from its checkpoint after the page was closed in the middle", async () => {
    const [whole, parts] = [await browser.newContext(), await browser.newContext()];
    const uninterrupted = await open(whole);
    expect((await uninterrupted.until(({ steps }) => steps >= 700)).resumedAt).toBe(0);
    await uninterrupted.page.close();

    const first = await open(parts);
    await first.until(({ saved, steps }) => saved >= 200 && steps > saved);
    await first.page.close();
    // The file is one of a run, which Node loads too.
    const other = await parts.newPage();
    await other.goto(`${server.address}none`);
    const bytes = await other.evaluate<readonly number[]>(`(async () => {
      const folder = await navigator.storage.getDirectory();
      const file = await (await folder.getFileHandle("spirals.safetensors")).getFile();
      return Array.from(new Uint8Array(await file.arrayBuffer()));
    })()`);
    const { steps, net } = k.deserialize<{ steps: number; net: k.ModuleHandle }>(Uint8Array.from(bytes));
    expect([steps % 100, k.parmnames(net).length]).toEqual([0, 6]);
    k.free();
    await other.close();
    const second = await open(parts);
    const { resumedAt } = await second.until(({ steps }) => steps >= 700);
    expect(resumedAt).toBeGreaterThanOrEqual(200);
    expect(resumedAt % 100).toBe(0);
    for (let step = resumedAt + 20; step <= 700; step += 20) {
      expect(second.losses.get(step), `step ${step}`).toBe(uninterrupted.losses.get(step) ?? "not shown");
    }
    await Promise.all([whole.close(), parts.close()]);
  });

  it("learns, pauses, and starts anew", async () => {
    const context = await browser.newContext();
    const { page, until } = await open(context);
    await until(({ right }) => right >= 95);
    await page.getByText("Pause").click();
    await page.getByText("Go on").waitFor();
    await page.getByText("Start anew").click();
    const { resumedAt, saved } = await until(({ steps }) => steps === 20);
    expect([resumedAt, saved]).toEqual([0, 0]);
    await page.getByText("Go on").click();
    await until(({ steps }) => steps > 20);
    await context.close();
  });
});
