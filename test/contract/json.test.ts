// States after a way through JSON, as in a database: equal to the bit, or an error that says JSON.

import * as k from "@stepwell/sdk";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { supported } from "../engine-differences.js";
import { expectError } from "./expect-error.js";
import { optimizers } from "./optimizers.js";

beforeEach(() => k.seed(5));
afterEach(() => k.free());

const throughJson = <T>(value: T): T => JSON.parse(JSON.stringify(value));

/** Everything that a state holds, except addresses. */
const known = (state: k.State) => ({ ...state, parms: state.parms.map(({ pointer, ...row }) => row) });

const bits = ({ data, shape, dtype }: k.TypedTensor) => ({
  array: data.constructor.name,
  bytes: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("hex"),
  shape,
  dtype,
});

/** Some steps of an optimizer and its schedule. */
function train(name: k.OptimizerName, dtype: k.Dtype, m: k.ModuleHandle, o: k.OptimizerHandle, steps: number) {
  const inputs = k.tensor(
    [
      [1, 2],
      [-1, 0.5],
      [0.25, 3],
    ],
    dtype,
  );
  const targets = k.tensor([[1], [0], [2]], dtype);
  for (let i = 0; i < steps; i++) {
    const closure = () => {
      k.zerograd(o);
      const [output] = [k.forward(m, inputs)];
      const loss = k.mse(output, targets);
      k.backward(loss);
      return loss;
    };
    if (name === "lbfgs") k.step(o, closure);
    else {
      k.free(closure());
      k.step(o);
      k.advance(o, 1 / (i + 1));
    }
  }
}

describe.each(optimizers)("the state of %s", (name) => {
  it.each(supported("float", "double"))("through JSON goes on to the bit with %s", (dtype) => {
    const m = k.module(k.seq("sequential", ["linear", 2, 3], ["batchnorm", 3], ["linear", 3, 1]));
    k.to(m, dtype);
    const o = k.opt(name, m);
    if (name !== "lbfgs") {
      // Its best metric is infinite before the first.
      k.schedule(o, k.schedules.plateau({ patience: 0 }));
      k.lossscale(o, { init: 2 });
    }
    for (const steps of [0, 3]) {
      train(name, dtype, m, o, steps);
      const saved = { module: k.state(m), optimizer: k.state(o) };
      const read = throughJson({ epoch: 3, ...saved });
      const m2 = k.module(read.module);
      const o2 = k.opt(read.optimizer, m2);
      expect(k.state(m2)).toEqual(saved.module);
      expect(known(k.state(o2))).toEqual(known(saved.optimizer));
      expect(throughJson(k.state(m2))).toEqual(read.module);
      // A second way through JSON changes nothing.
      expect(known(k.state(k.opt(throughJson(read.optimizer), k.module(throughJson(read.module)))))).toEqual(
        known(saved.optimizer),
      );
      train(name, dtype, m2, o2, 3);
      const m3 = k.module(saved.module);
      const o3 = k.opt(saved.optimizer, m3);
      train(name, dtype, m3, o3, 3);
      expect(k.state(m2)).toEqual(k.state(m3));
      expect(known(k.state(o2))).toEqual(known(k.state(o3)));
    }
  });
});

