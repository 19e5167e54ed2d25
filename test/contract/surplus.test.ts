// Arguments beyond those that a method or a constructor of the fluent layer takes are refused, as functions refuse them. Methods
// that are called on anything but an object of their class are refused too.

import * as k from "@stepwell/sdk";
import { Model, Module, Optimizer, optimizer, Tensor } from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { expectError } from "./expect-error.js";

afterEach(() => k.free());

const tensor = () => Tensor.of([[1, 2]]);

/** The operations of the table that are methods, with as many arguments as they take. */
const operations = k
  .help("tensor")
  .filter(({ operation }) => Object.hasOwn(Tensor.prototype, operation))
  .map(({ operation, arguments: names }) => [tensor, operation, ...names.slice(1)] as const);
const module = () => Module.of(["linear", 2, 1]);
const made = () => optimizer("sgd").build(module());
const model = () => new Model(module(), "mse", made());
const data = { inputs: [[1, 2]], targets: [[1]] };
const builder = () => optimizer("adamw");

/** An object, the name of a method, and as many arguments as it takes. */
type Row = readonly [owner: () => object, method: string, ...args: readonly unknown[]];

/** Methods of all classes but `Model`. */
const common = (owner: () => object): readonly Row[] => [
  [owner, "zeroGrad"],
  [owner, "noGrad"],
  [owner, "clip", 1],
  [owner, "clipValue", 1],
  [owner, "toString"],
  [owner, "dispose"],
];

const rows: { readonly [of: string]: readonly Row[] } = {
  Tensor: [
    ...operations,
    [tensor, "values", { dimensions: 2 }],
    [tensor, "data", "float"],
    [tensor, "take", { dimensions: 2 }],
    [tensor, "copyTo", tensor()],
    [tensor, "use", tensor()],
    [tensor, "grad", [[1, 2]]],
    [tensor, "backward", [[1, 2]], made()],
    ...["bce", "bcewithlogits"].map((loss): Row => [tensor, loss, [[1, 2]], [[1, 1]], { reduce: "sum" }]),
    ...["cosineloss", "margin", "triplet"].map((loss): Row => [tensor, loss, [[1, 2]], [1], { reduce: "sum" }]),
    [tensor, "ctc", [1], 1, 1, { reduce: "sum" }],
    ...["ce", "nll", "mse", "l1", "smoothl1", "huber", "kl", "poissonloss", "hinge", "softmargin", "multilabel"].map(
      (loss): Row => [tensor, loss, [[1, 2]], { reduce: "sum" }],
    ),
    ...["multimargin", "multisoft"].map((loss): Row => [tensor, loss, [[1, 2]], { reduce: "sum" }]),
    [tensor, "to", "double"],
    ...common(tensor),
  ],
  "static Tensor": [[() => Tensor, "of", [1, 2], "grad"]],
  Module: [
    [module, "names"],
    [module, "freeze", "weight"],
    [module, "unfreeze", "weight"],
    [module, "clone"],
    [module, "copyParameters", module()],
    [module, "childNames"],
    [module, "parameterDictionary"],
    [module, "step", () => 1, {}],
    [module, "child", "a"],
    [module, "parameter", "weight"],
    [module, "forward", [[1, 2]]],
    [module, "evaluate", [[1, 2]]],
    [module, "registerBuffer", "n", tensor()],
    [module, "to", "double"],
    [module, "save", "/nowhere/m.safetensors"],
    [module, "load", "/nowhere/m.safetensors", {}],
    [module, "state"],
    ...common(module),
  ],
  "static Module": [[() => Module, "of", ["linear", 2, 1]]],
  Optimizer: [
    [made, "step", () => 1, {}],
    [made, "backward", 1],
    [made, "average"],
    [made, "module"],
    [made, "addParameters", 0, [], {}],
    [made, "advance", 1],
    [made, "state", true],
    [made, "definition", true],
    ...common(made),
  ],
  "static Optimizer": [[() => Optimizer, "restore", made().state(), module()]],
  Model: [
    [model, "fit", data, {}],
    [model, "measure", data, {}],
    [model, "toString"],
    [model, "dispose"],
  ],
  builder: [
    [builder, "group", "weight", (group: unknown) => group],
    [builder, "noDecay", "bias"],
    [builder, "schedule", { schedule: "cosine", steps: 3 }],
    [builder, "fused", true],
    [builder, "offload", true],
    [builder, "build", module()],
    // A setter, and PyTorch's name of one.
    [builder, "lr", 0.1],
    [builder, "weight_decay", 0.1],
  ],
  "static builder": [[() => optimizer, "fromJSON", builder().toJSON()]],
};

/** Methods that take any number of options. */
const takesSeveral = ["to", "of"];

/** Methods that take as many inputs as the module. */
const takesInputs = ["forward", "evaluate"];

/** JSON.stringify calls `toJSON` with a key; `using` must be able to dispose of anything. */
const exempt = ["constructor", "toJSON", "evaluateAsync", "loadAsync", "saveAsync", "stepAsync"];

