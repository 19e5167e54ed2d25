//! Writes the tables of options, presets and error codes as files of the SDK and of the playground. A test fails once if a file
//! was not up to date.

use stepwell_optim::{
    CATALOG, Children, Code, Definition, Limit, OptionKind, OptionSpec, PRESETS, SCHEDULES, ScheduleDefinition,
    positional,
};
use stepwell_typescript::{PLAYGROUND, SDK, doc, interface, keep, list_aliases, shown, type_of};

/// PyTorch's spelling, or a capitalized name.
fn type_name(definition: &Definition) -> String {
    let pytorch = definition.pytorch.and_then(|class| class.rsplit('.').next());
    format!("{}Options", pytorch.map_or_else(|| definition.name.to_uppercase(), str::to_owned))
}

fn options(definition: &Definition) -> String {
    let pytorch = definition.pytorch.map_or_else(String::new, |name| format!(" As `{name}`."));
    interface(&type_name(definition), &format!("{}{pytorch}", definition.about), definition.options, "")
}

/// The parameter of a method that sets an option; a flag without an argument is set to true.
fn setter(name: &str, doc: &str, kind: &str) -> String {
    let mark = if kind == "boolean" { "?" } else { "" };
    format!("  /** {doc} */\n  {name}(value{mark}: {kind}): this;\n")
}

/// `AdamOptions` as `AdamSetters`.
fn setters_name(definition: &Definition) -> String {
    type_name(definition).replace("Options", "Setters")
}

/// The methods of builders, one for each name of an option.
fn generated_setters() -> String {
    let mut text = String::from(
        "// Written by `cargo test -p stepwell-optim generated` from the option tables; not to be edited.\n",
    );
    for definition in CATALOG {
        let name = setters_name(definition);
        text += &format!("\n/** Methods that set options of `{}`. */\nexport interface {name} {{\n", definition.name);
        for spec in definition.options {
            text += &setter(spec.name, &doc(spec), &type_of(spec));
            if let Some(alias) = spec.alias.filter(|alias| !alias.contains('[')) {
                text += &setter(alias, &format!("PyTorch's name of `{}`.", spec.name), &type_of(spec));
            }
        }
        for (list, names) in list_aliases(definition.options) {
            let numbers = format!("readonly [{}]", vec!["number"; names.len()].join(", "));
            text += &setter(list, &format!("PyTorch's name of `{}`.", names.join("` and `")), &numbers);
        }
        text += "}\n";
    }
    text += "\n/** The methods that set options of each optimizer, by name. */\nexport interface SettersOf {\n";
    for definition in CATALOG {
        text += &format!("  readonly {}: {};\n", definition.name, setters_name(definition));
    }
    text + "}\n"
}

fn generated() -> String {
    let mut text = String::from(
        "// Written by `cargo test -p stepwell-optim generated` from the option tables; not to be edited.\n",
    );
    for definition in CATALOG {
        text = text + "\n" + &options(definition);
    }
    let names: Vec<_> = CATALOG.iter().map(|definition| format!("\"{}\"", definition.name)).collect();
    let types: Vec<_> = CATALOG.iter().map(type_name).collect();
    text += &format!("\n/** The name of an optimizer. */\nexport type OptimizerName = {};\n", names.join(" | "));
    text +=
        "\n/** The options of an optimizer whose name a program does not state: all options of all optimizers. */\n";
    text += &format!("export interface AnyOptions\n  extends {} {{}}\n", types.join(",\n    "));
    text += "\n/** The options of each optimizer, by name. */\nexport interface OptionsOf {\n";
    for definition in CATALOG {
        text += &format!("  readonly {}: {};\n", definition.name, type_name(definition));
    }
    text += "}\n\n/** The options of each optimizer, by position. */\nexport interface PositionalOptionsOf {\n";
    for definition in CATALOG {
        let positions: Vec<_> =
            positional(definition.options).iter().map(|spec| format!("{}: {}", spec.name, type_of(spec))).collect();
        let line = format!("  readonly {}: [{}];\n", definition.name, positions.join(", "));
        // In the format of biome, with lines of 120 characters.
        if line.len() <= 121 {
            text += &line;
        } else {
            text += &format!("  readonly {}: [\n    {},\n  ];\n", definition.name, positions.join(",\n    "));
        }
    }
    text + "}\n"
}

