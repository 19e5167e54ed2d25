/** Functions of a folder of files, which tables of calls leave out; test/contract/checkpoints.test.ts has them. */
export const folderFunctions: readonly string[] = ["checkpoints"];
