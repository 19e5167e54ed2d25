//! Writes the table of operations as functions, methods and names of the SDK. A test fails once if a file was not up to date.

use stepwell_typescript::{SDK, keep};

use crate::commands::operations::FAMILIES;
use crate::commands::operations::definition::Operation;
use crate::commands::operations::parameter::{Default, Kind, Parameter};
use crate::nn::loss::table::{LOSSES, LossKind, WEIGHT};

const FUNCTIONS: &str = "../../packages/sdk/src/api/functions";
const FLUENT: &str = "../../packages/sdk/src/api/fluent";

const HEAD: &str =
    "// Written by `cargo test -p stepwell-session generated` from the table of operations; not to be edited.\n";

fn type_of(kind: Kind) -> String {
    if !kind.words().is_empty() {
        return kind.words().iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" | ");
    }
    let name = match kind {
        Kind::Tensor => "AnyTensor | OperandData",
        Kind::Tensors => "AnyVector | readonly (AnyTensor | OperandData)[]",
        Kind::Number | Kind::Whole | Kind::Dim => "number",
        Kind::Flag => "boolean",
        Kind::Dims | Kind::Sizes | Kind::Numbers => "number | readonly number[]",
        Kind::Dtype => "Dtype",
        Kind::Fill | Kind::Mode => "string",
    };
    name.to_owned()
}

fn parameter(row: &Parameter) -> String {
    let mark = if row.default == Default::Required { "" } else { "?" };
    let null = if row.default == Default::Absent { " | null" } else { "" };
    format!("{}{mark}: {}{null}", row.name, type_of(row.kind))
}

/// The places that a dictionary can take: of the first argument that is not a tensor, and of the first optional one.
fn named(operation: &Operation) -> Vec<usize> {
    let first = |found: &dyn Fn(&Parameter) -> bool| operation.parameters.iter().position(found);
    let mut places: Vec<_> = first(&Parameter::is_named).into_iter().collect();
    places.extend(first(&|parameter| parameter.is_named() || parameter.default == Default::Absent));
    places.dedup();
    places
}

fn result(operation: &Operation, tensor: &str) -> String {
    match operation.outputs {
        0 => "boolean".to_owned(),
        1 => tensor.to_owned(),
        count => format!("[{}]", vec![tensor; count].join(", ")),
    }
}

fn doc(operation: &Operation, indent: &str) -> String {
    let mut lines = operation.about.trim().to_owned();
    let pytorch = if operation.pytorch.is_empty() { operation.name } else { operation.pytorch };
    if !["mmt", "mtm", "zscore"].contains(&operation.name) {
        lines += &format!(" As `torch.{pytorch}`.");
    }
    if !operation.gradient {
        lines += " No gradient flows.";
    }
    let defaults: Vec<_> = operation
        .parameters
        .iter()
        .filter_map(|parameter| match parameter.default {
            Default::Number(number) => Some(format!("`{}` {number}", parameter.name)),
            Default::Flag(flag) => Some(format!("`{}` {flag}", parameter.name)),
            Default::Word(word) => Some(format!("`{}` {word}", parameter.name)),
            _ => None,
        })
        .collect();
    if !defaults.is_empty() {
        lines += &format!(" Default: {}.", defaults.join(", "));
    }
    let mut text = format!("{indent}/**\n");
    let mut line = String::new();
    for word in lines.split(' ') {
        if indent.len() + 3 + line.len() + 1 + word.len() > 118 {
            text += &format!("{indent} *{line}\n");
            line.clear();
        }
        line.push(' ');
        line += word;
    }
    text + &format!("{indent} *{line}\n{indent} */\n")
}

/// The signatures of an operation: by position, and with options in a dictionary. `skip` leaves out the receiver of a method.
fn signatures(operation: &Operation, skip: usize, tensor: &str) -> Vec<String> {
    let result = result(operation, tensor);
    let list: Vec<_> = operation.parameters.iter().skip(skip).map(parameter).collect();
    let mut forms = vec![format!("({}): {result}", list.join(", "))];
    for first in named(operation) {
        let mut before: Vec<_> = operation.parameters[..first].iter().skip(skip).map(parameter).collect();
        // Arguments before the dictionary are given.
        before.iter_mut().for_each(|parameter| *parameter = parameter.replacen("?:", ":", 1));
        let options = operation.parameters[first..].iter().map(|row| format!("readonly {}", parameter(row)));
        before.push(format!("options: {{ {} }}", options.collect::<Vec<_>>().join("; ")));
        forms.push(format!("({}): {result}", before.join(", ")));
    }
    forms
}

