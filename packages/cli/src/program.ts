// The commands of `stepwell` with their arguments. Commands are imported when they run: `--help` starts no engine.

import { Argument, Command, Option } from "commander";
import { usageError } from "./command-error.js";
import {
  device,
  jsonObject,
  namedValue,
  names,
  nameWithOptions,
  number,
  shareOrFile,
  wholeNumber,
} from "./commands/arguments.js";
import { type Shell, shells } from "./commands/completion.js";
import type { ConvertArguments } from "./commands/convert.js";
import type { LaunchArguments } from "./commands/launch.js";
import type { ResumeArguments } from "./commands/resume.js";
import type { TrainArguments } from "./commands/train.js";
import { dataFormats } from "./data/read-samples.js";
import type { Environment, OutputStream } from "./output/environment.js";
import { version } from "./output/versions.js";

/** Streams of the process. */
export interface Streams {
  /** Results. */
  readonly stdout: OutputStream;
  /** Progress and errors. */
  readonly stderr: OutputStream;
}

/** In seconds, about 25 days: timers of Node count 2^31 - 1 ms at most, and a longer one ends at once. */
const LONGEST = 2_147_483;

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

  addTraining(program, environment);
  program
    .command("doctor")
    .description("say which engines train on this machine, and what to do; exit code 0 if training works, else 1")
    .option("--fetch", "first bring libtorch by Python's pip or by uv, if no libtorch is found")
    .action(async ({ fetch }: { readonly fetch?: true }) => {
      if (fetch) await (await import("./commands/fetch-libtorch.js")).fetchLibtorch(environment());
      await (await import("./commands/doctor.js")).doctor(environment());
    });
  program
    .command("inspect")
    .description("list the objects and tensors of a safetensors file")
    .argument("<file>", "a run, a module, or the file of another program")
    .action(async (file: string) => (await import("./commands/inspect.js")).inspectFile(file, environment()));
  program
    .command("convert")
    .description("write a run for PyTorch, or take files of PyTorch, as safetensors")
    .argument("<from>", "a run that `stepwell train` has saved, or a file of tensors")
    .argument("<to>", "the file to write: tensors by their names in a state_dict")
    .option("--model <model>", "the model, as for `stepwell train`, for a file of tensors or classes of your own")
    .option("--optimizer <file>", "the state of the optimizer: written for a run, read with a file of tensors")
    .option("--cast", "convert other float types to the types of the model")
    .option("--overwrite", "replace safetensors files that exist")
    .action(async (from: string, to: string, given: ConvertArguments) => {
      await (await import("./commands/convert.js")).convert(from, to, given, environment());
    });
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
  program
    .command("bench")
    .description("measure training on this machine: the engines that start, and Python's torch if python3 has it")
    .option("--seconds <count>", "the time that it takes, about", wholeNumber(1), 60)
    .action(async ({ seconds }: { readonly seconds: number }) => {
      await (await import("./commands/bench.js")).bench(seconds, environment());
    });
  program
    .command("launch")
    .description("run a program in several processes of this machine, which train together")
    .requiredOption("-n, --processes <count>", "the number of processes", wholeNumber(1, 1024))
    .option("--restarts <count>", "how often the group starts again after a process has failed", wholeNumber(0), 0)
    .option(
      "--min-processes <count>",
      "with --restarts: each has one process less, down to so many; default: all",
      wholeNumber(1),
    )
    .option("--port <port>", "the TCP port where they meet; default: a free one", wholeNumber(1, 65535))
    .option("--grace <seconds>", "time to end after a signal, before a process is killed", wholeNumber(0, LONGEST), 10)
    .argument("<program>", "a file of JavaScript, of TypeScript for Node 22.18 and newer, or a program")
    .argument("[arguments...]", "its arguments; those that begin with a dash after --")
    .action(async (file: string, given: string[], options: LaunchArguments) => {
      const { launch } = await import("./commands/launch.js");
      process.exitCode = await launch(file, given, options, environment());
    });
  program
    .command("completion")
    .description("print a script with which a shell completes commands, options and names")
    .addArgument(new Argument("<shell>", "the shell").choices(shells))
    .action(async (shell: Shell) => {
      const { completionScript } = await import("./commands/completion.js");
      streams.stdout.write(await completionScript(program, shell));
    });
  for (const command of program.commands) refuseRepeated(command);
  return program;
}