/// Makes `StepSchedule` of `step`.
fn schedule_name(definition: &ScheduleDefinition) -> String {
    let (first, rest) = definition.name.split_at(1);
    format!("{}{rest}Schedule", first.to_uppercase())
}

/// The options of a schedule. A required option may be given under either of its names.
fn schedule_options(definition: &ScheduleDefinition) -> String {
    let is_choice = |spec: &&OptionSpec| (spec.default)().is_none() && spec.alias.is_some();
    let mut text = String::new();
    for spec in definition.options.iter().filter(|spec| !is_choice(spec)) {
        let mark = if (spec.default)().is_none() { "" } else { "?" };
        let (name, kind) = (spec.name, type_of(spec));
        text += &format!("  /** {} */\n  readonly {name}{mark}: {kind};\n", doc(spec));
        if let Some(alias) = spec.alias {
            text += &format!("  /** PyTorch's name of `{name}`. */\n  readonly {alias}?: {kind};\n");
        }
    }
    let mut text = format!("{{\n{text}}}");
    for spec in definition.options.iter().filter(is_choice) {
        let (name, kind, alias) = (spec.name, type_of(spec), spec.alias.unwrap_or_default());
        text += &format!(" & (\n  | {{\n      /** {} */\n      readonly {name}: {kind};\n    }}", doc(spec));
        text +=
            &format!("\n  | {{\n      /** PyTorch's name of `{name}`. */\n      readonly {alias}: {kind};\n    }}\n)");
    }
    text
}

/// The inner schedules of a schedule, as keys of its specification.
fn schedule_children(definition: &ScheduleDefinition) -> String {
    match definition.children {
        Children::None => String::new(),
        Children::One(key) => {
            format!("  /** The schedule that follows. */\n  readonly {key}: ScheduleSpecification;\n")
        }
        Children::Several(key) => {
            format!(
                "  /** The schedules. */\n  readonly {key}: readonly [ScheduleSpecification, ...ScheduleSpecification[]];\n"
            )
        }
    }
}

fn schedule_progress(definition: &ScheduleDefinition) -> String {
    let row = |spec: &OptionSpec| format!("  /** {} */\n  readonly {}?: {};\n", doc(spec), spec.name, type_of(spec));
    format!("{{\n{}}}", definition.progress.iter().map(row).collect::<String>())
}

fn generated_schedules() -> String {
    let mut text = String::from(
        "// Written by `cargo test -p stepwell-optim generated` from the option tables; not to be edited.\n",
    );
    for definition in SCHEDULES {
        let (name, options, progress) =
            (schedule_name(definition), schedule_options(definition), schedule_progress(definition));
        let pytorch = definition.pytorch.map_or_else(String::new, |name| format!(" As `{name}`."));
        let about = format!("{}{pytorch}", definition.about);
        let has_options = !definition.options.is_empty();
        if has_options {
            text += &format!("\n/** {about} */\nexport type {name}Options = {options};\n");
        }
        let word = definition.name;
        text += &format!("\n/** {about} */\nexport type {name} = {{\n");
        text += &format!("  readonly schedule: \"{word}\";\n");
        if !definition.progress.is_empty() {
            let progress = progress.replace('\n', "\n  ");
            text += &format!(
                "  /** How far it is; from the beginning if left out. */\n  readonly progress?: {progress};\n"
            );
        }
        let options = if has_options { format!(" & {name}Options") } else { String::new() };
        text += &format!("{}}}{options};\n", schedule_children(definition));
    }
    let names: Vec<_> = SCHEDULES.iter().map(schedule_name).collect();
    text + "\n/** What a schedule does: plain data, of which `schedule` binds one to an optimizer. */\n"
        + &format!("export type ScheduleSpecification =\n  | {};\n", names.join("\n  | "))
}

