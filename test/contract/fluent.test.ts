import { readFileSync } from "node:fs";
import * as k from "@stepwell/sdk";
import { Module, Optimizer, optimizer, schedules, Tensor } from "@stepwell/sdk";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { expectError } from "./expect-error.js";
import { optimizers } from "./optimizers.js";

beforeEach(() => k.seed(3));
afterEach(() => k.free());

const layers = k.seq("sequential", ["linear", "a", 3, 4], ["batchnorm", "norm", 4], "tanh", ["linear", "head", 4, 2]);

/** A network with equal weights each time. */
function network(): Module {
  k.seed(3);
  return Module.of(layers);
}

/** A step on some data. */
function step(m: Module, o: Optimizer) {
  o.step(() => {
    o.zeroGrad();
    using y = m.forward([
      [1, 2, 3],
      [3, 1, 2],
    ]);
    const loss = k.ce(y.handle, [0, 1]);
    k.backward(loss);
    return loss;
  });
}

/** Everything about an optimizer, without addresses. */
function told(o: Optimizer) {
  const state = o.state();
  return { ...state, parms: state.parms.map(({ pointer, ...row }) => row) };
}

const groupsOf = (o: Optimizer) => {
  const { options, parms } = o.definition();
  return options.map((_, group) => parms.filter((row) => row.parmgroup === group).map((row) => row.name));
};

/** The names that the type of an optimizer's options has. */
function typedOptions(name: k.OptimizerName): readonly string[] {
  const source = readFileSync(new URL("../../packages/sdk/src/generated/options.ts", import.meta.url), "utf8");
  const [, type] = source.match(new RegExp(`readonly ${name}: (\\w+);`)) ?? [];
  const [, body = ""] = source.match(new RegExp(`interface ${type} {(.*?)\\n}`, "s")) ?? [];
  return [...body.matchAll(/readonly (\w+)\?:/g)].map(([, option = ""]) => option);
}

/** Every option with a value that is not its default. */
const other = (name: k.OptimizerName): { readonly [option: string]: unknown } => {
  const changed: { [option: string]: unknown } = {};
  for (const [option, value] of Object.entries(k.help(name))) {
    if (typeof value === "boolean") changed[option] = !value;
    else if (Number.isInteger(value) && Number(value) > 1) changed[option] = Number(value) - 1;
    else if (typeof value === "number") changed[option] = value / 2;
  }
  if (name === "sgd") return { ...changed, momentum: 0.5 };
  return changed;
};

/** Calls the method of each option. */
function withOptions<Name extends k.OptimizerName>(name: Name): k.OptimizerBuilder<Name> {
  let builder: unknown = optimizer(name);
  for (const [option, value] of Object.entries(other(name))) {
    builder = (builder as { [option: string]: (value: unknown) => unknown })[option]?.(value);
  }
  return builder as k.OptimizerBuilder<Name>;
}

describe.each(optimizers)("%s", (name) => {
  it("built is what the functions make, after steps too", () => {
    const first = network();
    const built = withOptions(name).build(first);
    const second = network();
    const made = new Optimizer(k.opt(name, second.handle, other(name) as never));
    expect(told(built)).toEqual(told(made));
    for (let i = 0; i < 3; i++) {
      step(first, built);
      step(second, made);
    }
    expect(told(built)).toEqual(told(made));
    expect(first.state()).toEqual(second.state());
  });

  it("has a method for every option, and for PyTorch's names", () => {
    const builder = optimizer(name);
    const options = typedOptions(name);
    expect(options).toEqual(expect.arrayContaining(Object.keys(k.help(name))));
    for (const option of options) expect(option in builder, option).toBe(true);
    expect("weight_decay" in builder).toBe(name !== "lbfgs");
    expect("nesterov" in builder).toBe(name === "sgd");
    expect("trustclip" in builder).toBe(name === "lamb");
    expect("then" in builder).toBe(false);
  });

  it("goes through JSON", () => {
    const builder = withOptions(name)
      .fused(false)
      .schedule(schedules.cosine({ steps: 9 }));
    const json = JSON.parse(JSON.stringify(builder));
    const again = optimizer.fromJSON<typeof name>(json);
    expect(again.toJSON()).toEqual(builder.toJSON());
    // Some options exist in Stepwell's own implementation only.
    const build = (from: typeof builder) => told(from.fused().build(network()));
    expect(build(again)).toEqual(build(builder));
  });
});

