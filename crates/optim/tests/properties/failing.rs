//! If any allocation of a step fails, the step fails and changes nothing, and the next step gives the same result as
//! without it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use half::bf16;
use stepwell_optim::{
    AnyLbfgsStateDict, Buffer, CATALOG, Clip, Code, Error, LbfgsState, Objective, Optimizer, OptionValue, Result,
    StepOptions, View, definition,
};

use crate::allocator::until_enough;

/// Parameters of several lengths and types: one that threads share, some longer than a chunk, and many small ones.
struct Model {
    floats: Vec<(Vec<f32>, Vec<f32>)>,
    doubles: Vec<(Vec<f64>, Vec<f64>)>,
    bfloat16s: Vec<(Vec<bf16>, Vec<bf16>)>,
}

impl Model {
    fn new(doubles: bool) -> Self {
        let numbers = |length: usize, scale: f32| (0..length).map(move |i| (i % 17) as f32 * scale - 0.3);
        let floats = [300_000, 40_000].into_iter().chain([33; 200]);
        let floats = floats.map(|n| (numbers(n, 0.1).collect(), numbers(n, 0.01).collect())).collect();
        let pair = |n| (numbers(n, 0.1).map(f64::from).collect(), numbers(n, 0.01).map(f64::from).collect());
        let doubles = if doubles { [70_000, 5].map(pair).into() } else { Vec::new() };
        let pair = |n| (numbers(n, 0.1).map(bf16::from_f32).collect(), numbers(n, 0.01).map(bf16::from_f32).collect());
        Self { floats, doubles, bfloat16s: [70_000, 9].map(pair).into() }
    }

    fn len(&self) -> usize {
        self.floats.len() + self.doubles.len() + self.bfloat16s.len()
    }

    fn views(&mut self) -> Vec<Option<View<'_>>> {
        let floats = self.floats.iter_mut().map(|(p, g)| Some(View::Float(p, g)));
        let doubles = self.doubles.iter_mut().map(|(p, g)| Some(View::Double(p, g)));
        let bfloat16s = self.bfloat16s.iter_mut().map(|(p, g)| Some(View::BFloat16(p, g)));
        floats.chain(doubles).chain(bfloat16s).collect()
    }

    /// The bits of all parameters and gradients.
    fn bits(&self) -> Vec<u64> {
        let floats = self.floats.iter().flat_map(|(p, g)| p.iter().chain(g)).map(|x| u64::from(x.to_bits()));
        let doubles = self.doubles.iter().flat_map(|(p, g)| p.iter().chain(g)).map(|x| x.to_bits());
        let bfloat16s = self.bfloat16s.iter().flat_map(|(p, g)| p.iter().chain(g)).map(|x| u64::from(x.to_bits()));
        floats.chain(doubles).chain(bfloat16s).collect()
    }
}

/// The state of the optimizer: the step counts, and each buffer's type, length and a hash of its bits.
fn state(optimizer: &Optimizer) -> Vec<[u64; 3]> {
    fn sum(bits: impl Iterator<Item = u64>) -> u64 {
        bits.fold(0, |sum, bits| (sum ^ bits).wrapping_mul(0x100_0000_01b3))
    }
    let mut rows = Vec::new();
    for state in optimizer.groups().iter().flat_map(|group| group.states()) {
        let Some(state) = state else {
            rows.push([u64::MAX; 3]);
            continue;
        };
        rows.push([state.step, 0, 0]);
        rows.extend(state.buffers.iter().map(|buffer| match buffer {
            None => [0; 3],
            Some(Buffer::Float(b)) => [1, b.len() as u64, sum(b.iter().map(|x| u64::from(x.to_bits())))],
            Some(Buffer::Double(b)) => [2, b.len() as u64, sum(b.iter().map(|x| x.to_bits()))],
            Some(Buffer::BFloat16(b)) => [3, b.len() as u64, sum(b.iter().map(|x| u64::from(x.to_bits())))],
        }));
    }
    rows
}

/// Makes steps with one failing allocation each, until a step succeeds. Returns the number of failures.
fn disturbed(optimizer: &mut Optimizer, model: &mut Model, options: StepOptions<'_>, what: &str) -> usize {
    let before = state(optimizer);
    let mut views = model.views();
    let (_, failures) = until_enough(
        &mut (optimizer, &mut views),
        |(optimizer, views)| optimizer.step(views, options),
        |(optimizer, _), error, number| {
            assert_eq!(error.code(), Code::Memory, "{what}, allocation {number}: {error}");
            assert!(state(optimizer) == before, "{what}, allocation {number}: another state");
        },
    );
    failures
}

