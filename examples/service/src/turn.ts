// Work that the requests of a turn of the event loop share.

/** An item that waits for the end of its turn. */
interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/** Collects the items of a turn of the event loop, and calls `run` once for all. Its results are in the order of the items. */
export function shared<Item, Result>(
  run: (items: readonly Item[]) => readonly Result[],
): (item: Item) => Promise<Result> {
  let waiting: Waiting<Item, Result>[] = [];
  const settle = () => {
    const all = waiting;
    waiting = [];
    try {
      const results = run(all.map(({ item }) => item));
      for (const [index, { resolve }] of all.entries()) resolve(results[index] as Result);
    } catch (error) {
      for (const { reject } of all) reject(error);
    }
  };
  return (item) =>
    new Promise((resolve, reject) => {
      if (waiting.push({ item, resolve, reject }) === 1) setImmediate(settle);
    });
}
