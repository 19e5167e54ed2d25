//! Options of the groups of each optimizer: together they choose all kernels.

use stepwell_optim::{Definition, OptionValue};

/// Named options of a group.
pub(crate) type Named = Vec<(String, OptionValue)>;

fn number(name: &str, value: f64) -> (String, OptionValue) {
    (name.to_owned(), OptionValue::Float(value))
}

fn flag(name: &str, value: bool) -> (String, OptionValue) {
    (name.to_owned(), OptionValue::Flag(value))
}

/// The option for moments in bfloat16.
pub(crate) fn bfloat16_moments() -> (String, OptionValue) {
    ("moments".to_owned(), OptionValue::Word("bfloat16".into()))
}

/// One list of named options for each group.
pub(crate) fn groups(definition: &Definition) -> Vec<Named> {
    let decay = || number("decay", 0.1);
    match definition.name {
        "adam" | "adamw" => vec![
            vec![number("average", 0.9)],
            vec![decay(), flag("amsgrad", true), flag("maximize", true)],
            vec![decay(), bfloat16_moments(), number("average", 0.3)],
            vec![flag("amsgrad", true), bfloat16_moments()],
        ],
        "sgd" => vec![
            vec![],
            vec![decay(), flag("maximize", true), number("average", 0.9)],
            vec![number("momentum", 0.9), number("dampening", 0.2), decay()],
            vec![number("momentum", 0.9), flag("nesterov", true), bfloat16_moments()],
        ],
        "rmsprop" => vec![
            vec![decay(), number("average", 0.5)],
            vec![number("momentum", 0.9), bfloat16_moments()],
            vec![flag("centered", true), flag("maximize", true)],
            vec![flag("centered", true), number("momentum", 0.9), decay()],
        ],
        "adagrad" => vec![
            vec![number("average", 0.9)],
            vec![decay(), number("lrdecay", 0.1), flag("maximize", true)],
            vec![number("init", 0.5)],
        ],
        "lamb" => vec![
            vec![number("average", 0.9), number("eps", 1e-6)],
            vec![decay(), number("max_grad_norm", 0.5), flag("trustclip", false)],
            vec![decay(), flag("l2", true), bfloat16_moments(), flag("maximize", true)],
            vec![flag("unbiased", false), flag("use_nvlamb", false), flag("grad_averaging", false)],
            vec![decay(), flag("globalnorm", false), number("trustmin", 0.01)],
        ],
        other => panic!("{other}: expected options of its groups in this file"),
    }
}
