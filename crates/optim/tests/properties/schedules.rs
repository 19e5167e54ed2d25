//! Replays every recorded schedule of `test/parity/schedules`, and checks properties that all schedules have.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::fs;
use std::path::PathBuf;

use serde_json::Value as Json;
use stepwell_optim::{
    Children, Code, Optimizer, OptionSpec, OptionValue, Result, SCHEDULES, Schedule, ScheduleInstance, definition,
    schedule_definition,
};

fn recordings(schedule: &str) -> Json {
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../test/parity/schedules").join(format!("{schedule}.json"));
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// Every recording of every schedule, with the base rates of its file.
fn all() -> Vec<(Vec<f64>, Json)> {
    let files = SCHEDULES.iter().map(|definition| recordings(definition.name));
    files
        .flat_map(|file| {
            let base = numbers(&file["base"]);
            file["recordings"].as_array().unwrap().clone().into_iter().map(move |recording| (base.clone(), recording))
        })
        .collect()
}

fn numbers(json: &Json) -> Vec<f64> {
    json.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

fn value(json: &Json) -> OptionValue {
    match json {
        Json::Bool(flag) => OptionValue::Flag(*flag),
        Json::String(word) => OptionValue::Word(word.clone()),
        Json::Array(_) => OptionValue::List(numbers(json)),
        number => OptionValue::Float(number.as_f64().unwrap()),
    }
}

fn curve(specification: &Json) -> ScheduleInstance {
    let definition = schedule_definition(specification["schedule"].as_str().unwrap()).unwrap();
    let (key, children) = match definition.children {
        Children::None => ("", Vec::new()),
        Children::One(key) => (key, vec![curve(&specification[key])]),
        Children::Several(key) => (key, specification[key].as_array().unwrap().iter().map(curve).collect()),
    };
    let own = specification.as_object().unwrap().iter().filter(|(name, _)| *name != key && *name != "schedule");
    let options: Vec<_> = own.map(|(name, v)| (name.clone(), value(v))).collect();
    ScheduleInstance::new(definition, &options, &[], children).unwrap()
}

fn optimizer(name: &str, rates: &[f64]) -> Optimizer {
    let mut optimizer = Optimizer::new(definition(name).unwrap(), &[], &[]).unwrap();
    for (group, rate) in rates.iter().enumerate() {
        let plan = optimizer.plan(group, &[OptionValue::Float(*rate)], &[]).unwrap();
        optimizer.edit(group, plan, 0).unwrap();
    }
    optimizer
}

/// An optimizer with the schedule of a recording.
fn bound(base: &[f64], recording: &Json) -> Optimizer {
    let mut optimizer = optimizer(recording["optimizer"].as_str().unwrap(), base);
    optimizer.bind(curve(&recording["specification"]), None).unwrap();
    optimizer
}

fn advance(optimizer: &mut Optimizer, recording: &Json, step: usize) {
    optimizer.advance(recording["metrics"].get(step).and_then(Json::as_f64)).unwrap();
}

fn momenta(optimizer: &Optimizer) -> Vec<f64> {
    let place = optimizer.definition().options.iter().position(|spec| matches!(spec.name, "momentum" | "beta1"));
    let of =
        |row: &[OptionValue]| if let OptionValue::Float(x) = row[place.unwrap()] { x } else { panic!("no number") };
    optimizer.groups().iter().map(|group| of(group.options())).collect()
}

fn assert_near(recording: &Json, key: &str, step: usize, ours: &[f64]) {
    let Some(expected) = recording.get(key) else { return };
    for (group, ours) in ours.iter().enumerate() {
        let theirs = expected[group][step].as_f64().unwrap();
        let near = (ours - theirs).abs() <= 1e-12 * theirs.abs() + 1e-16;
        let name = &recording["specification"]["schedule"];
        assert!(near, "{name} {} {key}[{group}] step {step}: {ours} instead of {theirs}", recording["name"]);
    }
}

#[test]
fn rates_follow_pytorch() {
    for (base, recording) in all() {
        let mut optimizer = bound(&base, &recording);
        for step in 0..=60 {
            assert_near(&recording, "rates", step, &optimizer.rates());
            if recording.get("momenta").is_some() {
                assert_near(&recording, "momenta", step, &momenta(&optimizer));
            }
            if step < 60 {
                advance(&mut optimizer, &recording, step);
            }
        }
    }
}

/// A row as named values, as files have it.
fn named(specs: &[OptionSpec], row: &[OptionValue]) -> Vec<(String, OptionValue)> {
    specs.iter().map(|spec| spec.name.to_owned()).zip(row.iter().cloned()).collect()
}

fn copy(curve: &ScheduleInstance) -> Result<ScheduleInstance> {
    let definition = curve.definition();
    let options = named(definition.options, curve.options());
    let progress = named(definition.progress, curve.progress());
    ScheduleInstance::new(definition, &options, &progress, curve.children().iter().map(copy).collect::<Result<_>>()?)
}

#[test]
fn a_schedule_that_is_saved_and_restored_goes_on_to_the_bit() {
    for (base, recording) in all() {
        for middle in [0, 1, 10, 31, 59] {
            let mut through = bound(&base, &recording);
            (0..middle).for_each(|step| advance(&mut through, &recording, step));
            let saved = through.schedule_state().unwrap();
            let restored = Schedule::new(copy(saved.instance()).unwrap(), saved.base_rates().to_vec());
            assert!(restored == *saved);
            let mut resumed = optimizer(recording["optimizer"].as_str().unwrap(), &through.rates());
            resumed.set_schedule_state(Some(restored)).unwrap();
            assert_eq!(resumed.rates(), through.rates());
            for step in middle..60 {
                advance(&mut through, &recording, step);
                advance(&mut resumed, &recording, step);
                assert_eq!(resumed.rates(), through.rates(), "{} after step {step}", recording["name"]);
            }
        }
    }
}

#[test]
fn every_schedule_goes_on_past_its_end() {
    for (base, recording) in all() {
        let mut optimizer = bound(&base, &recording);
        for step in 0..500 {
            optimizer.advance(Some(f64::from(step % 7))).unwrap();
            assert!(optimizer.rates().iter().all(|rate| rate.is_finite() && *rate >= 0.0));
        }
    }
}

#[test]
fn a_rate_set_by_hand_holds_until_the_next_schedule_step() {
    for (base, recording) in all() {
        let (mut plain, mut edited) = (bound(&base, &recording), bound(&base, &recording));
        for step in 0..20 {
            edited.set_rates(&[0.7]).unwrap();
            assert_eq!(edited.rates(), [0.7, 0.7]);
            advance(&mut plain, &recording, step);
            advance(&mut edited, &recording, step);
            assert_eq!(edited.rates(), plain.rates());
        }
    }
}

#[test]
fn a_group_added_later_has_its_own_base_rate() {
    let mut optimizer = optimizer("sgd", &[0.1]);
    optimizer.bind(curve(&serde_json::json!({ "schedule": "exponential", "gamma": 0.5 })), None).unwrap();
    optimizer.advance(None).unwrap();
    let plan = optimizer.plan(1, &[OptionValue::Float(0.8)], &[]).unwrap();
    optimizer.edit(1, plan, 0).unwrap();
    assert_eq!(optimizer.rates(), [0.05, 0.8]);
    optimizer.advance(None).unwrap();
    assert_eq!(optimizer.rates(), [0.025, 0.2]);
    assert_eq!(optimizer.schedule_state().unwrap().base_rates(), [0.1, 0.8]);
}

#[test]
fn a_schedule_that_does_not_fit_the_optimizer_changes_nothing() {
    let refused = |name: &str, specification: Json, code: Code| {
        let mut optimizer = optimizer(name, &[0.1, 0.2]);
        let groups = format!("{:?}", optimizer.groups());
        assert_eq!(optimizer.bind(curve(&specification), None).unwrap_err().code(), code);
        assert!(optimizer.schedule_state().is_none() && format!("{:?}", optimizer.groups()) == groups);
    };
    refused("adagrad", serde_json::json!({ "schedule": "onecycle", "max": 1, "steps": 9 }), Code::OptionRange);
    refused("sgd", serde_json::json!({ "schedule": "onecycle", "max": [1, 2, 3], "steps": 9 }), Code::OptionRange);
    refused(
        "adam",
        serde_json::json!({ "schedule": "onecycle", "max": 1, "steps": 9, "highmomentum": 1 }),
        Code::OptionRange,
    );

    let mut optimizer = optimizer("sgd", &[0.1, 0.2]);
    let plateau = curve(&serde_json::json!({ "schedule": "plateau" }));
    assert_eq!(optimizer.bind(plateau.clone(), Some(vec![0.1])).unwrap_err().code(), Code::Argument);
    assert_eq!(optimizer.bind(plateau.clone(), Some(vec![0.1, -1.0])).unwrap_err().code(), Code::OptionRange);
    assert_eq!(optimizer.advance(None).unwrap_err().code(), Code::Argument);
    let many = Schedule::new(plateau.clone(), vec![0.1; 3]);
    assert_eq!(optimizer.set_schedule_state(Some(many)).unwrap_err().code(), Code::Argument);
    assert!(optimizer.schedule_state().is_none());
    optimizer.bind(plateau, None).unwrap();
    assert_eq!(optimizer.advance(None).unwrap_err().code(), Code::Argument);

    optimizer.bind(curve(&serde_json::json!({ "schedule": "exponential", "gamma": 1e200 })), None).unwrap();
    optimizer.advance(None).unwrap();
    let before = (optimizer.rates(), optimizer.schedule_state().cloned());
    assert_eq!(optimizer.advance(None).unwrap_err().code(), Code::OptionRange);
    assert!((optimizer.rates(), optimizer.schedule_state().cloned()) == before);
}

#[test]
fn every_option_of_every_schedule_is_checked() {
    for definition in SCHEDULES {
        let inside = || match definition.children {
            Children::None => Vec::new(),
            _ => vec![curve(&serde_json::json!({ "schedule": "plateau" }))],
        };
        let fails = |named: &[(String, OptionValue)], progress: &[(String, OptionValue)]| {
            ScheduleInstance::new(definition, named, progress, inside()).err().map(|error| error.code())
        };
        let one = |name: &str, value: OptionValue| [(name.to_owned(), value)];
        assert_eq!(fails(&one("nonsense", OptionValue::Null), &[]), Some(Code::OptionUnknown));
        assert!(fails(&[], &one("nonsense", OptionValue::Null)).is_some());
        let required: Vec<_> = definition.options.iter().filter(|spec| (spec.default)().is_none()).collect();
        assert_eq!(fails(&[], &[]), required.first().map(|_| Code::Argument), "{}", definition.name);
        for spec in definition.options {
            for wrong in [
                OptionValue::Null,
                OptionValue::Word("many".into()),
                OptionValue::Float(f64::NAN),
                OptionValue::Float(-1.0),
            ] {
                assert!(fails(&one(spec.name, wrong), &[]).is_some(), "{} {}", definition.name, spec.name);
            }
        }
        let wrong = match definition.children {
            Children::None => vec![curve(&serde_json::json!({ "schedule": "plateau" }))],
            _ => Vec::new(),
        };
        let given: Vec<_> = required.iter().map(|spec| (spec.name.to_owned(), OptionValue::Float(1.0))).collect();
        assert!(fails(&given, &[]).is_none(), "{}", definition.name);
        assert_eq!(ScheduleInstance::new(definition, &given, &[], wrong).err().unwrap().code(), Code::Argument);
    }
}

#[test]
fn a_metric_that_is_not_finite_is_no_improvement() {
    let mut optimizer = optimizer("sgd", &[1.0]);
    optimizer.bind(curve(&serde_json::json!({ "schedule": "plateau", "patience": 1, "factor": 0.5 })), None).unwrap();
    for metric in [f64::NAN, f64::NEG_INFINITY] {
        optimizer.advance(Some(metric)).unwrap();
    }
    assert_eq!(optimizer.rates(), [0.5]);
    assert_eq!(optimizer.schedule_state().unwrap().instance().progress()[0], OptionValue::Null);
}