/** Property descriptors of a prototype and of those that it inherits from. */
function descriptorsOf(object: object): Record<string, PropertyDescriptor> {
  const above: unknown = Object.getPrototypeOf(object);
  const inherits = typeof above === "object" && above !== null && above !== Object.prototype;
  return { ...(inherits ? descriptorsOf(above) : {}), ...Object.getOwnPropertyDescriptors(object) };
}

const methodsOf = (object: object) =>
  Object.entries(descriptorsOf(object))
    .filter(([name, { value }]) => typeof value === "function" && !exempt.includes(name) && name !== "prototype")
    .map(([name]) => name);

describe.each(Object.entries(rows))("%s", (_, table) => {
  it.each(table.map(([owner, method, ...args]) => [method, owner, args] as const))(
    "%s refuses one more argument",
    (method, owner, args) => {
      const object = owner() as { [name: string]: (...args: readonly unknown[]) => unknown };
      const handles = k.handlecount();
      for (const more of [undefined, 7, {}]) {
        if (takesInputs.includes(method)) {
          // An optional input that is undefined is left out.
          if (more !== undefined) expectError("ERR_ARGUMENT", () => object[method]?.(...args, more));
          else k.scoped(() => void object[method]?.(...args, more));
          continue;
        }
        if (takesSeveral.includes(method)) {
          // An option that is undefined is left out, and the function of that name reads all others.
          if (more === 7) expectError("ERR_ARGUMENT", () => object[method]?.(...args, more));
          continue;
        }
        const message = expectError("ERR_ARGUMENT", () => object[method]?.(...args, more));
        expect(message).toMatch(new RegExp(`^${method}: expected fewer arguments, given (?:un|a ).* as another$`));
      }
      expect(k.handlecount()).toBe(handles);
    },
  );
});

/** Values that a method of a class can be called on, other than an object that the class has made. */
function* receivers(object: object) {
  const { proxy, revoke } = Proxy.revocable(object, {});
  revoke();
  yield* [undefined, null, 7, "x", {}, Object.create(object), new Proxy(object, {}), proxy];
}

describe.each(Object.entries({ Tensor, Module, Optimizer, Model }))("%s", (name, made) => {
  const table = rows[name] ?? [];

  it.each(table.map(([owner, method, ...args]) => [method, owner, args] as const))(
    "%s refuses another receiver",
    (method, owner, args) => {
      const object = owner() as { [name: string]: (...args: readonly unknown[]) => unknown };
      for (const receiver of receivers(object)) {
        const message = expectError("ERR_ARGUMENT", () => Reflect.apply(object[method] as never, receiver, args));
        expect(message).toMatch(/^[A-Z]\w+: expected a method to be called on an? [A-Z]\w+, given /);
      }
    },
  );

  it("properties and the end of a block refuse another receiver", () => {
    const object = table[0]?.[0]() as object;
    const properties = Object.values(descriptorsOf(made.prototype));
    const read = properties.flatMap(({ get }) => (get ? [get] : []));
    expect(read.length).toBeGreaterThan(0);
    for (const receiver of receivers(object)) {
      for (const call of [...read, made.prototype[Symbol.dispose]]) {
        expectError("ERR_ARGUMENT", () => Reflect.apply(call, receiver, []));
      }
    }
  });
});

it("the tables have every method", () => {
  const named = (of: string) => (rows[of] ?? []).map(([, method]) => method).sort();
  const classes = { Tensor, Module, Optimizer, Model };
  for (const [name, made] of Object.entries(classes)) {
    expect(methodsOf(made.prototype as object).sort()).toEqual(named(name));
    expect(methodsOf(made).sort()).toEqual(named(`static ${name}`).sort());
  }
  expect(named("builder")).toEqual(expect.arrayContaining(methodsOf(builder())));
  expect(methodsOf(optimizer)).toEqual(named("static builder"));
});

it("constructors and factories refuse one more argument", () => {
  const call = (make: unknown) => make as new (...args: readonly unknown[]) => unknown;
  const [x, m, o] = [tensor(), module(), made()];
  const handles = k.handlecount();
  const rows: readonly (readonly [name: string, make: () => unknown])[] = [
    ["Tensor", () => new (call(Tensor))(x.handle, 1)],
    ["Module", () => new (call(Module))(m.handle, 1)],
    ["Optimizer", () => new (call(Optimizer))(o.handle, 1)],
    ["Model", () => new (call(Model))(m, "mse", o, 1)],
    ["optimizer", () => (optimizer as (...args: readonly unknown[]) => unknown)("sgd", 1)],
    ["lr", () => optimizer("sgd").group("a", (group) => (group.lr as (...args: number[]) => never)(1, 2))],
  ];
  for (const [name, make] of rows) {
    expect(expectError("ERR_ARGUMENT", make)).toBe(`${name}: expected fewer arguments, given a number as another`);
  }
  expect(k.handlecount()).toBe(handles);
});
