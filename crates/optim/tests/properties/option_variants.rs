//! Options that select each path through the loops of an optimizer.

use stepwell_optim::{Definition, OptionValue};

/// Options by name.
pub(crate) type Named = Vec<(String, OptionValue)>;

/// Options that select other paths through the loops.
pub(crate) fn option_variants(definition: &Definition) -> Vec<Named> {
    let flag = |name: &str| vec![(name.to_owned(), OptionValue::Flag(true))];
    let number = |name: &str| vec![(name.to_owned(), OptionValue::Float(0.5))];
    let mut variants = vec![Vec::new(), number("decay"), number("average")];
    let moments = vec![("moments".into(), OptionValue::Word("bfloat16".into()))];
    variants.extend((definition.name != "adagrad").then(|| moments.clone()));
    variants.extend(match definition.name {
        "adam" | "adamw" => vec![flag("amsgrad")],
        "sgd" => vec![number("momentum"), [number("momentum"), moments].concat()],
        "rmsprop" => vec![
            flag("centered"),
            number("momentum"),
            [flag("centered"), number("momentum")].concat(),
            [flag("centered"), number("momentum"), moments].concat(),
        ],
        "lamb" => vec![flag("l2"), vec![("globalnorm".into(), OptionValue::Flag(false))]],
        _ => Vec::new(),
    });
    variants
}
