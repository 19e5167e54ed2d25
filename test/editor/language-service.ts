// An editor in a process: TypeScript's language service on a program that imports the SDK as a user does.

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import ts from "typescript-5.9";

/** Asks about places in a program, each of which is the end of the first occurrence of a text. */
export class Editor {
  readonly #file = join(import.meta.dirname, "program.ts");
  readonly #service: ts.LanguageService;
  #text = "";
  #version = 0;

  constructor() {
    const options: ts.CompilerOptions = {
      target: ts.ScriptTarget.ES2023,
      lib: ["lib.es2023.d.ts", "lib.esnext.disposable.d.ts"],
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      strict: true,
      types: ["node"],
      // Declarations as they are installed: sources are not.
      disableSourceOfProjectReferenceRedirect: true,
    };
    const read = (file: string) => (file === this.#file ? this.#text : readFileSync(file, "utf8"));
    this.#service = ts.createLanguageService({
      getCompilationSettings: () => options,
      getScriptFileNames: () => [this.#file],
      getScriptVersion: (file) => (file === this.#file ? String(this.#version) : "0"),
      getScriptSnapshot: (file) =>
        file === this.#file || ts.sys.fileExists(file) ? ts.ScriptSnapshot.fromString(read(file)) : undefined,
      getCurrentDirectory: () => dirname(this.#file),
      getDefaultLibFileName: (found) => ts.getDefaultLibFilePath(found),
      fileExists: (file) => file === this.#file || ts.sys.fileExists(file),
      readFile: read,
      readDirectory: ts.sys.readDirectory,
      directoryExists: ts.sys.directoryExists,
      getDirectories: ts.sys.getDirectories,
    });
  }

  /** Opens a program in place of the one before. */
  open(text: string): void {
    this.#text = text;
    this.#version += 1;
  }

  /** Errors of the program. */
  errors(): readonly string[] {
    return this.diagnostics().map(({ message }) => message);
  }

  /** Errors of the program, each with the text that it underlines. */
  diagnostics(): readonly { readonly text: string; readonly message: string }[] {
    return [
      ...this.#service.getSyntacticDiagnostics(this.#file),
      ...this.#service.getSemanticDiagnostics(this.#file),
    ].map(({ start = 0, length = 0, messageText }) => ({
      text: this.#text.slice(start, start + length),
      message: ts.flattenDiagnosticMessageText(messageText, "\n"),
    }));
  }

  /** The documentation that hovering over the end of a text shows. */
  hover(after: string): string {
    const info = this.#service.getQuickInfoAtPosition(this.#file, this.#after(after) - 1);
    return ts.displayPartsToString(info?.documentation);
  }

  /** The signatures that are shown where the arguments of a call begin, with the documentation of each. */
  signatures(after: string): readonly { readonly label: string; readonly documentation: string }[] {
    const help = this.#service.getSignatureHelpItems(this.#file, this.#after(after), undefined);
    return (help?.items ?? []).map((item) => {
      const parameters = item.parameters.map(({ displayParts }) => ts.displayPartsToString(displayParts)).join(", ");
      const label = `${ts.displayPartsToString(item.prefixDisplayParts)}${parameters}${ts.displayPartsToString(item.suffixDisplayParts)}`;
      return { label, documentation: ts.displayPartsToString(item.documentation) };
    });
  }

  /** The names that are completed after a text. Names of everything in scope, which an editor shows where it knows none, are not. */
  completions(after: string): readonly string[] {
    const list = this.#service.getCompletionsAtPosition(this.#file, this.#after(after), {});
    return list?.isGlobalCompletion ? [] : (list?.entries ?? []).map(({ name }) => name);
  }

  /** The documentation that is shown with a name among the completions after a text. */
  completion(after: string, name: string): string {
    const place = this.#after(after);
    const details = this.#service.getCompletionEntryDetails(this.#file, place, name, {}, undefined, {}, undefined);
    return ts.displayPartsToString(details?.documentation);
  }

  #after(text: string): number {
    const at = this.#text.indexOf(text);
    if (at < 0) throw new Error(`the program has no ${text}`);
    return at + text.length;
  }
}
