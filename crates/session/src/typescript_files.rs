//! Writes the tables of options of the session as types of the SDK. A test fails once if a file was not up to date.

use stepwell_optim::{LossScale, OptionSet, OptionSpec};
use stepwell_typescript::{SDK, doc, interface, keep, type_of};

use crate::commands::checkpoint_load::RunLoadOptions;
use crate::commands::files::LoadOptions;
use crate::commands::process_groups::{DistributedOptions, GroupOptions};
use crate::nn::container::CONTAINERS;
use crate::nn::kind_names::LAYER_NAMES;
use crate::nn::layers::layer_tables;
use crate::nn::loss::table::{
    ClassOptions, CtcOptions, HingeOptions, HuberOptions, KlOptions, LOSSES, LogitOptions, LossOptions, MarginOptions,
    MultiMarginOptions, PoissonOptions, SmoothClassOptions, SmoothL1Options, TripletOptions, WeightOptions,
};
use crate::session::drawing::{DRAWING, DRAWING_MODULES};
use crate::training::data_loader::{TestOptions, TrainOptions};
use crate::training::metrics::Metric;
use crate::training::step_options::StepTable;
use crate::values::handle::{GENERATION_BITS, ObjectKind, SESSION_BITS, SLOT_BITS};

/// The row that both tables of samples have, but not as a table: one name of a metric or several.
const METRICS: &str = "  /** Results of a pass; `accuracy` and `matches` need a loss of classes, `ce` or `nll`. Default \"loss\". */\n  \
                       readonly metrics?: MetricName | readonly [MetricName, ...MetricName[]];\n";

fn head(of: &str) -> String {
    format!("// Written by `cargo test -p stepwell-session generated` from the tables of {of}; not to be edited.\n")
}

/// A type that is one of some words.
fn words(about: &str, name: &str, words: impl Iterator<Item = &'static str>) -> String {
    let words: Vec<_> = words.map(|word| format!("\"{word}\"")).collect();
    let line = format!("export type {name} = {};\n", words.join(" | "));
    let text = if line.len() <= 121 { line } else { format!("export type {name} =\n  | {};\n", words.join("\n  | ")) };
    format!("\n/** {about} */\n{text}")
}

fn losses() -> String {
    let mut text = head("losses");
    let tables = [
        ("LossOptions", "Options of most losses.", LossOptions::SPECS),
        ("CrossEntropyOptions", "Options of cross entropy.", SmoothClassOptions::SPECS),
        ("ClassLossOptions", "Options of the negative log-likelihood.", ClassOptions::SPECS),
        ("LogitLossOptions", "Options of binary cross entropy of logits.", LogitOptions::SPECS),
        ("SmoothL1Options", "Options of the smooth L1 loss.", SmoothL1Options::SPECS),
        ("HuberOptions", "Options of the Huber loss.", HuberOptions::SPECS),
        ("KlOptions", "Options of the Kullback-Leibler divergence.", KlOptions::SPECS),
        ("PoissonLossOptions", "Options of the Poisson loss.", PoissonOptions::SPECS),
        ("HingeOptions", "Options of the hinge loss.", HingeOptions::SPECS),
        ("MarginOptions", "Options of the losses of three tensors with a margin.", MarginOptions::SPECS),
        ("MultiMarginOptions", "Options of the margin loss of classes.", MultiMarginOptions::SPECS),
        ("MultiSoftOptions", "Options of the loss of several labels.", WeightOptions::SPECS),
        ("TripletOptions", "Options of the triplet loss.", TripletOptions::SPECS),
        ("CtcOptions", "Options of the connectionist temporal classification.", CtcOptions::SPECS),
    ];
    for (name, about, specs) in tables {
        text = text + "\n" + &interface(name, about, specs, "");
    }
    text += "\n/** The options of each loss, by name. */\nexport interface LossOptionsOf {\n";
    for kind in LOSSES {
        // Two tables may differ in a default only.
        let rows = |specs: &[OptionSpec]| specs.iter().map(|spec| (spec.name, (spec.default)())).collect::<Vec<_>>();
        let found = tables.iter().find(|(_, _, specs)| rows(specs) == rows(kind.options));
        let (table, ..) = found.unwrap_or_else(|| panic!("no interface for {}", kind.name));
        text += &format!("  readonly {}: {table};\n", kind.name);
    }
    text += "}\n";
    let of_a_model = LOSSES.iter().filter(|kind| kind.inputs().contains(&2)).map(|kind| kind.name);
    text + &words("The losses of an output and a target, which a model can have.", "ModelLossName", of_a_model)
}