describe("a tensor through JSON", () => {
  const odd = [0, -0, 1 / 3, 5e-324, 2 ** -149, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 65504];

  it.each(supported("float", "double", "half", "bfloat16"))("of %s keeps every bit", (dtype) => {
    const x = k.tensor(odd, dtype);
    const read = throughJson(k.data(x));
    const y = k.tensor(read as never, dtype);
    expect(bits(k.data(y))).toEqual(bits(k.data(x)));
    expect(k.dtype(k.tensor(read as never))).toBe(dtype);
  });

  it("of long keeps whole numbers of 64 bits", () => {
    const numbers = new BigInt64Array([0n, -1n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)]);
    const read = throughJson(k.data(k.tensor(numbers)));
    expect(k.data(k.tensor(read as never)).data).toEqual(numbers);
  });

  it.each([[[]], [[0]], [[2, 0]], [[1]], [[3]], [[70_000]], [[24_576 / 4]], [[24_576 / 4 + 1]]])(
    "of shape %j",
    (shape) => {
      const x = k.full(shape, 1.5);
      expect(bits(k.data(k.tensor(throughJson(k.data(x)) as never)))).toEqual(bits(k.data(x)));
    },
  );

  it("is told in bytes of its elements", () => {
    // 1.5 is 3fc00000, and -2 is c0000000.
    expect(throughJson(k.data(k.tensor([1.5, -2])))).toEqual({ dtype: "float", shape: [2], data: "AADAPwAAAMA=" });
  });

  it("is nothing that is copied or compared", () => {
    const told = k.data(k.tensor([1, 2]));
    expect(Object.keys(told)).toEqual(["data", "shape"]);
    expect(told).toEqual({ data: new Float32Array([1, 2]), shape: [2] });
    expect(structuredClone(told)).toEqual(told);
  });

  it("that does not fit is refused, before anything of its size is made", () => {
    const good = { dtype: "float", shape: [2], data: "AADAPwAAAMA=" };
    const wrong: readonly object[] = [
      { dtype: "none" },
      { dtype: "toString" },
      { dtype: undefined },
      { shape: [3] },
      { shape: [1] },
      { shape: [2 ** 40] },
      { shape: [2 ** 53 - 1, 2 ** 53 - 1] },
      { shape: [-2] },
      { shape: [2.5] },
      { shape: ["2"] },
      { data: "AADAPwAAAMA" },
      { data: "AADAPwAAAM==" },
      { data: "AADAPwAAAM!=" },
      { data: "AADAPwAA AM=" },
      // Spare bits that are not 0, and white space in the place of padding.
      { data: "AADAPwAAAMB=" },
      { data: "AADAPwAA AMA" },
      { data: "" },
      { data: "AADAPwAAAMA=AADAPwAAAMA=" },
      { dtype: "double" },
    ];
    for (const change of wrong) {
      expect(expectError("ERR_FORMAT", () => k.tensor({ ...good, ...change } as never))).toContain("JSON");
    }
    expect(k.tensor(k.tensor(good as never))).toEqual([1.5, -2]);
  });
});

describe("what JSON has lost", () => {
  it("is an error that says JSON, and what to do", () => {
    const m = k.module(["linear", 300, 300]);
    const o = k.opt("adam", m);
    train("adam", "float", k.module(["linear", 2, 1]), o, 0);
    k.grad(k.parm(m, "bias"), k.full([300], 1));
    k.step(o);
    // A copy has no methods.
    const lost = throughJson(structuredClone(k.state(o)));
    const handles = k.handlecount();
    for (const call of [
      () => k.opt(lost, m),
      () => k.module(throughJson(structuredClone(k.state(m)))),
      () => k.tensor({ data: {}, shape: [0] } as never),
    ]) {
      const message = expectError("ERR_FORMAT", call);
      expect(message).toContain("JSON");
      expect(message).toContain("structuredClone");
      expect(message.length).toBeLessThan(400);
    }
    expect(k.handlecount()).toBe(handles);
    // The copy itself is good.
    k.opt(structuredClone(k.state(o)), m);
    k.module(structuredClone(k.state(m)));
  });

  it("is not what is called data and shape", () => {
    const d = k.dict({ data: [1], shape: [2, 3], number: [4] });
    const o = k.opt("sgd", k.dict({ data: k.tensor([1], "grad"), shape: k.tensor([2, 3], "grad") }));
    expect(k.size(d)).toBe(3);
    expect(k.parmnames(k.module(throughJson(k.state(k.module(o)))))).toEqual(["data", "shape"]);
  });
});
