import { execFile } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { batch, type Estimate, Estimator } from "@stepwell/example-service/estimator";
import { readSettings } from "@stepwell/example-service/settings";
import { Store } from "@stepwell/example-service/store";
import type { MadeTrip, Trip } from "@stepwell/example-service/trips";
import { free, handlecount, load } from "@stepwell/sdk";
import { afterAll, describe, expect, it } from "vitest";
import { post, type RunningService, startService } from "./service.js";

const folder = mkdtempSync(join(tmpdir(), "service-"));
afterAll(() => rmSync(folder, { recursive: true }));
const database = (data: string) => join(data, "trips.db");
const checkpoint = (data: string) => join(data, "checkpoint.safetensors");

/** The trip of a number. All differ, so that a wrong one is found. */
const tripOf = (n: number): MadeTrip => {
  const trip = { distance: 0.5 + ((n * 7919) % 1500) / 100, hour: (n * 31) % 24, weekday: n % 7, rain: (n % 5) / 2 };
  return { ...trip, minutes: 3 + 2 * trip.distance * (1 + trip.rain / 10) + (trip.hour === 8 ? 5 : 0) };
};
const question = ({ minutes, ...trip }: MadeTrip): Trip => trip;

/** Steps of the checkpoint; 0 without one. */
function savedSteps(data: string): number {
  if (!existsSync(checkpoint(data))) return 0;
  const { steps } = load(checkpoint(data));
  free();
  return Number(steps);
}

/** So many trips from a number on. */
const trips = (from: number, count: number) => Array.from({ length: count }, (_, index) => tripOf(from + index));

const health = async ({ address }: RunningService) => (await (await fetch(`${address}/health`)).json()) as object;

/** Sends the head of a trip and the first byte of its body. Resolves when the service has them. */
async function slowly({ address }: RunningService, body: string) {
  const socket = connect(Number(new URL(address).port), "127.0.0.1");
  const headers = [
    "POST /trips HTTP/1.1",
    "Host: service",
    "Content-Type: application/json",
    `Content-Length: ${Math.max(body.length, 2)}`,
    "Expect: 100-continue",
  ];
  socket.write(`${headers.join("\r\n")}\r\n\r\n${body.slice(0, 1)}`);
  let text = "";
  socket.on("error", () => {});
  const answer = new Promise<string>((resolve) => {
    socket.on("data", (bytes) => {
      text += String(bytes);
    });
    socket.on("close", () => resolve(text));
  });
  await expect.poll(() => text).toMatch(/^HTTP\/1.1 100 /);
  return { socket, answer };
}

/** An estimate that the service gave. */
interface Given extends Estimate {
  readonly trip: Trip;
}

