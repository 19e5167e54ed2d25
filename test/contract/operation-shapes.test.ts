// Operations on tensors whose shapes do not fit: the error states both, and changes nothing.

import * as k from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { isLacking } from "../engine-differences.js";
import { operationArguments, operationNames } from "../operation-calls.js";

afterEach(() => k.free());

const functions = k as unknown as Readonly<Record<string, (...args: readonly unknown[]) => unknown>>;
const written = (shape: readonly number[]) => `[${shape.join(", ")}]`;

/** The arguments of a call, with one tensor replaced by another of its dtype, whose sizes fit no other tensor. */
function misfit(name: string, replaced: number) {
  const tensors: k.TensorHandle[] = [];
  const args = operationArguments(name, (tensor) => {
    const isReplaced = tensors.length === replaced;
    const dimensions = Math.max(2, k.dim(tensor));
    const given = isReplaced ? k.zeros(new Array<number>(dimensions).fill(11), k.dtype(tensor)) : tensor;
    tensors.push(given);
    return given;
  });
  return { args, tensors };
}

/** They take two tensors of any shapes. */
const free: readonly string[] = ["equal", "isin"];
const names = operationNames.filter((name) => misfit(name, -1).tensors.length > 1 && !free.includes(name));

/** A shape in a message. */
const shape = /\[(\d+(, \d+)*)?\]/g;

describe.each(names)("%s", (name) => {
  it("states the shapes that do not fit each other", () => {
    const { args, tensors } = misfit(name, 1);
    const before = k.handlecount();
    let error: k.StepwellError | undefined;
    try {
      functions[name]?.(...args);
    } catch (thrown) {
      error = thrown as k.StepwellError;
    }
    if (isLacking(name, args)) {
      expect(error?.code).toBe("ERR_UNSUPPORTED");
      return;
    }
    expect(`${error?.code}: ${error?.message}`).toMatch(/^ERR_SHAPE/);
    const stated = new Set(error?.message.match(shape) ?? []);
    const given = new Set(tensors.map((tensor) => written(k.size(tensor))));
    // Some messages state transposed matrices, or the bias that the kernel needs.
    expect(stated.size, error?.message).toBeGreaterThanOrEqual(2);
    expect(
      [...stated].some((text) => given.has(text)),
      error?.message,
    ).toBe(true);
    expect(k.handlecount()).toBe(before);
  });
});
