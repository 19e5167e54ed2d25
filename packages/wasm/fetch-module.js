// The module as a file that a page fetches, and the reasons why it does not arrive.

import { failure } from "./failure.js";

const inline = "or import @stepwell/sdk/inline, which has the module in its script";

/** Fetches and compiles the module at the address `locate()`. Fails with ERR_ENGINE and a message that says what to write. */
export async function fetchModule(locate) {
  const url = address(locate);
  const response = await respond(url);
  const type = (response.headers.get("content-type") ?? "").trim().toLowerCase();
  // Browsers compile while the module arrives if it has this type, without parameters.
  if (type === "application/wasm") return WebAssembly.compileStreaming(response);
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (!isModule(bytes)) {
    const given = `it is ${type || "of no type"} and not WebAssembly`;
    const advice =
      'A bundler has moved the script without the file: in Vite, write optimizeDeps.exclude: ["@stepwell/sdk",';
    throw failure(
      "ERR_ENGINE",
      `ready: ${url} is not stepwell.wasm: ${given}. ${advice} "@stepwell/wasm"], ${inline}.`,
    );
  }
  return WebAssembly.compile(bytes);
}

function address(locate) {
  try {
    return locate();
  } catch (error) {
    const advice = `Bundle as an ES module, pass ready({ module }), ${inline}.`;
    throw failure("ERR_ENGINE", `ready: this script has no address, next to which stepwell.wasm is. ${advice}`, error);
  }
}

async function respond(url) {
  let response;
  try {
    response = await fetch(url);
  } catch (error) {
    const advice = `A content security policy must allow it in connect-src, and a server of another origin by CORS; ${inline}.`;
    throw failure("ERR_ENGINE", `ready: ${url} cannot be fetched: ${error.message}. ${advice}`, error);
  }
  if (!response.ok) {
    const advice = `Copy node_modules/@stepwell/wasm/built/stepwell.wasm there, pass ready({ module }), ${inline}.`;
    throw failure(
      "ERR_ENGINE",
      `ready: ${url} answers ${response.status}, and stepwell.wasm should be there. ${advice}`,
    );
  }
  return response;
}

/** True for the first bytes of a module: "\0asm". */
const isModule = (bytes) => String.fromCharCode(...bytes.subarray(0, 4)) === "\0asm";
