// The report and the live page, in Chromium and over HTTP, and progress on a terminal.

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:http";
import { connect } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { pathToFileURL } from "node:url";
import { livePage, observe, progressBar, report } from "@stepwell/cli";
import * as k from "@stepwell/sdk";
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { executablePath, launch } from "../browser/chromium.js";
import { installed, type Project } from "./installed.js";

const folder = mkdtempSync(join(tmpdir(), "pages-"));
let browser: Browser | undefined;
beforeAll(async () => {
  if (executablePath) browser = await launch();
});
afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true });
});
afterEach(() => k.free());

const data = {
  inputs: Array.from({ length: 24 }, (_, i) => [Math.sin(i), Math.cos(i)]),
  targets: Array.from({ length: 24 }, (_, i) => i % 2),
};

function classifier() {
  k.seed(1);
  const module = k.Module.of(k.seq("sequential", ["linear", "body", 2, 8], "tanh", ["linear", "head", 8, 2]));
  return new k.Model(module, "ce", new k.Optimizer(k.opt("lamb", module, { lr: 0.05, decay: 0.01 })));
}

/** The numbers in a page. */
function numbersOf(html: string) {
  const [, text = ""] = /<script type="application\/json" id="numbers">([\s\S]*?)<\/script>/.exec(html) ?? [];
  return JSON.parse(text);
}

/** The parts of a page that are shown. */
interface Shown {
  readonly summary: string;
  readonly headings: readonly string[];
  readonly canvases: number;
  readonly rows: number;
}

/** A program of the page that returns {@link Shown}. */
const reading = `(() => {
  const sections = [...document.querySelectorAll("section")].filter((section) => section.offsetHeight > 0);
  return {
    summary: document.getElementById("summary").textContent,
    headings: sections.map((section) => section.querySelector("h2")?.textContent ?? "table"),
    canvases: sections.filter((section) => section.querySelector("canvas")).length,
    rows: document.querySelectorAll("#epochs-table tbody tr").length,
  };
})()`;

/** Opens a page, and returns the headings and drawings that are shown, and every complaint and request. */
async function open(address: string) {
  const page = await (browser as Browser).newPage();
  page.setDefaultTimeout(0);
  const complaints: string[] = [];
  const requests: string[] = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => requests.push(request.url()));
  await page.goto(address);
  const read = () => page.evaluate(reading) as Promise<Shown>;
  return { page, read, complaints, requests };
}

const charts = [
  "Loss of steps",
  "Loss of epochs",
  "Accuracy in percent",
  "Learning rate",
  "Norms of gradient and update",
  "Update relative to weights, by parameter",
  "Trust ratio, by parameter",
];