#[test]
fn a_step_whose_memory_is_refused_changes_nothing() {
    let average = ("average".to_owned(), OptionValue::Float(0.9));
    let moments = ("moments".to_owned(), OptionValue::Word("bfloat16".into()));
    for definition in CATALOG.iter().filter(|definition| !definition.needs_closure()) {
        // Some optimizers have no state that may have 16 bits.
        let has_moments = Optimizer::new(definition, &[], std::slice::from_ref(&moments)).is_ok();
        assert!(has_moments || !["adam", "lamb", "sgd"].contains(&definition.name), "{}", definition.name);
        let rows = [Vec::new(), vec![average.clone()], vec![moments.clone(), average.clone()]];
        for named in rows.into_iter().take(if has_moments { 3 } else { 2 }) {
            for (clip, threads) in [(Clip::None, 1), (Clip::Norm(0.1), 2)] {
                let what = format!("{} {named:?} {clip:?} {threads}", definition.name);
                let has_bfloat16_moments = named.iter().any(|(name, _)| name == "moments");
                let options = StepOptions { clip, threads, zero_gradients: false, ..StepOptions::default() };
                let make = || {
                    let model = Model::new(!has_bfloat16_moments);
                    let mut optimizer = Optimizer::new(definition, &[], &named).unwrap();
                    let row = optimizer.plan(0, &[], &[]).unwrap();
                    optimizer.edit(0, row, model.len()).unwrap();
                    (optimizer, model)
                };
                let ((mut smooth, mut at), (mut broken, mut model)) = (make(), make());
                let mut failures = Vec::new();
                for step in 0..3 {
                    smooth.step(&mut at.views(), options).unwrap();
                    failures.push(disturbed(&mut broken, &mut model, options, &format!("{what}, step {step}")));
                    if step == 1 {
                        // Converts the state, or adds another buffer to it.
                        for optimizer in [&mut smooth, &mut broken] {
                            let row =
                                optimizer.plan(0, &[], &[("average".to_owned(), OptionValue::Float(0.5))]).unwrap();
                            optimizer.edit(0, row, 0).unwrap();
                        }
                    }
                }
                assert!(failures[0] > 3 && failures[1] == 0, "{what}: {failures:?} allocations");
                assert!(at.bits() == model.bits(), "{what}: other numbers");
                assert!(smooth.groups() == broken.groups(), "{what}: another state");
            }
        }
    }
}

#[test]
fn an_edit_whose_memory_is_refused_changes_nothing() {
    let mut optimizer = Optimizer::new(definition("adam").unwrap(), &[], &[]).unwrap();
    for (before, parameters) in [(0, 200), (200, 300)] {
        let edit = |optimizer: &mut Optimizer| {
            let row = optimizer.plan(0, &[], &[])?;
            optimizer.edit(0, row, parameters)
        };
        let ((), failures) = until_enough(&mut optimizer, edit, |optimizer, error, _| {
            assert_eq!((error.code(), optimizer.groups()[0].states().len()), (Code::Memory, before));
        });
        assert!(failures > 0);
        assert_eq!(optimizer.groups()[0].states().len(), before + parameters);
    }
}

/// The sum of squared distances from 1, of many numbers.
struct Bowl(Vec<f64>);

impl Objective<f64> for Bowl {
    fn set_parameters(&mut self, parameters: &[f64]) -> Result<()> {
        self.0.copy_from_slice(parameters);
        Ok(())
    }

    fn evaluate(&mut self, gradient: &mut [f64]) -> Result<f64> {
        let scale = |i: usize| 1.0 + (i % 5) as f64;
        for (i, (g, x)) in gradient.iter_mut().zip(&self.0).enumerate() {
            *g = 2.0 * scale(i) * (x - 1.0);
        }
        Ok(self.0.iter().enumerate().map(|(i, x)| scale(i) * (x - 1.0) * (x - 1.0)).sum())
    }
}

#[test]
fn lbfgs_whose_memory_is_refused_changes_nothing() {
    for searches in [false, true] {
        let mut named =
            vec![("iter".to_owned(), OptionValue::Float(6.0)), ("history".to_owned(), OptionValue::Float(4.0))];
        named.push(if searches {
            ("search".to_owned(), OptionValue::Word("strong_wolfe".into()))
        } else {
            ("lr".to_owned(), OptionValue::Float(0.05))
        });
        let make = || Optimizer::new(definition("lbfgs").unwrap(), &[], &named).unwrap();
        let (mut smooth, mut broken) = (make(), make());
        // Rows longer than a block of the pool, so that a step allocates blocks.
        let (mut at, mut bowl) = (Bowl(vec![0.0; 300_000]), Bowl(vec![0.0; 300_000]));
        let step = |optimizer: &mut Optimizer, bowl: &mut Bowl, from: &[f64]| -> Result<()> {
            let (_, learned) = optimizer.closure_step().minimize_f64(from, bowl)?;
            optimizer.set_lbfgs_state(learned);
            Ok(())
        };
        let mut failures = Vec::new();
        for _ in 0..2 {
            let from = at.0.clone();
            step(&mut smooth, &mut at, &from).unwrap();
            let before = broken.lbfgs_state_dict().unwrap();
            let ((), failed) = until_enough(
                &mut (&mut broken, &mut bowl),
                |(broken, bowl)| step(broken, bowl, &from),
                |(broken, bowl), error, number| {
                    assert_eq!(error.code(), Code::Memory);
                    assert!(bowl.0 == from && broken.lbfgs_state_dict().unwrap() == before, "allocation {number}");
                },
            );
            failures.push(failed);
            assert!(bowl.0 == at.0 && broken.lbfgs_state_dict().unwrap() == smooth.lbfgs_state_dict().unwrap());
        }
        assert!(failures[0] > 5, "{failures:?}");
        // Converts the state to plain data and back.
        let is_memory = |error: Error| assert_eq!(error.code(), Code::Memory);
        let (state_dict, failed) =
            until_enough(&mut broken, |broken| broken.lbfgs_state_dict(), |_, error, _| is_memory(error));
        assert!(failed > 4 && state_dict == smooth.lbfgs_state_dict().unwrap());
        let mut copies: Vec<_> = (0..20).map(|_| state_dict.clone().unwrap()).collect();
        let make = |copies: &mut Vec<AnyLbfgsStateDict>| LbfgsState::try_from(copies.pop().unwrap());
        let (learned, failed) = until_enough(&mut copies, make, |_, error, _| is_memory(error));
        smooth.set_lbfgs_state(learned);
        assert!(failed > 0 && smooth.lbfgs_state_dict().unwrap() == state_dict);
    }
}
