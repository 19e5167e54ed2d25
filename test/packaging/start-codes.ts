/** Codes of errors that there are when the native package is loaded, before there is an engine to ask. */
export const startCodes = [
  "ERR_ADDON_NOT_FOUND",
  "ERR_ADDON_LOAD",
  "ERR_LIBTORCH_NOT_FOUND",
  "ERR_LIBTORCH_VERSION",
  "ERR_LIBTORCH_LOAD",
] as const;
