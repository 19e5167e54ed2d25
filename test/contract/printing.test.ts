// Texts of objects: console.log, String, JSON.stringify and structuredClone. They change nothing, and never throw.

import { Session } from "node:inspector/promises";
import { inspect, stripVTControlCharacters } from "node:util";
import { MessageChannel } from "node:worker_threads";
import * as k from "@stepwell/sdk";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { expectError } from "./expect-error.js";

beforeEach(() => k.reset());
afterEach(() => k.reset());

const net = () =>
  k.module(k.seq("sequential", ["linear", "a", 2, 16], "tanh", k.seq("sequential", "relu", ["linear", 16, 2, false])));

/** One object of each kind. */
function everyKind() {
  k.seed(1);
  const module = net();
  const optimizer = k.opt("adamw", module, 0.05, { decay: 0.5 });
  const loss = k.loss("smoothl1", { beta: 0.5 });
  return {
    tensor: k.tensor([[1, 2.5]], "grad"),
    vector: k.vector([1, 2], 3),
    dictionary: k.dict({ w: [[1, 2]], b: [0] }),
    module,
    optimizer,
    loss,
    model: k.model(module, loss, optimizer),
  };
}

const moduleText = `Module sequential, 3 parameters of 80 elements
  a: linear(inputs: 2, outputs: 16), 2 parameters of 48 elements
  1: tanh
  2: sequential
    0: relu
    1: linear(inputs: 16, outputs: 2, bias: false), 1 parameter of 32 elements`;
const optimizerText = `Optimizer adamw
  group 0(lr: 0.05, decay: 0.5), 3 parameters of 80 elements`;
const indented = (text: string) => text.replaceAll("\n", "\n  ");

const texts: { readonly [kind: string]: string } = {
  tensor: "Tensor float [1, 2] cpu grad [[1, 2.5]]",
  vector: "Vector of 2 tensors\n  0: float [2] cpu\n  1: float [] cpu",
  dictionary: "Dictionary of 2 tensors\n  w: float [1, 2] cpu\n  b: float [1] cpu",
  module: moduleText,
  optimizer: optimizerText,
  loss: 'Loss smoothl1(beta: 0.5, reduce: "mean")',
  model: indented(`Model\n${moduleText}\nLoss smoothl1(beta: 0.5, reduce: "mean")\n${optimizerText}`),
};

const print = (object: unknown) => inspect(object, { depth: null });

describe("a handle and an object with methods", () => {
  it("print alike", () => {
    const handles = everyKind();
    for (const [kind, text] of Object.entries(texts)) {
      const handle = handles[kind as keyof typeof handles];
      expect(print(handle)).toBe(text);
      expect(String(handle)).toBe(text);
    }
    const { tensor, module, optimizer } = handles;
    for (const object of [new k.Tensor(tensor), new k.Module(module), new k.Optimizer(optimizer)]) {
      expect(print(object)).toBe(texts[object.kind]);
      expect(`${object}`).toBe(texts[object.kind]);
    }
    const model = new k.Model(new k.Module(module), "mse", new k.Optimizer(optimizer));
    const count = k.handlecount();
    expect(print(model)).toBe(indented(`Model\n${moduleText}\nLoss mse\n${optimizerText}`));
    expect(String(model)).toBe(print(model));
    expect(k.handlecount()).toBe(count);
    const parts = [new k.Module(module), new k.Optimizer(optimizer)] as const;
    const losses: readonly (readonly [string, object, k.LossChoice])[] = [
      ["Loss smoothl1(beta: 0.25)", { loss: "smoothl1", beta: 0.25 }, ["smoothl1", { beta: 0.25 }]],
      [texts.loss as string, { loss: "smoothl1", beta: 0.5, reduce: "mean" }, handles.loss],
    ];
    for (const [text, json, loss] of losses) {
      const model = new k.Model(parts[0], loss, parts[1]);
      expect(String(model)).toContain(`\n  ${text}\n`);
      expect(JSON.parse(JSON.stringify(model)).loss).toEqual(json);
    }
  });

  it("say that they are freed", () => {
    for (const [kind, handle] of Object.entries(everyKind())) {
      const title = kind.charAt(0).toUpperCase() + kind.slice(1);
      k.free(handle);
      expect(print(handle)).toBe(`${title} (freed)`);
      expect(String(handle)).toBe(`${title} (freed)`);
    }
    const t = k.Tensor.of(1);
    t.dispose();
    expect(print([t])).toBe("[ Tensor (freed) ]");
  });

  it("print without a constructor", () => {
    for (const made of [k.Handle, k.Tensor, k.Module, k.Optimizer, k.Model]) {
      expect(() => print(Object.create(made.prototype))).not.toThrow();
      expect(() => print(made.prototype)).not.toThrow();
    }
  });
});

