/** An Error with a stable code, by which callers distinguish failures. */
export function failure(code, message, cause) {
  return Object.assign(new Error(message, { cause }), { code });
}
