import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { batch, type Estimate, Estimator } from "@stepwell/example-service/estimator";
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
    for (const [id, trip] of taken) expect(trips[id - 1]).toEqual(trip);

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
    // A request of which half has arrived.
    const body = JSON.stringify(tripOf(99));
    const socket = connect(Number(new URL(service.address).port), "127.0.0.1");
    const headers = [
      "POST /trips HTTP/1.1",
      "Host: service",
      "Content-Type: application/json",
      `Content-Length: ${body.length}`,
      "Expect: 100-continue",
    ];
    socket.write(`${headers.join("\r\n")}\r\n\r\n${body.slice(0, 10)}`);
    let answer = "";
    const answered = new Promise<string>((resolve) => {
      socket.on("data", (text) => {
        answer += String(text);
      });
      socket.on("close", () => resolve(answer));
    });
    await expect.poll(() => answer).toMatch(/^HTTP\/1.1 100 /);
    const ended = service.end("SIGTERM");
    // Later requests find no server, or the answer that it closes.
    await expect.poll(async () => (await post(service.address, "/trips", tripOf(100)))?.status ?? 503).toBe(503);
    socket.write(body.slice(10));
    expect(await ended).toEqual({ code: 0, signal: null });
    expect(await answered).toMatch(/\r\n\r\nHTTP\/1.1 201 /);
    const { id } = JSON.parse((await answered).split("\r\n\r\n").at(-1) ?? "");
    const store = new Store(database(data));
    expect(store.after(id - 1, 1)).toEqual([tripOf(99)]);
    expect(savedSteps(data)).toBe(Math.floor(store.count / batch));
    store.close();
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
    const health = async () => (await (await get("/health")).json()) as object;
    await expect.poll(health).toMatchObject({ steps: 10 });
    expect(await health()).toMatchObject({ status: "ok", version: 8, trips: 10 * batch });
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
