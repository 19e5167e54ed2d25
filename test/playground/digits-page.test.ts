// The digits on the page, in a real browser.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as k from "@stepwell/sdk/wasm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Training } from "../../apps/playground/src/digits.js";
import { decompress, unpack } from "../../apps/playground/src/digits-data.js";
import { contenderOptions, epochs } from "../../apps/playground/src/digits-setup.js";
import { digitRates } from "../../apps/playground/src/generated/digit-rates.js";
import { executablePath, picture, Site } from "./browser.js";

describe.skipIf(!executablePath)("the digits on the page", () => {
  let site: Site;
  beforeAll(async () => {
    site = await Site.open();
  });
  afterAll(() => site?.close());

  it("are read as the engine in Node reads them, to the last one", async () => {
    const batch = 4000;
    const { page, complaints } = await site.visit(`view=digits&batch=${batch}`);
    await page.getByRole("button", { name: "Again" }).waitFor();
    const shown = await page
      .locator("data[data-accuracy]")
      .evaluateAll((all) => all.map((one) => Number((one as HTMLDataElement).value)));

    const file = fileURLToPath(new URL("../../apps/playground/src/data/digits.bin", import.meta.url));
    const digits = unpack(await decompress(new Blob([readFileSync(file)])));
    const contenders = (["sgd", "adam", "lamb"] as const).map((optimizer) => ({
      optimizer,
      options: { ...contenderOptions[optimizer], lr: digitRates[optimizer]?.[batch]?.lr ?? 0 },
    }));
    const training = new Training(k, digits, { batch, epochs, seed: 1, contenders });
    while (!training.isDone) training.advance(false);
    expect(shown).toEqual(training.accuracies());
    training.free();

    // LAMB moves its layers alike: if the ratio is below 1, its relative step is its rate.
    await page
      .getByText(/LAMB's r = 0\.\d+/)
      .first()
      .waitFor();
    await picture(page, "digits");
    expect(complaints).toEqual({ errors: [], violations: [], strangers: [] });
    await page.context().close();
  });

  it("can be drawn, and are read while one draws", async () => {
    const { page } = await site.visit("view=digits&batch=500&contenders=adam", {
      viewport: { width: 1280, height: 1400 },
    });
    await page.getByRole("button", { name: "Again" }).waitFor();
    const pad = page.locator(".pad canvas");
    const box = await pad.boundingBox();
    if (!box) throw new Error("no pad");
    const at = (x: number, y: number) => [box.x + x * box.width, box.y + y * box.height] as const;
    // A one: a stroke from top to bottom.
    await page.mouse.move(...at(0.52, 0.15));
    await page.mouse.down();
    await page.mouse.move(...at(0.5, 0.5), { steps: 8 });
    await page.mouse.move(...at(0.48, 0.85), { steps: 8 });
    await page.mouse.up();
    await expect.poll(() => page.locator(".reading b").textContent()).toBe("1");
    // A seven, on a clean pad.
    await page.getByRole("button", { name: "Clear" }).click();
    await page.mouse.move(...at(0.25, 0.2));
    await page.mouse.down();
    await page.mouse.move(...at(0.75, 0.2), { steps: 10 });
    await page.mouse.move(...at(0.42, 0.85), { steps: 10 });
    await page.mouse.up();
    await expect.poll(() => page.locator(".reading b").textContent()).toBe("7");
    await picture(page, "drawn");
    await page.context().close();
  });

  it("have a slider of batch sizes, which starts a training", async () => {
    const { page } = await site.visit("view=digits", { reducedMotion: "reduce" });
    const slider = page.getByLabel(/Batch size/);
    await slider.focus();
    await page.keyboard.press("End");
    await page.getByText(/At 8000, LAMB reads the most/).waitFor();
    await expect.poll(() => page.url()).toContain("batch=8000");
    await page.getByText(/step 10 of 10/).waitFor();
    await page.context().close();
  });
});
