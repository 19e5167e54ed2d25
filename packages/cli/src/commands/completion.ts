// `stepwell completion`: scripts with which shells complete commands, options and names.

import type { Command, Option } from "commander";
import { topicNames } from "./help-topic.js";

/** Shells that have a script. */
export const shells = ["bash", "zsh", "fish"] as const;

/** The name of a shell. */
export type Shell = (typeof shells)[number];

/** The script of a shell for a program. Names that `help` knows are the ones of this version. */
export async function completionScript(program: Command, shell: Shell): Promise<string> {
  const names = await topicNames();
  if (shell === "fish") return fish(program, names);
  const script = bash(program, names);
  return shell === "bash" ? script : `autoload -U +X bashcompinit && bashcompinit\n${script}`;
}

/** Option names of a command, with the options of the program. */
function optionsOf(command: Command): readonly Option[] {
  return [...command.options, ...(command.parent?.options ?? [])];
}

const flagsOf = (options: readonly Option[]) => [...options.map(({ long }) => long ?? ""), "--help"].join(" ");

function bash(program: Command, names: readonly string[]): string {
  const commands = program.commands.map((command) => command.name());
  const cases = program.commands.map((command) => {
    const words = command.name() === "help" ? [...commands, ...names].join(" ") : shellsOf(command);
    return `    ${command.name()}) flags="${flagsOf(optionsOf(command))}" words="${words}" ;;`;
  });
  const choices = program.commands.flatMap((command) =>
    command.options.flatMap(({ long, argChoices }) =>
      argChoices ? [`    ${long}) COMPREPLY=($(compgen -W "${argChoices.join(" ")}" -- "$cur")); return ;;`] : [],
    ),
  );
  return `# Completion of stepwell. In ~/.bashrc: source <(stepwell completion bash)
_stepwell() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD - 1]}" flags words
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${commands.join(" ")} ${flagsOf(program.options)}" -- "$cur"))
    return
  fi
  case "$prev" in
${[...new Set(choices)].join("\n")}
  esac
  case "\${COMP_WORDS[1]}" in
${cases.join("\n")}
  esac
  if [[ "$cur" == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$cur"))
  elif [ -n "$words" ]; then
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
  else
    COMPREPLY=($(compgen -f -- "$cur"))
  fi
}
complete -o filenames -F _stepwell stepwell
`;
}

const shellsOf = (command: Command) => (command.name() === "completion" ? shells.join(" ") : "");

function fish(program: Command, names: readonly string[]): string {
  const quoted = (text: string) => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
  const lines = ["# Completion of stepwell. For fish: stepwell completion fish | source"];
  for (const command of program.commands) {
    const name = command.name();
    lines.push(`complete -c stepwell -n __fish_use_subcommand -f -a ${name} -d ${quoted(command.description())}`);
    const inside = `-n ${quoted(`__fish_seen_subcommand_from ${name}`)}`;
    for (const { long, description, argChoices, required, optional } of optionsOf(command)) {
      const values = argChoices ? ` -x -a ${quoted(argChoices.join(" "))}` : required || optional ? " -r" : "";
      lines.push(`complete -c stepwell ${inside} -l ${(long ?? "").slice(2)} -d ${quoted(description)}${values}`);
    }
    if (name === "help") lines.push(`complete -c stepwell ${inside} -f -a ${quoted(names.join(" "))}`);
    if (name === "completion") lines.push(`complete -c stepwell ${inside} -f -a ${quoted(shells.join(" "))}`);
  }
  return `${lines.join("\n")}\n`;
}
