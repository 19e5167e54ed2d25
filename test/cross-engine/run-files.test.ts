// The file of a run has the same bytes and the same errors from two implementations: the native engine, and the SDK on WebAssembly.

import { readFileSync } from "node:fs";
import * as native from "@stepwell/sdk";
import * as wasm from "@stepwell/sdk/wasm";
import { afterEach, describe, expect, it, vi } from "vitest";
import { optimizers } from "../contract/optimizers.js";
import { expectSameBytes } from "../contract/same-bytes.js";
import { classes, inputs } from "../contract/small-models.js";

// Both entries have the same types, and handles of different engines.
type Engine = typeof native;
const [first, second] = [native, wasm as unknown as Engine];

afterEach(() => {
  for (const k of [first, second]) k.free();
});

const width = inputs[0]?.length ?? 0;

/** A training in the middle of an epoch. */
function training(k: Engine, name: native.OptimizerName): native.RunObjects {
  k.seed(3);
  const net = k.module(
    k.seq("sequential", ["linear", "fc", width, 4], ["batchnorm", 4], ["dropout", 0.25], ["linear", 4, 3]),
  );
  const optimizer = k.opt(name, net, { lr: 0.05 } as never);
  if (name === "lbfgs") k.freeze(net, "fc.bias");
  else k.schedule(optimizer, { schedule: "cosine", steps: 40 } as never);
  const model = k.model(net, k.loss("ce", { smoothing: 0.1 }), optimizer);
  k.train(model, { batchsize: 4, shuffle: true, metrics: ["loss", "accuracy"] });
  k.train(model, inputs, classes);
  for (let i = 0; i < 5; i++) k.batch(model);
  return { model, optimizer, net };
}

/** Objects of all kinds, and data whose names mean something to JavaScript or to the format. */
function others(k: Engine): native.RunObjects {
  k.seed(4);
  const [body, head] = [k.module(["linear", width, 4]), k.module(["linear", "head", 4, 3])];
  const [bias, fixed] = [k.tensor([0.5, -0.5, 0.25], "grad"), k.tensor([1, 2], "double")];
  const scales = k.vector(k.tensor([1, 2, 3], "grad"), k.tensor([true, false], "bool"));
  const shifts = k.dict({ zwei: k.tensor([2], "grad"), "1": k.tensor([[1], [3]], "long") });
  const optimizer = k.opt("adamw", body, { lr: 0.05, decay: 0.1, average: 0.9 });
  k.opt(optimizer, 1, head, 0.01);
  k.opt(optimizer, 1, bias);
  k.opt(optimizer, 2, [scales, 0], { lr: 0.02 });
  k.opt(optimizer, 2, [shifts, "zwei"]);
  k.lossscale(optimizer, { init: 1024 });
  for (let i = 0; i < 2; i++) {
    const y = k.add(k.forward(head, k.forward(body, inputs)), bias);
    k.backward(k.mse(y, k.full([inputs.length, 3], 1)));
    k.step(optimizer, { zerograd: true });
  }
  const numbers = [0, -0, 1, -1.5, 1e15, 1e16, 1.5e-5, 1e-5, 1e-6, 5e-324, 1e300, Number.NaN, Number.NEGATIVE_INFINITY];
  const data = JSON.parse(
    '{ "__proto__": { "constructor": null }, "$tensor": "a", "10": "ten", "a\\nb": "\\u0001é😀" }',
  );
  const arrays = [
    new Float32Array([1, 2.5]),
    new Float64Array([0.1]),
    new Int8Array([-3]),
    BigInt64Array.of(2n ** 60n),
  ];
  return {
    fixed,
    loss: k.loss("mse", { reduce: "sum" }),
    optimizer,
    shifts,
    scales,
    bias,
    head,
    body,
    numbers,
    data,
    arrays,
  };
}

const golden = readFileSync(new URL("../contract/golden/run-1.safetensors", import.meta.url));

describe("the file of a run", () => {
  const runs: { readonly [name: string]: (k: Engine) => Uint8Array } = {
    ...Object.fromEntries(optimizers.map((name) => [name, (k: Engine) => k.serialize(training(k, name))])),
    "objects of all kinds": (k) => k.serialize(others(k)),
    "an older release": () => golden,
  };
  const pairs = [
    [first, second],
    [second, first],
  ] as const;

  it.each(Object.keys(runs))("of %s is the same after each engine has read it", (name) => {
    for (const [writer, reader] of pairs) {
      const bytes = (runs[name] as (k: Engine) => Uint8Array)(writer);
      // Typed arrays come back as dictionaries, and an older release wrote its own names: not always the bytes themselves.
      const again = (k: Engine) => k.serialize(k.deserialize(bytes));
      expectSameBytes(again(reader), again(writer));
    }
  });

  it.each(optimizers)("of %s is set in what is given, byte by byte", (name) => {
    for (const [writer, reader] of pairs) {
      const bytes = writer.serialize(training(writer, name));
      const given = training(reader, name);
      for (let i = 0; i < 3; i++) reader.batch(given.model as native.ModelHandle);
      reader.deserialize(bytes, given as native.RunTargets);
      expectSameBytes(reader.serialize(given), bytes);
    }
  });
});

