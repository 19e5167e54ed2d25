// Classes beyond those that `onehot` has are errors, as in PyTorch, and not rows of zeros.

import * as k from "@stepwell/sdk";
import { afterEach, expect, it } from "vitest";
import { expectError } from "./expect-error.js";

afterEach(() => k.free());

it("has a row for each class", () => {
  expect(k.tensor(k.onehot([2, 0], 3))).toEqual([
    [0, 0, 1],
    [1, 0, 0],
  ]);
  expect(k.tensor(k.onehot(1, 2))).toEqual([0, 1]);
  expect(k.tensor(k.onehot([[0], [1]], 2))).toEqual([[[1, 0]], [[0, 1]]]);
  expect(k.size(k.onehot(k.tensor([], "long"), 4))).toEqual([0, 4]);
});

it("refuses a class that is negative or too large", () => {
  for (const classes of [[0, 3], [0, -1], [[4]]]) {
    const before = k.handlecount();
    expectError("ERR_ARGUMENT", () => k.onehot(classes, 3));
    expect(k.handlecount()).toBe(before);
  }
});