fn settings() -> String {
    let mut text = head("samples, steps, files and scales");
    let metrics = Metric::ALL.iter().map(|metric| metric.name());
    text += &words("A result of a pass over samples, as {@link Metrics} has it.", "MetricName", metrics);
    let is_option = |spec: &&OptionSpec| spec.name != "scale";
    let options = LossScale::OPTIONS.iter().take_while(is_option).count();
    let scale_names =
        "PyTorch's names, as of `torch.amp.GradScaler`, are accepted, and `min_loss_scale` of apex and DeepSpeed.";
    let about = format!("How a loss is scaled. {scale_names}");
    let tables = [
        ("TestOptions", "How a model is tested.", TestOptions::SPECS, METRICS),
        ("TrainOptions", "How a model is trained.", TrainOptions::SPECS, METRICS),
        (
            "StepOptions",
            "Operations of a step in addition to the formula, in one pass over the parameters.",
            StepTable::SPECS,
            "",
        ),
        ("LoadOptions", "How a file is loaded.", LoadOptions::SPECS, ""),
        ("RunLoadOptions", "How the file of a run is loaded.", RunLoadOptions::SPECS, ""),
        ("GroupOptions", "The place of a process in its group, but for names of hosts.", GroupOptions::SPECS, ""),
        ("DistributedOptions", "How processes train the parameters of an optimizer.", DistributedOptions::SPECS, ""),
        ("LossScaleOptions", &about, &LossScale::OPTIONS[..options], ""),
    ];
    for (name, about, specs, more) in tables {
        text = text + "\n" + &interface(name, about, specs, more);
    }
    text + &loss_scale()
}

/// The options and the progress of a scale, all of them given.
fn loss_scale() -> String {
    let rows = LossScale::OPTIONS.iter().map(|spec| {
        // The scale is a number as soon as there is one.
        let kind = if spec.name == "scale" { "number".to_owned() } else { type_of(spec) };
        format!("  /** {} */\n  readonly {}: {kind};\n", doc(spec), spec.name)
    });
    let about = "The options of a scale and its progress, as `lossscale` returns them.";
    format!("\n/** {about} */\nexport interface LossScale {{\n{}}}\n", rows.collect::<String>())
}

/// `conv2d` as `Conv2d`.
fn layer_type(name: &str) -> String {
    let (first, rest) = name.split_at(1);
    format!("{}{rest}", first.to_uppercase())
}

/// Whether an option has to be given.
fn is_required(spec: &OptionSpec) -> bool {
    (spec.default)().is_none()
}

/// `"outputs" | "out_features"`: the names of some options.
fn option_names<'a>(specs: impl Iterator<Item = &'a OptionSpec>) -> String {
    let names = specs.flat_map(|spec| [Some(spec.name), spec.alias]).flatten();
    names.map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(" | ")
}

/// A line of an interface whose type is a tuple. Lines have at most 120 characters.
fn tuple_line(name: &str, elements: &[String]) -> String {
    let line = format!("  readonly {name}: readonly [{}];\n", elements.join(", "));
    if line.len() <= 121 {
        return line;
    }
    format!("  readonly {name}: readonly [\n    {},\n  ];\n", elements.join(",\n    "))
}

