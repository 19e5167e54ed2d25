// Functions that return a promise, which tables of calls that wait leave out.

/** Functions of a process group; test/distributed has them. */
export const groupFunctions: readonly string[] = [
  ...["initProcessGroup", "destroyProcessGroup", "distributed"],
  ...["allReduce", "broadcast", "allGather", "reduceScatter", "barrier"],
];

/** Whether a function returns a promise; test/contract/asynchronous.test.ts has the others. */
export const returnsPromise = (name: string): boolean => name.endsWith("Async") || groupFunctions.includes(name);
