// The engine as Bindings of the SDK: starts the module at the first call, keeps its memory within a budget, and gives up on an
// instance that has trapped.

import * as module from "./built/engine.js";

const page = 2 ** 16;
/** What the module itself may grow to. */
const mostMemory = 2 ** 32 - page;
const defaultMemory = 2 ** 30;

/** Whether a module is the one that the JavaScript beside it was built for; another would be let loose on its memory. */
function isOurs(compiled) {
  // Of any realm: a module is what these take.
  try {
    const [build] = WebAssembly.Module.customSections(compiled, "stepwell");
    return build !== undefined && new TextDecoder().decode(build) === module.build;
  } catch {
    return false;
  }
}

/** An Error that carries the stable code by which callers tell failures apart. */
function failure(code, message, cause) {
  return Object.assign(new Error(message, { cause }), { code });
}

/** 16 KiB as arguments: a step and a call from its closure take half of it. */
const room = new Array(2048).fill(0);
const nothing = () => {};

/** Fails where the stack has no room for a step: one that ended inside the module would stop the engine. */
function checkStack() {
  try {
    nothing.apply(undefined, room);
  } catch (error) {
    throw failure("ERR_MEMORY", "step: the call stack has no room left for a closure", error);
  }
}

/** The engine of a module; `bytes()` gives its code. A page, a worker and a thread of Node each have one of their own. */
export function engineOf(bytes) {
  let memory = defaultMemory;
  let isLive = false;
  /** Why the instance is no good any more. */
  let poison;
  /** Why the one before was not. */
  let lastPoison;
  /** Instances so far. */
  let instances = 0;
  /** Sessions so far, which their handles tell from one another, and from those of the native engine, which counts up. */
  let sessions = 0;
  /** How many calls are in the module: a closure calls while its step does. */
  let depth = 0;
  /** The start that `ready` has begun. */
  let starting;

  /** Makes the first instance, of a module that may have been compiled already. */
  function instantiate(compiled) {
    try {
      module.initSync({ module: compiled ?? new WebAssembly.Module(bytes()) });
    } catch (error) {
      throw unable(error);
    }
    instances += 1;
    isLive = true;
  }

  function unable(error) {
    const advice = "It needs WebAssembly with SIMD, and a content security policy must allow 'wasm-unsafe-eval'.";
    return failure("ERR_ENGINE", `the WebAssembly engine cannot be started: ${error.message}. ${advice}`, error);
  }

  function poisoned(by = poison) {
    // A panic is a trap without words.
    const isTrap = by instanceof WebAssembly.RuntimeError;
    const reason = isTrap ? `a bug of Stepwell, or a lack of memory (${by.message})` : by.message;
    const advice = "Its objects are lost; reset() makes a fresh engine.";
    return failure("ERR_ENGINE_POISONED", `the WebAssembly engine has stopped: ${reason}. ${advice}`, by);
  }

  /** Runs a call into the module. The module's own errors have a code; anything else has left it in no known state. */
  function enter(call, ...args) {
    depth += 1;
    try {
      const result = call(...args);
      if (!poison) return result;
    } catch (error) {
      if (!poison && typeof error?.code === "string") throw error;
      poison ??= error;
    } finally {
      depth -= 1;
    }
    throw poisoned();
  }

  async function start(given) {
    const compiled = given ?? (await WebAssembly.compile(bytes()).catch((error) => Promise.reject(unable(error))));
    // A call in the meantime has started it.
    if (!isLive) instantiate(compiled);
  }

  /** Starts the engine without keeping the thread. */
  async function ready(options) {
    const { memory: wanted, module: compiled } = options ?? {};
    if (wanted !== undefined && !(Number.isInteger(wanted) && wanted >= page && wanted <= mostMemory)) {
      const range = `a whole number of bytes from ${page} to ${mostMemory}`;
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
      starting = start(compiled)
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

  /** Makes a fresh instance in the place of one that has stopped. */
  function replace() {
    if (depth > 0) {
      throw failure("ERR_ARGUMENT", "reset: a step is not over yet, and its closure cannot reset the engine");
    }
    try {
      module.__wbg_reset_state();
    } catch (error) {
      throw unable(error);
    }
    instances += 1;
    lastPoison = poison;
    poison = undefined;
  }

  /** Ends the sessions of bindings that nobody holds any more. */
  const forgotten = new FinalizationRegistry((held) => {
    if (isLive && !poison && held.instance === instances) enter(module.close, held.session);
  });

  /** A binding with a session of its own, which is made when it is needed. */
  function open() {
    /** The session, and the number of the instance that it is in. */
    const held = { session: 0, instance: 0 };

    /** The session, where there is an instance for it. */
    function session() {
      if (poison) throw poisoned();
      if (!isLive) instantiate();
      if (held.instance === instances) return held.session;
      // The instance that it was in has stopped, and was replaced by way of another binding.
      if (held.instance !== 0) throw poisoned(lastPoison);
      sessions += 1;
      const made = enter(module.open, 1024 - (sessions % 1024), memory);
      Object.assign(held, { session: made, instance: instances });
      return made;
    }

    const binding = {
      call(verb, args) {
        return enter(module.call, session(), verb, args);
      },

      stepWithClosure(optimizer, closure, options) {
        const own = session();
        checkStack();
        return enter(module.stepWithClosure, own, optimizer, closure, options);
      },

      reset() {
        if (poison) replace();
        const isAnother = held.instance !== 0 && held.instance !== instances;
        if (isAnother) held.instance = 0;
        else binding.call("reset", []);
        return isAnother;
      },

      ready,
    };
    forgotten.register(binding, held);
    return binding;
  }

  return { open };
}
