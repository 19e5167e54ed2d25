//! Processes that share the state of an optimizer make the step of one process, to the bit. Threads stand for the processes.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::collections::HashSet;
use std::ops::Range;
use std::sync::{Barrier, Mutex, OnceLock};
use std::thread;

use half::{bf16, f16};
use stepwell_optim::{
    Buffer, CATALOG, CHUNK_LEN, Clip, Code, Definition, Error, LossScale, NonFinite, Optimizer, OptionValue, Outcome,
    Part, Peers, Result, Shards, State, StepOptions, View, definition,
};

use crate::option_variants::{Named, option_variants};

/// In elements: of several chunks, of one, of none, and small ones.
const LENGTHS: [usize; 9] = [40_001, 17, 16_385, 0, 1, 33_000, 5, 20_000, 700];

/// Processes that exchange rows of numbers.
struct Group {
    rows: Mutex<Vec<Vec<f64>>>,
    barrier: Barrier,
}

impl Group {
    fn new(size: usize) -> Self {
        Self { rows: Mutex::new(vec![Vec::new(); size]), barrier: Barrier::new(size) }
    }

    fn gather(&self, rank: usize, row: &[f64]) -> Result<Vec<Vec<f64>>> {
        self.rows.lock().unwrap()[rank] = row.to_vec();
        self.barrier.wait();
        let rows = self.rows.lock().unwrap().clone();
        self.barrier.wait();
        assert!(rows.iter().all(|other| other.len() == row.len()));
        Ok(rows)
    }
}

/// Parameters of four types with their gradients.
#[derive(Clone)]
enum Pair {
    Float(Vec<f32>, Vec<f32>),
    Double(Vec<f64>, Vec<f64>),
    Half(Vec<f16>, Vec<f16>),
    BFloat16(Vec<bf16>, Vec<bf16>),
}

fn wave(length: usize, seed: usize) -> impl Iterator<Item = f64> {
    static WAVE: OnceLock<Vec<f64>> = OnceLock::new();
    let wave = WAVE.get_or_init(|| (0..1009).map(|i| (f64::from(i) * 0.7).sin()).collect());
    (0..length).map(move |i| wave[(seed * 31 + i) % wave.len()])
}

impl Pair {
    fn new(index: usize, doubles: bool) -> Self {
        let length = LENGTHS[index];
        let numbers = || wave(length, index);
        match index % 4 {
            0 => Self::Float(numbers().map(|x| x as f32).collect(), vec![0.0; length]),
            1 if doubles => Self::Double(numbers().collect(), vec![0.0; length]),
            2 => Self::Half(numbers().map(f16::from_f64).collect(), vec![f16::ZERO; length]),
            _ => Self::BFloat16(numbers().map(bf16::from_f64).collect(), vec![bf16::ZERO; length]),
        }
    }

    fn set_gradient(&mut self, seed: usize) {
        match self {
            Self::Float(_, g) => *g = wave(g.len(), seed).map(|x| x as f32).collect(),
            Self::Double(_, g) => *g = wave(g.len(), seed).collect(),
            Self::Half(_, g) => *g = wave(g.len(), seed).map(f16::from_f64).collect(),
            Self::BFloat16(_, g) => *g = wave(g.len(), seed).map(bf16::from_f64).collect(),
        }
    }

    /// Makes the last element of the gradient infinite.
    fn spoil(&mut self) {
        match self {
            Self::Float(_, g) => g.iter_mut().last().into_iter().for_each(|g| *g = f32::INFINITY),
            Self::Double(_, g) => g.iter_mut().last().into_iter().for_each(|g| *g = f64::INFINITY),
            Self::Half(_, g) => g.iter_mut().last().into_iter().for_each(|g| *g = f16::INFINITY),
            Self::BFloat16(_, g) => g.iter_mut().last().into_iter().for_each(|g| *g = bf16::INFINITY),
        }
    }

    fn view(&mut self) -> View<'_> {
        match self {
            Self::Float(p, g) => View::Float(p, g),
            Self::Double(p, g) => View::Double(p, g),
            Self::Half(p, g) => View::Half(p, g),
            Self::BFloat16(p, g) => View::BFloat16(p, g),
        }
    }

    /// The bits of parameter and gradient.
    fn bits(&self) -> Vec<u64> {
        match self {
            Self::Float(p, g) => p.iter().chain(g).map(|x| u64::from(x.to_bits())).collect(),
            Self::Double(p, g) => p.iter().chain(g).map(|x| x.to_bits()).collect(),
            Self::Half(p, g) => p.iter().chain(g).map(|x| u64::from(x.to_bits())).collect(),
            Self::BFloat16(p, g) => p.iter().chain(g).map(|x| u64::from(x.to_bits())).collect(),
        }
    }
}

