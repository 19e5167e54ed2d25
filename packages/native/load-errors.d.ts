/** Facts about a process. */
export interface Facts {
  /** Whether Node restricts the process. */
  readonly permissions: boolean;
  readonly linux: boolean;
  /** The version of glibc. */
  readonly glibc: string | undefined;
}

/** The reason why a library is not loaded, from the error of the loader, and the remedy unless the file is at fault. */
export function loadFault(
  error: { readonly code?: string; readonly message: string },
  facts?: Facts,
): { readonly reason: string; readonly remedy?: string };