describe("a tensor", () => {
  const text = (numbers: k.TensorData, ...options: readonly (k.Dtype | "grad")[]) =>
    String(k.tensor(numbers, ...options));

  it.each([
    [Math.log(2), [], "Tensor float [] cpu 0.69315"],
    [[1e-7, 123456.789, 1e20, -0.1], [], "Tensor float [4] cpu [1e-7, 123457, 100000000000000000000, -0.1]"],
    [[Number.NaN, Number.POSITIVE_INFINITY, -Infinity, -0], [], "Tensor float [4] cpu [NaN, Infinity, -Infinity, -0]"],
    [[1 / 3, 2], ["double"], "Tensor double [2] cpu [0.33333, 2]"],
    [[2 ** 53, -1], ["long"], "Tensor long [2] cpu [9007199254740992, -1]"],
    [[[], []], [], "Tensor float [2, 0] cpu [[], []]"],
    [[[[1], [2]]], ["grad"], "Tensor float [1, 2, 1] cpu grad [[[1], [2]]]"],
  ] as readonly (readonly [k.TensorData, readonly (k.Dtype | "grad")[], string])[])(
    "of %j",
    (numbers, options, expected) => {
      expect(text(numbers, ...options)).toBe(expected);
    },
  );

  it("is cut at its edges", () => {
    const matrix = k.tensor(Array.from({ length: 100 }, (_, i) => Array.from({ length: 10 }, (_, j) => i * 10 + j)));
    expect(String(matrix)).toBe(`Tensor float [100, 10] cpu
[[  0,   1,   2, …,   7,   8,   9],
 [ 10,  11,  12, …,  17,  18,  19],
 [ 20,  21,  22, …,  27,  28,  29],
 …,
 [970, 971, 972, …, 977, 978, 979],
 [980, 981, 982, …, 987, 988, 989],
 [990, 991, 992, …, 997, 998, 999]]`);
    expect(String(k.full([2 ** 28, 0], 1))).toBe("Tensor float [268435456, 0] cpu [[], [], [], …, [], [], []]");
    expect(text(Array.from({ length: 65 }, (_, i) => i))).toBe("Tensor float [65] cpu [0, 1, 2, …, 62, 63, 64]");
    expect(text(Array.from({ length: 64 }, (_, i) => i))).toContain("30, 31, 32");
    expect(String(k.full([9, 9, 9, 9], 1)).split("\n")).toHaveLength(16);
    expect(String(k.full(Array(12).fill(2), 1))).toBe(
      `Tensor float [${Array(12).fill(2).join(", ")}] cpu … 4096 elements`,
    );
    expect(String(k.full(Array(64).fill(1), 1))).toBe(
      `Tensor float [${Array(64).fill(1).join(", ")}] cpu ${"[".repeat(64)}1${"]".repeat(64)}`,
    );
  });

  it("is not read as a whole if it is large", () => {
    const x = k.full([2 ** 12, 2 ** 12], 1, "grad");
    const bytesOf = (call: () => unknown) => {
      // Arrays of the native engine count in `external` alone.
      const before = process.memoryUsage().external;
      call();
      return process.memoryUsage().external - before;
    };
    expect(bytesOf(() => String(x))).toBeLessThan(2 ** 20);
    // All of it is 64 MiB.
    expect(bytesOf(() => k.data(x))).toBeGreaterThan(2 ** 25);
  });

  it("has a text of its elements as they are", () => {
    const x = k.tensor([1, 2], "grad");
    const y = k.mse(x, [0, 0]);
    expect(String(y)).toBe("Tensor float [] cpu grad 2.5");
    k.copyto([3, 4], x);
    expect(String(x)).toBe("Tensor float [2] cpu grad [3, 4]");
  });
});

