// The functions that tests import from vitest, from the two packages that vitest itself takes them from. A machine with a GPU gets
// no vitest: its bundler alone is larger than this whole suite.

import {
  ASYMMETRIC_MATCHERS_OBJECT,
  ChaiStyleAssertions,
  customMatchers,
  type ExpectStatic,
  GLOBAL_EXPECT,
  JestAsymmetricMatchers,
  JestChaiExpect,
  JestExtend,
  setState,
} from "@vitest/expect";
import * as chai from "chai";

export { afterAll, afterEach, beforeAll, beforeEach, describe, it, test } from "@vitest/runner";

for (const plugin of [JestExtend, JestChaiExpect, ChaiStyleAssertions, JestAsymmetricMatchers]) chai.use(plugin);

const globals = globalThis as unknown as Record<symbol, object>;
const check = (value: unknown, message?: string) => chai.expect(value, message);

/** `expect` of vitest without `poll`, `soft`, snapshots and counts of assertions. */
export const expect = Object.assign(check, chai.expect, globals[ASYMMETRIC_MATCHERS_OBJECT]) as unknown as ExpectStatic;

globals[GLOBAL_EXPECT] = expect;
setState({ assertionCalls: 0 }, expect);
(chai.expect as unknown as { extend(to: ExpectStatic, matchers: object): void }).extend(expect, customMatchers);
