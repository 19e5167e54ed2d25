// The engine of a page or a worker. `browser.js` and `inline.js` set where its module is.

import { engineOf } from "./engine.js";

/**
 * The places of the module. `read` gives its code at once; if there is no `read`, `fetch` gives the compiled module later, to
 * `ready()`.
 */
export const places = { read: undefined, fetch: undefined };

export const { open } = engineOf(places);
