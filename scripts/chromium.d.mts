/** The path of a Chromium, which CHROMIUM may name; undefined if there is none. */
export function findChromium(): string | undefined;
/** Installs Debian's Chromium where there is none and this user may; the path, or undefined. */
export function provideChromium(log?: (line: string) => void): Promise<string | undefined>;
