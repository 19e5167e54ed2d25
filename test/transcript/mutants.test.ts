// A test of the transcript: an SDK with one fault must not pass it. Each fault is one function of the real one, replaced.

import { AssertionError } from "node:assert";
import * as k from "@stepwell/sdk";
import { afterAll, expect, it } from "vitest";
import type { Any } from "./fault.js";
import { faults } from "./faults.js";
import type { Sdk } from "./line.js";
import { play, sections } from "./play.js";

afterAll(() => k.free());

it("has more than sixty of them, of different names", () => {
  expect(new Set(faults.map(([what]) => what)).size).toBe(faults.length);
  expect(faults.length).toBeGreaterThan(60);
});

it.each(faults)("%s: %s does not pass", (_, title, fault) => {
  const [, section] = sections.find(([name]) => name === title) ?? [];
  if (!section) throw new Error(`no section ${title}`);
  let thrown: Any;
  try {
    play({ ...k, ...fault } as Sdk, section);
  } catch (error) {
    thrown = error instanceof Error && error.cause ? error.cause : error;
  }
  k.free();
  // The failure is a comparison, or the SDK's refusal of a consequence, and not the mutant's own exception.
  expect(thrown instanceof AssertionError || thrown instanceof k.StepwellError, String(thrown?.stack)).toBe(true);
});
