// The processes that make a training: what they agree on between steps. A process that is alone agrees with itself.

import { callAsync } from "../../client/asynchronous-calls.js";
import { hasCode, StepwellError } from "../../errors.js";
import type { DistributedOptions } from "../../generated/settings.js";
import type { ModelHandle } from "../../handle.js";
import { type GeneratorState, generatorNumbers, generatorOfRank, generatorState } from "../../values/generator.js";
import { wasLaunched } from "../../values/process-place.js";
import { client } from "../client.js";
import { joinedGroup, joinGroup } from "../functions/joined-group.js";
import { free } from "../functions/objects.js";
import { allGather } from "../functions/process_groups.js";
import { generator } from "../functions/session.js";
import { data, tensor } from "../functions/tensors.js";
import { withGenerator } from "./batch-calls.js";
import { meetsOthers } from "./running-trainings.js";

/** Words of a process when all meet. */
const GO = 0;
const STOP = 1;
/** The program of a process has left the loop over the events. */
const LEFT = 2;
const FAILED = 3;

/** Errors of calls that do not begin, since the program has freed an object or uses it. */
const notBegun = ["ERR_HANDLE_FREED", "ERR_BUSY"] as const;

/** Ends a training that the program of another process has left. */
export class LeftTraining extends Error {}

/** The processes of a training. */
export class TrainingProcesses {
  readonly #options: DistributedOptions | undefined;
  readonly #common: readonly string[];
  #rank = 0;
  #isAlone = true;
  /** Whether the processes meet no more. */
  #isOver = false;

  /** This process alone, unless others are wanted, with options of `distributed`. All must have the same options of `fit` in words. */
  constructor(options: DistributedOptions | undefined, common: readonly string[] = []) {
    this.#options = options;
    this.#common = common;
  }

  /** Whether this process tells events and writes files. */
  get isFirst(): boolean {
    return this.#rank === 0;
  }

  /** Whether others were asked for. */
  get mayBeMany(): boolean {
    return this.#options !== undefined;
  }

  /** Whether it meets others, or is to join a group with them. */
  get meetsOthers(): boolean {
    return !this.#isAlone || (this.mayBeMany && (joinedGroup !== undefined || wasLaunched()));
  }

  /** Whether each has a part of the state of the optimizer. */
  get isSharded(): boolean {
    return !this.#isAlone && this.#options?.sharded === true;
  }

  /** Whether there are no others. */
  get isAlone(): boolean {
    return this.#isAlone;
  }

  /**
   * Joins the group of this process, or the one that the environment names, and compares the options. Without either, the process stays
   * alone.
   */
  async join(): Promise<void> {
    if (this.#options === undefined) return;
    const group = joinedGroup ?? (wasLaunched() ? await joinGroup("fit") : undefined);
    if (group === undefined) return;
    this.#rank = group.rank;
    this.#isAlone = false;
    await this.#compareOptions();
  }

  /** Fails on all processes, with the same message, unless all have the same options. */
  async #compareOptions(): Promise<void> {
    const texts = await this.#texts(JSON.stringify(this.#common));
    const lists = texts.map((text) => JSON.parse(text) as readonly string[]);
    const first = lists[0] as readonly string[];
    const index = first.findIndex((option, i) => lists.some((list) => list[i] !== option));
    if (index < 0) return;
    this.#isOver = true;
    const other = lists.findIndex((list) => list[index] !== first[index]);
    const given = `given ${first[index]} on rank 0 and ${lists[other]?.[index]} on rank ${other}`;
    const message = `fit: expected the same options on each process, ${given}: call fit with the same options`;
    throw new StepwellError("ERR_PARAMETER", message);
  }

  /**
   * Has all begin with the parameters and buffers of rank 0, and each with random numbers of its own: saved ones, or a stream of rank 0.
   */
  async begin(model: ModelHandle, saved: readonly GeneratorState[] | undefined): Promise<void> {
    if (this.#isAlone) return;
    await this.inStep(() => callAsync(client, "distributed", [model, this.#options], { name: "fit" }));
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
    const [first] = await this.#texts(JSON.stringify(text ?? null));
    return JSON.parse(first as string) ?? undefined;
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
      // Unless the call has begun, the others meet in it without this process.
      this.#isOver = !notBegun.some((code) => hasCode(error, code));
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

  /** The texts of all processes, none empty. */
  async #texts(own: string): Promise<readonly string[]> {
    const bytes = new TextEncoder().encode(own);
    const lengths = await this.numbers(bytes.length);
    const rows = await this.#gather(Array.from({ length: Math.max(...lengths) }, (_, i) => bytes[i] ?? 0));
    return rows.map((row, rank) => new TextDecoder().decode(Uint8Array.from(row.slice(0, lengths[rank]))));
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

/**
 * Does work before the processes of a training meet. An error is sent to the group, in which the others wait for this process. Not
 * while calls or another training go on, whose exchanges would be mixed up.
 */
export function beforeMeeting<Result>(wantsOthers: () => boolean, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    const isTold = joinedGroup !== undefined && !hasCode(error, "ERR_BUSY") && !meetsOthers() && wantsOthers();
    // Before the next call of the program. The others may have ended.
    if (isTold) gathered([FAILED, 0]).catch(() => {});
    throw error;
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
