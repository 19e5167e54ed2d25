// Results, errors and reports of programs on a device. STEPWELL_TEST_DEVICE=cuda:0 runs the table on a GPU.

import * as k from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { expectError } from "./expect-error.js";

afterEach(() => k.free());

const device = (process.env.STEPWELL_TEST_DEVICE ?? "cpu") as k.Device;
const status = k.cudaStatus();

const inputs = [
  [1, 2],
  [3, -1],
  [0.5, 0.25],
  [-2, 1],
];
const classes = [0, 1, 1, 0];

/** A module with running statistics and dropout, on a device. */
function network(on: k.Device): k.ModuleHandle {
  k.seed(3);
  const m = k.module(
    k.seq("sequential", ["linear", "a", 2, 4], ["batchnorm", "n", 4], ["dropout", 0.25], ["linear", "b", 4, 2]),
  );
  k.to(m, on);
  return m;
}

/** Elements with the position of each in a nested list. */
function flat(value: unknown, path = ""): readonly (readonly [string, unknown])[] {
  if (ArrayBuffer.isView(value)) return flat(Array.from(value as unknown as ArrayLike<number>, Number), path);
  if (value === null || typeof value !== "object") return [[path, value]];
  return Object.entries(value).flatMap(([key, item]) => (key === "pointer" ? [] : flat(item, `${path}.${key}`)));
}

/** Each program returns plain data, which is equal on every device; on a GPU up to rounding. */
const programs: { readonly [what: string]: (on: k.Device) => unknown } = {
  "tensors: making, reading, conversion": (on) => {
    const x = k.tensor(inputs, on);
    const y = k.full([2, 3], 1.5, on, "double");
    const z = k.tensor([1, 2, 3], { device: on, dtype: "long", shape: [3, 1] });
    expect([x, y, z].map((t) => k.device(t))).toEqual([on, on, on]);
    return [k.data(x), k.tensor(y), k.tensor(z), k.tensor(k.to(x, "double")), k.take(k.to(z, "cpu")), k.size(x)];
  },
  "elements overwritten from numbers, from the CPU and from the device": (on) => {
    const x = k.tensor([1, 2], on);
    k.copyto([3, 4], x);
    const first = k.tensor(x);
    k.copyto(k.tensor([5, 6]), x);
    const second = k.tensor(x);
    const y = k.tensor([0, 0]);
    k.copyto(x, y);
    return [first, second, k.tensor(y), k.device(x) === on];
  },
  "a module: forward, losses of plain targets, gradients, clipping": (on) => {
    const m = network(on);
    const loss = k.ce(k.forward(m, inputs), classes);
    k.backward(loss);
    const norm = k.clip(m, 0.1);
    const gradients = k.parmnames(m).map((name) => k.grad(k.parm(m, name)));
    return [k.tensor(loss), norm, gradients, k.tensor(k.evaluate(m, inputs)), k.state(m)];
  },
  "losses of numbers on the device": (on) => {
    const x = k.tensor([0.25, 0.5], on, "grad");
    return [k.mse(x, [1, 2]), k.l1(x, [1, 2]), k.smoothl1(x, [1, 2]), k.bce(x, [0, 1]), k.bcewithlogits(x, [1, 0])].map(
      (loss) => k.tensor(loss),
    );
  },
  "an embedding, layer normalisation, images": (on) => {
    k.seed(4);
    const words = k.module(k.seq("sequential", ["embedding", 5, 3], ["layernorm", [3]]));
    const images = k.module(k.seq("sequential", ["conv2d", 1, 2, 2], "relu", ["maxpool2d", 2], "flatten"));
    for (const m of [words, images]) k.to(m, on);
    const image = k.tensor(
      Float32Array.from({ length: 25 }, (_, i) => Math.sin(i)),
      { shape: [1, 1, 5, 5], device: on },
    );
    return [k.tensor(k.forward(words, [1, 4, 0])), k.tensor(k.forward(images, image))];
  },
  "a training on data of the CPU, of the device, and of plain numbers": (on) => {
    const results = [];
    for (const [x, y] of [
      [inputs, classes],
      [k.tensor(inputs), k.tensor(classes, "long")],
      [k.tensor(inputs, on), k.tensor(classes, "long", on)],
    ] as const) {
      const m = network(on);
      const model = k.model(m, k.loss("ce"), k.opt("sgd", m, 0.1, 0.9));
      k.train(model, { batchsize: 2, metrics: ["loss", "accuracy"] });
      k.train(model, x, y);
      k.test(model, x, y);
      results.push(k.run(model), k.run(model), k.testrun(model), k.state(m));
    }
    return results;
  },
  "a training whose module moves after its data was given": (on) => {
    const m = network("cpu");
    const model = k.model(m, k.loss("ce"), k.opt("sgd", m, 0.1));
    k.train(model, k.tensor(inputs), k.tensor(classes, "long"));
    k.to(m, on);
    return [k.run(model), k.state(m)];
  },
  "states restored on another device": (on) => {
    const m = network(on);
    const o = k.opt("adam", m, 0.01);
    const train = (m: k.ModuleHandle, o: k.OptimizerHandle) => {
      k.seed(5);
      k.backward(k.ce(k.forward(m, inputs), classes));
      k.step(o, { zerograd: true });
    };
    train(m, o);
    const copy = k.module(k.state(m));
    const restored = k.opt(k.state(o), copy);
    expect(k.device(k.parm(copy, "a.weight"))).toBe("cpu");
    train(m, o);
    train(copy, restored);
    return [k.state(m), k.state(copy), k.state(o), k.state(restored)];
  },
  "a moving average, and a frozen parameter": (on) => {
    const x = k.tensor([1, 2], on, "grad");
    const y = k.tensor([3], on, "grad");
    const o = k.opt("sgd", x, { lr: 0.5, average: 0.5 });
    k.opt(o, y);
    k.gradflag(y, false);
    for (let i = 0; i < 2; i++) {
      k.grad(x, [1, 1]);
      k.step(o);
    }
    k.average(o);
    return [k.tensor(x), k.tensor(y)];
  },
  printing: (on) => {
    const x = k.tensor([1, 2], on);
    return `${x}`.replaceAll(on, "device");
  },
};

