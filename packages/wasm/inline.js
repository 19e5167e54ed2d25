// The engine for pages and bundlers, whose module is base64 text in a script. It needs no fetch, which a content security policy
// could forbid, and starts with the first call. It takes a third more bytes than the file.

import base64 from "./built/inline.js";
import { places } from "./page.js";

export { open } from "./page.js";

places.read = () => {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
};
