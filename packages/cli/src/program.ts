// The commands of `stepwell` with their arguments. Commands are imported when they run: `--help` starts no engine.

import { Command } from "commander";
import type { Environment, OutputStream } from "./output/environment.js";
import { version } from "./output/versions.js";

/** Streams of the process. */
export interface Streams {
  /** Results. */
  readonly stdout: OutputStream;
  /** Progress and errors. */
  readonly stderr: OutputStream;
}

/** The program. Its actions throw, and never end the process. */
export function makeProgram(streams: Streams): Command {
  const program = new Command("stepwell")
    .description("Trains models from files, and shows how a training goes.")
    .version(version, "-v, --version", "print the version")
    .option("--json", "print results and errors as JSON")
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ writeOut: (text) => streams.stdout.write(text), writeErr: () => {}, outputError: () => {} })
    .helpCommand(false)
    .exitOverride();
  const environment = (): Environment => ({ ...streams, json: program.opts<{ json?: true }>().json === true });

  program
    .command("doctor")
    .description("say which engines train on this machine, and what to do; exit code 0 if training works, else 1")
    .action(async () => (await import("./commands/doctor.js")).doctor(environment()));
  program
    .command("inspect")
    .description("list the objects and tensors of a safetensors file")
    .argument("<file>", "a run, a module, or the file of another program")
    .action(async (file: string) => (await import("./commands/inspect.js")).inspectFile(file, environment()));
  program
    .command("help")
    .description("describe an optimizer, a module, a schedule, a preset or a function")
    .argument("[name]", "its name, such as adamw, linear or step")
    .action(async (name: string | undefined) => {
      if (name === undefined) return program.outputHelp();
      const command = program.commands.find((command) => command.name() === name);
      if (command) return command.outputHelp();
      await (await import("./commands/help-topic.js")).helpTopic(name, environment());
    });
  return program;
}