describe("the service", () => {
  it("killed ten times, it loses no trip that it took, no step before a checkpoint, and answers nothing wrongly", async () => {
    const data = join(folder, "killed");
    const taken = new Map<number, MadeTrip>();
    const given: Given[] = [];
    let next = 0;

    /** Posts trips and asks for estimates until the service has taken so many more, or is gone. */
    async function use({ address }: RunningService, until: number): Promise<void> {
      while (taken.size < until) {
        const trip = tripOf(next++);
        const answer = await post(address, "/trips", trip);
        if (!answer) return;
        expect(answer.status).toBe(201);
        expect(taken.has(answer.body.id as number)).toBe(false);
        taken.set(answer.body.id as number, trip);
        const asked = question(tripOf(next + 1000));
        const estimate = await post(address, "/estimates", asked);
        if (!estimate) return;
        if (estimate.status === 200) given.push({ trip: asked, ...(estimate.body as unknown as Estimate) });
        else expect(estimate.status).toBe(503);
      }
    }

    for (let kill = 0; kill <= 10; kill++) {
      const before = savedSteps(data);
      const service = await startService(data);
      expect(service.resumed.version).toBe(before);
      expect(service.resumed.trips).toBeGreaterThanOrEqual(Math.max(0, ...taken.keys()));
      const until = taken.size + 150 + 37 * kill;
      // Requests are under way when the process is killed: the first client that is done kills it.
      const clients = Array.from({ length: 8 }, () => use(service, until));
      if (kill < 10) {
        await Promise.race(clients);
        expect(await service.end("SIGKILL")).toEqual({ code: null, signal: "SIGKILL" });
        await Promise.all(clients);
      } else {
        await Promise.all(clients);
        expect(await service.end("SIGTERM")).toEqual({ code: 0, signal: null });
      }
    }

    const store = new Store(database(data));
    const trips = store.after(0, store.count);
    store.close();
    for (const [id, trip] of taken) expect(trips[id - 1]).toEqual({ id, ...trip });

    // The training without an interruption, from the same trips in the same order.
    const steps = savedSteps(data);
    expect(steps).toBe(Math.floor(trips.length / batch));
    expect(given.length).toBeGreaterThan(1000);
    const versions = new Map<number, Given[]>();
    for (const one of given) versions.set(one.version, [...(versions.get(one.version) ?? []), one]);
    let compared = 0;
    const trained = new Estimator(join(folder, "trained.safetensors"));
    for (let step = 1; step <= steps; step++) {
      await trained.train(trips.slice((step - 1) * batch, step * batch));
      trained.publish();
      const asked = versions.get(step);
      if (!asked) continue;
      for (const [index, { minutes }] of trained.estimate(asked.map(({ trip }) => trip)).entries()) {
        expect(asked[index]?.minutes).toBeCloseTo(minutes, 3);
        compared += 1;
      }
    }
    expect(compared).toBe(given.length);

    await trained.save();
    expect(readFileSync(checkpoint(data)).equals(readFileSync(join(folder, "trained.safetensors")))).toBe(true);
    free();
    expect(handlecount()).toBe(0);
  });

  it("on SIGTERM it answers what has arrived, refuses what comes later, and saves every step", async () => {
    const data = join(folder, "drained");
    const service = await startService(data);
    for (let n = 0; n < 2 * batch; n++) expect((await post(service.address, "/trips", tripOf(n)))?.status).toBe(201);
    const body = JSON.stringify(tripOf(99));
    const { socket, answer } = await slowly(service, body);
    const ended = service.end("SIGTERM");
    // Later requests find no server, or the answer that it closes.
    await expect.poll(async () => (await post(service.address, "/trips", tripOf(100)))?.status ?? 503).toBe(503);
    socket.write(body.slice(1));
    expect(await ended).toEqual({ code: 0, signal: null });
    expect(await answer).toMatch(/\r\n\r\nHTTP\/1.1 201 /);
    const { id } = JSON.parse((await answer).split("\r\n\r\n").at(-1) ?? "");
    const store = new Store(database(data));
    expect(store.after(id - 1, 1)).toEqual([{ id, ...tripOf(99) }]);
    expect(savedSteps(data)).toBe(Math.floor(store.count / batch));
    store.close();
  });

  it.each([
    ["saves at once, and answers a slow client", "86400"],
    ["closes connections of requests that never end", "0.2"],
  ])("on SIGTERM it %s", async (_, seconds) => {
    const data = join(folder, `slow ${seconds}`);
    const service = await startService(data, { CHECKPOINT_SECONDS: "86400", DRAIN_SECONDS: seconds });
    for (const trip of trips(0, 2 * batch)) expect((await post(service.address, "/trips", trip))?.status).toBe(201);
    await expect.poll(() => health(service)).toMatchObject({ steps: 2, unsaved: 2 });
    const bodies = [JSON.stringify(tripOf(99)), "{"];
    const slow = await Promise.all(bodies.map((body) => slowly(service, body)));
    const ended = service.end("SIGTERM");
    await expect.poll(() => savedSteps(data)).toBe(2);
    if (seconds === "86400") {
      for (const [index, { socket }] of slow.entries()) {
        expect(socket.readyState).toBe("open");
        socket.end(`${bodies[index]}`.slice(1));
      }
    }
    expect(await ended).toEqual({ code: 0, signal: null });
    const answers = await Promise.all(slow.map(({ answer }) => answer));
    if (seconds === "86400") expect(answers[0]).toContain("HTTP/1.1 201 ");
    else expect(service.output()).toContain("connections with unfinished requests are closed");
  });

  it("answers a request that does not arrive in time with 408", async () => {
    const service = await startService(join(folder, "late"), { REQUEST_SECONDS: "0.2" });
    expect(await (await slowly(service, "{")).answer).toContain("HTTP/1.1 408 ");
    expect(await service.end("SIGTERM")).toEqual({ code: 0, signal: null });
  });

  it("goes on if the database has lost trips that the checkpoint has learned from", async () => {
    const data = join(folder, "lost");
    const first = await startService(data);
    for (const trip of trips(0, 2 * batch - 1)) expect((await post(first.address, "/trips", trip))?.status).toBe(201);
    expect(await first.end("SIGTERM")).toEqual({ code: 0, signal: null });
    rmSync(checkpoint(data), { force: true });
    const learn = async (estimator: Estimator, from: number) => {
      await estimator.train(trips(from, 2 * batch).map((trip, index) => ({ id: from + index + 1, ...trip })));
      await estimator.save();
    };
    await learn(new Estimator(checkpoint(data)), 0);
    for (const steps of [2, 4]) {
      const service = await startService(data);
      expect(service.resumed.version).toBe(steps);
      expect(service.output().includes('"lost":1,')).toBe(steps === 2);
      for (const [n, trip] of trips(2 * batch, steps === 2 ? 2 * batch : 0).entries()) {
        expect((await post(service.address, "/trips", trip))?.body).toEqual({ id: 2 * batch + n + 1 });
      }
      await expect.poll(() => health(service)).toMatchObject({ steps: 4, trips: 4 * batch - 1 });
      expect(await service.end("SIGTERM")).toEqual({ code: 0, signal: null });
    }
    const whole = join(folder, "not-lost.safetensors");
    const trained = new Estimator(whole);
    for (const from of [0, 2 * batch]) await learn(trained, from);
    expect(readFileSync(checkpoint(data)).equals(readFileSync(whole))).toBe(true);
    free();
  });

  it.each([
    ["PORT", ["", "-1", "65536", "1.5", "0x10", " 3000", "1e3"], "a whole number from 0 to 65535"],
    ["CHECKPOINT_SECONDS", ["", "0", "3000000", "1e3", "NaN", "-5"], "a number from 0.01 to 86400"],
    ["DRAIN_SECONDS", ["", "86401", "Infinity"], "a number from 0 to 86400"],
    ["HOST", [""], "an address"],
    ["DATA_FOLDER", [""], "a folder"],
    ["LOG_LEVEL", ["", "loud", "INFO"], "one of fatal, error, warn, info, debug, trace, silent"],
  ])("refuses %s=%j", (name, values, expected) => {
    for (const value of values) {
      expect(() => readSettings({ [name]: value })).toThrow(`${name}: expected ${expected}, given "${value}"`);
    }
  });

  it("ends with 1 and a sentence if it cannot start", async () => {
    const busy = createServer().listen(0, "127.0.0.1");
    await once(busy, "listening");
    const { port } = busy.address() as AddressInfo;
    const rows: readonly (readonly [NodeJS.ProcessEnv, RegExp])[] = [
      [{ PORT: "" }, /PORT: expected a whole number from 0 to 65535, given ""\n$/],
      [{ PORT: `${port}` }, /EADDRINUSE[^\n]*\n$/],
      ...(process.platform === "linux" ? [[{ DATA_FOLDER: "/proc/absent" }, /ENOENT[^\n]*\n$/] as const] : []),
    ];
    for (const [settings, sentence] of rows) {
      const started = startService(join(folder, "unused"), settings);
      await expect(started).rejects.toThrow(/^the service ended with 1: The service does not start: [^\n]*\n$/);
      await expect(started).rejects.toThrow(sentence);
    }
    busy.close();
  });

  it("refuses bad requests with a sentence, tells its health, and has metrics in the text format of Prometheus", async () => {
    const data = join(folder, "asked");
    const service = await startService(data);
    const { address } = service;
    const get = (path: string) => fetch(address + path);
    expect((await get("/health")).status).toBe(503);
    expect((await post(address, "/estimates", question(tripOf(1))))?.status).toBe(503);
    for (const bad of [
      {},
      { ...tripOf(1), weekday: 7 },
      { ...tripOf(1), minutes: "12" },
      { ...tripOf(1), colour: 1 },
    ]) {
      const refused = await post(address, "/trips", bad);
      expect(refused).toMatchObject({ status: 400, body: { message: expect.stringMatching(/^body/) } });
    }
    for (let n = 0; n < 10 * batch; n++) await post(address, "/trips", tripOf(n));
    await expect.poll(() => health(service)).toMatchObject({ steps: 10 });
    expect(await health(service)).toMatchObject({ status: "ok", version: 8, trips: 10 * batch });
    expect((await post(address, "/estimates", question(tripOf(1))))?.body).toMatchObject({ version: 8 });

    const metrics = await get("/metrics");
    expect(metrics.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
    const lines = (await metrics.text()).trimEnd().split("\n");
    const sample =
      /^[a-z_]\w*(?:\{[a-z_]\w*="[^"]*"(?:,[a-z_]\w*="[^"]*")*\})? (?:-?[\d.]+(?:e[+-]?\d+)?|NaN|[+-]Inf)$/;
    expect(lines.filter((line) => line !== "" && !line.startsWith("#") && !sample.test(line))).toEqual([]);
    expect(lines).toEqual(expect.arrayContaining(["service_steps_total 10", "service_trips 320", "service_version 8"]));
    expect(lines).toContain('http_request_duration_seconds_count{method="POST",route="/trips",status="400"} 4');

    await expect(startService(data)).rejects.toThrow(/locked/);
    expect(await service.end("SIGTERM")).toMatchObject({ code: 0 });
  });

  it("has no errors under a load of autocannon while it trains", async () => {
    const bench = fileURLToPath(new URL("../../bench/dist/service/main.js", import.meta.url));
    const options = ["--seconds", "2", "--rounds", "1", "--connections", "20", "--json"];
    const { stdout } = await promisify(execFile)(process.execPath, [bench, ...options]);
    const { rows, steps, exits } = JSON.parse(stdout);
    expect(rows).toHaveLength(2);
    for (const { service } of rows) {
      expect(service.errors).toBe(0);
      expect(service.requests).toBeGreaterThan(0);
    }
    expect(steps).toBeGreaterThan(10);
    expect(exits).toEqual([0, 0]);
  });
});
