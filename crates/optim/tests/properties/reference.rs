//! The reference page of each optimizer is written from its file and its option table. The test fails if a page was
//! stale.

#![allow(clippy::expect_used, clippy::panic, reason = "a test")]

use std::fs;
use std::path::{Path, PathBuf};

use stepwell_optim::{
    CATALOG, Definition, Limit, Objective, Optimizer, OptionKind, OptionSpec, OptionValue, PRESETS, Result,
    StepOptions, View, definition, positional,
};

/// The module documentation of an optimizer.
fn words_of(definition: &Definition) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/optimizers");
    let paths = [format!("{}.rs", definition.name), format!("{}/mod.rs", definition.name)];
    let source = paths.iter().find_map(|path| fs::read_to_string(folder.join(path)).ok());
    let source = source.expect("each optimizer has a file or a folder of its name");
    let lines = source.lines().map_while(|line| line.strip_prefix("//!"));
    lines.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>().join("\n")
}

fn shown(value: &OptionValue) -> String {
    match value {
        OptionValue::Float(number) if number.abs() < 1e-4 && *number != 0.0 => format!("{number:e}"),
        OptionValue::Flag(flag) => flag.to_string(),
        other => other.to_string(),
    }
}

fn row(spec: &OptionSpec) -> String {
    let kind = match spec.kind {
        OptionKind::Float => "number".to_owned(),
        OptionKind::Integer => "whole number".to_owned(),
        OptionKind::Flag => "boolean".to_owned(),
        OptionKind::Word(words) => words.join(", "),
        _ => "numbers".to_owned(),
    };
    let range = if spec.limit == Limit::Finite { String::new() } else { spec.limit.to_string() };
    let null = if spec.nullable { " or null" } else { "" };
    let default = (spec.default)().map_or_else(String::new, |value| shown(&value));
    let alias = spec.alias.map_or_else(String::new, |alias| format!("`{alias}`"));
    format!("| `{}` | {kind}{range}{null} | {default} | {alias} | {} |\n", spec.name, spec.doc)
}

const START: [f64; 3] = [0.5, 1.0, 4.0];
const TARGET: [f64; 3] = [1.0, 2.0, 3.0];

/// The mean squared error of the example, and its gradient.
fn example_loss(x: &[f64], gradient: &mut [f64]) -> f64 {
    let n = x.len() as f64;
    for ((g, x), y) in gradient.iter_mut().zip(x).zip(TARGET) {
        *g = 2.0 * (x - y) / n;
    }
    x.iter().zip(TARGET).map(|(x, y)| (x - y).powi(2)).sum::<f64>() / n
}

struct Example(Vec<f64>);

impl Objective<f64> for Example {
    fn set_parameters(&mut self, parameters: &[f64]) -> Result<()> {
        self.0 = parameters.to_vec();
        Ok(())
    }

    fn evaluate(&mut self, gradient: &mut [f64]) -> Result<f64> {
        Ok(example_loss(&self.0, gradient))
    }
}

/// The parameters after three steps of the example.
fn example_result(name: &str) -> Vec<f64> {
    let mut optimizer =
        Optimizer::new(definition(name).expect("it exists"), &[OptionValue::Float(0.1)], &[]).expect("a good rate");
    let plan = optimizer.plan(0, &[], &[]).expect("a good plan");
    optimizer.edit(0, plan, 1).expect("a good edit");
    let mut x = START.to_vec();
    for _ in 0..3 {
        if optimizer.definition().needs_closure() {
            let mut example = Example(x.clone());
            let (_, memory) = optimizer.closure_step().minimize_f64(&x, &mut example).expect("a good step");
            optimizer.set_lbfgs_state(memory);
            x = example.0;
        } else {
            let mut gradient = [0.0; 3];
            example_loss(&x, &mut gradient);
            optimizer
                .step(&mut [Some(View::Double(&mut x, &mut gradient))], StepOptions::default())
                .expect("a good step");
        }
    }
    x
}

fn example(definition: &Definition) -> String {
    let name = definition.name;
    let printed: Vec<_> = example_result(name).iter().map(|x| format!("{x:.6}")).collect();
    format!(
        r#"```ts
import {{ backward, mse, opt, step, tensor, zerograd }} from "@stepwell/sdk";

const x = tensor([0.5, 1, 4], "grad", "double");
const o = opt("{name}", x, 0.1);
for (let i = 0; i < 3; i++) {{
  step(o, () => {{
    zerograd(o);
    const loss = mse(x, [1, 2, 3]);
    backward(loss);
    return loss;
  }});
}}
console.log((tensor(x) as number[]).map((value) => value.toFixed(6)).join(" ")); // prints: {}
```
"#,
        printed.join(" ")
    )
}

/// The sentence about positions of options.
fn order(definition: &Definition) -> String {
    let count = positional(definition.options).len();
    format!(
        "The first {count} are positional. The rest are extensions: set by name, and reported only if they were changed."
    )
}

/// The presets of the optimizer, as a section.
fn presets(definition: &Definition) -> String {
    let own = PRESETS.iter().filter(|preset| preset.optimizer == definition.name);
    let rows: String =
        own.map(|preset| format!("- `presets.{}`: {} From {}.\n", preset.name, preset.about, preset.source)).collect();
    if rows.is_empty() { rows } else { format!("\n## Presets\n\n{rows}") }
}

fn page(definition: &Definition) -> String {
    let pytorch = definition.pytorch.map_or_else(String::new, |class| format!(" As `{class}`."));
    let step = definition.counts_steps.then_some("step");
    let state: Vec<_> = step.iter().chain(definition.buffers).map(|key| format!("`{key}`")).collect();
    let state = if definition.needs_closure() {
        "\nThe state belongs to all parameters and stands at the first; a step needs a closure.\n".to_owned()
    } else {
        format!("\nState of a parameter: {}.\n", state.join(", "))
    };
    let rows: String = definition.options.iter().map(row).collect();
    format!(
        "<!-- Written by `cargo test -p stepwell-optim reference`; not to be edited. -->\n\n# {}\n\n{}{pytorch}\n\n\
         {}\n\n## Options\n\n{}\n\n| option | takes | default | in PyTorch | |\n| --- | --- | --- | --- | --- |\n{rows}{state}{}\n\
         ## Example\n\n{}",
        definition.name,
        definition.about,
        words_of(definition),
        order(definition),
        presets(definition),
        example(definition)
    )
}

#[test]
fn pages_are_up_to_date() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference");
    fs::create_dir_all(&folder).expect("the folder can be made");
    let mut stale = Vec::new();
    for definition in CATALOG {
        let (path, text) = (folder.join(format!("{}.md", definition.name)), page(definition));
        if fs::read_to_string(&path).ok().as_deref() != Some(&text) {
            fs::write(&path, text).expect("the file can be written");
            stale.push(definition.name);
        }
    }
    assert!(stale.is_empty(), "pages that were not up to date and are now: {}", stale.join(", "));
}
