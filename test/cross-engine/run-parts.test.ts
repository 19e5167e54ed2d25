// Parts of a run, and wrong descriptions: two implementations have one result and one error.

import * as native from "@stepwell/sdk";
import * as wasm from "@stepwell/sdk/wasm";
import { afterEach, describe, expect, it } from "vitest";
import { expectSameBytes } from "../contract/same-bytes.js";

// Both entries have the same types, and handles of different engines.
type Engine = typeof native;
const engines = [native, wasm as unknown as Engine] as const;

afterEach(() => {
  for (const k of engines) k.free();
});

type Objects = native.RunObjects & native.RunTargets;

/** A net of a body, a norm and a head, with an optimizer, and objects besides. */
function run(
  k: Engine,
  [body, norm, head]: readonly [string, string, string],
  outputs: number,
  frozen: boolean,
): Objects {
  k.seed(3);
  const net = k.module(
    k.seq("sequential", ["linear", body, 3, 4], ["batchnorm", norm, 4], ["linear", head, 4, outputs]),
  );
  const optimizer = k.opt("adam", net, { lr: 0.05, amsgrad: true });
  if (frozen) k.freeze(net, `${body}.bias`);
  return { net, optimizer, table: k.dict({ a: k.tensor([1, 2]), b: k.tensor([3], "double") }), v: k.tensor([0, 0]) };
}

/** The bytes of a run after some steps, on libtorch. */
const saved = (() => {
  const objects = run(native, ["fc", "norm", "out"], 3, true);
  for (let i = 0; i < 3; i++) {
    const { net, optimizer } = objects as { net: native.ModuleHandle; optimizer: native.OptimizerHandle };
    native.backward(
      native.sum(
        native.square(
          native.forward(net, [
            [1, 2, i],
            [1, 0, 1],
          ]),
        ),
      ),
    );
    native.step(optimizer, { zerograd: true });
  }
  const bytes = native.serialize({ ...objects, note: "text", list: new Float32Array(2) } as never);
  native.free();
  return bytes;
})();

/** The report, the bytes of what was loaded, or the error of a call, and the bytes of the given objects after it. */
function outcome(k: Engine, given: Objects, call: (given: Objects) => object): readonly Uint8Array[] {
  const text = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
  const after = () => k.serialize({ ...given, count: k.handlecount() } as never);
  try {
    const loaded = call(given);
    const result = "mismatched" in loaded ? text(loaded) : k.serialize(loaded as native.RunObjects);
    return [result, after()];
  } catch (error) {
    const { code, message } = error as native.StepwellError;
    return [text([code, message]), after()];
  }
}

/** Fails unless both engines have one outcome. Returns the report or the error. */
function expectSame(make: (k: Engine) => Objects, call: (k: Engine, given: Objects) => object, what: string): string {
  const [first, second] = engines.map((k) => {
    const found = outcome(k, make(k), (given) => call(k, given));
    k.free();
    return found;
  });
  const text = new TextDecoder().decode(first?.[0]);
  // The texts first: their difference says more.
  if (text.startsWith("[") || text.startsWith("{")) expect(new TextDecoder().decode(second?.[0]), what).toBe(text);
  expectSameBytes(second?.[0] as Uint8Array, first?.[0] as Uint8Array);
  expectSameBytes(second?.[1] as Uint8Array, first?.[1] as Uint8Array);
  return text;
}

