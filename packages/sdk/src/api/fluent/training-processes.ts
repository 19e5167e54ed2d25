// The processes that make a training: what they agree on between steps. A process that is alone agrees with itself.

import { callAsync } from "../../client/asynchronous-calls.js";
import { hasCode, StepwellError } from "../../errors.js";
import type { DistributedOptions } from "../../generated/settings.js";
import type { OptimizerHandle } from "../../handle.js";
import { type GeneratorState, generatorNumbers, generatorOfRank, generatorState } from "../../values/generator.js";
import { wasLaunched } from "../../values/process-place.js";
import { client } from "../client.js";
import { joinedGroup } from "../functions/joined-group.js";
import { free } from "../functions/objects.js";
import { allGather, initProcessGroup } from "../functions/process_groups.js";
import { generator } from "../functions/session.js";
import { data, tensor } from "../functions/tensors.js";
import { withGenerator } from "./batch-calls.js";

/** Words of a process when all meet. */
const GO = 0;
const STOP = 1;
/** The program of a process has left the loop over the events. */
const LEFT = 2;
const FAILED = 3;

/** Ends a training that the program of another process has left. */
export class LeftTraining extends Error {}

/** The processes of a training. */
export class TrainingProcesses {
  readonly #options: DistributedOptions | undefined;
  #rank = 0;
  #isAlone = true;
  /** Whether the processes meet no more. */
  #isOver = false;

  /** This process alone, unless others are wanted, with options of `distributed`. */
  constructor(options: DistributedOptions | undefined) {
    this.#options = options;
  }

  /** Whether this process tells events and writes files. */
  get isFirst(): boolean {
    return this.#rank === 0;
  }

  /** Whether others were asked for. */
  get mayBeMany(): boolean {
    return this.#options !== undefined;
  }

  /** Whether each has a part of the state of the optimizer. */
  get isSharded(): boolean {
    return !this.#isAlone && this.#options?.sharded === true;
  }

  /** Whether there are no others. */
  get isAlone(): boolean {
    return this.#isAlone;
  }

  /** Joins the group of this process, or the one that the environment names. Without either, the process stays alone. */
  async join(): Promise<void> {
    if (this.#options === undefined) return;
    const group = joinedGroup ?? (wasLaunched() ? await initProcessGroup() : undefined);
    if (group === undefined) return;
    this.#rank = group.rank;
    this.#isAlone = false;
  }

  /** Has all begin with the parameters of rank 0, and each with random numbers of its own: saved ones, or a stream of rank 0. */
  async begin(optimizer: OptimizerHandle, saved: readonly GeneratorState[] | undefined): Promise<void> {
    if (this.#isAlone) return;
    await this.inStep(() => callAsync(client, "distributed", [optimizer, this.#options], { name: "fit" }));
    const own = saved?.[this.#rank];
    const [first = generator()] = await this.generators();
    const next = own ?? generatorOfRank(first, this.#rank);
    await withGenerator(undefined, () => generator(next));
  }

  /** The generators of all processes. */
  async generators(): Promise<readonly GeneratorState[]> {
    const own = (await withGenerator(undefined, (state) => state)) as GeneratorState;
    const rows = await this.#gather(Array.from(generatorNumbers("fit", own)));
    return rows.map((row) => generatorState(Float64Array.from(row)));
  }

  /** Whether one of the processes stops. */
  async stops(isStopped: boolean): Promise<boolean> {
    if (this.#isAlone) return isStopped;
    const rows = await this.#meet(isStopped ? STOP : GO);
    return rows.some(([word]) => word === STOP);
  }

  /** The numbers of all processes, one of each. */
  async numbers(own: number): Promise<readonly number[]> {
    if (this.#isAlone) return [own];
    return (await this.#meet(GO, own)).map(([, number]) => number as number);
  }

  /** The numbers of rank 0. As many on each process. */
  async ofFirst(numbers: readonly number[]): Promise<readonly number[]> {
    if (this.#isAlone || numbers.length === 0) return numbers;
    await this.#meet(GO);
    return (await this.#gather(numbers))[0] as readonly number[];
  }

  /** The text of rank 0. */
  async textOfFirst(text: string | undefined): Promise<string | undefined> {
    if (this.#isAlone) return text;
    const bytes = text === undefined ? [] : [...new TextEncoder().encode(text)];
    const [length = 0] = await this.numbers(text === undefined ? -1 : bytes.length);
    if (length <= 0) return undefined;
    const numbers = await this.ofFirst(Array.from({ length }, (_, i) => bytes[i] ?? 0));
    return new TextDecoder().decode(Uint8Array.from(numbers));
  }

  /** Does something that may fail on one of the processes, which is then an error of all. */
  async together<Result>(work: () => Result | Promise<Result>): Promise<Result> {
    if (this.#isAlone) return work();
    let result: Result;
    try {
      result = await work();
    } catch (error) {
      await this.leave(true);
      throw error;
    }
    await this.#meet(GO);
    return result;
  }

  /** Does something in which the processes meet by themselves, and which fails on all if it fails. */
  async inStep<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      this.#isOver = true;
      throw error;
    }
  }

  /** Ends the training on this process. Unless all have ended it, the others end theirs when they meet next. */
  async leave(hasFailed: boolean): Promise<void> {
    if (this.#isAlone || this.#isOver) return;
    this.#isOver = true;
    // The others may have ended.
    await this.#gather([hasFailed ? FAILED : LEFT, 0]).catch(() => {});
  }

  /** All have come to the end of the training. */
  finish(): void {
    this.#isOver = true;
  }

  /** Says a word to all processes. Returns their words, with a number of each. */
  async #meet(word: number, number = 0): Promise<readonly (readonly number[])[]> {
    const rows = await this.#gather([word, number]);
    const failed = rows.findIndex(([word]) => word === FAILED);
    if (failed >= 0) {
      this.#isOver = true;
      throw new StepwellError("ERR_DISTRIBUTED", `fit: rank ${failed} has failed in this training, and says why`);
    }
    if (rows.some(([word]) => word === LEFT)) {
      this.#isOver = true;
      throw new LeftTraining();
    }
    return rows;
  }

  async #gather(numbers: readonly number[]): Promise<readonly (readonly number[])[]> {
    try {
      return await gathered(numbers);
    } catch (error) {
      // The group is of no use after it.
      if (hasCode(error, "ERR_DISTRIBUTED")) this.#isOver = true;
      throw error;
    }
  }
}

/** The numbers of all processes, a row of each. */
async function gathered(numbers: readonly number[]): Promise<readonly (readonly number[])[]> {
  const own = client.withoutScope(() => tensor(Float64Array.from(numbers)));
  try {
    const all = await allGather(own);
    try {
      const flat = Array.from(data(all, "double").data);
      const { length } = numbers;
      return Array.from({ length: flat.length / length }, (_, rank) => flat.slice(rank * length, (rank + 1) * length));
    } finally {
      free(all);
    }
  } finally {
    free(own);
  }
}