describe("a page, which has neither the modules of Node nor files", () => {
  afterEach(() => vi.restoreAllMocks());

  it("writes the same bytes, with a checksum of its own", () => {
    // Around the blocks of SHA-256, of 64 bytes, and the blocks of the checksum, of 4 MiB.
    const texts = Array.from({ length: 130 }, (_, length) => ({ text: "x".repeat(length) }));
    const objects = [...texts, { list: new Float32Array(5 * 2 ** 18).fill(0.5) }];
    vi.spyOn(process, "getBuiltinModule").mockReturnValue(undefined as never);
    for (const each of objects) {
      const bytes = second.serialize(each);
      expectSameBytes(bytes, first.serialize(each));
      expect(Object.keys(second.deserialize(bytes))).toEqual(Object.keys(each));
    }
  });

  it("has no files, and says what to use", () => {
    const net = second.module(["linear", 1, 1]);
    const instead =
      "a page has no files: serialize(objects) gives the bytes of a file, and deserialize(bytes, objects) takes them";
    vi.spyOn(process, "getBuiltinModule").mockReturnValue(undefined as never);
    const calls = {
      save: () => second.save("run", { net }),
      load: () => second.load(net, "run"),
      inspect: () => second.inspect("run"),
      checkpoints: () => second.checkpoints("runs"),
    };
    for (const [name, call] of Object.entries(calls)) {
      expect(errorOf(call)).toEqual(["ERR_UNSUPPORTED", `${name}: ${instead}`]);
    }
  });
});

/** The code and the message of an error; undefined if there is none. */
function errorOf(call: () => unknown): readonly [code: string, message: string] | undefined {
  try {
    call();
  } catch (error) {
    const { code, message } = error as native.StepwellError;
    return [code, message];
  }
  return undefined;
}

/** An error without the place in JSON, which the engines count in other ways. */
const withoutPlace = ([code, message]: readonly [string, string]) =>
  [code, message.replace(/ at (line \d+ column \d+|character \d+ of its JSON)/g, "")] as const;

/** An error without the problem: each engine has its own words for text that is not JSON. */
const withoutProblem = ([code, message]: readonly [string, string]) =>
  [code, message.replace(/(file: ).*/s, "$1")] as const;

describe("damaged bytes", () => {
  const bytes = second.serialize({ x: second.tensor([1, 2]), list: [1] });
  const target = (k: Engine) => ({ x: k.tensor([3, 4]) });

  /** Fails unless both engines refuse bytes with the same error, and change nothing. */
  function expectRefused(damaged: Uint8Array, what: string): void {
    const errors = [first, second].map((k) => {
      const given = target(k);
      const error = errorOf(() => k.deserialize(damaged, given));
      expect([k.tensor(given.x), k.handlecount()], what).toEqual([[3, 4], 1]);
      k.free();
      return error ?? expect.fail(what);
    });
    const compared = errors[1]?.[1].endsWith("of its JSON") ? withoutProblem : withoutPlace;
    const [expected, found] = errors.map(compared);
    expect(found, what).toEqual(expected);
  }

  it("are refused for every bit that changed", () => {
    for (let bit = 0; bit < 8 * bytes.length; bit++) {
      const damaged = bytes.slice();
      damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7));
      expectRefused(damaged, `bit ${bit & 7} of byte ${bit >> 3}`);
    }
  });

  it("are refused at every length", () => {
    for (let length = 0; length < bytes.length; length++) expectRefused(bytes.subarray(0, length), `${length} bytes`);
    expectRefused(Uint8Array.of(...bytes, 0), "one more byte");
  });

  it("are refused if the key and the beginning of the description changed", () => {
    const text = Buffer.from(bytes).toString("latin1");
    const damaged = text.replace('"stepwell":', '"stepwelm":').replace('"format', '"forma~');
    expect(damaged).not.toBe(text.replace('"stepwell":', '"stepwelm":'));
    expectRefused(new Uint8Array(Buffer.from(damaged, "latin1")), "the key and the beginning");
    // The description becomes a key and a text, divided within the digits of the checksum.
    const divided = text.replace('"stepwell":"{', '"stepwelm:: {').replace(/(sha256.{5}\w{40})\w{3}/, '$1":"');
    expect(divided.length).toBe(text.length);
    expectRefused(new Uint8Array(Buffer.from(divided, "latin1")), "a key and a text");
  });

  const file = (header: string, data = 0) => {
    const text = Buffer.from(header);
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(text.length));
    return new Uint8Array(Buffer.concat([length, text, Buffer.alloc(data)]));
  };
  const tensor = (shape: string, offsets: string) =>
    `{"x":{"dtype":"F32","shape":[${shape}],"data_offsets":[${offsets}]}}`;
  const twice = `"dtype":"U8","shape":[1]`;
  const lies: { readonly [what: string]: Uint8Array } = {
    "a header of 2^63 bytes": Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 128, 123, 125]),
    "elements that are not there": file(tensor("1073741824", "0,4294967296"), 4),
    "a product above 2^64": file(tensor("4611686018427387905", "0,4"), 4),
    "another shape": file(tensor("3", "0,8"), 8),
    "an end before the beginning": file(tensor("1", "8,4"), 8),
    "a hole": file(tensor("1", "4,8"), 8),
    "two tensors in one place": file(`{"x":{${twice},"data_offsets":[0,1]},"y":{${twice},"data_offsets":[0,1]}}`, 1),
    "an unknown type": file(`{"x":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}}`, 4),
    "a list of 65 sizes": file(tensor(Array(65).fill(1).join(), "0,4"), 4),
    "no run": file(tensor("1", "0,4"), 4),
    "a name that has a meaning": file(`{"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, 1),
    "a name twice": file(`{"x":{${twice},"data_offsets":[0,1]},"x":{${twice},"data_offsets":[1,2]}}`, 2),
    "a lone surrogate": file('{"\\ud800":{}}'),
    "deep lists": file(`{"x":${"[".repeat(100_000)}`),
  };

  it.each(Object.entries(lies))("with %s are refused before anything is allocated", (what, lie) => {
    expectRefused(lie, what);
  });
});