describe("the report of fit", () => {
  it("has the figures of the training, and nothing from elsewhere", async () => {
    const model = classifier();
    const path = join(folder, "report.html");
    const title = "</script><b>Spirals";
    const history = await observe(
      model.fit(data, { epochs: 4, batchsize: 4, validation: data }),
      report(path, { model, title, every: 2, settings: { data: "24 points" } }),
    );
    const html = readFileSync(path, "utf8");
    expect(html).not.toMatch(/(?:src|href)="(?!data:)/);
    const record = numbersOf(html);
    expect(record).toMatchObject({
      title,
      total: 24,
      reason: "finished",
      epochs: JSON.parse(JSON.stringify(history.epochs)),
    });
    expect(record.losses).toHaveLength(24);
    expect(record.rates[0]).toEqual([1, 0.05]);
    expect(record.norms.map(({ step }: { step: number }) => step)).toEqual([
      2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24,
    ]);
    expect(record.parameters).toEqual(["body.weight", "body.bias", "head.weight", "head.bias"]);
    if (!browser) return;
    const { read, complaints, requests, page } = await open(pathToFileURL(path).href);
    expect(await read()).toEqual({
      summary: expect.stringMatching(/^Finished: step 24 of 24, 4 epochs, loss [\d.]+$/),
      headings: [...charts, "table", "Settings"],
      canvases: 7,
      rows: 4,
    });
    expect(await page.title()).toBe(`Stepwell: ${title}`);
    expect(complaints).toEqual([]);
    expect(requests).toEqual([pathToFileURL(path).href]);
    await page.close();
  });

  it("thins out a long curve, and keeps its mean", async () => {
    const path = join(folder, "long.html");
    const losses = Array.from({ length: 10_000 }, (_, i) => 1 / (i + 1));
    async function* events(): AsyncGenerator<k.FitEvent> {
      for (const [i, loss] of losses.entries()) {
        yield { type: "step", epoch: 1, step: i + 1, steps: losses.length, loss, skipped: false };
      }
      yield { type: "done", reason: "aborted" };
    }
    await observe(events(), report(path));
    const { losses: points, reason } = numbersOf(readFileSync(path, "utf8"));
    expect(reason).toBe("aborted");
    expect(points.length).toBeLessThan(4096);
    expect(points.length).toBeGreaterThan(2000);
    let before = 0;
    for (const [step, mean] of points) {
      const part = losses.slice(before, step);
      expect(mean).toBeCloseTo(part.reduce((a, b) => a + b) / part.length, 12);
      before = step;
    }
  });
});

/** A request with a header Host of its own choice. */
function ask(
  address: string,
  { path = "/", method = "GET", host }: { path?: string; method?: string; host?: string } = {},
) {
  const { port } = new URL(address);
  return new Promise<{ status: number | undefined; body: string; policy: unknown }>((resolve, reject) => {
    const options = { host: "127.0.0.1", port, path, method, ...(host && { headers: { host } }) };
    const sent = request(options, (response) => {
      let body = "";
      response.on("data", (bytes) => {
        body += bytes;
      });
      response.on("end", () =>
        resolve({ status: response.statusCode, body, policy: response.headers["content-security-policy"] }),
      );
    });
    sent.on("error", reject).end();
  });
}

it("an observer that fails ends the training, and the others end", async () => {
  const seen: string[] = [];
  const fails = (name: string, when: "event" | "end") => ({
    event: () => {
      if (when === "event") throw new Error(name);
    },
    end: () => {
      seen.push(name);
      if (when === "end") throw new Error(name);
    },
  });
  const model = classifier();
  const training = model.fit(data, { epochs: 100 });
  await expect(
    observe(training, fails("first", "end"), fails("second", "event"), fails("third", "end")),
  ).rejects.toThrow("second");
  expect(seen).toEqual(["first", "second", "third"]);
  await expect(observe(model.fit(data), fails("last", "end"))).rejects.toThrow("last");
  // The training has ended: another one can begin.
  expect(await observe(model.fit(data), { event: () => {} })).toMatchObject({ reason: "finished" });
});

it("a training waits for its observers to begin", async () => {
  const model = classifier();
  const seen: string[] = [];
  const slow = {
    begin: () => new Promise<void>((resolve) => setTimeout(resolve, 30)),
    event: (event: k.FitEvent) => void seen.push(event.type),
  };
  await observe(model.fit(data, { batchsize: 12 }), slow);
  expect(seen).toEqual(["step", "step", "epoch", "done"]);
});

describe("the live page of fit", () => {
  it("shows the training while it runs, to this machine alone", async () => {
    const model = classifier();
    let address = "";
    let steps = 0;
    let opened: Awaited<ReturnType<typeof open>> | undefined;
    let during: Shown | undefined;
    const onListen = (found: string) => {
      address = found;
    };
    const visit = {
      event: async (event: k.FitEvent) => {
        if (event.type === "step") steps = event.step;
        if (event.type !== "epoch") return;
        if (event.epoch === 1) {
          expect(address).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
          const { status, body, policy } = await ask(address);
          expect({ status, policy }).toEqual({ status: 200, policy: expect.stringContaining("default-src 'none'") });
          expect(numbersOf(body)).toMatchObject({ reason: null, live: true, total: 60 });
          expect((await ask(address, { host: "evil.example" })).status).toBe(403);
          expect((await ask(address, { path: "/other" })).status).toBe(404);
          expect((await ask(address, { method: "POST" })).status).toBe(405);
          for (const { address: other } of Object.values(networkInterfaces())
            .flat()
            .filter((found) => found?.family === "IPv4" && !found.internal) as { address: string }[]) {
            await expect(reach(other, Number(new URL(address).port))).resolves.toBe(false);
          }
          if (browser) opened = await open(address);
        }
        if (event.epoch === 5 && opened) during = await opened.read();
      },
    };
    await observe(
      model.fit(data, { epochs: 10, batchsize: 4, validation: data }),
      livePage({ model, every: 1, onListen }),
      visit,
    );
    expect(steps).toBe(60);
    await expect(ask(address)).rejects.toThrow();
    if (!opened || !during) return;
    expect(during.summary).toMatch(/^Training: step \d+ of 60/);
    // Its policy forbids scripts of texts, by which Playwright waits for a function.
    await opened.page.locator("#summary", { hasText: /^Finished/ }).waitFor();
    expect(await opened.read()).toMatchObject({ headings: [...charts, "table", "Settings"], canvases: 7, rows: 10 });
    expect(opened.complaints).toEqual([]);
    expect(new Set(opened.requests)).toEqual(new Set([address, `${address}events`]));
    await opened.page.close();
  });

  it("on a port that is in use is an error, before the training begins", async () => {
    const model = classifier();
    let address = "";
    const first = livePage({
      onListen: (found) => {
        address = found;
      },
    });
    await first.begin?.();
    const port = Number(new URL(address).port);
    const before = JSON.stringify(model.module.state());
    await expect(observe(model.fit(data), livePage({ port }))).rejects.toMatchObject({ code: "ERR_PORT" });
    expect(JSON.stringify(model.module.state())).toBe(before);
    await first.end?.();
  });
});

/** Whether a port of an address takes connections. */
const reach = (host: string, port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect({ host, port }, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });

describe("progress of fit", () => {
  it("is a bar on a terminal", async () => {
    const stream = Object.assign(new PassThrough(), {
      isTTY: true as const,
      columns: 100,
      clearLine: () => true,
      cursorTo: () => true,
    });
    let text = "";
    stream.on("data", (bytes) => {
      text += bytes;
    });
    await observe(classifier().fit(data, { epochs: 3, batchsize: 8 }), progressBar({ stream, epochs: 3 }));
    expect(text).toContain("█");
    expect(text).toMatch(/epoch 3\/3 {2}step 9\/9 {2}loss [\d.]+/);
  });
});

describe("train", () => {
  let project: Project;
  beforeAll(() => {
    project = installed();
  });
  afterAll(() => project.remove());

  it("serves its page, and writes a report and event files", async () => {
    const rows = data.inputs.map(([a, b], i) => `${a},${b},${data.targets[i] ? "odd" : "even"}`);
    const script = `
      const { writeFileSync } = await import("node:fs");
      writeFileSync("points.csv", ${JSON.stringify(`a,b,kind\n${rows.join("\n")}\n`)});`;
    expect(project.node(["--input-type=module", "-e", script])).toMatchObject({ status: 0 });
    const args = [
      "train",
      "points.csv",
      "--model",
      '["linear",2,2]',
      "--epochs",
      "100000",
      "--no-save",
      "--quiet",
      "--live",
    ];
    const shown = ["--report", "report.html", "--tensorboard", "events"];
    const child = spawn(process.execPath, [project.program, ...args, ...shown], {
      cwd: project.folder,
      env: project.environment(),
    });
    let stderr = "";
    const address = await new Promise<string>((resolve) =>
      child.stderr.on("data", (bytes) => {
        stderr += bytes;
        const [, found] = /^Live: (http:\S+)\n/.exec(stderr) ?? [];
        if (found) resolve(found);
      }),
    );
    const [news] = await new Promise<readonly string[]>((resolve, reject) => {
      request(`${address}events`, (response) => {
        let text = "";
        response.on("data", (bytes) => {
          text += bytes;
          const messages = text.split("\n\n").slice(0, -1);
          if (messages.length > 2) resolve(messages.slice(-1));
        });
      })
        .on("error", reject)
        .end();
    });
    expect(JSON.parse((news as string).slice("data: ".length))).toMatchObject({ title: "points.csv", reason: null });
    child.kill("SIGINT");
    expect(await new Promise((resolve) => child.on("close", resolve))).toBe(130);
    expect(numbersOf(readFileSync(join(project.folder, "report.html"), "utf8"))).toMatchObject({ reason: "aborted" });
    expect(project.node(["-p", "fs.readdirSync('events').length"]).stdout).toBe("1\n");
  });

  it("refuses a port and files that cannot be used", () => {
    const args = ["train", "points.csv", "--model", '["linear",2,2]', "--no-save"];
    expect(project.run([...args, "--live", "70000"])).toMatchObject({ status: 2, stdout: "" });
    expect(project.run([...args, "--report", "nowhere/r.html"]).stderr).toMatch(
      /^stepwell: ERR_FILE: [^\n]*nowhere[^\n]*\n$/,
    );
  });
});