describe.each(Object.entries(programs))("%s", (_, program) => {
  it(`is on ${device} as on the CPU`, () => {
    const [found, wanted] = [flat(program(device)), flat(program("cpu"))];
    expect(found.map(([path]) => path)).toEqual(wanted.map(([path]) => path));
    for (const [i, [path, value]] of found.entries()) {
      const expected = wanted[i]?.[1];
      if (typeof value === "number" && device !== "cpu") expect(value, path).toBeCloseTo(Number(expected), 4);
      else expect(value, path).toEqual(expected);
    }
  });
});

it("makes a file on the device and reads it on the CPU", async () => {
  const { mkdtempSync, rmSync } = await import("node:fs");
  const { join } = await import("node:path");
  const { tmpdir } = await import("node:os");
  const folder = mkdtempSync(join(tmpdir(), "stepwell-device-"));
  try {
    const [m, other] = [network(device), network("cpu")];
    k.copyto(
      [
        [9, 8],
        [7, 6],
        [5, 4],
        [3, 2],
      ],
      k.parm(m, "a.weight"),
    );
    k.save(m, join(folder, "m.safetensors"));
    k.load(other, join(folder, "m.safetensors"));
    expect(k.state(other)).toEqual(k.state(m));
    k.load(m, join(folder, "m.safetensors"));
    expect(k.device(k.parm(m, "a.weight"))).toBe(device);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it("reports CUDA in one shape", () => {
  expect(Object.keys(status)).toEqual([
    "available",
    "libtorch",
    "library",
    "loaded",
    "driver",
    "devices",
    "missing",
    "remedy",
  ]);
  expect(status.available).toBe(status.devices.length > 0);
  expect(k.cudadevices()).toBe(status.devices.length);
  const names = status.devices.map(({ device }) => device);
  expect(k.cudadevices([])).toEqual(names.length > 0 ? ["cuda", ...names] : []);
  expect(names).toEqual(names.map((_, i) => `cuda:${i}`));
  for (const part of [status.missing, status.remedy]) {
    if (status.available) expect(part).toBeNull();
    else expect(part).toMatch(/\w{3}/);
  }
  expect(typeof status.libtorch).toBe(k.engine === "native" ? "string" : "object");
});

it("counts bytes of the CPU", () => {
  const before = k.memory().allocated;
  const x = k.full([1 << 20], 0);
  const { device, allocated, ...others } = k.memory("cpu");
  expect({ device, others }).toEqual({ device: "cpu", others: {} });
  expect(allocated - before).toBeGreaterThanOrEqual(4 << 20);
  k.free(x);
  expect(k.memory().allocated).toBeLessThan(before + (1 << 20));
});

it.runIf(status.available)("counts bytes of a device, and waits for it", () => {
  const x = k.full([1 << 20], 0, "cuda:0");
  const { device, allocated, reserved, peak, free, total } = k.memory("cuda:0") as Required<k.MemoryUse>;
  expect(device).toBe("cuda:0");
  expect(allocated).toBeGreaterThanOrEqual(4 << 20);
  for (const larger of [reserved, peak]) expect(larger).toBeGreaterThanOrEqual(allocated);
  expect(free).toBeLessThanOrEqual(total);
  k.sync();
  k.synchronize("cuda:0");
  k.free(x);
  expect(k.memory("cuda").allocated).toBeLessThan(allocated);
});

it.runIf(status.available)("says that a device has no memory, and loses nothing", () => {
  const { total } = k.memory("cuda:0") as Required<k.MemoryUse>;
  const x = k.tensor([1, 2, 3], "cuda:0");
  expectError("ERR_MEMORY", () => k.full([total], 0, "cuda:0"));
  expect(k.tensor(x)).toEqual([1, 2, 3]);
  expect(k.handlecount()).toBe(1);
});

it.runIf(status.available)("refuses tensors on several devices", () => {
  const m = network("cuda:0");
  const [x, onDevice] = [k.tensor(inputs), k.tensor(inputs, "cuda:0", "grad")];
  for (const call of [
    () => k.forward(m, x),
    () => k.evaluate(m, x),
    () => k.mse(onDevice, x),
    () => k.grad(onDevice, x),
  ]) {
    expect(expectError("ERR_DEVICE", call)).toMatch(/expected an? \w+ on cuda:0, given one on cpu: to\(x, "cuda:0"\)/);
  }
});

describe.runIf(!status.available)("without a device", () => {
  const m = () => k.module(["linear", 1, 1]);
  const calls: readonly (readonly [name: string, call: () => unknown])[] = [
    ["tensor", () => k.tensor([1], "cuda")],
    ["tensor", () => k.tensor([1], { device: "cuda:1" })],
    ["full", () => k.full([1], 0, "cuda")],
    // The engine in WebAssembly refuses the size first.
    ...(k.engine === "native" ? ([["full", () => k.full([2 ** 45], 0, "cuda")]] as const) : []),
    ["to", () => k.to(k.tensor([1]), "cuda")],
    ["to", () => k.to(m(), "double", "cuda:3")],
    ["memory", () => k.memory("cuda")],
    ["sync", () => k.sync("cuda:0")],
  ];

  it.each(calls)("%s (%#) says what is missing and what to do", (name, call) => {
    const message = expectError("ERR_DEVICE", call);
    expect(message).toMatch(RegExp(`^${name}: device cuda:\\d cannot be used: .`));
    if (k.engine === "native") expect(message).toContain(`${status.missing}. ${status.remedy}`);
  });

  it("goes on with the CPU", () => {
    k.sync();
    expect(k.tensor(k.tensor([1, 2]))).toEqual([1, 2]);
  });
});

it.each([
  ["cudadevices", () => k.cudadevices(1 as never), "ERR_ARGUMENT"],
  ["cudadevices", () => k.cudadevices([1] as never), "ERR_ARGUMENT"],
  ["memory", () => k.memory("gpu" as never), "ERR_DEVICE"],
  ["memory", () => k.memory(1 as never), "ERR_ARGUMENT"],
  ["sync", () => k.sync("cuda:x" as never), "ERR_DEVICE"],
  ["sync", () => k.sync(null as never), "ERR_ARGUMENT"],
  ["cudaStatus", () => (k.cudaStatus as (x: number) => unknown)(1), "ERR_ARGUMENT"],
] as const)("%s (%#) says what is wrong with an argument", (name, call, code) => {
  expect(expectError(code, call)).toMatch(RegExp(`^${name}: `));
});