describe("a part of a run", () => {
  const same = (k: Engine) => run(k, ["fc", "norm", "out"], 3, false);
  const other = (k: Engine) => run(k, ["body", "norm", "head"], 3, false);
  const wider = (k: Engine) => run(k, ["fc", "norm", "out"], 5, false);
  const nothing = (k: Engine) => {
    k.seed(3);
    return {} as Objects;
  };
  const only =
    (...names: readonly string[]) =>
    (k: Engine) =>
      Object.fromEntries(Object.entries(same(k)).filter(([name]) => names.includes(name)));
  const renamed = (name: string) => name.replace(/\bfc\b/, "body").replace(/\bout\b/, "head");
  const rows: readonly (readonly [what: string, make: (k: Engine) => object, options: object])[] = [
    ["one new object", nothing, { only: "net" }],
    ["new objects and plain data", nothing, { only: ["net", "optimizer", "note", "list"] }],
    ["a new object and the generator", nothing, { only: "table", generator: true }],
    ["an optimizer without its module", nothing, { only: "optimizer" }],
    ["modules and tensors of given objects", same, { only: ["net.fc", "net.norm.weight", "table.a"] }],
    ["whole given objects", same, { only: ["net", "optimizer", "v"] }],
    ["an optimizer of which a part is loaded", same, { only: ["net.fc", "optimizer"] }],
    ["other names by a function", other, { rename: renamed }],
    ["other names by a dictionary", only("table"), { rename: { "table.a": "table.b", "table.b": "table.a" } }],
    ["names that are left out", same, { rename: (name: string) => (name === "net.out.bias" ? null : name) }],
    ["what fits", wider, { strict: false }],
    ["what fits, with the generator", wider, { strict: false, generator: true }],
    ["what fits under other names", other, { strict: false, rename: renamed }],
    ["what fits of some names", other, { strict: false, only: ["net.norm", "table"] }],
    ["what fits of a net alone", only("net"), { strict: false }],
    ["an object that the file does not have", (k) => ({ other: k.tensor([1]) }), { strict: false }],
    ["a tensor of another name", (k) => ({ other: k.tensor([1, 2]) }), { rename: { "table.a": "other" } }],
    ["a name that the file does not have", same, { rename: { "net.none": "net.fc.bias" } }],
    ["plain data under another name", same, { rename: { list: "rows" } }],
    ["a state under another name", same, { rename: { "optimizer.fc.weight.exp_avg": "x" } }],
    ["a name in no given object", same, { rename: { "net.fc.bias": "nett.bias" } }],
    ["two tensors of one name", same, { rename: { "net.fc.bias": "net.norm.bias" } }],
    ["a name of nothing", same, { only: "fc" }],
    ["plain data as a name", same, { only: "list", strict: false }],
    ["no names", same, { only: [] }],
    ["names that are none", same, { only: [1] }],
    ["names of a list", same, { rename: [["a", "b"]] }],
    ["names that are numbers", same, { rename: { "net.fc.bias": 3 } }],
    ["a rename of nothing", nothing, { rename: { "net.fc.bias": "net.b" } }],
    ["a report of nothing", nothing, { strict: false }],
    ["an option that is unknown", same, { strickt: false }],
    ["an option of another kind", same, { strict: 1 }],
    ["other shapes", wider, { only: "net" }],
    [
      "an optimizer of another kind",
      (k) => {
        const { net } = same(k);
        return { net, optimizer: k.opt("lamb", net as native.ModuleHandle) };
      },
      { strict: false },
    ],
  ];

  it.each(rows)("is the same on both engines: %s", (what, make, options) => {
    expectSame(make as never, (k, given) => k.deserialize(saved, given, options as never), what);
  });

  it("has a report, which keeps the state of what is left", () => {
    const report = JSON.parse(
      expectSame(wider, (k, given) => k.deserialize(saved, given, { strict: false }), "a report"),
    ) as native.LoadReport;
    expect(report.missing).toEqual([]);
    expect(report.mismatched.map(({ name }) => name)).toEqual(["net.out.weight", "net.out.bias"]);
  });

  it("of a model is the same on both engines", () => {
    const make = (k: Engine) => {
      const { net, optimizer } = same(k) as { net: native.ModuleHandle; optimizer: native.OptimizerHandle };
      const model = k.model(net, k.loss("mse"), optimizer);
      k.train(model, { batchsize: 2 });
      return { model };
    };
    const bytes = native.serialize(make(native));
    native.free();
    for (const options of [
      { only: "model" },
      { only: "model.fc" },
      { strict: false },
      { rename: (name: string) => name },
    ]) {
      expectSame(make as never, (k, given) => k.deserialize(bytes, given, options as never), JSON.stringify(options));
    }
  });
});

