// The engine, with the interface `Binding` of the SDK. Starts the module at the first call, limits its memory, and stops an
// instance after a trap.

import * as glue from "./built/engine.js";
import { failure } from "./failure.js";
import { stackProbe } from "./stack-probe.js";

const page = 2 ** 16;
/** The maximum memory of the module, in bytes, as in scripts/wasm.mjs. */
const maxMemory = 2 ** 32 - page;
const defaultMemory = 2 ** 30;

/** True if a module is the one that built/engine.js was made for. With another module its memory accesses would be wrong. */
function isOurs(compiled) {
  // Works for modules of every realm, unlike `instanceof`.
  try {
    const [build] = WebAssembly.Module.customSections(compiled, "stepwell");
    return build !== undefined && new TextDecoder().decode(build) === glue.build;
  } catch {
    return false;
  }
}

/** The reason why an engine does not start, in words about what to change. */
function unable(error) {
  if (error?.code === "ERR_ENGINE") return error;
  const message = `the WebAssembly engine cannot be started: ${error.message}`;
  return failure("ERR_ENGINE", `${message}${/[.!]$/.test(message) ? "" : "."} ${adviceOn(error)}`, error);
}

function adviceOn(error) {
  // The names of both directives, as browsers write them, and of the policy.
  if (/unsafe-eval|content security policy|\bCSP\b/i.test(error.message)) {
    return "The content security policy must allow 'wasm-unsafe-eval' in script-src.";
  }
  if (error instanceof RangeError) return "There is too little memory for it.";
  return "It needs WebAssembly with SIMD: Chrome 91, Firefox 89, Safari 16.4, Node 20, or newer.";
}

/**
 * The engine of the module in `places`: `read()` gives its code, or `fetch()` a promise of the compiled module. A page, a worker
 * and a thread of Node each have one of their own.
 */
