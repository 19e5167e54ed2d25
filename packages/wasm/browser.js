// The engine for pages, workers and bundlers, whose module is a file that `ready()` fetches.

import { fetchModule } from "./fetch-module.js";
import { places } from "./page.js";

export { open } from "./page.js";

// Bundlers look for this form of an address, and copy the file.
places.fetch = () => fetchModule(() => new URL("./built/stepwell.wasm", import.meta.url));
