// The page in a real browser: what it shows is what the engine computes, and it keeps to its policy.

import * as k from "@stepwell/sdk/wasm";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { defaultOptions } from "../../apps/playground/src/defaults.js";
import { optimizerNames } from "../../apps/playground/src/options.js";
import { Race } from "../../apps/playground/src/race.js";
import { type SurfaceName, surfaceNames, surfaces } from "../../apps/playground/src/surfaces/index.js";
import { markOf } from "../../apps/playground/src/ui/marks.js";
import { executablePath, losses, picture, Site, untilClock, untilReady } from "./browser.js";

/** A race of all optimizers in Node, on the same engine, as the page makes it. */
function race(surface: SurfaceName, start: readonly [number, number] = surfaces[surface].start): Race {
  const racers = optimizerNames.map((optimizer) => ({
    optimizer,
    groups: [defaultOptions(surface, optimizer)] as const,
  }));
  return Race.start(k, { surface, start, racers });
}

/** The losses of a race as the page's table has them. */
function lossesOf({ racers }: Race): Record<string, number> {
  return Object.fromEntries(racers.map(({ settings, loss }) => [markOf(settings.optimizer).label, loss]));
}

const clock = async (page: Page) => Number(await page.locator("#clock").getAttribute("value"));

describe.skipIf(!executablePath)("the page", () => {
  let site: Site;
  beforeAll(async () => {
    site = await Site.open();
  });
  afterAll(() => site?.close());

  it("races without being asked to, without a complaint, and fetches nothing from elsewhere", async () => {
    const { page, complaints } = await site.visit();
    await untilClock(page, 200);
    await picture(page, "surfaces");
    await page.getByRole("tab", { name: "Digits" }).click();
    await page.waitForFunction(() => Number(document.querySelector<HTMLDataElement>("#training-step")?.value) > 0);
    expect(complaints).toEqual({ errors: [], violations: [], strangers: [] });
    await page.context().close();
  });

  it("has a policy that blocks what the page does not need", async () => {
    const { page, complaints } = await site.visit();
    const response = await page.request.get(site.address);
    expect(response.headers()["content-security-policy"]).toContain("script-src 'self' 'wasm-unsafe-eval'");
    // A static server sends no header: the page has the policy itself.
    expect(await response.text()).toContain('http-equiv="Content-Security-Policy"');
    await page.evaluate(() => {
      const script = document.createElement("script");
      script.textContent = "document.title = 'injected'";
      document.body.append(script);
      const paragraph = document.createElement("p");
      paragraph.setAttribute("style", "color: red");
    });
    // Each is reported twice, for the server's policy and for the page's.
    const blocked = [
      "script-src-elem inline",
      "script-src-elem inline",
      "style-src-attr inline",
      "style-src-attr inline",
    ];
    await expect.poll(() => complaints.violations.toSorted()).toEqual(blocked);
    expect(await page.title()).not.toBe("injected");
    await page.context().close();
  });

  it.each(surfaceNames)("shows on %s the numbers of the engine in Node, to the bit", async (surface) => {
    const { page, complaints } = await site.visit(`surface=${surface}&until=150&speed=1000`);
    await untilClock(page, 150);
    const node = race(surface);
    node.advance(150);
    await expect.poll(() => losses(page)).toEqual(lossesOf(node));
    node.free();
    await picture(page, `surface-${surface}`);
    expect(complaints).toEqual({ errors: [], violations: [], strangers: [] });
    await page.context().close();
  });

  it("goes on with a changed rate as the engine does, and tells it in the code", async () => {
    const { page } = await site.visit("until=120&speed=1000", { reducedMotion: "reduce" });
    await untilReady(page);
    const node = race("rosenbrock");
    for (let step = 0; step < 10; step++) await page.keyboard.press(".");
    await untilClock(page, 10);
    const rate = page.getByLabel("Learning rate of Adam", { exact: true });
    await rate.fill("0.07");
    await rate.blur();
    await page.keyboard.press("Space");
    await untilClock(page, 120);
    node.advance(10);
    node.edit("adam", 0, { lr: 0.07 });
    node.advance(110);
    const { [markOf("adam").label]: expected } = lossesOf(node);
    await expect.poll(async () => (await losses(page))[markOf("adam").label]).toBe(expected);
    node.free();
    await expect
      .poll(() => page.locator("pre").textContent())
      .toMatch(/if \(n === 10\) opt\(o, 0, \[\], \{ lr: 0\.07 \}\);/);
    await page.context().close();
  });

  it("goes back to what was kept, and makes the same points to the bit", async () => {
    const { page, complaints } = await site.visit("speed=200");
    await untilClock(page, 40);
    await page.keyboard.press("s");
    await page.getByRole("button", { name: /^Back to \d+$/ }).waitFor();
    const saved = Number((await page.getByRole("button", { name: /^Back to/ }).textContent())?.match(/\d+/)?.[0]);
    await untilClock(page, saved + 150);
    await page.keyboard.press("b");
    await expect.poll(async () => Number(await page.locator("#replay").getAttribute("data-same"))).toBeGreaterThan(700);
    expect(await page.locator("#replay").textContent()).toContain("identical to the last bit");
    await picture(page, "replay");
    // With another rate the points are others: the comparison can fail.
    await page.getByRole("button", { name: "Pause" }).click();
    await page.keyboard.press("b");
    const rate = page.getByLabel("Learning rate of SGD", { exact: true });
    await rate.fill("0.0001");
    await rate.blur();
    await page.keyboard.press("Space");
    await expect.poll(() => page.locator("#replay").textContent()).toContain("differ");
    expect(complaints).toEqual({ errors: [], violations: [], strangers: [] });
    await page.context().close();
  });

  it("is worked by the keyboard", async () => {
    const { page } = await site.visit("", { reducedMotion: "reduce" });
    await untilReady(page);
    // A visitor who prefers reduced motion starts the race by hand.
    expect(await clock(page)).toBe(0);
    await page.keyboard.press(".");
    await page.keyboard.press(".");
    await expect.poll(() => clock(page)).toBe(2);
    await page.keyboard.press("Space");
    await page.getByRole("button", { name: "Pause" }).waitFor();
    await untilClock(page, 10);
    await page.keyboard.press("Space");
    await page.getByRole("button", { name: "Play" }).waitFor();
    await page.keyboard.press("r");
    await expect.poll(() => clock(page)).toBe(0);

    const first = page.locator(".standings tbody tr").first();
    await page.keyboard.press("1");
    await expect.poll(() => first.getAttribute("class")).toContain("is-hidden");
    await page.keyboard.press("1");
    await expect.poll(() => first.getAttribute("class")).not.toContain("is-hidden");

    await page.keyboard.press("]");
    await page.getByRole("heading", { name: /^Beale/ }).waitFor();
    await page.keyboard.press("[");
    await page.getByRole("heading", { name: /^Rosenbrock/ }).waitFor();

    const theme = () => page.locator("html").getAttribute("data-theme");
    const before = await theme();
    await page.keyboard.press("t");
    await expect.poll(theme).not.toBe(before);

    await page.keyboard.press("?");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "hidden" });

    // The map: arrows move the start, Enter takes it.
    const map = page.getByRole("application");
    await map.focus();
    for (let press = 0; press < 5; press++) await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("Enter");
    await expect.poll(() => page.url()).toContain("start=-0.82,1.076");

    // Every control is reached by Tab.
    await page.locator("body").click({ position: { x: 1, y: 1 } });
    const reached = new Set<string>();
    for (let press = 0; press < 120; press++) {
      await page.keyboard.press("Tab");
      reached.add(await page.evaluate(() => document.activeElement?.outerHTML.slice(0, 200) ?? ""));
    }
    const controls = page.locator(
      "button:visible:not([disabled]):not([tabindex='-1']), input:visible, [tabindex='0']:visible",
    );
    const outlines = await controls.evaluateAll((elements) =>
      elements.map((element) => element.outerHTML.slice(0, 200)),
    );
    expect(outlines.filter((outline) => !reached.has(outline))).toEqual([]);
    await page.context().close();
  });

  it("starts where it is clicked", async () => {
    const { page } = await site.visit("surface=saddle&until=60&speed=1000");
    const map = page.getByRole("application");
    const box = await map.boundingBox();
    if (!box) throw new Error("no map");
    await map.click({ position: { x: box.width * 0.25, y: box.height * 0.25 } });
    await expect.poll(() => page.url()).toContain("start=");
    const [x = 0, y = 0] = (new URLSearchParams(new URL(page.url()).hash.slice(1)).get("start") ?? "")
      .split(",")
      .map(Number);
    expect(x).toBeCloseTo(-0.9, 1);
    expect(y).toBeCloseTo(0.9, 1);
    await untilClock(page, 60);
    const node = race("saddle", [x, y]);
    node.advance(60);
    await expect.poll(() => losses(page)).toEqual(lossesOf(node));
    node.free();
    await page.context().close();
  });

  it("keeps what is set in its address", async () => {
    const { page } = await site.visit("surface=beale", { reducedMotion: "reduce" });
    await page.getByLabel("beta1").fill("0.5");
    await page.getByRole("button", { name: "Show SGD" }).click();
    await page.getByText("x and y as two tensors").click();
    await page.getByRole("tab", { name: "group 1: y" }).click();
    await page.getByLabel("lr", { exact: true }).fill("0.01");
    const words = ["surface=beale", "hidden=sgd", "split=adam", "adam.beta1=0.5", "adam.y.lr=0.01"];
    for (const word of words) await expect.poll(() => page.url()).toContain(word);
    const address = page.url();
    await page.reload();
    await page.getByRole("tab", { name: "group 1: y" }).click();
    expect(await page.getByLabel("lr", { exact: true }).inputValue()).toBe("0.01");
    expect(await page.getByRole("button", { name: "Show SGD" }).getAttribute("aria-pressed")).toBe("false");
    expect(page.url()).toBe(address);
    await page.context().close();
  });

  it("says what is wrong with a value, and takes none that is wrong", async () => {
    const { page } = await site.visit("selected=sgd", { reducedMotion: "reduce" });
    const momentum = page.getByLabel("momentum", { exact: true });
    await momentum.fill("-1");
    expect(await momentum.getAttribute("aria-invalid")).toBe("true");
    await page.getByText("A number ≥ 0.").first().waitFor();
    await momentum.fill("0");
    // A rule that only the engine knows: nesterov needs momentum.
    await page.getByLabel("nesterov").check();
    await page
      .getByRole("alert")
      .getByText(/nesterov/)
      .waitFor();
    await page.context().close();
  });

  it("copies a program", async () => {
    const { page } = await site.visit("until=30&speed=1000", { permissions: ["clipboard-read", "clipboard-write"] });
    await untilClock(page, 30);
    await page.keyboard.press("c");
    await page.getByRole("button", { name: "Copied" }).waitFor();
    const text = await page.evaluate(() => navigator.clipboard.readText());
    expect(text).toBe(await page.locator("pre").textContent());
    expect(text).toContain('import { grad, opt, step, tensor } from "@stepwell/sdk";');
    await page.context().close();
  });

  describe.each(["light", "dark"] as const)("on a phone, %s", (colorScheme) => {
    it.each(["surfaces", "digits"])("%s fit the width", async (view) => {
      for (const width of [320, 390]) {
        const { page } = await site.visit(`view=${view}&until=300&speed=1000`, {
          viewport: { width, height: 800 },
          hasTouch: true,
          isMobile: true,
          colorScheme,
        });
        await page.getByRole("button", { name: /Pause|Again|Play|Train/ }).waitFor();
        if (view === "surfaces") await untilClock(page, 300);
        else
          await page.waitForFunction(
            () => Number(document.querySelector<HTMLDataElement>("#training-step")?.value) > 5,
          );
        const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        expect(over).toBeLessThanOrEqual(0);
        expect(await page.locator("html").getAttribute("data-theme")).toBe(colorScheme);
        await picture(page, `phone-${view}-${colorScheme}-${width}`);
        await page.context().close();
      }
    });
  });

  it("is dark on a large screen too", async () => {
    const { page } = await site.visit("surface=himmelblau&speed=300", { colorScheme: "dark" });
    await untilClock(page, 300);
    await picture(page, "surfaces-dark");
    await page.context().close();
  });
});