/// The state of some elements of a parameter of this length.
fn part_of(state: &StateBytes, range: &Range<usize>, length: usize) -> StateBytes {
    let part = |bytes: &Vec<u8>| {
        let element = bytes.len() / length.max(1);
        bytes[element * range.start..element * range.end].to_vec()
    };
    state.as_ref().map(|(step, buffers)| (*step, buffers.iter().map(|buffer| buffer.as_ref().map(part)).collect()))
}

/// A training: its optimizer, and the options of its steps.
#[derive(Clone)]
struct Training {
    definition: &'static Definition,
    named: Named,
    clip: Clip,
    non_finite: NonFinite,
    scales: bool,
    zeroes: bool,
    /// A parameter whose gradient is not finite in the second step.
    spoiled: Option<usize>,
}

/// The step count and the bytes of the buffers of a parameter.
type StateBytes = Option<(u64, Vec<Option<Vec<u8>>>)>;

/// The results of a training on one process.
struct Trained {
    /// Of each parameter and its gradient.
    bits: Vec<Vec<u64>>,
    states: Vec<StateBytes>,
    outcomes: Vec<String>,
    scale: Option<f64>,
    bytes: usize,
}

impl Training {
    fn new(name: &str) -> Self {
        let definition = definition(name).unwrap();
        let non_finite = NonFinite::Propagate;
        Self { definition, named: Vec::new(), clip: Clip::None, non_finite, scales: false, zeroes: true, spoiled: None }
    }

    fn pairs(&self) -> Vec<Pair> {
        let stores_bfloat16 = self.named.iter().any(|(name, _)| name == "moments");
        (0..LENGTHS.len()).map(|index| Pair::new(index, !stores_bfloat16)).collect()
    }

    /// Makes steps with the gradients of all processes. Two parameters lack a gradient in some steps, and one in all.
    fn train(&self, peers: Option<Peers<'_>>) -> Trained {
        let mut optimizer = Optimizer::new(self.definition, &[], &self.named).unwrap();
        let row = optimizer.plan(0, &[], &[]).unwrap();
        optimizer.edit(0, row, LENGTHS.len()).unwrap();
        if self.scales {
            let named =
                [("init".to_owned(), OptionValue::Float(4.0)), ("interval".to_owned(), OptionValue::Integer(2))];
            optimizer.loss_scale = Some(LossScale::new(&named).unwrap());
        }
        let (mut pairs, mut outcomes) = (self.pairs(), Vec::new());
        let options = StepOptions {
            clip: self.clip,
            non_finite: self.non_finite,
            zero_gradients: self.zeroes,
            peers,
            ..StepOptions::default()
        };
        for step in 0..5 {
            for (index, pair) in pairs.iter_mut().enumerate() {
                pair.set_gradient(10 * step + index);
            }
            if let Some(spoiled) = self.spoiled.filter(|_| step == 1) {
                pairs[spoiled].spoil();
                pairs[LENGTHS.len() - 1].spoil();
            }
            let has_gradient = |index: usize| index != 4 && (index != 5 || step > 1) && (index != 1 || step != 2);
            let views = pairs.iter_mut().enumerate().map(|(i, pair)| has_gradient(i).then(|| pair.view()));
            outcomes.push(match optimizer.step(&mut views.collect::<Vec<_>>(), options) {
                Ok(outcome) => format!("{outcome:?}"),
                Err(error) => format!("{:?} {error}", error.code()),
            });
        }
        let states = optimizer.groups().iter().flat_map(|group| group.states());
        let bytes = |buffer: &Option<Buffer>| buffer.as_ref().map(|buffer| buffer.as_bytes().to_vec());
        let bytes = |state: &State| (state.step, state.buffers.iter().map(bytes).collect());
        Trained {
            bits: pairs.iter().map(Pair::bits).collect(),
            states: states.map(|state| state.as_ref().map(bytes)).collect(),
            outcomes,
            scale: optimizer.loss_scale.as_ref().map(LossScale::scale),
            bytes: optimizer.state_size().bytes,
        }
    }

    fn shards(&self, rank: usize, size: usize) -> Shards {
        // A trust ratio needs the norm of a whole parameter.
        let splits = Optimizer::new(self.definition, &[], &self.named).unwrap().splits_parameters();
        assert_eq!(splits, self.definition.name != "lamb");
        Shards::new(rank, size, &LENGTHS.map(|length| (length, true)), splits)
    }

    /// Trains by several processes, which exchange what `exchange` makes of the rows.
    fn train_shared(&self, size: usize, exchange: fn(usize, &mut [Vec<f64>])) -> Vec<Trained> {
        let group = &Group::new(size);
        thread::scope(|scope| {
            let ranks: Vec<_> = (0..size)
                .map(|rank| {
                    scope.spawn(move || {
                        let shards = &self.shards(rank, size);
                        let gather = &|row: &[f64]| {
                            let mut rows = group.gather(rank, row)?;
                            exchange(rank, &mut rows);
                            Ok(rows)
                        };
                        self.train(Some(Peers { shards, gather }))
                    })
                })
                .collect();
            ranks.into_iter().map(|rank| rank.join().unwrap()).collect()
        })
    }

