//! Writes the texts of `help` for the SDK, which joins them with the options of the session's tables.

use stepwell_optim::{CATALOG, PRESETS, SCHEDULES};
use stepwell_typescript::{SDK, keep};

use crate::commands::operations::FAMILIES;
use crate::nn::container::CONTAINERS;
use crate::nn::layers::layer_tables;

/// A list of rows of texts, each row a list.
fn list(about: &str, name: &str, rows: impl Iterator<Item = Vec<String>>) -> String {
    let lines: Vec<_> = rows.map(|row| format!("  [{}],\n", row.join(", "))).collect();
    format!("\n/** {about} */\nexport const {name} = [\n{}] as const;\n", lines.concat())
}

fn quoted(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| format!("{text:?}")).collect()
}

fn help() -> String {
    let optimizers = CATALOG.iter().map(|row| quoted(&[row.name, row.pytorch.unwrap_or_default(), row.about]));
    let layers = layer_tables().into_iter().map(|(name, about, _)| quoted(&[name, about]));
    let containers = CONTAINERS.iter().map(|(name, _, about)| quoted(&[name, about]));
    let schedules = SCHEDULES.iter().map(|row| quoted(&[row.name, row.pytorch.unwrap_or_default(), row.about]));
    let presets = PRESETS.iter().map(|row| quoted(&[row.name, row.optimizer, row.about, row.source]));
    let operations = FAMILIES.iter().flat_map(|(family, rows)| {
        rows.iter().map(|row| {
            let parameters: Vec<_> = row.parameters.iter().map(|parameter| parameter.name).collect();
            let pytorch = if row.pytorch.is_empty() { row.name } else { row.pytorch };
            let mut texts = quoted(&[row.name, family, pytorch, &parameters.join(" ")]);
            texts.push(row.outputs.to_string());
            texts
        })
    });
    [
        "// Written by `cargo test -p stepwell-session generated` from the tables; not to be edited.\n".to_owned(),
        list("Optimizers: name, PyTorch class, sentence.", "optimizerTexts", optimizers),
        list("Kinds of modules: name, sentence.", "moduleTexts", layers.chain(containers)),
        list("Schedules: name, PyTorch class, sentence.", "scheduleTexts", schedules),
        list("Presets: name, optimizer, formula, publication.", "presetTexts", presets),
        list("Operations: name, family, PyTorch's name, arguments, results.", "operationTexts", operations),
    ]
    .concat()
}

#[test]
fn generated_help_is_up_to_date() {
    keep(SDK, "help.ts", help());
}
