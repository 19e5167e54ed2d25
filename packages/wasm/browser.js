// The engine for browsers and bundlers. The module is base64 text in a script, which every bundler includes without
// configuration. It needs no fetch, which a content security policy could forbid.

import base64 from "./built/inline.js";
import { engineOf } from "./engine.js";

export const { open } = engineOf(() => {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
});