    /// True if processes make the steps of one.
    fn is_equal(&self, one: &Trained, size: usize, exchange: fn(usize, &mut [Vec<f64>])) -> bool {
        let ranks = self.train_shared(size, exchange);
        let shards = self.shards(0, size);
        let others_lack_state = ranks.iter().enumerate().all(|(rank, trained)| {
            let owns = |i: usize| self.shards(rank, size).own(i).is_some();
            (0..LENGTHS.len()).all(|i| owns(i) || trained.states[i].is_none())
        });
        // Of the parameters of others, too. The one without a gradient has no view.
        let is_zeroed = |trained: &Trained, i: usize| trained.bits[i][LENGTHS[i]..].iter().all(|bits| *bits == 0);
        let are_zeroed = ranks.iter().all(|trained| (0..LENGTHS.len()).all(|i| i == 4 || is_zeroed(trained, i)));
        let of_owners = (0..LENGTHS.len()).all(|i| {
            shards.parts()[i].iter().all(|Part { owner, range }| {
                let (owner, gradients) = (&ranks[*owner], range.start + LENGTHS[i]..range.end + LENGTHS[i]);
                owner.bits[i][range.clone()] == one.bits[i][range.clone()]
                    && owner.bits[i][gradients.clone()] == one.bits[i][gradients]
                    && owner.states[i] == part_of(&one.states[i], range, LENGTHS[i])
            })
        });
        let agree = ranks.iter().all(|rank| (&rank.outcomes, rank.scale) == (&one.outcomes, one.scale));
        // The owners of parts of a parameter have 8 bytes for its step count each.
        let bytes = ranks.iter().map(|rank| rank.bytes).sum::<usize>();
        let parts: usize =
            shards.parts().iter().zip(&one.states).map(|(parts, state)| state.iter().len() * (parts.len() - 1)).sum();
        let counts = if self.definition.counts_steps { 8 * parts } else { 0 };
        others_lack_state && are_zeroed == self.zeroes && of_owners && agree && bytes == one.bytes + counts
    }
}

/// Every optimizer with each of its paths: plain, clipped, and with a loss scale and a gradient that is not finite.
fn trainings() -> Vec<Training> {
    let mut trainings = Vec::new();
    for definition in CATALOG.iter().filter(|definition| !definition.needs_closure()) {
        for named in option_variants(definition) {
            let plain = Training { named, ..Training::new(definition.name) };
            trainings.push(Training { clip: Clip::Norm(0.5), zeroes: false, ..plain.clone() });
            trainings.push(Training { clip: Clip::Norm(2.0), scales: true, spoiled: Some(5), ..plain.clone() });
            trainings.push(plain);
        }
        let plain = Training::new(definition.name);
        trainings.push(Training {
            clip: Clip::Value(0.1),
            non_finite: NonFinite::Error,
            spoiled: Some(2),
            ..plain.clone()
        });
        trainings.push(Training { non_finite: NonFinite::Skip, spoiled: Some(0), ..plain });
    }
    trainings
}

const HONEST: fn(usize, &mut [Vec<f64>]) = |_, _| {};

#[test]
fn processes_that_share_the_state_make_the_steps_of_one() {
    for training in trainings() {
        let one = training.train(None);
        let is_spoiled = one.outcomes.iter().any(|outcome| outcome != "Stepped");
        assert_eq!(is_spoiled, training.spoiled.is_some());
        for size in if training.named.is_empty() { 1..5 } else { 2..4 } {
            let what = (training.definition.name, &training.named, training.clip);
            assert!(training.is_equal(&one, size, HONEST), "{what:?} of {size}");
        }
    }
}

#[test]
fn a_norm_of_the_own_elements_is_found() {
    // As of a process that forgets the squares of the others.
    let own: fn(usize, &mut [Vec<f64>]) = |rank, rows| {
        for (_, row) in rows.iter_mut().enumerate().filter(|(other, _)| *other != rank) {
            row[3..].fill(0.0);
        }
    };
    // As of one that adds what it should not: the squares of its first chunk twice.
    let twice: fn(usize, &mut [Vec<f64>]) = |_, rows| rows[0][3] *= 2.0;
    for training in [Training { clip: Clip::Norm(0.5), ..Training::new("adamw") }, Training::new("lamb")] {
        let one = training.train(None);
        for size in [2, 3] {
            assert!(!training.is_equal(&one, size, own), "{}", training.definition.name);
            assert!(!training.is_equal(&one, size, twice), "{}", training.definition.name);
            assert!(training.is_equal(&one, size, HONEST));
        }
    }
}

