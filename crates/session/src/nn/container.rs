//! Containers: the modules that each may hold, their names, and the forward pass. As in ktorch.

use std::ops::RangeInclusive;

use stepwell_optim::{Brief, Code, Error, Result, Shared, documentation, joined};

use crate::engine::Engine;
use crate::engine::primitives::Binary;
use crate::mathematics::tensor_math::TensorMath;
use crate::nn::context::ForwardContext;

/// A kind of container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Container {
    /// Runs its modules one after the other: outputs of one are inputs of the next.
    Sequential,
    /// As [`Container::Sequential`].
    SeqNest,
    /// Sequences one after the other. Each gets the output of the one before, and as many further inputs of the container as it
    /// takes.
    SeqList,
    /// As [`Container::SeqList`].
    SeqDict,
    /// `join(qx(x), qy(y))`; with one input `x` is both, and a sequence that is missing or empty passes its input on.
    SeqJoin,
    /// `fn(q1(x) + q2(x))`; `x` itself without `q2`, and the sum itself without `fn`.
    Residual,
    /// The outputs of two modules for one input; a module that is missing passes its input on.
    Fork,
    /// N-BEATS (Oreshkin et al. 2020): a block gives backcast and forecast. The next block gets its input less the backcast;
    /// the output is the sum of forecasts.
    NBeats,
    /// The first sequence in training, the second in evaluation, if there is one.
    Transform,
    /// A recurrent layer, with sequences before and after it. Outputs are the result, and the last states, which are cut off from
    /// the graph: they are inputs of the next call.
    Recur,
    /// Holds modules by name, and does not run.
    ModuleDict,
    /// Holds modules by position, and does not run.
    ModuleList,
}

use Container::*;

/// Every kind of container: its name, and one sentence, which is empty in WebAssembly.
pub(crate) const CONTAINERS: &[(&str, Container, &str)] = &[
    ("sequential", Sequential, documentation("Modules one after the other.")),
    ("seqnest", SeqNest, documentation("Modules one after the other, as a part of another container.")),
    ("seqlist", SeqList, documentation("Sequences one after the other, which share the further inputs.")),
    ("seqdict", SeqDict, documentation("Sequences by name, one after the other, which share the further inputs.")),
    ("seqjoin", SeqJoin, documentation("Two sequences, and a module that joins their outputs.")),
    ("residual", Residual, documentation("The sum of a sequence and its input, or of two sequences.")),
    ("fork", Fork, documentation("The outputs of two modules for one input.")),
    ("nbeats", NBeats, documentation("Blocks of N-BEATS, each of which gives backcast and forecast.")),
    ("transform", Transform, documentation("A sequence for training, and one for use.")),
    ("recur", Recur, documentation("A recurrent layer, with sequences before and after it.")),
    ("moduledict", ModuleDict, documentation("Modules by name, which do not run.")),
    ("modulelist", ModuleList, documentation("Modules by position, which do not run.")),
];

/// Kinds of recurrent layers.
const RECURRENT: [&str; 3] = ["rnn", "lstm", "gru"];

/// A module that a container holds.
pub(crate) trait Part<E: Engine> {
    fn kind(&self) -> &'static str;
    /// How many inputs it takes.
    fn inputs(&self) -> RangeInclusive<usize>;
    fn forward(&self, context: &mut ForwardContext<'_, E>, inputs: &[E::Tensor]) -> Result<Vec<E::Tensor>>;
    /// The modules that it holds itself.
    fn parts(&self) -> &[Child<Self>];
}

/// A module with its key.
type Child<M> = (String, Shared<M>);

impl Container {
    /// The container of a name.
    pub(crate) fn named(name: &str) -> Option<(&'static str, Self)> {
        CONTAINERS.iter().find(|(known, ..)| *known == name).map(|(name, container, _)| (*name, *container))
    }

    /// Whether a module of the kind runs modules one after the other.
    pub(crate) fn is_sequence(kind: &str) -> bool {
        matches!(Self::named(kind), Some((_, Sequential | SeqNest)))
    }

