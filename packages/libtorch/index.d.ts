/** The folder of libtorch; undefined if no package of this platform is installed. */
export const path: string | undefined;