export function engineOf(places) {
  let memory = defaultMemory;
  let isLive = false;
  /** Throws if there is little stack left. */
  let probe;
  /** The error that has stopped the instance. */
  let poison;
  /** The error that stopped the instance before it. */
  let lastPoison;
  /** The number of instances so far. */
  let instances = 0;
  /** The number of sessions so far. Handles contain a number that counts down, since the native engine counts up. */
  let sessions = 0;
  /** The number of nested calls into the module: a closure calls it during a step. */
  let depth = 0;
  /** True while code of the module runs, false while a closure runs that it called. */
  let running = false;
  /** True if a check at the end of the turn is scheduled. */
  let watching = false;
  /** The promise of a start that `ready` has begun. */
  let starting;

  /** Compiles the module at once, for a first call before `ready`. */
  function compile() {
    if (places.read) return new WebAssembly.Module(places.read());
    throw failure(
      "ERR_ENGINE",
      "the WebAssembly engine has not started: write `await ready()` before the first call, or import @stepwell/sdk/inline",
    );
  }

  /** Compiles the module without blocking the thread. */
  async function compileLater() {
    try {
      return await (places.read ? WebAssembly.compile(places.read()) : places.fetch());
    } catch (error) {
      throw unable(error);
    }
  }

  /** Makes the first instance, from a compiled module or from the code. */
  function instantiate(compiled) {
    try {
      probe ??= stackProbe();
    } catch (error) {
      throw unable(error);
    }
    checkStack();
    try {
      const found = compiled ?? compile();
      if (!isOurs(found))
        throw failure("ERR_ENGINE", "stepwell.wasm is of another version than the script that loads it");
      glue.initSync({ module: found });
    } catch (error) {
      throw unable(error);
    }
    instances += 1;
    isLive = true;
  }

  function poisoned(by = poison) {
    // A panic is a trap without a message.
    const isTrap = by instanceof WebAssembly.RuntimeError;
    const reason = isTrap ? `a bug of Stepwell, or a lack of memory (${by.message})` : by.message;
    const advice = "Its objects are lost; reset() makes a fresh engine.";
    return failure("ERR_ENGINE_POISONED", `the WebAssembly engine has stopped: ${reason}. ${advice}`, by);
  }

  /** Throws if the stack has no space for a call: a stack overflow inside the module would stop the engine. */
  function checkStack() {
    try {
      probe();
    } catch (error) {
      throw failure("ERR_MEMORY", "the call stack has less than 96 KiB left, which a call may need", error);
    }
  }

  /** Calls the module. Errors of the module have a code. Any other exception leaves it in an unknown state, so it is stopped. */
  function callModule(call, ...args) {
    if (running) interrupted();
    if (poison) throw poisoned();
    checkStack();
    if (depth > 0) watch();
    depth += 1;
    running = true;
    try {
      const result = call(...args);
      if (!poison) return result;
    } catch (error) {
      if (!poison && typeof error?.code === "string") throw error;
      poison ??= error;
    } finally {
      depth -= 1;
      running = false;
    }
    throw poisoned();
  }

  /**
   * Stops the instance after a call that did not end, such as by the `timeout` of `node:vm`, which runs no `finally`. The module
   * is in an unknown state then.
   */
  function interrupted() {
    poison ??= new Error("a call was interrupted");
    depth = 0;
    running = false;
  }

  /** Finds an interrupted closure: no call into the module outlives its turn. */
  function watch() {
    if (watching) return;
    watching = true;
    queueMicrotask(() => {
      watching = false;
      if (depth > 0) interrupted();
    });
  }

  async function startModule(given) {
    const compiled = given ?? (await compileLater());
    // A call may have started it during the compilation.
    if (!isLive) instantiate(compiled);
  }

  /** Starts the engine without blocking the thread. */
  async function ready(options) {
    const { memory: wanted, module: compiled } = options ?? {};
    if (wanted !== undefined && !(Number.isInteger(wanted) && wanted >= page && wanted <= maxMemory)) {
      const range = `a whole number of bytes from ${page} to ${maxMemory}`;
      throw failure("ERR_ARGUMENT", `ready: expected ${range} as memory, given ${String(wanted)}`);
    }
    if (compiled !== undefined && !isOurs(compiled)) {
      throw failure(
        "ERR_ARGUMENT",
        "ready: expected stepwell.wasm of this package, as a WebAssembly.Module, as module",
      );
    }
    if (poison) throw poisoned();
    if (isLive || starting) {
      if (wanted !== undefined && wanted !== memory) {
        throw failure(
          "ERR_ARGUMENT",
          `ready: the engine has started with ${memory} bytes of memory, which stay as they are`,
        );
      }
    } else {
      const before = memory;
      memory = wanted ?? memory;
      starting = startModule(compiled)
        .catch((error) => {
          memory = before;
          throw error;
        })
        .finally(() => {
          starting = undefined;
        });
    }
    await starting;
  }

  /** Replaces a stopped instance by a new one. */
  function replace() {
    if (depth > 0) {
      throw failure("ERR_ARGUMENT", "reset: a step is not over yet, and its closure cannot reset the engine");
    }
    try {
      glue.__wbg_reset_state();
    } catch (error) {
      throw unable(error);
    }
    instances += 1;
    lastPoison = poison;
    poison = undefined;
  }

  /** A function that the module calls, which may call the module. */
  function outside(call) {
    return () => {
      running = false;
      try {
        return call();
      } finally {
        running = true;
      }
    };
  }

  /** Ends the sessions of bindings that were garbage-collected. */
  const collected = new FinalizationRegistry((held) => {
    if (isLive && !poison && depth === 0 && held.instance === instances) callModule(glue.close, held.session);
  });

  /** A binding with a session of its own, which the first call makes. */
  function open() {
    /** The session, and the number of its instance; 0 for none. */
    const held = { session: 0, instance: 0 };
    /** The memory for the arguments of operations, and the number of its instance. */
    let compact;
    let compactOf = 0;

    /** The session. Makes instance and session if needed. */
    function session() {
      if (poison) throw poisoned();
      if (!isLive) instantiate();
      if (held.instance === instances) return held.session;
      // Its instance has stopped, and another binding has replaced it.
      if (held.instance !== 0) throw poisoned(lastPoison);
      sessions += 1;
      const made = callModule(glue.open, 1024 - (sessions % 1024), memory);
      Object.assign(held, { session: made, instance: instances });
      return made;
    }

    const binding = {
      call(command, args) {
        return callModule(glue.call, session(), command, args);
      },

      callHosted(command, args, host) {
        return callModule(glue.callHosted, session(), command, args, outside(host));
      },

      operationIndex: (name) => callModule(glue.operationIndex, session(), name),

      compactMemory() {
        // Growing the memory of the module detaches the views of it.
        if (compact === undefined || compact.length === 0 || compactOf !== instances) {
          compact = callModule(glue.compactMemory, session());
          compactOf = instances;
        }
        return compact;
      },

      callCompact: (index, length) => callModule(glue.callCompact, session(), index, length),

      bytes: () => (isLive && !poison ? callModule(glue.bytes, session()) : 0),

      release: (ids) => callModule(glue.release, session(), ids),

      stepWithClosure(optimizer, closure, options) {
        return callModule(glue.stepWithClosure, session(), optimizer, outside(closure), options);
      },

      reset() {
        if (running) interrupted();
        if (poison) replace();
        const isAnother = held.instance !== 0 && held.instance !== instances;
        if (isAnother) held.instance = 0;
        else binding.call("reset", []);
        return isAnother;
      },

      ready,
    };
    collected.register(binding, held);
    return binding;
  }

  return { open };
}