it("is immutable", () => {
  const first = optimizer("adamw").lr(0.1);
  const json = first.toJSON();
  const specification = { schedule: "cosine" as const, steps: 4 };
  const second = first
    .lr(0.2)
    .decay(0.3)
    .noDecay(/bias/)
    .group("head")
    .schedule(specification)
    .fused(false)
    .offload(false);
  specification.steps = 5;
  expect(first.toJSON()).toEqual(json);
  expect(second.toJSON().schedule).toEqual({ schedule: "cosine", steps: 4 });
  (second.toJSON().options as { lr: number }).lr = 7;
  expect(second.toJSON().options.lr).toBe(0.2);
  expect(() => Object.assign(second, { lr: 1 })).toThrow(TypeError);
});

it("puts parameters into groups by object and by name, and the others into group 0", () => {
  const m = network();
  const head = m.child("head");
  const builder = optimizer("adamw")
    .lr(0.02)
    .group("norm", (g) => g.beta1(0.5).lr(0.03));
  for (const selection of [head, head.handle, "head", /^head/, [m, ["head"]] as const]) {
    const o = builder.group(selection, (g) => g.lr(0.001)).build(m);
    expect(groupsOf(o)).toEqual([
      ["a.weight", "a.bias"],
      ["norm.weight", "norm.bias"],
      ["head.weight", "head.bias"],
    ]);
    expect(o.lr).toEqual([0.02, 0.03, 0.001]);
    expect(o.definition().options.map((row) => row.beta1)).toEqual([0.9, 0.5, 0.9]);
    o[Symbol.dispose]();
  }
});

it("does not decay what is named, in whichever group it is", () => {
  const m = network();
  const builder = optimizer("adamw")
    .decay(0.02)
    .noDecay(/bias|norm/g)
    .group("head", (g) => g.weight_decay(0.5).lr(0.1));
  const o = optimizer.fromJSON<"adamw">(JSON.parse(JSON.stringify(builder))).build(m);
  expect(groupsOf(o)).toEqual([["a.weight"], ["head.weight"], ["a.bias", "norm.weight", "norm.bias"], ["head.bias"]]);
  expect(o.definition().options.map((row) => row.decay)).toEqual([0.02, 0.5, 0, 0]);
  expect(o.lr).toEqual([0.001, 0.1, 0.001, 0.1]);
});

it("refuses a name or an expression of noDecay that selects no parameter, and leaves nothing behind", () => {
  const m = network();
  const others = k.dict({ scale: Tensor.of([1], "grad").handle });
  const handles = k.handlecount();
  const adamw = optimizer("adamw").noDecay("norm");
  const message = expectError("ERR_PARAMETER", () => adamw.noDecay("nrom").build(m));
  expect(message).toBe("build: no parameter has a name that `nrom` selects");
  expect(expectError("ERR_PARAMETER", () => adamw.noDecay(/^biass$/i).build(m))).toContain("/^biass$/i");
  expectError("ERR_PARAMETER", () => optimizer.fromJSON(adamw.noDecay(/gamma/).toJSON()).build(m));
  expectError("ERR_PARAMETER", () => optimizer("sgd").noDecay("bias").build([]));
  expect(k.handlecount()).toBe(handles);
  // Parameters of a group count that are in another object.
  expect(
    groupsOf(
      adamw
        .group(others)
        .noDecay(/scale$/)
        .build(m),
    ).at(-1),
  ).toEqual(["parms.scale"]);
});

it("builds on tensors, vectors, dictionaries and selections", () => {
  const vector = k.vector([1], [2, 2], [3, 3, 3]);
  k.gradflag(vector, true);
  const dictionary = k.dict({ bias: Tensor.of([1], "grad").handle, weight: Tensor.of([2], "grad").handle });
  const x = Tensor.of([1, 2], "grad");
  const sizes = (o: Optimizer) => o.definition().options.map((_, g) => groupsOf(o)[g]?.length);
  const builder = optimizer("sgd").lr(0.1);
  expect(sizes(builder.build(x))).toEqual([1]);
  expect(sizes(builder.group(x).build([]))).toEqual([0, 1]);
  expect(sizes(builder.group([vector, 2]).build(vector))).toEqual([2, 1]);
  const chosen = builder.group([vector, 2]).build([vector, [2, 0]]);
  expect(chosen.definition().parms.map((row) => [row.parmgroup, row.size])).toEqual([
    [0, [1]],
    [1, [3]],
  ]);
  expect(groupsOf(builder.noDecay("bias").build(dictionary))).toEqual([["weight"], ["bias"]]);
});

it("binds a schedule", () => {
  const o = optimizer("sgd")
    .lr(1)
    .schedule(schedules.linear({ start: 0.5, steps: 2 }))
    .build(network());
  expect(o.lr).toEqual([0.5]);
  o.advance();
  expect(o.lr).toEqual([0.75]);
  o.lr = 3;
  expect(o.lr).toEqual([3]);
});

