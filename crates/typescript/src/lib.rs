//! Writes tables of options as TypeScript, for tests that keep the generated files up to date.

#![allow(clippy::expect_used, clippy::panic, reason = "only tests call it")]

use std::fs;
use std::path::PathBuf;

use stepwell_optim::{Limit, OptionKind, OptionSpec, OptionValue};

/// The type of an option in TypeScript.
pub fn type_of(spec: &OptionSpec) -> String {
    let plain = match spec.kind {
        OptionKind::Float | OptionKind::Integer => "number".to_owned(),
        OptionKind::Flag => "boolean".to_owned(),
        OptionKind::Word(words) => words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" | "),
        OptionKind::Sizes | OptionKind::Numbers => "number | readonly number[]".to_owned(),
    };
    if spec.nullable { format!("{plain} | null") } else { plain }
}

/// A default as TypeScript writes it.
pub fn shown(value: &OptionValue) -> String {
    match value {
        OptionValue::Null => "null".into(),
        OptionValue::Flag(flag) => flag.to_string(),
        OptionValue::Integer(number) => number.to_string(),
        OptionValue::Float(number) if number.abs() < 1e-4 && *number != 0.0 => format!("{number:e}"),
        OptionValue::Float(number) => number.to_string(),
        OptionValue::Word(word) => format!("\"{word}\""),
        OptionValue::List(list) if list.len() == 1 => list[0].to_string(),
        other => other.to_string(),
    }
}

/// The sentence of an option with its range and default.
pub fn doc(spec: &OptionSpec) -> String {
    let whole =
        if matches!(spec.kind, OptionKind::Integer | OptionKind::Sizes) { "A whole number" } else { "A number" };
    let range = if spec.limit == Limit::Finite { String::new() } else { format!(" {whole}{}.", spec.limit) };
    let default = (spec.default)().map_or_else(String::new, |value| format!(" Default {}.", shown(&value)));
    format!("{}{range}{default}", spec.doc)
}

/// The lists of PyTorch that stand for several options, such as `betas`, with the names of those options.
pub fn list_aliases(specs: &[OptionSpec]) -> Vec<(&'static str, Vec<&'static str>)> {
    let lists = specs.iter().filter_map(|spec| spec.alias?.split_once("[0]"));
    lists
        .map(|(list, _)| {
            let is_element =
                |spec: &&OptionSpec| spec.alias.is_some_and(|alias| alias.starts_with(&format!("{list}[")));
            (list, specs.iter().filter(is_element).map(|spec| spec.name).collect())
        })
        .collect()
}

/// The interface of a table, with a row for each name and each alias. `more` is further rows.
pub fn interface(name: &str, about: &str, specs: &[OptionSpec], more: &str) -> String {
    let mut text = format!("/** {about} */\nexport interface {name} {{\n");
    for spec in specs {
        let (doc, kind) = (doc(spec), type_of(spec));
        text += &format!("  /** {doc} */\n  readonly {}?: {kind};\n", spec.name);
        if let Some(alias) = spec.alias.filter(|alias| !alias.contains('[')) {
            // Names of PyTorch are in lower case.
            let whose = if alias.chars().any(char::is_uppercase) { "JavaScript's spelling" } else { "PyTorch's name" };
            text += &format!("  /** {whose} of `{}`. */\n  readonly {alias}?: {kind};\n", spec.name);
        }
    }
    for (list, names) in list_aliases(specs) {
        let numbers = vec!["number"; names.len()].join(", ");
        let names = names.join("` and `");
        text += &format!("  /** PyTorch's name of `{names}`. */\n  readonly {list}?: readonly [{numbers}];\n");
    }
    text + more + "}\n"
}

/// The folder of generated files in the SDK, from the folder of a crate.
pub const SDK: &str = "../../packages/sdk/src/generated";
/// The folder of generated files in the playground, from the folder of a crate.
pub const PLAYGROUND: &str = "../../apps/playground/src/generated";

/// Fails if a generated file is not up to date, and writes it.
///
/// # Panics
/// If the file was not up to date, or cannot be written.
pub fn keep(folder: &str, name: &str, text: String) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder).join(name);
    if fs::read_to_string(&path).ok().as_deref() != Some(&text) {
        fs::create_dir_all(path.parent().expect("a folder")).expect("the folder can be made");
        fs::write(&path, text).expect("the file can be written");
        panic!("{} was not up to date; it is now", path.display());
    }
}