/** Makes an option that is given twice an error, except for the ones that are collected. */
function refuseRepeated(command: Command): void {
  for (const option of command.options) {
    if (option.long === "--option") continue;
    let count = 0;
    command.on(`option:${option.name()}`, () => {
      count += 1;
      if (count > 1) throw usageError(`${option.long} is given twice`);
    });
  }
}

/** The commands that train. */
function addTraining(program: Command, environment: () => Environment): void {
  const train = program
    .command("train")
    .description("train a model on the samples of a file: CSV, JSON lines, npy, safetensors or IDX")
    .argument("<data>", "the file of the samples; of the inputs for npy and idx")
    .requiredOption("--model <model>", "JSON, a .json file, or a .ts or .js file with a default export")
    .option("--targets <file>", "the targets, for npy and idx")
    .addOption(new Option("--format <format>", "the format, if the name does not tell it").choices(dataFormats))
    .option("--no-header", "the first line of CSV has samples; columns are 1, 2 and so on")
    .option("--features <names>", "columns of the inputs; default: all others", names)
    .option("--target <names>", "columns of the targets; default: the last", names)
    .option("--validation <share or file>", "samples to measure on after each epoch", shareOrFile)
    .option("--validation-targets <file>", "their targets, for npy and idx")
    .option("--scale", "give inputs a mean of 0 and a deviation of 1")
    .option(
      "--loss <loss>",
      "a name, or a list of a name and options; default: ce for classes, else mse",
      nameWithOptions,
    )
    .option("--optimizer <name>", "the optimizer", "adam")
    .option("--lr <rate>", "the learning rate; default: as `stepwell help NAME` says", number)
    .option("--option <name=value>", "an option of the optimizer; can be repeated", namedValue, {})
    .option("--schedule <json>", "a learning-rate schedule that advances with each step", jsonObject)
    .option("--epochs <count>", "passes over the samples", wholeNumber(1), 10)
    .option("--batch-size <count>", "samples of a batch", wholeNumber(1), 32)
    .option("--no-shuffle", "keep the order of the samples")
    .option("--accumulate <count>", "batches of a step", wholeNumber(1), 1)
    .option("--clip-norm <norm>", "largest norm of the gradients", number)
    .option("--patience <epochs>", "end after so many epochs without a smaller loss", wholeNumber(1))
    .option("--seed <number>", "of first weights, orders and the division of samples", wholeNumber(0), 1)
    .option("--device <device>", "cpu, cuda or cuda:<index>", device, "cpu")
    .option("--out <file>", "the file of the run, saved after each epoch; default: run.safetensors")
    .option("--no-save", "save nothing")
    .option("--overwrite", "replace a run and a report that exist")
    .action(async (data: string, given: TrainArguments) => {
      await (await import("./commands/train.js")).train(data, given, environment());
    });
  const resume = program
    .command("resume")
    .description("go on with a run from its file, to the bit")
    .argument("<file>", "a file that `stepwell train` has saved")
    .option("--epochs <count>", "passes over the samples in all; default: as the run was begun", wholeNumber(1))
    .option("--overwrite", "replace a report that exists")
    .action(async (file: string, given: ResumeArguments) => {
      await (await import("./commands/resume.js")).resume(file, given, environment());
    });
  for (const command of [train, resume]) {
    command
      .option("--quiet", "show no progress")
      .option("--tensorboard <folder>", "write event files for TensorBoard")
      .option("--report <file>", "write a page about the training at its end")
      .option("--live [port]", "serve a page on 127.0.0.1 that shows the training", wholeNumber(0, 65_535));
  }
}