it("refuses what is wrong, and leaves nothing behind", () => {
  const m = network();
  const head = m.child("head");
  const handles = k.handlecount();
  expectError("ERR_UNKNOWN_NAME", () => optimizer("none" as never));
  expectError("ERR_OPTION_RANGE", () => optimizer("sgd").lr(-1).build(m));
  expectError("ERR_OPTION_RANGE", () =>
    optimizer("sgd")
      .group(head, (g) => g.lr(-1))
      .build(m),
  );
  expectError("ERR_PARAMETER", () => optimizer("sgd").group("hed").build(m));
  for (const wrong of [async () => ({}), () => ({}), () => null, () => 5, () => undefined]) {
    expectError("ERR_ARGUMENT", () => optimizer("sgd").group("head", wrong as never));
  }
  expectError("ERR_PARAMETER", () => optimizer("sgd").group("head").group(/head/).build(m));
  expectError("ERR_GROUP", () => optimizer("lbfgs").group("head").build(m));
  expectError("ERR_OPTION_RANGE", () =>
    optimizer("sgd")
      .schedule(schedules.cosine({ steps: 0 }))
      .build(m),
  );
  expectError("ERR_HANDLE_KIND", () => optimizer("sgd").build(k.opt("sgd") as never));
  k.free(k.opt("sgd"));
  const message = expectError("ERR_ARGUMENT", () => optimizer("sgd").group("a").group(head).toJSON());
  expect(message).toContain("group 2");
  for (const json of [null, {}, [], { ...optimizer("sgd").toJSON(), noDecay: [{ regexp: "(", flags: "" }] }]) {
    expectError("ERR_FORMAT", () => optimizer.fromJSON(json as never));
  }
  expectError("ERR_OPTION_UNKNOWN", () => {
    optimizer.fromJSON({ ...optimizer("sgd").toJSON(), options: { nonsense: 1 } } as never).build(m);
  });
  // The one optimizer that the case of the wrong kind made.
  expect(k.handlecount()).toBe(handles + 1);
});

it("refuses what only a program without types can say", () => {
  const { handle } = network();
  const handles = k.handlecount();
  const sgd = optimizer("sgd") as never as {
    [method: string]: (...args: readonly unknown[]) => k.OptimizerBuilder<"sgd">;
  };
  const calls: readonly (() => unknown)[] = [
    () => sgd.build?.(),
    () => sgd.build?.(null),
    () => sgd.group?.().build(handle),
    () => sgd.group?.("head", () => undefined),
    () => sgd.group?.("head", 7),
    () => sgd.noDecay?.(7),
    () => sgd.noDecay?.(),
    () => sgd.schedule?.(() => 1),
    () => optimizer.fromJSON({ ...optimizer("sgd").toJSON(), schedule: () => 1 } as never),
  ];
  for (const call of calls) expectError("ERR_ARGUMENT", call);
  expect(k.handlecount()).toBe(handles);
  using o = optimizer("sgd").build(new Module(handle));
  expectError("ERR_ARGUMENT", () => o.step(7 as never));
});

it("frees at the end of a block, once, and after all were freed", () => {
  const handles = k.handlecount();
  {
    using m = network();
    using o = optimizer("adam").build(m);
    using x = Tensor.of([1, 2], "double");
    expect(k.handlecount()).toBe(handles + 3);
    o[Symbol.dispose]();
    o[Symbol.dispose]();
    expectError("ERR_HANDLE_FREED", () => o.step());
    expect(x.shape).toEqual([2]);
  }
  expect(k.handlecount()).toBe(handles);
  using x = Tensor.of(1);
  k.free();
  expectError("ERR_HANDLE_FREED", () => x.values());
});

it("has the functions as methods", () => {
  const m = network();
  expect(m.names()).toEqual(k.names(m.handle));
  expect(m.parameters).toEqual(k.parmnames(m.handle));
  expect(m.evaluate([[1, 2, 3]]).shape).toEqual([1, 2]);
  expect(m.parameter("a.bias").values()).toEqual(k.tensor(k.parm(m.handle, "a.bias")));
  const copy = Module.of(m.state());
  expect(copy.state()).toEqual(m.state());
  expect(m.to("double").parameter("a.bias").dtype).toBe("double");
  const x = Tensor.of([1, 2], "grad");
  const loss = new Tensor(k.mse(x.handle, [0, 0], { reduce: "sum" }));
  loss.backward();
  expect([loss.values(), x.grad(), x.device, [...x.data().data], x.to("double").dtype]).toEqual([
    5,
    [2, 4],
    k.device(x.handle),
    [1, 2],
    "double",
  ]);
  const o = optimizer("adam").build(copy);
  step(copy, o);
  const restored = Optimizer.restore(o.state(), copy);
  expect(told(restored)).toEqual(told(o));
  expect(restored.definition(false).options).toEqual([{ lr: 0.001 }]);
  o.step();
});
