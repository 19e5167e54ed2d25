// Calls of the next batch, on a thread of the engine if it has one.

import { callAsync } from "../../client/asynchronous-calls.js";
import { hasCode } from "../../errors.js";
import { turn } from "../../values/event-loop.js";
import type { GeneratorState } from "../../values/generator.js";
import { client } from "../client.js";
import { randint } from "../functions/creation.js";
import { free } from "../functions/objects.js";
import { generator, randperm } from "../functions/session.js";
import { data } from "../functions/tensors.js";

/** Commands of a training that the engine can run on a thread of its own. */
type Command = "batch" | "testbatch" | "save" | "load";

/** Calls a command, and waits for its result. */
export type Call = (command: Command, ...args: readonly unknown[]) => Promise<unknown>;

/**
 * A function that makes a call, on a thread of the engine if it has one. Where a function of the program takes part, only the first call
 * tries it.
 */
export function batchCalls(): Call {
  let hasThread = client.hasThread;
  return async (command, ...args) => {
    if (hasThread) {
      try {
        return await callAsync(client, command, args);
      } catch (error) {
        if (!hasCode(error, "ERR_UNSUPPORTED")) throw error;
        hasThread = false;
      }
    }
    return client.call(command, args);
  };
}

/** Calls a function that draws, once no call on a thread of the engine has the generator. It returns in the turn of the draw. */
async function whenFree<Result>(signal: AbortSignal | undefined, draw: () => Result): Promise<Result | undefined> {
  for (;;) {
    try {
      // Fails while another call has the generator, and draws nothing.
      randperm(0);
      return draw();
    } catch (error) {
      if (!hasCode(error, "ERR_BUSY")) throw error;
    }
    await turn();
    if (signal?.aborted) return undefined;
  }
}

/** Draws numbers of 32 bits from the generator of the session; undefined after an abort. */
export function drawWords(count: number, signal: AbortSignal | undefined): Promise<readonly number[] | undefined> {
  return whenFree(signal, () => {
    const words = randint(0, 2 ** 32, [count]);
    try {
      return Array.from(data(words, "long").data, Number);
    } finally {
      free(words);
    }
  });
}

/** Calls a function with the state of the generator, before anything else can draw; undefined after an abort. */
export function withGenerator<Result>(
  signal: AbortSignal | undefined,
  use: (state: GeneratorState) => Result,
): Promise<Result | undefined> {
  return whenFree(signal, () => use(generator()));
}

/** The order of so many samples that a state of the generator draws. The generator stays. */
export function orderOf(count: number, state: GeneratorState, signal: AbortSignal | undefined) {
  return whenFree(signal, () => {
    const now = generator();
    generator(state);
    try {
      return Array.from(randperm(count));
    } finally {
      generator(now);
    }
  });
}