fn generated_presets() -> String {
    let mut text =
        String::from("// Written by `cargo test -p stepwell-optim generated` from the presets; not to be edited.\n\n");
    text += "/** Options that stand for a published variant of an optimizer. The learning rate is not among them. */\n";
    text += "export const presets = {\n";
    for preset in PRESETS {
        text += &format!("  /** Of `{}`. {} From {}. */\n", preset.optimizer, preset.about, preset.source);
        text += &format!("  {}: {{\n", preset.name);
        for (name, value) in preset.options {
            text += &format!("    {name}: {},\n", shown(value));
        }
        text += "  },\n";
    }
    text + "} as const;\n"
}

/// The rows of the tables as values, for the playground's options.
fn generated_tables() -> String {
    let mut text = String::from(
        "// Written by `cargo test -p stepwell-optim generated` from the option tables; not to be edited.\n\n",
    );
    text += "import type { OptionTable } from \"../options.js\";\n\n";
    text += "/** The options of each optimizer, in positional order. */\nexport const optionTables = {\n";
    for definition in CATALOG {
        text += &format!("  {}: {{\n    about: {:?},\n", definition.name, definition.about);
        text += &format!("    needsClosure: {},\n    rows: [\n", definition.needs_closure());
        for spec in definition.options {
            text += &format!("      {},\n", table_row(spec));
        }
        text += "    ],\n  },\n";
    }
    text + "} as const satisfies { readonly [optimizer: string]: OptionTable };\n"
}

fn table_row(spec: &OptionSpec) -> String {
    let mut fields = vec![format!("name: \"{}\"", spec.name), format!("doc: {:?}", spec.doc)];
    fields.push(match spec.kind {
        OptionKind::Float | OptionKind::Numbers => "kind: \"number\"".to_owned(),
        OptionKind::Integer | OptionKind::Sizes => "kind: \"integer\"".to_owned(),
        OptionKind::Flag => "kind: \"flag\"".to_owned(),
        OptionKind::Word(words) => format!("kind: \"word\", words: {words:?}"),
    });
    fields.extend(match spec.limit {
        Limit::Finite => None,
        Limit::AtLeast(low) => Some(format!("limit: {{ low: {low} }}")),
        Limit::Above(low) => Some(format!("limit: {{ low: {low}, lowExcluded: true }}")),
        Limit::HalfOpen(low, high) => Some(format!("limit: {{ low: {low}, high: {high}, highExcluded: true }}")),
        Limit::Open(low, high) => {
            Some(format!("limit: {{ low: {low}, lowExcluded: true, high: {high}, highExcluded: true }}"))
        }
        Limit::Closed(low, high) => Some(format!("limit: {{ low: {low}, high: {high} }}")),
    });
    if spec.nullable {
        fields.push("nullable: true".into());
    }
    if spec.extension {
        fields.push("extension: true".into());
    }
    fields.extend((spec.default)().map(|value| format!("initial: {}", shown(&value))));
    format!("{{ {} }}", fields.join(", "))
}

#[test]
fn generated_option_types_are_up_to_date() {
    keep(SDK, "options.ts", generated());
}

#[test]
fn generated_option_tables_are_up_to_date() {
    keep(PLAYGROUND, "options.ts", generated_tables());
}

#[test]
fn generated_presets_are_up_to_date() {
    keep(SDK, "presets.ts", generated_presets());
}

#[test]
fn generated_schedule_types_are_up_to_date() {
    keep(SDK, "schedules.ts", generated_schedules());
}

/// The codes of errors as values, each with its sentence.
fn generated_codes() -> String {
    let mut text = String::from(
        "// Written by `cargo test -p stepwell-optim generated` from the table of codes; not to be edited.\n\n",
    );
    text += "/** Every code of an error of an engine. A code never changes its meaning. */\n";
    text += "export const engineErrorCodes = [\n";
    for (code, sentence) in Code::DOCUMENTED {
        text += &format!("  /** {sentence} */\n  \"{code}\",\n");
    }
    text + "] as const;\n"
}

#[test]
fn generated_error_codes_are_up_to_date() {
    keep(SDK, "error-codes.ts", generated_codes());
}

#[test]
fn generated_setters_are_up_to_date() {
    keep(SDK, "setters.ts", generated_setters());
}
