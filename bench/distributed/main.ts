// `node bench/dist/distributed/main.js`: steps of one, two and four processes on this machine, and on machines of a network whose cards
// are limited. PyTorch's DistributedDataParallel takes turns if STEPWELL_BENCH_PYTHON names a Python with torch 2.11.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { loadavg } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type Figure, figure } from "../figures.js";
import { machine } from "../results.js";
import { short, table } from "../table.js";
import { bandwidthForShards, costOf, type Measures } from "./cost.js";
import { type Network, openNetwork, reasonAgainstNetworks } from "./network.js";
import type { Times, Work } from "./work.js";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    turns: { type: "string", default: "2" },
    rate: { type: "string", default: "1gbit" },
    only: { type: "string" },
    write: { type: "boolean", default: false },
  },
});
const [rounds, turns] = [Number(values.rounds), Number(values.turns)];

/** The limit of a step: this times the longer one of backward and communication, and the optimizer. */
const LIMIT = 1.1;

interface Row {
  readonly size: number;
  /** Whether the processes are on machines of a network. */
  readonly shaped: boolean;
  readonly work: Work;
}

/** In parameters: the layers, and the last one of 10 units. */
const parametersOf = ({ width, layers }: Work) => layers * width * (width + 1) + 10 * (width + 1);

/** A backward that is shorter and one that is longer than the communication at 1 Gbit/s. */
const works = [
  { width: 1024, layers: 16, batch: 64 },
  { width: 1024, layers: 16, batch: 512 },
] as const;
const rows: readonly Row[] = [
  ...[1, 2, 4].map((size) => ({ size, shaped: false, work: { ...works[0], rounds } })),
  ...[2, 4].flatMap((size) => works.map((work) => ({ size, shaped: true, work: { ...work, rounds } }))),
].filter(({ size, shaped }) => !values.only || `${size}${shaped ? " shaped" : ""}` === values.only);

const python = pythonWithTorch();

function pythonWithTorch(): string | undefined {
  for (const name of [process.env.STEPWELL_BENCH_PYTHON, "python3"]) {
    if (!name) continue;
    try {
      const code = "import torch; print(torch.__version__)";
      const version = execFileSync(name, ["-c", code], { encoding: "utf8", stdio: "pipe" });
      if (version.startsWith("2.11")) return name;
    } catch {
      // No such program, or no torch.
    }
  }
  return undefined;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address ? address.port : 0;
}

/** Runs a program in each process of a group, and returns what rank 0 has printed. */
async function run<Result>(size: number, network: Network | undefined, program: string, args: readonly string[]) {
  const port = String(network ? 29500 : await freePort());
  const outs = Array.from({ length: size }, async (_, rank) => {
    const command = network?.on(rank, program, ...args) ?? { program, args };
    const child = spawn(command.program, command.args, {
      stdio: ["ignore", "pipe", "inherit"],
      env: {
        ...process.env,
        STEPWELL_ENGINE: "native",
        RANK: String(rank),
        WORLD_SIZE: String(size),
        MASTER_ADDR: network?.addresses[0] ?? "127.0.0.1",
        MASTER_PORT: port,
        GLOO_SOCKET_IFNAME: network?.card ?? "lo",
        OMP_NUM_THREADS: "1",
      },
    });
    let out = "";
    child.stdout.setEncoding("utf8").on("data", (text) => {
      out += text;
    });
    const [code] = await once(child, "close");
    if (code !== 0) throw new Error(`rank ${rank} of ${size} has ended with ${code}`);
    return out;
  });
  return JSON.parse((await Promise.all(outs))[0] ?? "") as Result;
}

interface Measured {
  readonly row: Row;
  readonly times: Record<keyof Times, Figure>;
  readonly torch: Figure | undefined;
}

async function measure(row: Row): Promise<Measured> {
  const network = row.shaped ? openNetwork(row.size, values.rate) : undefined;
  const work = JSON.stringify(row.work);
  const [own, torch]: [Times[], number[]] = [[], []];
  try {
    for (let turn = 0; turn < turns; turn++) {
      const program = fileURLToPath(new URL("rank.js", import.meta.url));
      own.push(await run<Times>(row.size, network, process.execPath, [program, work]));
      if (python === undefined) continue;
      const ddp = fileURLToPath(new URL("../../distributed/ddp.py", import.meta.url));
      torch.push(...(await run<number[]>(row.size, network, python, [ddp, work])));
    }
  } finally {
    network?.close();
  }
  const of = (name: keyof Times) => figure(own.flatMap((times) => times[name]));
  const times = {
    forward: of("forward"),
    backward: of("backward"),
    optimizer: of("optimizer"),
    communication: of("communication"),
    after: of("after"),
    step: of("step"),
    gathers: of("gathers"),
  };
  return { row, times, torch: torch.length > 0 ? figure(torch) : undefined };
}

const reason = reasonAgainstNetworks();
const measured: Measured[] = [];
for (const row of rows) {
  if (row.shaped && reason !== undefined) continue;
  console.error(`bench: ${row.size} processes${row.shaped ? ` at ${values.rate}` : ""}, batch ${row.work.batch}`);
  measured.push(await measure(row));
}