    /// The key of a child that has no name, which follows children of these kinds; `None` for its position.
    pub(crate) fn key(self, before: &[&str], kind: &str) -> Option<&'static str> {
        // Called for few children only: a sequence may have very many.
        let is_second = || before.iter().any(|kind| Self::is_sequence(kind));
        Some(match (self, Self::is_sequence(kind)) {
            (SeqJoin, true) => ["qx", "qy"][usize::from(is_second())],
            (SeqJoin, false) => "join",
            (Residual, true) => ["q1", "q2"][usize::from(is_second())],
            (Residual, false) => "fn",
            (Fork, true) => ["qa", "qb"][before.len().min(1)],
            (Fork, false) => ["a", "b"][before.len().min(1)],
            (Recur, true) => ["in", "out"][usize::from(before.iter().any(|kind| RECURRENT.contains(kind)))],
            (Recur, false) => RECURRENT.into_iter().find(|known| *known == kind)?,
            (Transform, _) => ["train", "eval"][before.len().min(1)],
            _ => return None,
        })
    }

    /// Fails unless the container can hold children of these kinds, in this order.
    pub(crate) fn check(self, kinds: &[&str]) -> Result<()> {
        let sequences = kinds.iter().filter(|kind| Self::is_sequence(kind)).count();
        let lead = kinds.iter().take_while(|kind| Self::is_sequence(kind)).count();
        let (fits, expected) = match self {
            SeqList | SeqDict => (sequences == kinds.len(), "sequences"),
            SeqJoin => (
                (1..=2).contains(&lead) && sequences == lead && kinds.len() == lead + 1,
                "one or two sequences, and then a module that joins their outputs",
            ),
            Residual => (
                (1..=2).contains(&lead) && sequences == lead && kinds.len() <= lead + 1,
                "one or two sequences, and then optionally another module",
            ),
            Recur => (
                kinds.len() == sequences + 1
                    && lead <= 1
                    && sequences <= lead + 1
                    && RECURRENT.contains(kinds.get(lead).unwrap_or(&"")),
                "a layer rnn, lstm or gru, and optionally a sequence before and after it",
            ),
            Fork => (kinds.len() <= 2, "at most two modules"),
            Transform => (kinds.len() <= 2 && sequences == kinds.len(), "at most two sequences"),
            NBeats => {
                let blocks = kinds.iter().all(|kind| Self::is_sequence(kind) || *kind == "modulelist");
                (blocks, "sequences, and modulelists of them")
            }
            Sequential | SeqNest | ModuleDict | ModuleList => return Ok(()),
        };
        if fits {
            return Ok(());
        }
        let given = if kinds.is_empty() { "none".to_owned() } else { joined(kinds, ", ") };
        Err(Error::new(Code::Argument, format_args!("expected {expected}, given {given}")))
    }

    /// How many inputs the container takes.
    pub(crate) fn inputs<E: Engine, M: Part<E>>(self, children: &[Child<M>]) -> RangeInclusive<usize> {
        match (self, children.first()) {
            (Sequential | SeqNest | Residual, Some((_, first))) => first.inputs(),
            (SeqJoin, _) => 1..=2,
            (Recur, _) => 1..=4,
            (Fork | NBeats | Transform, _) => 1..=1,
            _ => 1..=usize::MAX,
        }
    }

    /// The outputs for some inputs, of which there are as many as it takes.
    pub(crate) fn forward<E: Engine, M: Part<E>>(
        self,
        children: &[Child<M>],
        context: &mut ForwardContext<'_, E>,
        inputs: &[E::Tensor],
    ) -> Result<Vec<E::Tensor>> {
        match self {
            Sequential | SeqNest => {
                children.iter().try_fold(inputs.to_vec(), |outputs, child| run(child, context, &outputs))
            }
            SeqList | SeqDict => {
                let mut inputs = inputs.to_vec();
                for child in children {
                    let taken = inputs.len().min(*child.1.inputs().end());
                    inputs[0] = run_one(child, context, &inputs[..taken])?;
                }
                inputs.truncate(1);
                Ok(inputs)
            }
            SeqJoin => {
                let (join, sequences) = split_last(children)?;
                let mut joined = Vec::new();
                for position in 0..2 {
                    let input = inputs.get(position).unwrap_or(&inputs[0]);
                    joined.push(branch(sequences.get(position), context, input)?);
                }
                run(join, context, &joined)
            }
            Residual => {
                let count = children.iter().filter(|(_, child)| Self::is_sequence(child.kind())).count();
                let first = run_one(&children[0], context, inputs)?;
                let second = if count == 2 { run_one(&children[1], context, inputs)? } else { inputs[0].clone() };
                let sum = combined(context.engine, Binary::Add, &first, &second)?;
                match children.get(count) {
                    Some(then) => run(then, context, &[sum]),
                    None => Ok(vec![sum]),
                }
            }
            Fork => (0..2).map(|position| branch(children.get(position), context, &inputs[0])).collect(),
            Recur => {
                let position = children.iter().position(|(_, child)| RECURRENT.contains(&child.kind())).unwrap_or(0);
                let before = if position > 0 { children.first() } else { None };
                let mut inputs = inputs.to_vec();
                inputs[0] = branch(before, context, &inputs[0])?;
                let mut outputs = run(&children[position], context, &inputs)?;
                outputs[0] = branch(children.get(position + 1), context, &outputs[0])?;
                for state in &mut outputs[1..] {
                    let engine = context.engine;
                    *state = engine.convert(state, engine.dtype(state)?, engine.device(state)?)?;
                }
                Ok(outputs)
            }
            Transform => {
                let found = children.get(usize::from(!context.training));
                branch(found, context, &inputs[0]).map(|output| vec![output])
            }
            NBeats => {
                let (mut rest, mut forecast) = (inputs[0].clone(), None);
                blocks(children, context, &mut rest, &mut forecast)?;
                let none = || Error::new(Code::Argument, "expected at least one block, given none");
                forecast.map(|forecast| vec![forecast]).ok_or_else(none)
            }
            ModuleDict | ModuleList => Err(Error::new(Code::Argument, "holds modules and does not run")),
        }
    }
}