/// The forms of the options of a layer: by position, or the first by position and the others in a dictionary.
fn layer_forms(layer: &str, name: &str, specs: &[OptionSpec]) -> String {
    let (required, defaults): (Vec<_>, Vec<_>) = specs.iter().partition(|spec| is_required(spec));
    let mut text = String::new();
    let rest = if required.is_empty() { format!("{layer}Options") } else { format!("{layer}Defaults") };
    if !required.is_empty() && !defaults.is_empty() {
        text += &format!("\n/** Options of `{name}` that have a default. */\n");
        text += &format!("export type {rest} = {};\n", pick(layer, &option_names(defaults.iter().copied())));
    }
    for spec in &required {
        text += &format!("\n/** The option `{}` of `{name}`, under one of its names. */\n", spec.name);
        let names = option_names(std::iter::once(*spec));
        text += &format!("export type {layer}{} = OneOf<{layer}Options, {names}>;\n", layer_type(spec.name));
    }
    let mut positions: Vec<_> = required.iter().map(|spec| format!("{}: {}", spec.name, type_of(spec))).collect();
    let given = positions.clone();
    positions.extend(defaults.iter().map(|spec| format!("{}?: {} | {rest}", spec.name, type_of(spec))));
    if !defaults.is_empty() {
        positions.push(format!("options?: {rest}"));
    }
    text += &format!("\n/** Forms of the options of `{name}`. */\nexport interface {layer}Forms {{\n");
    text += "  /** By position. A dictionary ends them: it has options with defaults. */\n";
    text += &tuple_line("positions", &positions);
    for count in (0..required.len()).rev() {
        let others = required[count..].iter().map(|spec| format!("{layer}{}", layer_type(spec.name)));
        let defaults = if defaults.is_empty() { None } else { Some(rest.clone()) };
        let options = defaults.into_iter().chain(others).collect::<Vec<_>>().join(" & ");
        let mut elements = given[..count].to_vec();
        elements.push(format!("options: {options}"));
        text += &format!("  /** {count} by position, and the others in a dictionary. */\n");
        text += &tuple_line(&count.to_string(), &elements);
    }
    text + "}\n"
}

/// A part of the options of a layer, as the right side of an alias.
fn pick(layer: &str, names: &str) -> String {
    let line = format!("Pick<{layer}Options, {names}>");
    let limit = 120 - format!("export type {layer}Defaults = ;").len();
    if line.len() <= limit { line } else { format!("Pick<\n  {layer}Options,\n  {names}\n>") }
}

/// Kinds of layers by every name: name, sentence, kind and options.
fn named_layers() -> Vec<(&'static str, String, &'static str, &'static [OptionSpec])> {
    let tables = layer_tables();
    let mut named: Vec<_> =
        tables.iter().map(|(name, about, specs)| (*name, (*about).to_owned(), *name, *specs)).collect();
    for (name, kind) in LAYER_NAMES {
        let found = tables.iter().find(|(known, ..)| known == kind);
        let (_, _, specs) = found.unwrap_or_else(|| panic!("no layer {kind}"));
        named.push((*name, format!("Another name of `{kind}`."), *kind, *specs));
    }
    named
}