/** The time of a step without its forward, divided by max(backward, communication) + optimizer. */
const share = ({ times }: Measured) => {
  const { forward, backward, communication, optimizer, step } = times;
  return (step.median - forward.median - optimizer.median) / Math.max(backward.median, communication.median);
};

const text = report();
console.log(text);
if (values.write) writeFileSync(new URL("../../results/distributed.md", import.meta.url), text);
if (overBar().length > 0) process.exitCode = 1;

/** The measurements whose steps are longer than the bar. */
function overBar(): readonly string[] {
  const over = measured.filter((one) => one.row.shaped && share(one) > LIMIT);
  return over.map((one) => `${one.row.size} processes with ${one.row.work.batch} samples each`);
}

/** The figures of the model, from the measurement of two machines. */
function measuresOf({ row, times }: Measured): Measures {
  const parameters = parametersOf(row.work);
  const seconds = (figure: Figure) => figure.median / 1000;
  // Of each element, a half goes to the other process, and a half comes back. A gather with its comparison is two messages.
  const bandwidth = (parameters * 4) / seconds(times.communication);
  const latency = seconds(times.gathers) / 20 / 2;
  const [forward, backward, optimizer] = [times.forward, times.backward, times.optimizer].map(seconds) as [
    number,
    number,
    number,
  ];
  return { parameters, forward, backward, optimizer, latency, bandwidth };
}

/** The model of more processes. */
function modelled(): string {
  const base = measured.find(({ row }) => row.shaped && row.size === 2 && row.work.batch === works[1].batch);
  if (!base) return "";
  const measures = measuresOf(base);
  const thousands = (seconds: number) => short(seconds * 1000);
  const lines = [2, 8, 16, 32, 64, 128, 256, 512, 1024].map((size) => {
    const { communication, step, sharded, state, shardedState } = costOf(measures, size);
    return [
      String(size),
      thousands(communication),
      thousands(step),
      thousands(sharded),
      short(state / 1e6),
      short(shardedState / 1e6),
    ];
  });
  const head = ["processes", "communication", "step", "sharded step", "state, MB", "sharded, MB"];
  return `
## A model of more processes

**Predicted, not measured.** \`cost.ts\` has the formulas. They take the figures of two machines above with ${base.row.work.batch} samples each: a message
takes ${short(measures.latency * 1e6)} µs, and a card sends ${short(measures.bandwidth / 1e6)} MB a second. A bucket goes out in shares and comes back
in shares, each half in one message to each other process. Every process computes as many samples as there, and the network carries
the traffic of all at once. Times are in milliseconds.

A sharded step updates a share of the parameters on each process, and sends them to the others. Its memory pays from two processes on. Its
time pays if the others' parameters come faster than they are updated: from ${short((bandwidthForShards(measures) * 8) / 1e9)} Gbit/s on. In that
sentence messages take no time.

${table(head, lines)}
`;
}

function report(): string {
  const { cpu, cores, system, versions } = machine();
  const described = `${new Date().toISOString().slice(0, 10)}, ${cpu} with ${cores} cores, ${system}; Node ${versions.node}; libtorch ${versions.libtorch}`;
  const milliseconds = ({ median }: Figure) => short(median);
  const lines = measured.map((one) => {
    const { row, times, torch } = one;
    return [
      `${row.size}${row.shaped ? ` at ${values.rate}` : ""}`,
      String(row.work.batch),
      milliseconds(times.forward),
      milliseconds(times.backward),
      milliseconds(times.communication),
      milliseconds(times.optimizer),
      milliseconds(times.after),
      milliseconds(times.step),
      row.size > 1 ? share(one).toFixed(2) : "",
      torch ? milliseconds(torch) : "",
      torch ? (times.step.median / torch.median).toFixed(2) : "",
    ];
  });
  const head = [
    "processes",
    "samples each",
    "forward",
    "backward",
    "communication",
    "optimizer",
    "reduced after",
    "step",
  ];
  const more = ["share", "DDP", "step / DDP"];
  return `# Steps of several processes

\`node bench/dist/distributed/main.js --write\` writes this page. A perceptron of ${works[0].layers} square layers of ${works[0].width} units, 16.8 million
parameters (67 MB), trains with Adam, with one thread a process. Times are in milliseconds: medians of ${rounds * turns} rounds, in which all
columns take turns. Each time of a round is the one of the slowest process.

- forward, backward, optimizer: on each process, without the others.
- communication: gradients that are there are reduced.
- reduced after: a step of a program of its own, which reduces after the backward.
- step: \`batch\` of a model, which reduces during the backward.
- share: a step without forward and optimizer, divided by the longer one of backward and communication. At ${values.rate} the bar is ${LIMIT}.
- DDP: the same step by DistributedDataParallel of PyTorch 2.11 on Gloo with the fused Adam, in turns with the others.

"at ${values.rate}" are machines of a network: network namespaces that a bridge joins. \`tc tbf\` limits what each card sends and receives.
The kernel adds no delay.
The other processes use the loopback device.

${table([...head, ...more], lines)}

Over the bar: ${overBar().join(", ") || "none"}. With a load average above the number of cores, processes wait for a core and not for the network.
So do more processes than the ${cores} cores, whose forward and backward leave no core for the reduction.
${modelled()}
${described}; load average ${loadavg()[0]?.toFixed(1)} at the end.
`;
}
