// The engine for browsers and bundlers. The module is inside a script, since that is what every bundler carries along
// without being told, and no content security policy has a say in.

import base64 from "./built/inline.js";
import { engineOf } from "./engine.js";

export const { open } = engineOf(() => {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
});