fn functions(family: &str, rows: &[Operation]) -> String {
    let uses = |kind: Kind| rows.iter().any(|row| row.parameters.iter().any(|parameter| parameter.kind == kind));
    let mut text = format!("// Tensor mathematics: {family}.\n{HEAD}\n");
    text += "import type { TensorHandle } from \"../../handle.js\";\n";
    if uses(Kind::Dtype) {
        text += "import type { Dtype } from \"../../types/arguments.js\";\n";
    }
    if uses(Kind::Tensor) || uses(Kind::Tensors) {
        let vector = if uses(Kind::Tensors) { ", AnyVector" } else { "" };
        text += &format!("import type {{ AnyTensor{vector} }} from \"../../types/objects.js\";\n");
        text += "import type { OperandData } from \"../../types/tensor-data.js\";\n";
    }
    text += "import { client } from \"../client.js\";\n";
    for row in rows {
        text += "\n";
        for form in signatures(row, 0, "TensorHandle") {
            text += &format!("{}export function {}{form};\n", doc(row, ""), row.name);
        }
        let name = row.name;
        text += &format!(
            "export function {name}(...args: readonly unknown[]): unknown {{\n  return client.operate(\"{name}\", args);\n}}\n"
        );
    }
    text
}

/// Operations whose first argument is a tensor.
fn methods() -> impl Iterator<Item = &'static Operation> {
    let rows = FAMILIES.iter().flat_map(|(_, rows)| rows.iter());
    rows.filter(|row| row.parameters.first().is_some_and(|parameter| parameter.kind == Kind::Tensor))
}

fn tensor_methods() -> String {
    let mut text = HEAD.to_owned();
    text += "\nimport type { LossOptionsOf } from \"../../generated/losses.js\";\n";
    text += "import type { Dtype, Target } from \"../../types/arguments.js\";\n";
    text += "import type { AnyTensor } from \"../../types/objects.js\";\n";
    text += "import type { OperandData } from \"../../types/tensor-data.js\";\n";
    let has_methods = |rows: &[Operation]| rows.iter().any(|row| methods().any(|method| method.name == row.name));
    let families: Vec<_> = FAMILIES.iter().filter(|(_, rows)| has_methods(rows)).collect();
    for (family, _) in &families {
        text += &format!("import * as {family} from \"../functions/{family}.js\";\n");
    }
    text += "import * as losses from \"../functions/losses.js\";\n";
    text += "\n/** The operations and losses as methods of a tensor, which is the first argument. */\nexport interface TensorMethods<Result> {\n";
    for row in methods() {
        for form in signatures(row, 1, "Result") {
            text += &format!("{}  {}{form};\n", doc(row, "  "), row.name);
        }
    }
    for kind in LOSSES {
        for form in loss_signatures(kind) {
            text += &format!("  /** {} As the function `{}`. */\n  {}{form};\n", kind.about, kind.name, kind.name);
        }
    }
    text += "}\n\n/** A function, and how many arguments its method takes. */\ntype Method = readonly [operation: (...args: never) => unknown, count: number];\n\n";
    text += "/** The functions of the methods, by name. */\nexport const tensorMethods: readonly (readonly [name: string, ...Method])[] = [\n";
    for (family, rows) in families {
        for row in rows.iter().filter(|row| methods().any(|method| method.name == row.name)) {
            text += &format!("  [\"{}\", {family}.{}, {}],\n", row.name, row.name, row.parameters.len() - 1);
        }
    }
    for kind in LOSSES {
        text += &format!("  [\"{}\", losses.{}, {}],\n", kind.name, kind.name, kind.inputs().end());
    }
    text + "];\n"
}

/// The signatures of the method of a loss. A weight has one of its own, since the options can be in its place.
fn loss_signatures(kind: &LossKind) -> Vec<String> {
    let form = |targets: &[&str]| {
        let list: Vec<_> = targets.iter().map(|name| format!("{name}: Target")).collect();
        format!("({}, options?: LossOptionsOf[\"{}\"]): Result", list.join(", "), kind.name)
    };
    let is_required = |name: &&str| *name != WEIGHT;
    let required: Vec<_> = kind.targets.iter().copied().filter(is_required).collect();
    let mut forms = vec![form(&required)];
    if required.len() < kind.targets.len() {
        forms.push(form(kind.targets));
    }
    forms
}

#[test]
fn generated_operations_are_up_to_date() {
    for (family, rows) in FAMILIES {
        keep(FUNCTIONS, &format!("{family}.ts"), functions(family, rows));
    }
}

#[test]
fn generated_methods_are_up_to_date() {
    keep(FLUENT, "tensor-methods.ts", tensor_methods());
}

#[test]
fn generated_names_are_up_to_date() {
    let names = FAMILIES.iter().flat_map(|(_, rows)| rows.iter()).map(|row| format!("  | \"{}\"\n", row.name));
    let text = format!(
        "{HEAD}\n/** The name of an operation on tensors. */\nexport type OperationName =\n{}",
        names.collect::<String>()
    );
    keep(SDK, "operations.ts", format!("{};\n", text.trim_end()));
}
