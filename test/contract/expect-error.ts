import { type ErrorCode, StepwellError } from "@stepwell/sdk";
import { expect } from "vitest";

/** Fails unless the call throws a `StepwellError` of that code; returns its message. */
export function expectError(code: ErrorCode, call: () => unknown): string {
  try {
    call();
  } catch (error) {
    expect(error).toBeInstanceOf(StepwellError);
    expect(error).toMatchObject({ code });
    return (error as StepwellError).message;
  }
  return expect.fail(`nothing was thrown instead of ${code}`);
}