fn layers() -> String {
    let tables = layer_tables();
    let named = named_layers();
    let mut text = head("layers");
    for (name, about, specs) in tables.iter().filter(|(_, _, specs)| !specs.is_empty()) {
        text = text + "\n" + &interface(&format!("{}Options", layer_type(name)), about, specs, "");
    }
    text += "\n/** The options of each layer, by name. */\nexport interface LayerOptionsOf {\n";
    for (name, about, kind, specs) in &named {
        let none = "Readonly<Record<string, never>>".to_owned();
        let table = if specs.is_empty() { none } else { format!("{}Options", layer_type(kind)) };
        text += &format!("  /** {about} */\n  readonly {name}: {table};\n");
    }
    text += "}\n\n/** The names of kinds of layers. */\nexport const layerKinds = [\n";
    for (name, ..) in &named {
        text += &format!("  \"{name}\",\n");
    }
    text += "] as const;\n";
    text += &words("The name of a kind of layers.", "LayerKind", named.iter().map(|(name, ..)| *name));
    text += "\n/** The kinds of containers. */\nexport const containerKinds = [\n";
    for (name, ..) in CONTAINERS {
        text += &format!("  \"{name}\",\n");
    }
    text += "] as const;\n";
    text += &words("The kind of a container.", "ContainerKind", CONTAINERS.iter().map(|(name, ..)| *name));
    text += "\n/** One option under one of its names. */\n";
    text +=
        "type OneOf<Options, Name extends keyof Options> = { [Key in Name]-?: Required<Pick<Options, Key>> }[Name];\n";
    for (name, _, specs) in tables.iter().filter(|(_, _, specs)| !specs.is_empty()) {
        text += &layer_forms(&layer_type(name), name, specs);
    }
    text += "\n/** Forms of the options of a layer without options. */\nexport interface NoOptionsForms {\n";
    text += "  /** Nothing. */\n  readonly positions: readonly [];\n}\n";
    text += "\n/** The forms of the options of each layer, by its name. */\nexport interface LayerFormsOf {\n";
    for (name, about, kind, specs) in &named {
        let forms = if specs.is_empty() { "NoOptionsForms".to_owned() } else { format!("{}Forms", layer_type(kind)) };
        text += &format!("  /** {about} */\n  readonly {name}: {forms};\n");
    }
    text + "}\n"
}

fn object_kinds() -> String {
    let kinds: Vec<_> = ObjectKind::ALL.iter().map(|kind| format!("\"{kind}\"")).collect();
    let unit = 1_u64 << (SLOT_BITS + GENERATION_BITS + SESSION_BITS);
    format!(
        "{}\n/** Kinds of objects, at the numbers that ids of handles have. */\nexport const objectKinds = [{}] as const;\n\n\
         /** The kind of an object. */\nexport type ObjectKind = (typeof objectKinds)[number];\n\n\
         /** An id is at least the number of its kind times this, and below the next number times this. */\n\
         export const idsOfKind = {unit};\n",
        head("handles"),
        kinds.join(", "),
    )
}

/// Tables of commands and modules that draw random numbers, for calls in turns of the event loop.
fn drawing() -> String {
    let mut text = head("calls that draw random numbers");
    text += "\n/** Commands that always draw and change objects, or that read or set the generator, and `randperm`. Others that draw make new objects. */\n";
    text += "export const drawingCommands: readonly string[] = [\n";
    for command in DRAWING {
        text += &format!("  \"{command}\",\n");
    }
    text += "];\n\n/**\n * Modules that draw in a pass, with the option that is 0 if they do not, and whether they draw in use too. Others draw while\n";
    text += " * training if they have an option `dropout` which is not 0.\n */\n";
    text += "export const drawingModules: readonly (readonly [kind: string, option: string | undefined, inUse: boolean])[] = [\n";
    for (kind, option, in_use) in DRAWING_MODULES {
        let option = option.map_or("undefined".to_owned(), |option| format!("\"{option}\""));
        text += &format!("  [\"{kind}\", {option}, {in_use}],\n");
    }
    text + "];\n"
}

#[test]
fn generated_draws_are_up_to_date() {
    keep(SDK, "drawing.ts", drawing());
}

#[test]
fn kinds_of_objects_are_up_to_date() {
    keep(SDK, "object-kinds.ts", object_kinds());
}

#[test]
fn generated_losses_are_up_to_date() {
    keep(SDK, "losses.ts", losses());
}

#[test]
fn generated_settings_are_up_to_date() {
    keep(SDK, "settings.ts", settings());
}

#[test]
fn generated_layers_are_up_to_date() {
    keep(SDK, "layers.ts", layers());
}