/// Runs blocks of N-BEATS, also those in lists.
fn blocks<E: Engine, M: Part<E>>(
    children: &[Child<M>],
    context: &mut ForwardContext<'_, E>,
    rest: &mut E::Tensor,
    forecast: &mut Option<E::Tensor>,
) -> Result<()> {
    for child in children {
        if !Container::is_sequence(child.1.kind()) {
            blocks(child.1.parts(), context, rest, forecast)?;
            continue;
        }
        let outputs = run(child, context, std::slice::from_ref(rest))?;
        let [backcast, part] = outputs.as_slice() else {
            let message = format_args!("expected blocks with two outputs, given one with {}", outputs.len());
            return Err(Error::new(Code::Argument, message));
        };
        *rest = combined(context.engine, Binary::Sub, rest, backcast)?;
        *forecast = Some(match forecast.take() {
            Some(sum) => combined(context.engine, Binary::Add, &sum, part)?,
            None => part.clone(),
        });
    }
    Ok(())
}

/// The output of a module for an input; the input itself without a module.
fn branch<E: Engine, M: Part<E>>(
    child: Option<&Child<M>>,
    context: &mut ForwardContext<'_, E>,
    input: &E::Tensor,
) -> Result<E::Tensor> {
    child.map_or_else(|| Ok(input.clone()), |child| run_one(child, context, std::slice::from_ref(input)))
}

fn run<E: Engine, M: Part<E>>(
    (key, child): &Child<M>,
    context: &mut ForwardContext<'_, E>,
    inputs: &[E::Tensor],
) -> Result<Vec<E::Tensor>> {
    child.forward(context, inputs).map_err(|error| error.within(&format!("`{}`", Brief(key))))
}

fn run_one<E: Engine, M: Part<E>>(
    child: &Child<M>,
    context: &mut ForwardContext<'_, E>,
    inputs: &[E::Tensor],
) -> Result<E::Tensor> {
    let mut outputs = run(child, context, inputs)?;
    match (outputs.len(), outputs.pop()) {
        (1, Some(output)) => Ok(output),
        (count, _) => {
            let message =
                format_args!("`{}`: expected a module with one output, given one with {count}", Brief(&child.0));
            Err(Error::new(Code::Argument, message))
        }
    }
}

fn split_last<M>(children: &[Child<M>]) -> Result<(&Child<M>, &[Child<M>])> {
    children.split_last().ok_or_else(|| Error::new(Code::Internal, "a container without its modules"))
}

/// A sum or a difference of tensors of one dtype, whose shapes broadcast.
fn combined<E: Engine>(engine: &E, function: Binary, a: &E::Tensor, b: &E::Tensor) -> Result<E::Tensor> {
    let (first, second) = (engine.dtype(a)?, engine.dtype(b)?);
    if first != second {
        let message = format_args!("expected branches of one dtype, given {} and {}", first.name(), second.name());
        return Err(Error::new(Code::Dtype, message));
    }
    engine.binary(function, a, b)
}