#[test]
fn a_process_that_fails_fails_all_before_anything_changes() {
    let training = Training { named: vec![("momentum".into(), OptionValue::Float(0.9))], ..Training::new("sgd") };
    let group = &Group::new(2);
    let results: Vec<_> = thread::scope(|scope| {
        let ranks = [0, 1].map(|rank| {
            let training = training.clone();
            scope.spawn(move || {
                let mut optimizer = Optimizer::new(training.definition, &[], &training.named).unwrap();
                let row = optimizer.plan(0, &[], &[]).unwrap();
                optimizer.edit(0, row, LENGTHS.len()).unwrap();
                let shards = &training.shards(rank, 2);
                let gather = &|row: &[f64]| group.gather(rank, row);
                let mut pairs = training.pairs();
                let mut step = |limit: usize, optimizer: &mut Optimizer| {
                    for (index, pair) in pairs.iter_mut().enumerate() {
                        pair.set_gradient(index);
                    }
                    let before: Vec<_> = pairs.iter().map(Pair::bits).collect();
                    let limit = move |_: usize| limit;
                    let peers = Some(Peers { shards, gather });
                    let options =
                        StepOptions { memory_limit: &limit, peers, zero_gradients: true, ..StepOptions::default() };
                    let mut views: Vec<_> = pairs.iter_mut().map(|pair| Some(pair.view())).collect();
                    let result = optimizer.step(&mut views, options);
                    let after: Vec<_> = pairs.iter().map(Pair::bits).collect();
                    (result, before == after)
                };
                let failed = step(if rank == 1 { 0 } else { usize::MAX }, &mut optimizer);
                let bytes = optimizer.state_size().bytes;
                (failed, bytes, step(usize::MAX, &mut optimizer))
            })
        });
        ranks.into_iter().map(|rank| rank.join().unwrap()).collect()
    });
    let codes: Vec<_> = results.iter().map(|((failed, _), ..)| failed.as_ref().map_err(Error::code)).collect();
    assert_eq!(codes, [Err(Code::Distributed), Err(Code::Memory)]);
    for ((_, is_unchanged), bytes, (next, _)) in results {
        assert!(is_unchanged && bytes == 0);
        assert_eq!(next.unwrap(), Outcome::Stepped);
    }
}

#[test]
fn owners_are_balanced() {
    // The largest first: 9, 8 and 7, then 5 to the third, 4 to the second, 3 to the first. The frozen one comes last.
    let parameters = [(3, true), (9, true), (4, true), (100, false), (8, true), (5, true), (7, true), (0, true)];
    let owners = |shards: &Shards| shards.parts().iter().map(|parts| parts[0].owner).collect::<Vec<_>>();
    let shards = Shards::new(1, 3, &parameters, false);
    assert_eq!(owners(&shards), [0, 0, 1, 0, 1, 2, 2, 0]);
    assert!(shards.own(2) == Some(&(0..4)) && shards.own(0).is_none() && shards.own(8).is_none());
    // More processes than parameters.
    assert_eq!(owners(&Shards::new(3, 5, &parameters[..2], false)), [1, 0]);
}

#[test]
fn a_parameter_that_is_larger_than_a_share_has_several_owners() {
    let (chunk, rows) =
        (CHUNK_LEN, [(10 * CHUNK_LEN + 5, true), (2 * CHUNK_LEN, true), (7, true), (90 * CHUNK_LEN, false)]);
    let parts = |size| Shards::new(0, size, &rows, true).parts().to_vec();
    let part = |owner, range| Part { owner, range };
    // A share of three processes has a bit more than 4 chunks.
    let [first, second, third, frozen] = <[_; 4]>::try_from(parts(3)).unwrap();
    let end = 10 * chunk + 5;
    assert_eq!(first, [part(0, 0..4 * chunk), part(1, 4 * chunk..8 * chunk), part(2, 8 * chunk..end)]);
    assert_eq!((second, third), (vec![part(2, 0..2 * chunk)], vec![part(0, 0..7)]));
    // A frozen parameter has no state.
    assert_eq!(frozen.len(), 1);
    for size in 1..40 {
        for (parts, (length, _)) in parts(size).iter().zip(rows) {
            let owners: HashSet<_> = parts.iter().map(|part| part.owner).collect();
            assert_eq!(owners.len(), parts.len());
            assert!(owners.iter().all(|owner| *owner < size));
            let ends: Vec<_> = parts.iter().map(|part| part.range.end).collect();
            let starts: Vec<_> = parts.iter().map(|part| part.range.start).collect();
            assert!(starts.iter().all(|start| start % CHUNK_LEN == 0));
            assert_eq!((starts[0], *ends.last().unwrap()), (0, length));
            assert_eq!(starts[1..], ends[..ends.len() - 1]);
        }
    }
}
