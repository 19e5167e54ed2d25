// `node bench/dist/service/main.js`: the service of the examples under load, next to Fastify alone in the same run.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { machine } from "../results.js";
import { table } from "../table.js";
import { load, type Outcome, programs, start, teach } from "./load.js";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    rounds: { type: "string", default: "4" },
    connections: { type: "string", default: "100" },
    "rate-connections": { type: "string", default: "10" },
    rate: { type: "string", default: "500" },
    write: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});
const [seconds, rounds] = [Number(values.seconds), Number(values.rounds)];
const [connections, rate] = [Number(values.connections), Number(values.rate)];

/** A load with an outcome of both servers. */
interface Row {
  readonly words: string;
  readonly alone: Outcome;
  readonly service: Outcome;
}

/** The outcomes of rounds as one: sums of counts, medians of times. */
function together(outcomes: readonly Outcome[]): Outcome {
  const sum = (name: keyof Outcome) => outcomes.reduce((total, outcome) => total + outcome[name], 0);
  const median = (name: keyof Outcome) =>
    outcomes.map((outcome) => outcome[name]).sort((a, b) => a - b)[Math.floor((outcomes.length - 1) / 2)] ?? Number.NaN;
  return {
    requests: sum("requests"),
    perSecond: median("perSecond"),
    p50: median("p50"),
    p99: median("p99"),
    max: Math.max(...outcomes.map(({ max }) => max)),
    errors: sum("errors"),
  };
}

const folder = mkdtempSync(join(tmpdir(), "service-"));
const [alone, service] = await Promise.all([
  start(programs.alone),
  start(programs.service, { DATA_FOLDER: folder, CHECKPOINT_SECONDS: "5" }),
]);
const metric = async (name: string) => {
  const text = await (await fetch(`${service.address}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1]);
};
const exits: (number | string)[] = [];
const rows: Row[] = [];
let steps = 0;
try {
  await teach(service.address, 320);
  for (const [words, rated] of [
    [`${rate} requests a second`, { rate, connections: Number(values["rate-connections"]) }],
    [`as many as ${connections} connections get answers`, { connections }],
  ] as const) {
    const found: Record<"alone" | "service", Outcome[]> = { alone: [], service: [] };
    for (let round = 0; round < rounds; round++) {
      for (const [name, { address }] of [
        ["alone", alone],
        ["service", service],
      ] as const) {
        found[name].push(await load(address, { seconds: seconds / rounds, ...rated }));
      }
    }
    rows.push({ words, alone: together(found.alone), service: together(found.service) });
  }
  steps = await metric("service_steps_total");
} finally {
  exits.push(await alone.stop(), await service.stop());
  rmSync(folder, { recursive: true });
}

if (values.json) console.log(JSON.stringify({ rows, steps, exits }));
else {
  const text = report();
  console.log(text);
  if (values.write) writeFileSync(new URL("../../results/service.md", import.meta.url), text);
}

function report(): string {
  const { cpu, cores, system, versions } = machine();
  const described = `${new Date().toISOString().slice(0, 10)}, ${cpu} with ${cores} cores, ${system}; Node ${versions.node}`;
  const time = (value: number) => `${Math.round(value)} ms`;
  const lines = rows.map(({ words, alone, service }) => [
    words,
    `${service.requests}`,
    `${service.errors}`,
    `${Math.round(alone.perSecond)}, ${Math.round(service.perSecond)}`,
    `${time(alone.p50)}, ${time(service.p50)}`,
    `${time(alone.p99)}, ${time(service.p99)}`,
    (service.p99 / alone.p99).toFixed(2),
  ]);
  const head = ["load", "requests to the service", "errors", "answers a second", "p50", "p99", "ratio of p99"];
  return `# The service under load

\`node bench/dist/service/main.js --write\` writes this page. Loads of autocannon on [the service](../../examples/service/README.md) and
on Fastify alone take turns, in ${rounds} rounds of ${seconds / rounds} seconds each. Fastify alone has the routes and schemas of the service, and
constant answers. A fifth of the requests are trips, on which the service trains: ${steps} steps in this run.

The second number of a pair is the service. Times are medians of the rounds.

${table(head, lines)}

${described}; load average ${loadavg()[0]?.toFixed(1)} at the end.
`;
}