describe("a module", () => {
  it("says which parameters are frozen or of another type", () => {
    const m = net();
    k.gradflag([m, "a.bias"], false);
    expect(String(m)).toContain("Module sequential, 3 parameters of 80 elements, 1 frozen\n");
    k.gradflag(m, false);
    k.to(m, "double");
    expect(String(m)).toContain("Module sequential, 3 parameters of 80 elements, double, frozen\n");
  });

  it("counts a parameter once that occurs twice, and says where it is tied", () => {
    const layer = k.module(["linear", 2, 2]);
    const m = k.module(k.seq("sequential", layer, "relu", layer));
    const text = `Module sequential, 2 parameters of 6 elements
  0: linear(inputs: 2, outputs: 2), 2 parameters of 6 elements
  1: relu
  2: linear(inputs: 2, outputs: 2), tied`;
    expect(String(m)).toBe(text);
    expect(k.state(m).map(({ tied }) => tied)).toEqual([undefined, undefined, undefined, "0"]);
    const model = k.model(m, k.loss("mse"), k.opt("sgd", m, 0.1));
    const count = k.handlecount();
    expect(String(model)).toContain(indented(`\n${text}\n`));
    expect(k.handlecount()).toBe(count);
    class Net extends k.Module {
      readonly first = k.Module.of(["linear", 2, 3]);
      readonly second = new Half(this.first.parameter("bias"));
      readonly both = [this.first, this.second];
    }
    class Half extends k.Module {
      readonly scale = k.Tensor.of([1], "grad");
      constructor(readonly bias: k.Tensor) {
        super();
      }
    }
    const net = new Net();
    expect(String(k.module(k.seq("sequential", net)))).toBe(`Module sequential, 3 parameters of 10 elements
  0: callback(fn: "Net")
    first: linear(inputs: 2, outputs: 3), 2 parameters of 9 elements
    second: callback(fn: "Half"), 1 parameter of 1 element, 1 tied
    both: modulelist
      0: linear(inputs: 2, outputs: 3), tied
      1: callback(fn: "Half"), tied`);
    expect(net.size).toBe(3);
  });

  it("is cut after many lines", () => {
    const lines = String(k.module(k.seq("sequential", ...Array(200).fill("relu")))).split("\n");
    expect(lines).toHaveLength(52);
    expect(lines.at(-1)).toBe("  … 150 modules more");
  });
});

it("an optimizer shows its groups, schedule, scale and skipped steps", () => {
  const m = k.module(k.seq("sequential", ["linear", "a", 1, 1], ["linear", "b", 1, 1]));
  const o = k.opt("sgd", [m, "a"], 0.1, 0.9);
  k.opt(o, 1, [m, "b"], 1 / 3);
  k.schedule(o, k.schedules.cosine({ steps: 10 }));
  k.lossscale(o, { init: 8 });
  k.grad(k.parm(m, "a.weight"), [[Number.NaN]]);
  k.step(o, { zerograd: true });
  expect(String(o)).toBe(`Optimizer sgd
  group 0(lr: 0.1, momentum: 0.9), 2 parameters of 2 elements
  group 1(lr: 0.33333, momentum: 0.9), 2 parameters of 2 elements
  schedule cosine(steps: 10, min: 0, progress: { taken: 0 }, base: [0.1, 0.33333])
  loss scale 4
  1 step skipped`);
});

describe("util.inspect", () => {
  it("indents, colours and cuts by depth", () => {
    const { tensor, module, optimizer, model } = everyKind();
    expect(inspect({ module, list: [optimizer] }, { depth: null })).toBe(
      `{\n  module: ${indented(moduleText)},\n  list: [\n    ${indented(indented(optimizerText))}\n  ]\n}`,
    );
    const coloured = inspect(tensor, { colors: true });
    expect(coloured).not.toBe(texts.tensor);
    expect(stripVTControlCharacters(coloured)).toBe(texts.tensor);
    expect(stripVTControlCharacters(inspect(model, { colors: true, depth: null }))).toBe(texts.model);
    expect(inspect({ a: { tensor, m: new k.Module(module) } }, { depth: 0 })).toBe("{ a: [Object] }");
    expect(inspect([tensor, new k.Module(module)], { depth: -1 })).toBe("[Array]");
    expect(inspect(tensor, { depth: -1 })).toBe("[Tensor]");
    expect(inspect(new k.Module(module), { depth: -1 })).toBe("[Module]");
    expect(inspect(module, { depth: 0 })).toBe("Module sequential, 3 parameters of 80 elements\n  … 5 modules more");
    expect(inspect(optimizer, { depth: 0 })).toBe("Optimizer adamw, 1 group");
    expect(inspect(model, { depth: 0 })).toBe("Model");
  });

  it("shows an error with its code", () => {
    const error = (() => {
      try {
        return k.module("liner" as never);
      } catch (error) {
        return error;
      }
    })();
    const text = inspect(error);
    expect(text).toMatch(/^StepwellError: module: unknown module `liner`.*\n {4}at /);
    expect(text).toMatch(/\{\n {2}code: 'ERR_UNKNOWN_NAME',\n {2}help: '.*\/docs\/errors\/ERR_UNKNOWN_NAME\.md'\n\}$/);
    expect(String(error)).toMatch(/^StepwellError: module: unknown module/);
  });
});

