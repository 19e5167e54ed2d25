// The end of a pass over a source: the source hears of it in every case, and its errors arrive as they are.

import { Readable } from "node:stream";
import * as k from "@stepwell/sdk";
import {
  type DataSource,
  type FitOptions,
  Model,
  Module,
  optimizer,
  type Sample,
  type SourceStart,
} from "@stepwell/sdk";
import { afterEach, describe, expect, it } from "vitest";

afterEach(() => {
  k.reset();
});

const samples = Array.from({ length: 40 }, (_, i) => [[Math.sin(i), Math.cos(i)], [i % 3]] as const);

function model(): Model {
  k.seed(1);
  const m = Module.of(["linear", 2, 1]);
  return new Model(m, "mse", optimizer("sgd").lr(0.01).build(m));
}

const turns = async (count = 10) => {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
};

/** A source that records what it is asked. */
function recorded(items: Iterable<Sample> | (() => Promise<Sample>), isAsynchronous = true) {
  const calls = { opened: 0, returned: 0, aborted: 0, epochs: [] as number[] };
  const begin = ({ epoch, skip, signal }: SourceStart) => {
    calls.opened += 1;
    calls.epochs.push(epoch);
    expect(skip).toBe(0);
    signal.addEventListener("abort", () => {
      calls.aborted += 1;
    });
    const iterator = typeof items === "function" ? undefined : items[Symbol.iterator]();
    const done = () => {
      calls.returned += 1;
      return { done: true as const, value: undefined };
    };
    const next = async () =>
      iterator?.next() ?? { done: false as const, value: await (items as () => Promise<Sample>)() };
    const asynchronous = { [Symbol.asyncIterator]: () => ({ next, return: async () => done() }) };
    if (isAsynchronous) return asynchronous;
    return { [Symbol.iterator]: () => ({ next: () => (iterator as Iterator<Sample>).next(), return: done }) };
  };
  return { calls, source: { samples: begin as (start: SourceStart) => AsyncIterable<Sample> } };
}

/** Fails unless the handles are as many as before. */
async function withoutLeak(run: (made: Model) => Promise<unknown>): Promise<void> {
  const made = model();
  const handles = k.handlecount();
  await run(made);
  expect(k.handlecount()).toBe(handles);
  // Nothing is left running: another training of the model can begin.
  expect((await made.fit({ samples }, {})).reason).toBe("finished");
}

