//! The option types of the SDK are written from the option tables. The test fails when they were not up to date.

#![allow(clippy::expect_used, clippy::panic, reason = "a test")]

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use stepwell_optim::{CATALOG, Definition, Kind, Limit, OptionSpec, Value};

/// PyTorch's spelling, or capitals where there is none.
fn type_name(definition: &Definition) -> String {
    let pytorch = definition.pytorch.and_then(|class| class.rsplit('.').next());
    format!("{}Options", pytorch.map_or_else(|| definition.name.to_uppercase(), str::to_owned))
}

fn type_of(spec: &OptionSpec) -> String {
    let plain = match spec.kind {
        Kind::Float | Kind::Integer => "number".to_owned(),
        Kind::Flag => "boolean".to_owned(),
        Kind::Word(words) => words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" | "),
        Kind::Sizes => "number | readonly number[]".to_owned(),
    };
    if spec.nullable { format!("{plain} | null") } else { plain }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Flag(flag) => flag.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) if number.abs() < 1e-4 && *number != 0.0 => format!("{number:e}"),
        Value::Float(number) => number.to_string(),
        other => other.to_string(),
    }
}

fn doc(spec: &OptionSpec) -> String {
    let whole = if spec.kind == Kind::Integer { "A whole number" } else { "A number" };
    let range = if spec.limit == Limit::Finite { String::new() } else { format!(" {whole}{}.", spec.limit) };
    let default = (spec.default)().map_or_else(String::new, |value| format!(" Default {}.", shown(&value)));
    format!("{}{range}{default}", spec.doc)
}

fn options(definition: &Definition) -> String {
    let mut text = String::new();
    let pytorch = definition.pytorch.map_or_else(String::new, |name| format!(" As `{name}`."));
    writeln!(text, "/** {}{pytorch} */", definition.about).expect("a string takes any text");
    writeln!(text, "export interface {} {{", type_name(definition)).expect("a string takes any text");
    for spec in definition.options {
        let (doc, kind) = (doc(spec), type_of(spec));
        write!(text, "  /** {doc} */\n  readonly {}?: {kind};\n", spec.name).expect("a string takes any text");
        if let Some(alias) = spec.alias.filter(|alias| !alias.contains('[')) {
            let line = format!("  /** PyTorch's name of `{}`. */\n  readonly {alias}?: {kind};\n", spec.name);
            text.push_str(&line);
        }
    }
    let lists: Vec<_> = definition.options.iter().filter_map(|spec| spec.alias?.split_once("[0]")).collect();
    for (list, _) in lists {
        let named = |spec: &&OptionSpec| spec.alias.is_some_and(|alias| alias.starts_with(&format!("{list}[")));
        let names: Vec<_> = definition.options.iter().filter(named).map(|spec| spec.name).collect();
        let numbers = vec!["number"; names.len()].join(", ");
        let line = format!(
            "  /** PyTorch's name of `{}`. */\n  readonly {list}?: readonly [{numbers}];\n",
            names.join("` and `")
        );
        text.push_str(&line);
    }
    text + "}\n"
}

fn generated() -> String {
    let mut text = String::from(
        "// Written by `cargo test -p stepwell-optim --test generated` from the option tables; not to be edited.\n",
    );
    for definition in CATALOG {
        text = text + "\n" + &options(definition);
    }
    text += "\n/** The options of each optimizer, by name. */\nexport interface OptionsOf {\n";
    for definition in CATALOG {
        text += &format!("  readonly {}: {};\n", definition.name, type_name(definition));
    }
    text += "}\n\n/** The options of each optimizer, by position. */\nexport interface PositionalOptionsOf {\n";
    for definition in CATALOG {
        let positions: Vec<_> =
            definition.options.iter().map(|spec| format!("{}: {}", spec.name, type_of(spec))).collect();
        let line = format!("  readonly {}: [{}];\n", definition.name, positions.join(", "));
        // As biome formats it, which has lines of 120 characters.
        if line.len() <= 121 {
            text += &line;
        } else {
            text += &format!("  readonly {}: [\n    {},\n  ];\n", definition.name, positions.join(",\n    "));
        }
    }
    text + "}\n"
}

#[test]
fn option_types_are_up_to_date() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../packages/sdk/src/generated/options.ts");
    let text = generated();
    if fs::read_to_string(&path).ok().as_deref() != Some(&text) {
        fs::create_dir_all(path.parent().expect("a folder")).expect("the folder can be made");
        fs::write(&path, text).expect("the file can be written");
        panic!("{} was not up to date; it is now", path.display());
    }
}
