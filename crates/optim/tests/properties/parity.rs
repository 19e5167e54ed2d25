//! Replays every recorded trajectory of `test/parity/recordings`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;

use serde_json::Value as Json;
use stepwell_optim::{
    CATALOG, Error, Objective, Optimizer, OptionValue, Result, Scalar, StepOptions, View, definition,
};

use crate::steps;

fn recordings(optimizer: &str) -> Json {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../test/parity/recordings")
        .join(format!("{optimizer}.json"));
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn vectors<T: Scalar>(json: &Json) -> Vec<Vec<T>> {
    let vector = |v: &Json| v.as_array().unwrap().iter().map(|x| T::from_f64(x.as_f64().unwrap())).collect();
    json.as_array().unwrap().iter().map(vector).collect()
}

fn options(json: &Json) -> Vec<(String, OptionValue)> {
    let value = |v: &Json| match v {
        Json::Null => OptionValue::Null,
        Json::Bool(flag) => OptionValue::Flag(*flag),
        Json::String(word) => OptionValue::Word(word.clone()),
        number => OptionValue::Float(number.as_f64().unwrap()),
    };
    json.as_object().unwrap().iter().map(|(name, v)| (name.clone(), value(v))).collect()
}

fn places(json: &Json) -> HashSet<(usize, usize)> {
    let place = |p: &Json| (p[0].as_u64().unwrap() as usize, p[1].as_u64().unwrap() as usize);
    json.as_array().map(|list| list.iter().map(place).collect()).unwrap_or_default()
}

/// A recording's value of a key, or the value that all recordings of its dtype share.
fn own_or_shared<'a>(file: &'a Json, recording: &'a Json, key: &str) -> &'a Json {
    recording.get(key).unwrap_or_else(|| &file["data"][recording["dtype"].as_str().unwrap()][key])
}

/// For f64: 1e-12 after one step and 1e-9 later, or the precision of the printed digits. For f32: the defaults of
/// `assert_close`. A step of L-BFGS has up to 20 iterations, so it counts as later.
fn assert_near<T: Scalar>(file: &Json, recording: &Json, step: usize, ours: &[Vec<T>]) {
    let Some(expected) = recording["expected"].get(step.to_string()) else { return };
    let is_double = size_of::<T>() == 8;
    let stated = recording.get("tolerance").or_else(|| (!is_double).then(|| &file["tolerance"]["float"]));
    let (rtol, atol) = match stated {
        Some(t) => (t["rtol"].as_f64().unwrap(), t["atol"].as_f64().unwrap()),
        None if step == 1 && file["optimizer"] != "lbfgs" => (1e-12, 1e-15),
        None => (1e-9, 1e-12),
    };
    for (p, (ours, theirs)) in ours.iter().zip(vectors::<f64>(expected)).enumerate() {
        for (i, (a, b)) in ours.iter().map(|x| x.to_f64()).zip(theirs).enumerate() {
            let place = || format!("{} {} step {step} [{p}][{i}]", file["optimizer"], recording["name"]);
            assert!((a - b).abs() <= atol + rtol * b.abs(), "{}: {a} instead of {b}", place());
        }
    }
}

trait Typed: Scalar {
    fn view<'a>(p: &'a mut [Self], g: &'a mut [Self]) -> View<'a>;
    fn minimize(o: &mut Optimizer, p: &[Self], f: &mut dyn Objective<Self>) -> Result<f64>;
}

impl Typed for f32 {
    fn view<'a>(p: &'a mut [f32], g: &'a mut [f32]) -> View<'a> {
        View::Float(p, g)
    }
    fn minimize(o: &mut Optimizer, p: &[f32], f: &mut dyn Objective<f32>) -> Result<f64> {
        let (loss, memory) = o.closure_step().minimize_f32(p, f)?;
        o.set_lbfgs_state(memory);
        Ok(loss)
    }
}

impl Typed for f64 {
    fn view<'a>(p: &'a mut [f64], g: &'a mut [f64]) -> View<'a> {
        View::Double(p, g)
    }
    fn minimize(o: &mut Optimizer, p: &[f64], f: &mut dyn Objective<f64>) -> Result<f64> {
        let (loss, memory) = o.closure_step().minimize_f64(p, f)?;
        o.set_lbfgs_state(memory);
        Ok(loss)
    }
}

/// Sets the options that a recording changes before a step, in its first and second group.
fn edit(optimizer: &mut Optimizer, recording: &Json, step: usize) {
    for (group, key) in ["edits", "edits1"].into_iter().enumerate() {
        if let Some(edit) = recording[key].get(step.to_string()) {
            let plan = optimizer.plan(group, &[], &options(edit)).unwrap();
            optimizer.edit(group, plan, 0).unwrap();
        }
    }
}

/// Adds the parameters of a recording in its groups, or in one. Returns their indices, group by group.
fn add_groups(optimizer: &mut Optimizer, recording: &Json, count: usize) -> Vec<usize> {
    let Some(groups) = recording["groups"].as_array() else {
        let plan = optimizer.plan(0, &[], &[]).unwrap();
        optimizer.edit(0, plan, count).unwrap();
        return (0..count).collect();
    };
    let mut order = Vec::new();
    for (index, group) in groups.iter().enumerate() {
        let members = group["parameters"].as_array().unwrap();
        let plan = optimizer.plan(index, &[], &options(&group["options"])).unwrap();
        optimizer.edit(index, plan, members.len()).unwrap();
        order.extend(members.iter().map(|p| p.as_u64().unwrap() as usize));
    }
    order
}

fn replay<T: Typed>(file: &Json, recording: &Json) {
    let mut optimizer =
        Optimizer::new(definition(file["optimizer"].as_str().unwrap()).unwrap(), &[], &options(&recording["options"]))
            .unwrap();
    let mut parameters = vectors::<T>(own_or_shared(file, recording, "parameters"));
    let order = add_groups(&mut optimizer, recording, parameters.len());
    let gradients = own_or_shared(file, recording, "gradients").as_array().unwrap();
    let (missing, zero) = (places(&recording["missing"]), places(&recording["zero"]));
    for (index, gradients) in gradients.iter().enumerate() {
        let step = index + 1;
        edit(&mut optimizer, recording, step);
        let mut gradients = vectors::<T>(gradients);
        for (p, gradient) in gradients.iter_mut().enumerate().filter(|(p, _)| zero.contains(&(step, *p))) {
            gradient.fill(T::from_f64(0.0));
            assert!(p < parameters.len());
        }
        let view = |(p, (parameter, gradient)): (usize, (_, _))| {
            (!missing.contains(&(step, p))).then(|| T::view(parameter, gradient))
        };
        let pairs = parameters.iter_mut().map(|p| &mut p[..]).zip(gradients.iter_mut().map(|g| &mut g[..]));
        let mut views: Vec<_> = pairs.enumerate().map(view).collect();
        let mut views: Vec<_> = order.iter().map(|&p| views[p].take()).collect();
        steps::step(&mut optimizer, &mut views, StepOptions::default()).unwrap();
        assert_near(file, recording, step, &parameters);
    }
}

/// An objective of the recordings, with their order of operations.
struct Recorded<T> {
    name: String,
    parameters: Vec<T>,
    evaluations: u64,
}

impl<T: Scalar> Objective<T> for Recorded<T> {
    fn set_parameters(&mut self, parameters: &[T]) -> Result<()> {
        self.parameters = parameters.to_vec();
        Ok(())
    }

    fn evaluate(&mut self, gradient: &mut [T]) -> Result<f64> {
        self.evaluations += 1;
        let n = T::from_f64;
        let x = &self.parameters;
        let mut loss = n(0.0);
        gradient.fill(n(0.0));
        let (climbs, name) = self.name.strip_prefix("negated ").map_or((false, &*self.name), |name| (true, name));
        match name {
            "rosenbrock" => {
                for i in 0..x.len() - 1 {
                    let (a, b) = (x[i + 1] - x[i] * x[i], n(1.0) - x[i]);
                    loss = loss + ((n(100.0) * a) * a + b * b);
                    gradient[i] = gradient[i] + ((n(-400.0) * a) * x[i] - n(2.0) * b);
                    gradient[i + 1] = gradient[i + 1] + n(200.0) * a;
                }
            }
            "quadratic" => {
                for i in 0..x.len() {
                    let (c, d) = (n(i as f64 + 1.0), x[i] - n(1.0));
                    loss = loss + (n(0.5) * c) * (d * d);
                    gradient[i] = c * d;
                }
            }
            other => panic!("unknown objective {other}"),
        }
        if climbs {
            gradient.iter_mut().for_each(|g| *g = -*g);
            return Ok(-loss.to_f64());
        }
        Ok(loss.to_f64())
    }
}

fn replay_closure<T: Typed>(file: &Json, recording: &Json) {
    let mut optimizer = Optimizer::new(definition("lbfgs").unwrap(), &[], &options(&recording["options"])).unwrap();
    let start = vectors::<T>(&recording["parameters"]);
    let name = recording["objective"].as_str().unwrap().to_owned();
    let mut objective = Recorded { name, parameters: start.concat(), evaluations: 0 };
    for step in 1..=recording["steps"].as_u64().unwrap() as usize {
        edit(&mut optimizer, recording, step);
        let from = objective.parameters.clone();
        let loss = T::minimize(&mut optimizer, &from, &mut objective).unwrap();
        if step == 1 {
            assert_eq!(loss, recording["losses"][0].as_f64().unwrap(), "loss of {}", recording["name"]);
        }
        let mut rest = &objective.parameters[..];
        let split = |p: &Vec<T>| rest.split_off(..p.len()).unwrap().to_vec();
        assert_near(file, recording, step, &start.iter().map(split).collect::<Vec<_>>());
        let evaluations = recording["evaluations"][step - 1].as_u64().unwrap();
        assert_eq!(objective.evaluations, evaluations, "evaluations of {} at step {step}", recording["name"]);
    }
}

#[test]
fn every_optimizer_follows_its_recorded_trajectories() {
    for definition in CATALOG {
        let file = recordings(definition.name);
        let list = file["recordings"].as_array().unwrap();
        assert!(list.len() >= 50, "{} has only {} recordings", definition.name, list.len());
        for recording in list {
            match (definition.needs_closure(), recording["dtype"].as_str().unwrap()) {
                (false, "double") => replay::<f64>(&file, recording),
                (false, "float") => replay::<f32>(&file, recording),
                (true, "double") => replay_closure::<f64>(&file, recording),
                (true, "float") => replay_closure::<f32>(&file, recording),
                (_, other) => panic!("unknown dtype {other}"),
            }
        }
    }
}

#[test]
fn a_closure_that_fails_leaves_everything_as_it_was() {
    struct Failing(Recorded<f64>, u64);
    impl Objective<f64> for Failing {
        fn set_parameters(&mut self, parameters: &[f64]) -> Result<()> {
            self.0.set_parameters(parameters)
        }
        fn evaluate(&mut self, gradient: &mut [f64]) -> Result<f64> {
            if self.0.evaluations == self.1 {
                return Err(Error::new(stepwell_optim::Code::Argument, "closure failed"));
            }
            self.0.evaluate(gradient)
        }
    }
    let start = vec![-1.2, 1.0, -0.5, 0.8];
    let fresh = || {
        let options = [("search".to_owned(), OptionValue::Word("strong_wolfe".into()))];
        Optimizer::new(definition("lbfgs").unwrap(), &[], &options).unwrap()
    };
    let objective = || Recorded { name: "rosenbrock".into(), parameters: start.clone(), evaluations: 0 };
    let mut smooth = (fresh(), objective());
    let mut broken = (fresh(), Failing(objective(), u64::MAX));
    for step in 0..3 {
        let from = smooth.1.parameters.clone();
        f64::minimize(&mut smooth.0, &from, &mut smooth.1).unwrap();
        // Fails in the middle of the step, and succeeds in the next attempt.
        broken.1.1 = broken.1.0.evaluations + 1 + step;
        let before = broken.0.lbfgs_state_dict().unwrap();
        f64::minimize(&mut broken.0, &from, &mut broken.1).unwrap_err();
        assert_eq!(broken.1.0.parameters, from);
        assert_eq!(broken.0.lbfgs_state_dict().unwrap(), before);
        broken.1.1 = u64::MAX;
        f64::minimize(&mut broken.0, &from, &mut broken.1).unwrap();
        assert_eq!(broken.1.0.parameters, smooth.1.parameters);
    }
}