describe.each([true, false])("a source that is asynchronous: %s", (isAsynchronous) => {
  it("that was read to its end is not closed by return", async () => {
    const { calls, source } = recorded(samples, isAsynchronous);
    await withoutLeak((made) => made.fit(source, { epochs: 3 }));
    expect(calls).toEqual({ opened: 3, returned: 0, aborted: 0, epochs: [1, 2, 3] });
  });

  it("is closed by an abort, an error, a break and a loss that is not finite, once", async () => {
    const controller = new AbortController();
    const first = recorded(samples, isAsynchronous);
    await withoutLeak(async (made) => {
      const types: string[] = [];
      for await (const event of made.fit(first.source, { batchSize: 4, signal: controller.signal })) {
        types.push(event.type === "done" ? event.reason : event.type);
        if (event.type === "step" && event.step === 2) controller.abort();
      }
      expect(types).toEqual(["step", "step", "aborted"]);
    });
    expect(first.calls).toMatchObject({ returned: 1, aborted: 1 });

    const second = recorded([samples[0] as Sample, samples[1] as Sample, [[1], [1]], ...samples], isAsynchronous);
    await withoutLeak((made) =>
      expect(made.fit(second.source, { batchSize: 2 })).rejects.toMatchObject({ code: "ERR_SHAPE" }),
    );
    expect(second.calls).toMatchObject({ returned: 1, aborted: 1 });

    const third = recorded(samples, isAsynchronous);
    await withoutLeak(async (made) => {
      for await (const _ of made.fit(third.source, { batchSize: 4 })) break;
    });
    expect(third.calls).toMatchObject({ returned: 1, aborted: 1 });

    const fourth = recorded([samples[0] as Sample, [[Number.NaN, 1], [1]], ...samples], isAsynchronous);
    await withoutLeak(async (made) => {
      expect(await made.fit(fourth.source, { batchSize: 1 })).toMatchObject({ reason: "nonfinite", steps: 2 });
    });
    expect(fourth.calls).toMatchObject({ returned: 1, aborted: 1 });
  });

  it("is closed by an error of the consumer, and by the abort of a validation and of a measurement", async () => {
    const thrown = new Error("mine");
    const first = recorded(samples, isAsynchronous);
    await withoutLeak((made) =>
      expect(
        (async () => {
          for await (const _ of made.fit(first.source, { batchSize: 4 })) throw thrown;
        })(),
      ).rejects.toBe(thrown),
    );
    expect(first.calls.returned).toBe(1);

    const controller = new AbortController();
    const second = recorded(samples, isAsynchronous);
    const counted = {
      samples: (start: SourceStart) => {
        setImmediate(() => setImmediate(() => controller.abort("enough")));
        return second.source.samples(start);
      },
    };
    const options = { batchSize: 40, validation: { ...counted, batchSize: 1, prefetch: 0 }, signal: controller.signal };
    await withoutLeak(async (made) => {
      const history = await made.fit({ samples }, options);
      expect(history).toMatchObject({ reason: "aborted", epochs: [] });
    });
    expect(second.calls.returned).toBe(1);
  });
});

describe("an error of the source", () => {
  const error = new TypeError("the disk is gone");
  const failing: { readonly [how: string]: () => DataSource } = {
    "of the function": () => ({
      samples: () => {
        throw error;
      },
    }),
    "of the promise of the function": () => ({ samples: () => Promise.reject(error) }),
    "of a generator": () => ({
      samples: function* () {
        yield* samples.slice(0, 8);
        throw error;
      },
    }),
    "of an asynchronous generator": () => ({
      samples: async function* () {
        yield* samples.slice(0, 8);
        throw error;
      },
    }),
    "of a promise among the items": () => ({
      samples: function* () {
        yield* samples.slice(0, 8);
        yield Promise.reject(error);
      },
    }),
    "of a stream": () => ({
      samples: () => {
        const items = samples.slice(0, 8).values();
        const stream: Readable = new Readable({
          objectMode: true,
          read: () => {
            const { value, done } = items.next();
            if (done) stream.destroy(error);
            else stream.push(value);
          },
        });
        return stream;
      },
    }),
    "of the iterator": () => ({
      samples: () => ({
        [Symbol.iterator]: () => {
          throw error;
        },
      }),
    }),
  };
  it.each(Object.entries(failing))("%s arrives as it was thrown, after the batches before it", async (how, source) => {
    await withoutLeak(async (made) => {
      const steps: number[] = [];
      const training = (async () => {
        for await (const event of made.fit(source(), { batchSize: 4 }))
          if (event.type === "step") steps.push(event.step);
      })();
      await expect(training).rejects.toBe(error);
      const isLate = /generator|among/.test(how);
      if (isLate) expect(steps).toEqual([1, 2]);
    });
    await expect(model().measure(source(), { batchSize: 4 })).rejects.toBe(error);
  });

  it("of Stepwell keeps its message", async () => {
    const source = {
      samples: function* () {
        yield samples[0] as Sample;
        k.tensor({} as never);
      },
    };
    await expect(model().fit(source)).rejects.toMatchObject({ message: expect.stringMatching(/^tensor: /) });
  });

  it("of `return` arrives, unless the training has failed before", async () => {
    const source = {
      samples: () => {
        const items = samples.values();
        return {
          [Symbol.iterator]: () => ({
            next: () => items.next(),
            return: () => {
              throw error;
            },
          }),
        };
      },
    };
    const leave = async () => {
      for await (const _ of model().fit(source, { batchSize: 4 })) break;
    };
    await expect(leave()).rejects.toBe(error);
    const thrown = new Error("mine");
    const wrong = { samples: () => ({ ...source.samples(), extra: 1 }) };
    await expect(
      (async () => {
        const made = model();
        for await (const _ of made.fit(wrong, { batchSize: 4 })) made.module.dispose();
        throw thrown;
      })(),
    ).rejects.toMatchObject({ code: "ERR_HANDLE_FREED" });
  });
});

