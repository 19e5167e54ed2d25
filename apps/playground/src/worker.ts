// The worker: an engine of its own, which handles the page's requests.

import * as stepwell from "@stepwell/sdk/wasm";
import type { Reply, Request } from "./messages.js";
import { serve } from "./serve.js";

const digits = new URL("./data/digits.bin", import.meta.url);

const post = (reply: Reply, transfer: Transferable[] = []) => postMessage(reply, { transfer });
const take = serve(stepwell, post, async () => {
  const response = await fetch(digits);
  if (!response.ok) throw new Error(`${digits.pathname}: ${response.status} ${response.statusText}`);
  return response.blob();
});
const started = stepwell.ready();

/** Does something when the engine has started. An error becomes the event `error` of the worker. */
async function afterStart(act: () => void) {
  try {
    await started;
    act();
  } catch (error) {
    reportError(error);
  }
}

addEventListener("message", ({ data }: MessageEvent<Request>) => afterStart(() => take(data)));
afterStart(() => post({ type: "ready" }));
