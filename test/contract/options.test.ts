import { free, grad, help, lr, type OptimizerHandle, opt, state, step, tensor } from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { expectError } from "./expect-error.js";
import { optimizers } from "./optimizers.js";

afterEach(() => free());

/** Calls as JavaScript makes them, without types in the way. */
const untyped = opt as (...args: unknown[]) => OptimizerHandle;

/** Runs a call that must fail, and checks that the optimizer is unchanged. */
function refused(optimizer: OptimizerHandle, code: Parameters<typeof expectError>[0], call: () => unknown): string {
  const before = state(optimizer);
  const message = expectError(code, call);
  expect(state(optimizer)).toEqual(before);
  return message;
}

describe.each(optimizers)("%s", (name) => {
  const make = () => untyped(name, tensor([1, 2, 3], "grad"));

  it("takes its options by position, by name and mixed", () => {
    const byPosition = opt(untyped(name, [], 0.25));
    expect(byPosition.options[0]?.lr).toBe(0.25);
    for (const named of [{ lr: 0.25 }, [["lr", 0.25]], ["lr", 0.25]]) {
      expect(opt(untyped(name, [], named))).toEqual(byPosition);
      // A name does not override a position: an option that is given twice is an error.
      expectError("ERR_ARGUMENT", () => untyped(name, [], 0.5, named));
    }
  });

  it("refuses an unknown option and names those there are", () => {
    const o = make();
    const message = refused(o, "ERR_OPTION_UNKNOWN", () => untyped(o, [], { nonsense: 1 }));
    expect(message).toBe(
      `opt: ${name}: unknown option \`nonsense\`, expected one of ${Object.keys(help(name, true)).join(", ")}`,
    );
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1])(
    "refuses a learning rate of %d",
    (rate) => {
      const o = make();
      refused(o, "ERR_OPTION_RANGE", () => untyped(o, [], rate));
      refused(o, "ERR_OPTION_RANGE", () => untyped(o, [], { lr: rate }));
      refused(o, "ERR_OPTION_RANGE", () => lr(o, rate));
      expectError("ERR_OPTION_RANGE", () => untyped(name, [], rate));
    },
  );

  it("refuses every option of a wrong type and says what it takes", () => {
    const o = make();
    for (const [option, standard] of Object.entries(opt(o).options[0] ?? {})) {
      const wrong = typeof standard === "boolean" ? 1 : "many";
      const code = option === "search" ? "ERR_OPTION_RANGE" : "ERR_OPTION_TYPE";
      const message = refused(o, code, () => untyped(o, [], { [option]: wrong }));
      expect(message).toContain(`${name} ${option}: expected `);
      refused(o, "ERR_OPTION_TYPE", () => untyped(o, [], { [option]: tensor(1) }));
      refused(o, "ERR_OPTION_TYPE", () => untyped(o, [], { [option]: { nested: 1 } }));
    }
  });

  it("refuses one positional option too many", () => {
    const o = make();
    const row = Object.values(opt(o).options[0] ?? {});
    refused(o, "ERR_ARGUMENT", () => untyped(o, [], ...row, 1));
  });

  it("refuses a group that leaves a gap", () => {
    const o = make();
    const message = refused(o, "ERR_GROUP", () => untyped(o, 2, [], 0.1));
    expect(message).toBe("opt: group 2 invalid, cannot be greater than number of groups(1)");
    refused(o, "ERR_GROUP", () => untyped(o, -1, [], 0.1));
    refused(o, "ERR_GROUP", () => untyped(o, 0.5, [], 0.1));
    expectError("ERR_GROUP", () => untyped(name, 1, [], 0.1));
  });

  it("refuses a bad option and good parameters together", () => {
    const o = make();
    refused(o, "ERR_OPTION_RANGE", () => untyped(o, 0, tensor([1], "grad"), -1));
  });
});

it.each([
  ["adam", { beta1: 1 }],
  ["adamw", { beta2: -0.1 }],
  ["lamb", { beta1: 1.5 }],
  ["lamb", { trustmin: 2 }],
  ["sgd", { nesterov: true }],
  ["sgd", { nesterov: true, momentum: 0.9, dampening: 0.1 }],
  ["sgd", { momentum: -0.5 }],
  ["adagrad", { lrdecay: -0.5 }],
  ["rmsprop", { momentum: -1 }],
  ["lbfgs", { iter: 0 }],
  ["lbfgs", { search: "armijo" }],
  ["adam", { weight_decay: -1 }],
])("%s refuses %o when made and when edited", (name, options) => {
  expectError("ERR_OPTION_RANGE", () => untyped(name, [], options));
  const o = untyped(name);
  refused(o, "ERR_OPTION_RANGE", () => untyped(o, [], options));
});

it("accepts PyTorch's names", () => {
  const row = opt(opt("adam", [], { betas: [0.5, 0.75], weight_decay: 0.125 })).options[0];
  expect(row).toMatchObject({ beta1: 0.5, beta2: 0.75, decay: 0.125 });
  expectError("ERR_OPTION_TYPE", () => untyped("adam", [], { betas: [0.5] }));
});

it("starts a new group with the options of the optimizer's making, not of group 0", () => {
  const o = opt("sgd", [], 0.1, 0.9);
  opt(o, 0, [], 0.2);
  opt(o, 1, []);
  expect(opt(o).options.map((row) => [row.lr, row.momentum])).toEqual([
    [0.2, 0.9],
    [0.1, 0.9],
  ]);
  expect(opt(o, false).options).toEqual([
    { lr: 0.2, momentum: 0.9 },
    { lr: 0.1, momentum: 0.9 },
  ]);
});

it("sets one learning rate for all groups or one for each", () => {
  const o = opt("sgd");
  opt(o, 1, []);
  lr(o, 0.5);
  expect(lr(o)).toEqual([0.5, 0.5]);
  lr(o, [0.25, 0.125]);
  expect(lr(o)).toEqual([0.25, 0.125]);
  const message = refused(o, "ERR_ARGUMENT", () => lr(o, [1, 2, 3]));
  expect(message).toBe("lr: length error: 3 learning rates given for 2 parameter group(s)");
});

it("makes a buffer that an edit calls for", () => {
  const x = tensor([1, 2], "grad", "double");
  const o = opt("adam", x);
  const stepOnce = () => {
    grad(x, [0.5, -0.5]);
    step(o);
  };
  stepOnce();
  expect(state(o).parms[0]?.buffers.max_exp_avg_sq).toBeNull();
  opt(o, [], { amsgrad: true });
  stepOnce();
  expect(state(o).parms[0]?.buffers.max_exp_avg_sq).not.toBeNull();
});
