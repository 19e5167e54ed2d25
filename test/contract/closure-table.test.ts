// For every function: whether the closure of a step may call it during the step, and with which effect.

import { rmSync } from "node:fs";
import * as k from "@stepwell/sdk";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { differences } from "../engine-differences.js";
import { folderFunctions } from "../folder-functions.js";
import { returnsPromise } from "../promises.js";
import { type Outcome, type Row, rows } from "./closure-rows.js";
import { elementsOf, folder, gradient, implementations, type Scene, scene, start } from "./closure-scene.js";
import { expectError } from "./expect-error.js";

afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => {
  k.reset();
});

it("has every function of the k-api", () => {
  const functions = Object.entries(k)
    .filter(([name, value]) => typeof value === "function" && /^[a-z]/.test(name))
    .map(([name]) => name)
    .filter((name) => !["class", "return", "optimizer", "seq", ...folderFunctions].includes(name))
    // test/contract/asynchronous.test.ts has them.
    .filter((name) => !returnsPromise(name));
  expect([...new Set(rows.map((row) => row.name))].sort()).toEqual(functions.sort());
});

describe.each(implementations.filter(({ fused }) => differences.implementations.includes(fused)))(
  "the closure of $title",
  ({ name, fused, after }) => {
    /** Makes a step whose closure does something once, and sets the gradient. */
    const stepWith = (at: Scene, row: Pick<Row, "act" | "late">) => {
      let isFirst = true;
      return k.step(at.o, () => {
        const acts = isFirst;
        isFirst = false;
        if (acts && !row.late) row.act(at);
        const loss = gradient(at);
        if (acts && row.late) row.act(at);
        return loss;
      });
    };
    const expectNear = (at: Scene, expected: readonly number[]) => {
      const digits = k.dtype(at.x) === "double" ? 12 : 6;
      expect(elementsOf(at.x)).toEqual(expected.map((value) => expect.closeTo(value, digits)));
    };
    const outcomeOf = ({ outcome = "allowed" }: Row): Outcome =>
      typeof outcome === "object" && "sgd" in outcome
        ? (name === "sgd" && !fused && outcome.library) || outcome[name]
        : outcome;

    it("makes the steps that were found by hand", () => {
      const at = scene(name, fused);
      expect(stepWith(at, { act: () => {} })).toBe(13);
      expectNear(at, after[0]);
      stepWith(at, { act: () => {} });
      expectNear(at, after[1]);
    });

    it.each(rows)("$name: $what", (row) => {
      const at = scene(name, fused);
      const outcome = outcomeOf(row);
      const [first, second] = typeof outcome === "object" ? outcome.after : after;
      if (typeof outcome === "object" || outcome === "allowed") {
        stepWith(at, row);
      } else {
        stepWith(at, {
          ...row,
          act: (scene) => {
            const handles = k.handlecount();
            expect(expectError(outcome, () => row.act(scene))).toMatch(/^[a-z]+[:\w ]/);
            expect(k.handlecount()).toBe(handles);
          },
        });
      }
      row.check?.(at, name, fused);
      expectNear(at, first);
      stepWith(at, { act: () => {} });
      expectNear(at, second);
    });

    it.each(
      rows.filter(
        (row) => !["allowed", undefined].includes(outcomeOf(row) as string) && typeof outcomeOf(row) === "string",
      ),
    )("$name: $what, where the closure lets the error through", (row) => {
      const at = scene(name, fused);
      const before = k.state(at.o);
      expectError(outcomeOf(row) as k.ErrorCode, () => stepWith(at, row));
      expect(elementsOf(at.x)).toEqual(start);
      expect(k.state(at.o)).toEqual(before);
      stepWith(at, { act: () => {} });
      expectNear(at, after[0]);
      stepWith(at, { act: () => {} });
      expectNear(at, after[1]);
    });
  },
);