describe("a text changes", () => {
  it("no object, no count, no random numbers, no gradient and no graph", () => {
    const after = (printing: boolean) => {
      k.reset();
      k.seed(5);
      const m = net();
      const o = k.opt("adam", m);
      const y = k.mse(k.forward(m, [[1, 2]]), [[1, 2]]);
      const show = (...objects: readonly unknown[]) =>
        printing && objects.map((object) => [print(object), String(object)]);
      show(m, o, y, k.parm(m, "a.weight"));
      k.backward(y);
      show(m, o, y);
      k.step(o, () => {
        show(m, o, k.model(m, k.loss("mse"), o));
        return 1;
      });
      return [
        k.handlecount(),
        k.randperm(9),
        k.state(m).map(({ parms }) => parms),
        k.state(o).parms.map((row) => row.buffers),
      ];
    };
    expect(after(true)).toEqual(after(false));
  });
});

describe("JSON", () => {
  const through = (object: unknown) => JSON.parse(JSON.stringify(object));

  it("keeps tensors, modules and optimizers to the bit", () => {
    const { tensor, module, optimizer, loss, model } = everyKind();
    const read = through({ tensor, module, optimizer, loss, model, t: new k.Tensor(tensor), m: new k.Module(module) });
    expect(k.data(k.tensor(read.tensor))).toEqual(k.data(tensor));
    expect(k.data(k.tensor(read.t))).toEqual(k.data(tensor));
    for (const of of [read.module, read.m, read.model.module]) {
      expect(k.state(k.module(of))).toEqual(k.state(module));
    }
    const options = k.state(optimizer).options;
    for (const of of [read.optimizer, read.model.optimizer])
      expect(k.state(k.opt(of, module)).options).toEqual(options);
    expect(read.loss).toEqual({ loss: "smoothl1", reduce: "mean", beta: 0.5 });
    expect(read.model.loss).toEqual(read.loss);
    const whole = new k.Model(new k.Module(module), "ce", new k.Optimizer(optimizer));
    expect(through(whole)).toEqual({ module: read.module, loss: { loss: "ce" }, optimizer: read.optimizer });
  });

  it("is an error of a vector, of a dictionary and of a freed object, and leaves no object", () => {
    const { vector, dictionary, tensor, model } = everyKind();
    const count = k.handlecount();
    JSON.stringify(model);
    expect(expectError("ERR_ARGUMENT", () => JSON.stringify({ vector }))).toContain("given a vector");
    expect(expectError("ERR_ARGUMENT", () => JSON.stringify([dictionary]))).toContain("given a dictionary");
    expect(k.handlecount()).toBe(count);
    k.free(tensor);
    expectError("ERR_HANDLE_FREED", () => JSON.stringify({ tensor }));
  });
});

it("structuredClone and postMessage fail, and name the object", () => {
  const { port1, port2 } = new MessageChannel();
  for (const [kind, handle] of Object.entries(everyKind())) {
    const message = `Symbol(${kind} of Stepwell) could not be cloned.`;
    expect(() => structuredClone({ handle })).toThrow(message);
    expect(() => port1.postMessage(handle)).toThrow(message);
  }
  expect(() => structuredClone(k.Module.of("relu"))).toThrow("Symbol(module of Stepwell) could not be cloned.");
  port1.close();
  port2.close();
});

it("the console of a page shows the kind of an object", async () => {
  const session = new Session();
  session.connect();
  const { tensor, loss } = everyKind();
  const shown = Object.assign(globalThis, { shown: { tensor, loss, module: k.Module.of("relu") } });
  try {
    const text = async (name: string) => {
      const { result } = await session.post("Runtime.evaluate", { expression: `shown.${name}`, generatePreview: true });
      const symbols = result.preview?.properties.filter(({ type }) => type === "symbol") ?? [];
      return [result.description, ...symbols.map(({ name, value }) => `${name}: ${value}`)];
    };
    expect(await text("tensor")).toEqual(["Handle", "object: Symbol(tensor of Stepwell)"]);
    expect(await text("loss")).toEqual(["Handle", "object: Symbol(loss of Stepwell)"]);
    expect(await text("module")).toEqual(["Module", "object: Symbol(module of Stepwell)"]);
  } finally {
    session.disconnect();
    Reflect.deleteProperty(shown, "shown");
  }
});