describe("a description that lies", () => {
  type Json = { [key: string]: Json | unknown };
  /** The bytes of a run whose description was changed. */
  function edited(bytes: Uint8Array, change: (objects: never) => void): Uint8Array {
    const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
    const description = JSON.parse(header.__metadata__.stepwell) as { content: { objects: Json } };
    change(description.content.objects as never);
    header.__metadata__.stepwell = JSON.stringify(description);
    const text = new TextEncoder().encode(JSON.stringify(header));
    const start = new Uint8Array(8);
    new DataView(start.buffer).setBigUint64(0, BigInt(text.length), true);
    return Uint8Array.from([...start, ...text, ...bytes.subarray(8 + length)]);
  }
  const make = (k: Engine) => {
    const { net, optimizer, table } = run(k, ["fc", "norm", "out"], 3, false) as never as {
      net: native.ModuleHandle;
      optimizer: native.OptimizerHandle;
      table: native.DictionaryHandle;
    };
    return { net, optimizer, table, model: k.model(net, k.loss("mse"), optimizer) };
  };
  type Row = Record<string, unknown>;
  interface Lied {
    readonly net: { state: Row[] };
    readonly optimizer: { readonly state: { readonly parms: Row[] } };
    readonly model: Row;
  }
  /** Columns of the second row of the module; undefined for one that is left out. */
  const columns: { readonly [what: string]: Row } = {
    "options of a layer": { options: 1 },
    "no options of a layer": { options: undefined },
    "an unknown column": { more: 1 },
    "a depth that is a text": { depth: "1" },
    "a depth that is not whole": { depth: 1.5 },
    "a depth that is negative": { depth: -1 },
    "a depth that no module has": { depth: 1000 },
    "a name that is a number": { name: 1 },
    "a name with a dot": { name: "a.b" },
    "a kind that is a list": { module: [] },
    "parameters in a list": { parms: [] },
    "no buffers": { buffers: undefined },
    "names in a text": { names: "x" },
    "a tie that is a number": { tied: 1 },
  };
  /** Parts of the model. */
  const parts: { readonly [what: string]: Row } = {
    "a loss that is a list": { loss: ["a"] },
    "a loss that is a text": { loss: "mse" },
    "an optimizer that is no object": { optimizer: "__proto__" },
    "an optimizer that is a module": { optimizer: "net" },
    "an optimizer that is a list": { optimizer: [] },
    "a module that is no object": { module: "none" },
    "a module that is an optimizer": { module: "optimizer" },
  };
  const of =
    (find: (objects: Lied) => Row) =>
    ([what, row]: [string, Row]) =>
      [what, (objects: Lied) => Object.assign(find(objects), row)] as const;
  const lies: ReadonlyMap<string, (objects: Lied) => unknown> = new Map<string, (objects: Lied) => unknown>([
    ...Object.entries(columns).map(of(({ net }) => net.state[1] as Row)),
    ...Object.entries(parts).map(of(({ model }) => model)),
    ["a row that is a list", ({ net }) => net.state.splice(1, 1, [] as never)],
    ["rows that are a text", ({ net }) => Object.assign(net, { state: "rows" })],
    ["a parameter of no object", ({ optimizer }) => Object.assign(optimizer.state.parms[0] as Row, { object: "none" })],
    ["a parameter twice", ({ optimizer }) => optimizer.state.parms.splice(0, 1, optimizer.state.parms[1] as Row)],
  ]);
  const bytes = native.serialize(make(native));
  native.free();

  it.each([...lies.keys()])("by %s is one error on both engines, which changes nothing", (what) => {
    const lie = edited(bytes, lies.get(what) as never);
    const text = expectSame(make as never, (k, given) => k.deserialize(lie, given, { verify: false }), what);
    expect(text).toMatch(/^\["ERR_(FORMAT|PARAMETER|ARGUMENT)",/);
    const unchanged = (k: Engine) => {
      const given = make(k) as never as Objects;
      const before = k.serialize(given);
      expect(() => k.deserialize(lie, given, { verify: false })).toThrow();
      expectSameBytes(k.serialize(given), before);
    };
    engines.forEach(unchanged);
  });
});

describe("objects of a file", () => {
  const two = (k: Engine) => ({ a: k.module(["linear", 2, 2]), b: k.module(["linear", 2, 2]) });
  const bytes = native.serialize({
    ...two(native),
    x: native.tensor([1]),
    y: native.tensor([2]),
  });
  native.free();

  it("are not set in one object that is given twice", () => {
    const module = expectSame(
      (k) => {
        const { a } = two(k);
        return { a };
      },
      (k, { a }) => k.deserialize(bytes, { a, b: a } as never),
      "a module",
    );
    expect(module).toMatch(
      "expected an object of its own for each object of the file, given `a` and `b` with one tensor",
    );
    const tensor = expectSame(
      (k) => ({ x: k.tensor([0]) }),
      (k, { x }) => k.deserialize(bytes, { x, y: x } as never),
      "a tensor",
    );
    expect(tensor).toMatch("given `x` and `y` with one tensor");
  });

  it("are not saved under names that the format or another tensor has", () => {
    for (const [objects, problem] of [
      [
        (k: Engine) => ({ __metadata__: k.tensor([1]) }),
        "`__metadata__` in the run: the format needs this name itself",
      ],
      [
        () => ({ data: { "a.b": new Float32Array(1), a: { b: new Float32Array(1) } } }),
        "`data.a.b` in the run: two of its tensors have this name",
      ],
    ] as const) {
      const text = expectSame(
        () => ({}) as Objects,
        (k) => [k.serialize(objects(k) as never)] as never,
        problem,
      );
      expect(text).toMatch(`ERR_ARGUMENT","serialize: expected other names than ${problem}`);
    }
  });
});
