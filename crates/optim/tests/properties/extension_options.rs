//! Extensions, and the presets that set them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::fs;
use std::path::PathBuf;

use serde_json::Value as Json;
use stepwell_optim::{
    CATALOG, Code, Definition, Optimizer, OptionValue, PRESETS, StepOptions, View, defaults, definition,
    first_changed_extension, positional,
};

use crate::steps::step;

type Named = Vec<(String, OptionValue)>;

fn made(definition: &'static Definition, named: &[(String, OptionValue)]) -> Optimizer {
    Optimizer::new(definition, &[], named).unwrap()
}

fn one(name: &str, value: OptionValue) -> Named {
    vec![(name.to_owned(), value)]
}

#[test]
fn extensions_come_last_and_have_no_position() {
    for definition in CATALOG {
        let (specs, count) = (definition.options, positional(definition.options).len());
        assert!(specs[count..].iter().all(|spec| spec.extension) && specs.iter().any(|spec| spec.name == "maximize"));
        let row = defaults(specs);
        assert!(first_changed_extension(specs, &row).is_none());
        assert_eq!(made(definition, &[]).groups()[0].options(), row);
        let error = Optimizer::new(definition, &row[..=count], &[]).err().unwrap();
        let expected = format!("{}: expected up to {count} positional options (lr", definition.name);
        assert!(error.code() == Code::Argument && error.to_string().starts_with(&expected), "{error}");
        assert!(!error.to_string().contains("maximize"));
        let climbing = made(definition, &one("maximize", OptionValue::Flag(true)));
        assert_eq!(first_changed_extension(specs, climbing.groups()[0].options()).unwrap().name, "maximize");
    }
}

#[test]
fn maximizing_is_minimizing_along_the_negative_to_the_bit() {
    let switches = ["decay", "momentum", "amsgrad", "centered", "nesterov", "l2", "lrdecay"];
    for definition in CATALOG.iter().filter(|definition| !definition.needs_closure()) {
        // Without other options, with each of them, and with all.
        let known: Vec<_> = definition.options.iter().filter(|spec| switches.contains(&spec.name)).collect();
        let value = |name: &str| if ["decay", "momentum", "lrdecay"].contains(&name) { 0.3.into() } else { None };
        let row = |name: &str| (name.to_owned(), value(name).map_or(OptionValue::Flag(true), OptionValue::Float));
        let alone = known.iter().filter(|spec| spec.name != "nesterov").map(|spec| vec![row(spec.name)]);
        let all = known.iter().map(|spec| row(spec.name)).collect();
        for options in alone.chain([Vec::new(), all]) {
            let run = |maximize: bool| {
                let mut named: Named = options.clone();
                named.push(("maximize".into(), OptionValue::Flag(maximize)));
                let mut optimizer = made(definition, &named);
                let plan = optimizer.plan(0, &[], &[]).unwrap();
                optimizer.edit(0, plan, 2).unwrap();
                let mut x = ([0.3f32, -1.2, 0.7, 2.0, -0.1], [1.7f64, 0.0, -0.4]);
                for number in 0..20 {
                    let sign = if maximize { -1.0 } else { 1.0 };
                    let wave = |i: usize| sign * f64::from(number * 3 + i as i32).sin();
                    let mut g: (Vec<f32>, Vec<f64>) =
                        ((0..5).map(|i| wave(i) as f32).collect(), (5..8).map(wave).collect());
                    let views = &mut [Some(View::Float(&mut x.0, &mut g.0)), Some(View::Double(&mut x.1, &mut g.1))];
                    step(&mut optimizer, views, StepOptions::default()).unwrap();
                }
                x
            };
            assert_eq!(run(true), run(false), "{} {options:?}", definition.name);
        }
    }
}

/// The options of a recording, as the reference implementation had them.
fn recorded(optimizer: &str, name: &str) -> Option<Named> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../test/parity/recordings")
        .join(format!("{optimizer}.json"));
    let file: Json = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let recording = file["recordings"].as_array().unwrap().iter().find(|recording| recording["name"] == name)?;
    let value =
        |json: &Json| json.as_bool().map_or_else(|| OptionValue::Float(json.as_f64().unwrap()), OptionValue::Flag);
    Some(recording["options"].as_object().unwrap().iter().map(|(name, json)| (name.clone(), value(json))).collect())
}

#[test]
fn presets_are_what_the_reference_was_run_with() {
    for preset in PRESETS {
        let named: Named = preset.options.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let definition = definition(preset.optimizer).unwrap();
        let ours = made(definition, &named);
        // The first preset has the defaults.
        let theirs = made(definition, &recorded(preset.optimizer, preset.name).unwrap_or_default());
        assert_eq!(ours.groups()[0].options(), theirs.groups()[0].options(), "{}", preset.name);
        assert!(preset.name == "nvlamb" || recorded(preset.optimizer, preset.name).is_some(), "{}", preset.name);
    }
}

#[test]
fn lamb_refuses_a_norm_that_is_not_positive() {
    for wrong in [0.0, -1.0, f64::INFINITY, f64::NAN] {
        let error = Optimizer::new(definition("lamb").unwrap(), &[], &one("max_grad_norm", OptionValue::Float(wrong)));
        assert_eq!(error.err().unwrap().code(), Code::OptionRange);
    }
}
