// The calls of an addon in one session. The addons of both engines have the same functions.

/** Opens a session of an addon with objects of its own. It ends when the returned object is garbage-collected. `more` is added. */
exports.openSession = (stepwell, more) => {
  // 64 numbers as compact-arguments.ts of the SDK counts them, then the index of the operation, whose place the result takes, and
  // how many numbers there are. A call without arguments takes half the time of one with three.
  const memory = new Float64Array(new ArrayBuffer(528));
  const { session, owner } = stepwell.open(memory);
  const callCompact = stepwell.bindCompact(session);
  const unfinished = new Set();
  let waitsAtExit = false;
  const takeEvents = () => {
    const rows = stepwell.takeEvents(session);
    // A row of a batch, whose call goes on, ends with null.
    for (const [number, , , isStopped] of rows) if (isStopped !== null) unfinished.delete(number);
    return rows;
  };
  // Stops the asynchronous calls and waits for their present batches: the exit of the process destroys objects of libtorch. If one waits
  // for another process, the exit ends without that.
  const finish = () => {
    for (const number of unfinished) stepwell.stop(session, number);
    const cell = new Int32Array(new SharedArrayBuffer(4));
    while (takeEvents() && unfinished.size > 0 && !stepwell.leavesCallsAtExit()) Atomics.wait(cell, 0, 0, 1);
  };
  return {
    owner,
    call: (command, args) => stepwell.call(session, command, args),
    callHosted: (command, args, host) => stepwell.callHosted(session, command, args, host),
    start: (command, args, wake, reports) => {
      const number = stepwell.start(session, command, args, wake, reports);
      if (!waitsAtExit) process.once("exit", finish);
      waitsAtExit = true;
      unfinished.add(number);
      return number;
    },
    takeEvents,
    stop: (number) => stepwell.stop(session, number),
    operationIndex: stepwell.operationIndex,
    hasFiles: true,
    compactMemory: () => memory,
    callCompact: (index, length) => {
      memory[64] = index;
      memory[65] = length;
      callCompact();
      return memory[64];
    },
    bytes: () => stepwell.bytes(session),
    release: (ids) => stepwell.release(session, ids),
    checkMemory: stepwell.checkMemory,
    stepWithClosure: (...args) => stepwell.stepWithClosure(session, ...args),
    ...more,
  };
};
