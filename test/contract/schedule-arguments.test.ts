// Arguments of the functions of `schedules`, which make plain data for `schedule`.

import * as k from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { expectError } from "./expect-error.js";

afterEach(() => k.free());

type Make = (...args: readonly unknown[]) => { readonly schedule: string };
const makers = k.schedules as unknown as Readonly<Record<string, Make>>;
const next = k.schedules.linear();

/** Valid options of each kind, and arguments after them. */
const kinds: { readonly [kind: string]: readonly [options: object, ...more: readonly unknown[]] } = {
  step: [{ every: 2 }],
  multistep: [{ milestones: [1, 3] }],
  exponential: [{ gamma: 0.5 }],
  linear: [{ steps: 3 }],
  cosine: [{ steps: 3 }],
  restarts: [{ steps: 3 }],
  onecycle: [{ max: 1, steps: 3, momentum: false }],
  polynomial: [{ steps: 3 }],
  plateau: [{ patience: 1 }],
  warmup: [{ steps: 3 }, next],
};

/** Values that are not a dictionary, and their words in a message. */
const others: readonly (readonly [given: string, value: unknown])[] = [
  ["number 100", 100],
  ['string "cos"', "cos"],
  ["boolean true", true],
  ["null", null],
  ["list of 1", [{ steps: 3 }]],
  ["a Map", new Map([["steps", 3]])],
  ["a Promise", Promise.resolve({ steps: 3 })],
  ["function", () => ({ steps: 3 })],
  ["an instance of Handle", k.tensor(1)],
];

it("the table has every kind with options", () => {
  expect(Object.keys(makers).sort()).toEqual([...Object.keys(kinds), "chained"].sort());
});

describe.each(Object.entries(kinds))("schedules.%s", (kind, [options, ...more]) => {
  const make = makers[kind] as Make;
  const where = `schedules.${kind}`;

  it("makes data of its kind, which binds, and leaves the options as they are", () => {
    const given = Object.freeze({ ...options });
    const made = make(given, ...more);
    expect(made).toMatchObject({ schedule: kind, ...options });
    k.schedule(k.opt("sgd"), made as k.ScheduleSpecification);
    // An undefined option is left out.
    expect(make({ ...options, schedule: undefined }, ...more)).toEqual(made);
    expect(make(Object.assign(Object.create(null), options), ...more)).toEqual(made);
  });

  it.each(others)("refuses %s as options", (given, value) => {
    expect(expectError("ERR_ARGUMENT", () => make(value, ...more))).toBe(
      `${where}: expected a dictionary of options, given ${given}`,
    );
  });

  it("refuses another kind", () => {
    for (const schedule of ["step", kind, null]) {
      const message = expectError("ERR_OPTION_UNKNOWN", () => make({ ...options, schedule }, ...more));
      expect(message).toBe(`${where}: unknown option \`schedule\`, which the function sets`);
    }
  });
});

it("without their required options they say that they expect some", () => {
  for (const kind of ["step", "multistep", "exponential", "cosine", "restarts", "onecycle", "warmup"]) {
    expect(expectError("ERR_ARGUMENT", () => makers[kind]?.())).toBe(
      `schedules.${kind}: expected a dictionary of options, given nothing`,
    );
  }
});

it("warmup and chained say which schedule is missing", () => {
  const expected = "schedules.warmup: expected a schedule as argument 2, given";
  expect(expectError("ERR_ARGUMENT", () => makers.warmup?.({ steps: 3 }))).toBe(`${expected} nothing`);
  for (const [given, value] of others) {
    expect(expectError("ERR_ARGUMENT", () => makers.warmup?.({ steps: 3 }, value))).toBe(`${expected} ${given}`);
    expect(expectError("ERR_ARGUMENT", () => makers.chained?.(next, value))).toBe(
      `schedules.chained: expected a schedule as argument 2, given ${given}`,
    );
  }
  expect(expectError("ERR_OPTION_UNKNOWN", () => makers.warmup?.({ steps: 3, next }, next))).toBe(
    "schedules.warmup: unknown option `next`, which the function sets",
  );
  expect(expectError("ERR_ARGUMENT", () => makers.chained?.())).toBe(
    "schedules.chained: expected a schedule as argument 1, given nothing",
  );
});
