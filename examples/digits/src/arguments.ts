// The arguments of the command line.

import { type Device, help, type OptimizerName } from "@stepwell/sdk";
import { Command, InvalidArgumentError, Option } from "commander";
import { checkSettings, defaults, type Settings, settingsFor, type Wishes } from "./settings.js";

export interface Arguments {
  /** One entry for each training, in order. */
  readonly trainings: readonly Settings[];
  /** The folder for the report. */
  readonly out: string;
}

interface Options extends Wishes {
  readonly optimizer: OptimizerName;
  readonly all?: true;
  readonly out: string;
}

const trainingCount = 8000;

/** Parses the arguments. Throws an error with a sentence for the user if they are invalid. */
export function parseArguments(args: readonly string[]): Arguments {
  const optimizers = help().map(({ optimizer }) => optimizer);
  const command = new Command("npm run demo --")
    .description("Trains a classifier of handwritten digits, and writes a report on how that went.")
    .addOption(new Option("--optimizer <name>", "what trains it").choices(optimizers).default("lamb"))
    .addOption(new Option("--all", "train with every optimizer in turn, and compare them").conflicts("optimizer"))
    .option("--epochs <count>", "how often to go over the training digits", wholeNumber(1))
    .option("--batch <count>", "training digits for each step", wholeNumber(1, trainingCount))
    .option("--lr <rate>", "learning rate", number)
    .option("--device <device>", "cpu, cuda or cuda:<index>", "cpu" satisfies Device)
    .option("--seed <number>", "of the first weights and of the order of the digits", wholeNumber(0), 1)
    .option("--out <folder>", "where to write the report", "demo-report")
    .addHelpText("after", defaultsHelp())
    .configureOutput({ writeErr: () => {} })
    .exitOverride()
    .parse(args, { from: "user" });

  const { all, optimizer, out, ...wishes } = command.opts<Options>();
  const trainings = (all ? optimizers : [optimizer]).map((name) => settingsFor(name, wishes));
  trainings.forEach(checkSettings);
  return { trainings, out };
}

function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  const range = most === Number.MAX_SAFE_INTEGER ? `from ${least} up` : `from ${least} to ${most}`;
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`Expected a whole number ${range}.`);
  };
}

function number(text: string): number {
  const value = Number(text);
  // Whether it is in range is for the optimizer to say.
  if (text.trim() !== "" && Number.isFinite(value)) return value;
  throw new InvalidArgumentError("Expected a number.");
}

function defaultsHelp(): string {
  const lines = Object.entries(defaults).map(([optimizer, { options, schedule, batch, epochs }]) => {
    const { lr, ...others } = options;
    const more = Object.entries(others).map(([name, value]) => `, ${name} ${value}`);
    const falls = schedule === "linear" ? " falling to 0" : "";
    return `  ${optimizer.padEnd(8)} ${epochs} epochs, batch ${batch}, lr ${lr}${falls}${more.join("")}`;
  });
  return ["", "Unless told otherwise:", ...lines].join("\n");
}