describe("a source that never answers", () => {
  const never = () => new Promise<never>(() => {});
  const sources: { readonly [how: string]: () => DataSource } = {
    "a function": () => ({ samples: never }),
    "an iterator": () => recorded(never).source,
    "a generator": () => ({
      samples: async function* () {
        yield samples[0] as Sample;
        await never();
      },
    }),
    "a promise among the items": () => ({ samples: () => [samples[0] as Sample, never()] }),
    "a stream of Node": () => ({ samples: () => new Readable({ objectMode: true, read() {} }) }),
    "a stream of the web": () => ({ samples: () => new ReadableStream<Sample>({}) }),
  };
  it.each(Object.entries(sources))("%s, is left at an abort", async (_, source) => {
    for (const options of [{}, { shuffle: true }] as FitOptions[]) {
      await withoutLeak(async (made) => {
        const signal = AbortSignal.timeout(20);
        const history = await made.fit(source(), { ...options, batchSize: 1, signal });
        expect(history.reason).toBe("aborted");
      });
    }
    const signal = AbortSignal.timeout(20);
    await expect(model().measure(source(), { signal })).rejects.toMatchObject({ name: "TimeoutError" });
  });

  it("hears of the abort, a stream by its end", async () => {
    const controller = new AbortController();
    const { calls, source } = recorded(() => {
      setTimeout(() => controller.abort());
      return never();
    });
    await model().fit(source, { signal: controller.signal });
    expect(calls).toMatchObject({ returned: 1, aborted: 1 });

    const stream = new Readable({ objectMode: true, read() {} });
    await model().fit({ samples: stream }, { signal: AbortSignal.timeout(20) });
    expect(stream.destroyed).toBe(true);

    let cancelled = 0;
    const web = new ReadableStream<Sample>({
      cancel: () => {
        cancelled += 1;
      },
    });
    await model().fit({ samples: web }, { signal: AbortSignal.timeout(20) });
    await turns();
    expect(cancelled).toBe(1);
  });

  it("and answers after the abort, is read no more", async () => {
    const waiting: ((sample: Sample) => void)[] = [];
    const controller = new AbortController();
    let asked = 0;
    const { calls, source } = recorded(() => {
      asked += 1;
      setTimeout(() => controller.abort());
      return new Promise((resolve) => waiting.push(resolve));
    });
    await model().fit(source, { batchSize: 4, signal: controller.signal });
    for (const resolve of waiting) resolve(samples[0] as Sample);
    await turns();
    expect([asked, calls.returned]).toEqual([1, 1]);
  });
});

it("a stream of Node that is left is destroyed", async () => {
  const stream = Readable.from(samples);
  for await (const _ of model().fit({ samples: stream }, { batchSize: 4 })) break;
  expect(stream.destroyed).toBe(true);
});

it("a long fill of a buffer leaves the event loop its turns", async () => {
  let [ticks, whileFilling] = [0, 0];
  const timer = setInterval(() => {
    ticks += 1;
  }, 1);
  const counted = function* () {
    // More than 100 ms of work on every machine.
    for (let i = 0; i < 150_000; i++) yield samples[i % 40] as Sample;
    whileFilling = ticks;
  };
  await model().fit({ samples: counted }, { shuffle: { buffer: 1_000_000_000 }, batchSize: 100_000_000 });
  clearInterval(timer);
  expect(whileFilling).toBeGreaterThanOrEqual(5);
});
