// The engine as a Binding of the SDK: starts the module at the first call, keeps its memory within a budget, and gives up
// on an instance that has trapped.

import * as module from "./built/engine.js";

const page = 2 ** 16;
/** What the module itself may grow to. */
const mostMemory = 2 ** 32 - page;
const defaultMemory = 2 ** 30;

/** An Error that carries the stable code by which callers tell failures apart. */
function failure(code, message, cause) {
  return Object.assign(new Error(message, { cause }), { code });
}

/** The binding of a module; `bytes()` gives its code. A page, a worker and a thread of Node each have one of their own. */
export function engineOf(bytes) {
  let memory = defaultMemory;
  let isLive = false;
  /** Why the instance is no good any more. */
  let poison;
  /** Instances so far, which their handles tell from one another, and from those of the native engine, which counts up. */
  let instances = 0;
  /** How many calls are in the module: a closure calls while its step does. */
  let depth = 0;
  /** The start that `ready` has begun. */
  let starting;

  function begin() {
    instances += 1;
    module.start(1024 - (instances % 1024), memory);
    isLive = true;
  }

  /** Makes the first instance, of a module that may have been compiled already. */
  function instantiate(compiled) {
    try {
      module.initSync({ module: compiled ?? new WebAssembly.Module(bytes()) });
      begin();
    } catch (error) {
      throw unable(error);
    }
  }

  function unable(error) {
    const advice = "It needs WebAssembly with SIMD, and a content security policy must allow 'wasm-unsafe-eval'.";
    return failure("ERR_ENGINE", `the WebAssembly engine cannot be started: ${error.message}. ${advice}`, error);
  }

  function poisoned() {
    // A panic is a trap without words.
    const isTrap = poison instanceof WebAssembly.RuntimeError;
    const reason = isTrap ? `a bug of Stepwell, or a lack of memory (${poison.message})` : poison.message;
    const advice = "Its objects are lost; reset() makes a fresh engine.";
    return failure("ERR_ENGINE_POISONED", `the WebAssembly engine has stopped: ${reason}. ${advice}`, poison);
  }

  /** Runs a call into the module. The module's own errors have a code; anything else has left it in no known state. */
  function enter(call) {
    if (poison) throw poisoned();
    if (!isLive) instantiate();
    depth += 1;
    try {
      const result = call();
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

  return {
    call: (verb, args) => enter(() => module.call(verb, args)),
    stepWithClosure: (optimizer, closure, options) => enter(() => module.stepWithClosure(optimizer, closure, options)),

    reset() {
      if (!poison) return void this.call("reset", []);
      if (depth > 0)
        throw failure("ERR_ARGUMENT", "reset: a step is not over yet, and its closure cannot reset the engine");
      try {
        module.__wbg_reset_state();
        begin();
      } catch (error) {
        throw unable(error);
      }
      poison = undefined;
    },

    async ready(options) {
      const { memory: wanted, module: compiled } = options ?? {};
      if (wanted !== undefined && !(Number.isInteger(wanted) && wanted >= page && wanted <= mostMemory)) {
        const range = `a whole number of bytes from ${page} to ${mostMemory}`;
        throw failure("ERR_ARGUMENT", `ready: expected ${range} as memory, given ${String(wanted)}`);
      }
      if (compiled !== undefined && !(compiled instanceof WebAssembly.Module)) {
        throw failure("ERR_ARGUMENT", "ready: expected a WebAssembly.Module as module");
      }
      if (isLive || starting) {
        if (wanted !== undefined && wanted !== memory) {
          throw failure(
            "ERR_ARGUMENT",
            `ready: the engine has started with ${memory} bytes of memory, which stay as they are`,
          );
        }
      } else {
        memory = wanted ?? memory;
        starting = start(compiled).finally(() => {
          starting = undefined;
        });
      }
      await starting;
    },
  };
}
