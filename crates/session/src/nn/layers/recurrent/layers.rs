//! Recurrent layers over sequences `[t, n, inputs]`, with the batch first `[n, t, inputs]`, or without a batch `[t, inputs]`.
//!
//! The initial state follows, `[layers * directions, n, hidden]`; of an LSTM also the initial memory. The last input has lengths
//! `[n]` of dtype long, or a mask of padding `[n, t]` of dtype bool, which is true at padding. At padding the state stays and the
//! output is 0, as with packed sequences of PyTorch. Results are the output `[t, n, directions * hidden]` and the last state.

use std::ops::RangeInclusive;

use stepwell_optim::{Code, Error, Limit::*, Result, count, options, words};

use crate::engine::Engine;
use crate::engine::primitives::{Primitive, Unary};
use crate::mathematics::calculation::Calculation;
use crate::mathematics::tensor_math::TensorMath;
use crate::nn::context::{ForwardContext, InitContext, misfit};
use crate::nn::layer::{Layer, LayerDefinition};
use crate::nn::layers::dropout::dropped_elements;
use crate::nn::layers::recurrent::cell::Cell;
use crate::values::data::Data;
use crate::values::dtype::Dtype;

words! {
    /// The function of a simple cell.
    pub(crate) enum CellFunction {
        Tanh = "tanh",
        Relu = "relu",
    }
}

options! {
    /// Options of a layer of simple cells.
    pub(crate) struct RnnOptions {
        /// Size of the last dimension of the input.
        inputs: i64, limit AtLeast(1.0), alias "input_size";
        /// Size of the state.
        hidden: i64, limit AtLeast(1.0), alias "hidden_size";
        /// Layers, of which each takes the output of the one before.
        layers: i64 = 1, limit Closed(1.0, MAX_LAYERS), alias "num_layers";
        /// The function of a cell.
        r#fn: CellFunction = CellFunction::Tanh, alias "nonlinearity";
        /// Add a bias in both linear maps.
        bias: bool = true;
        /// The batch is the first dimension of input and output.
        batchfirst: bool = false, alias "batch_first";
        /// Probability of an element between two layers to become 0 while training.
        dropout: f64 = 0.0, limit Closed(0.0, 1.0);
        /// Run in both directions.
        bi: bool = false, alias "bidirectional";
    }
}

options! {
    /// Options of a layer of cells with gates.
    pub(crate) struct GatedOptions {
        /// Size of the last dimension of the input.
        inputs: i64, limit AtLeast(1.0), alias "input_size";
        /// Size of the state.
        hidden: i64, limit AtLeast(1.0), alias "hidden_size";
        /// Layers, of which each takes the output of the one before.
        layers: i64 = 1, limit Closed(1.0, MAX_LAYERS), alias "num_layers";
        /// Add a bias in both linear maps.
        bias: bool = true;
        /// The batch is the first dimension of input and output.
        batchfirst: bool = false, alias "batch_first";
        /// Probability of an element between two layers to become 0 while training.
        dropout: f64 = 0.0, limit Closed(0.0, 1.0);
        /// Run in both directions.
        bi: bool = false, alias "bidirectional";
    }
}

/// The largest number of layers; each takes the output of the one before.
const MAX_LAYERS: f64 = 10_000.0;

/// Memory of the tensors of a step besides their elements, at least; in bytes.
const STEP_BYTES: usize = 1024;

pub(crate) struct Rnn;
pub(crate) struct Lstm;
pub(crate) struct Gru;

impl LayerDefinition for Rnn {
    type Options = RnnOptions;
    const NAME: &'static str = "rnn";
    const ABOUT: &'static str = "Simple recurrent cells over a sequence. Results: output and state.";

    fn make<E: Engine>(o: RnnOptions, context: &mut InitContext<'_, E>) -> Result<Box<dyn Layer<E>>> {
        let RnnOptions { inputs, hidden, layers, r#fn, bias, batchfirst, dropout, bi } = o;
        let cell = Cell::Simple(if r#fn == CellFunction::Relu { Unary::Relu } else { Unary::Tanh });
        recurrent(cell, &GatedOptions { inputs, hidden, layers, bias, batchfirst, dropout, bi }, context)
    }
}

impl LayerDefinition for Lstm {
    type Options = GatedOptions;
    const NAME: &'static str = "lstm";
    const ABOUT: &'static str =
        "Cells with a long short-term memory over a sequence. Results: output, state and memory.";

    fn make<E: Engine>(o: GatedOptions, context: &mut InitContext<'_, E>) -> Result<Box<dyn Layer<E>>> {
        recurrent(Cell::Lstm, &o, context)
    }
}

impl LayerDefinition for Gru {
    type Options = GatedOptions;
    const NAME: &'static str = "gru";
    const ABOUT: &'static str = "Gated recurrent cells over a sequence. Results: output and state.";

    fn make<E: Engine>(o: GatedOptions, context: &mut InitContext<'_, E>) -> Result<Box<dyn Layer<E>>> {
        recurrent(Cell::Gru, &o, context)
    }
}

struct Recurrent<T> {
    cell: Cell,
    inputs: usize,
    hidden: usize,
    layers: usize,
    directions: usize,
    batch_first: bool,
    dropout: f64,
    /// How many parameters a direction of a layer has: two weights, and two biases or none.
    each: usize,
    parameters: Vec<(String, T)>,
}

#[inline(never)]
fn recurrent<E: Engine>(cell: Cell, o: &GatedOptions, context: &mut InitContext<'_, E>) -> Result<Box<dyn Layer<E>>> {
    let (inputs, hidden, layers) = (count(o.inputs), count(o.hidden), count(o.layers));
    let directions = if o.bi { 2 } else { 1 };
    let bound = 1.0 / (hidden as f64).sqrt();
    let rows = hidden.saturating_mul(cell.gates());
    let mut parameters = Vec::new();
    for layer in 0..layers {
        let columns = if layer == 0 { inputs } else { hidden.saturating_mul(directions) };
        for reverse in ["", "_reverse"].into_iter().take(directions) {
            let mut draw = |name, shape: &[usize]| -> Result<()> {
                parameters.push((format!("{name}_l{layer}{reverse}"), context.uniform(shape, bound)?));
                Ok(())
            };
            draw("weight_ih", &[rows, columns])?;
            draw("weight_hh", &[rows, hidden])?;
            if o.bias {
                draw("bias_ih", &[rows])?;
                draw("bias_hh", &[rows])?;
            }
        }
    }
    let each = if o.bias { 4 } else { 2 };
    let (batch_first, dropout) = (o.batchfirst, o.dropout);
    Ok(Box::new(Recurrent { cell, inputs, hidden, layers, directions, batch_first, dropout, each, parameters }))
}

impl<E: Engine> Layer<E> for Recurrent<E::Tensor> {
    fn parameters(&self) -> Vec<(&str, &E::Tensor)> {
        self.parameters.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect()
    }

    fn inputs(&self) -> RangeInclusive<usize> {
        1..=self.cell.states() + 2
    }

    fn forward_all(&self, context: &mut ForwardContext<'_, E>, inputs: &[E::Tensor]) -> Result<Vec<E::Tensor>> {
        let engine = context.engine;
        context.same_dtype(&inputs[0], &self.parameters[0].1)?;
        let shape = engine.shape(&inputs[0])?;
        let has_batch = shape.len() == 3;
        let [steps, batch] = match shape[..] {
            [batch, steps, size] if size == self.inputs && steps > 0 && self.batch_first => [steps, batch],
            [steps, batch, size] if size == self.inputs && steps > 0 && !self.batch_first => [steps, batch],
            [steps, size] if size == self.inputs && steps > 0 => [steps, 1],
            _ => return Err(self.misfit(&shape)),
        };
        // Of an empty batch too, since there are lists of the steps.
        let rows = self.hidden * self.cell.gates() * self.directions;
        engine.check_memory(&[steps, batch.max(1), rows.max(STEP_BYTES / 8)], Dtype::Double)?;
        let swapped = has_batch && self.batch_first;
        let mut x = match swapped {
            true => engine.transpose(&inputs[0], 0, 1)?,
            false => engine.with_shape(&inputs[0], &[steps, batch, self.inputs])?,
        };
        let (mut states, rest) = self.initial_states(context, &inputs[1..], batch, has_batch)?;
        let stops = match rest {
            Some(rest) => Some(stops(engine, rest, steps, batch)?),
            None => None,
        };
        for layer in 0..self.layers {
            if layer > 0 {
                x = dropped_elements(context, &x, self.dropout)?;
            }
            let mut outputs = Vec::new();
            for direction in 0..self.directions {
                outputs.append(&mut self.sequence(
                    engine,
                    layer * self.directions + direction,
                    &x,
                    &mut states,
                    &stops,
                )?);
            }
            x = self.joined(engine, &outputs, [steps, batch])?;
        }
        let output = match swapped {
            true => engine.transpose(&x, 0, 1)?,
            false => engine.with_shape(&x, &[&shape[..shape.len() - 1], &[self.directions * self.hidden]].concat())?,
        };
        let mut outputs = vec![output];
        for which in 0..self.cell.states() {
            let c = Calculation::new(engine);
            let each: Vec<_> = states.iter().map(|state| c.input(&state[which])).collect();
            let rows = self.layers * self.directions;
            let shape = if has_batch { vec![rows, batch, self.hidden] } else { vec![rows, self.hidden] };
            outputs.push(c.result(c.with_shape(c.cat(0, &each), &shape))?);
        }
        Ok(outputs)
    }
}

impl<T: Clone> Recurrent<T> {
    fn misfit(&self, given: &[usize]) -> Error {
        let size = self.inputs;
        let order = if self.batch_first { "n, t" } else { "t, n" };
        misfit(format_args!("[{order}, {size}] or [t, {size}] with t > 0"), given)
    }

    /// The states before the first step, `[n, hidden]`, of each direction of each layer; and the input after them, if there is one.
    fn initial_states<'a, E: Engine<Tensor = T>>(
        &self,
        context: &ForwardContext<'_, E>,
        inputs: &'a [T],
        batch: usize,
        has_batch: bool,
    ) -> Result<(Vec<[T; 2]>, Option<&'a T>)> {
        let engine = context.engine;
        let (given, rest) = match inputs.split_last() {
            Some((last, states)) if !engine.dtype(last)?.is_floating() => (states, Some(last)),
            _ => (inputs, None),
        };
        let (states, rows) = (self.cell.states(), self.layers * self.directions);
        if !given.is_empty() && given.len() != states {
            let message = format_args!("expected {states} initial states, or none, given {}", given.len());
            return Err(Error::new(Code::Argument, message));
        }
        let weight = &self.parameters[0].1;
        let c = Calculation::new(engine);
        let mut nodes = Vec::new();
        for state in given {
            context.same_dtype(state, weight)?;
            let (found, expected) = (engine.shape(state)?, [rows, batch, self.hidden]);
            if found != expected && (has_batch || found != [rows, self.hidden]) {
                let message = format_args!("expected an initial state of shape {expected:?}, given {found:?}");
                return Err(Error::new(Code::Shape, message));
            }
            nodes.push(c.split(c.with_shape(c.input(state), &expected), 0, 1, rows));
        }
        let shape = [batch, self.hidden];
        if nodes.is_empty() {
            engine.check_memory(&shape, engine.dtype(weight)?)?;
            let zero = Data::Double(vec![0.0]).cast(engine.dtype(weight)?)?;
            nodes.push(c.output(engine.full(&zero, &shape, engine.device(weight)?)));
        }
        let mut initial = Vec::new();
        for row in 0..rows {
            let offset = if given.is_empty() { 0 } else { row };
            let [hidden, memory] = [0, nodes.len() - 1].map(|i| c.result(c.with_shape(nodes[i].after(offset), &shape)));
            initial.push([hidden?, memory?]);
        }
        Ok((initial, rest))
    }

    /// The outputs of a direction of a layer for each step, `[n, hidden]`. Leaves its last state in `states`.
    fn sequence<E: Engine<Tensor = T>>(
        &self,
        engine: &E,
        row: usize,
        x: &T,
        states: &mut [[T; 2]],
        stops: &Option<Vec<T>>,
    ) -> Result<Vec<T>> {
        let size = self.hidden;
        let parameters = &self.parameters[row * self.each..][..self.each];
        let bias = |i: usize| parameters.get(i).map(|(_, bias)| bias);
        let mut list = engine.split(&engine.linear(x, &parameters[0].1, bias(2))?, 0, engine.shape(x)?[0])?;
        let is_reverse = row % self.directions == 1;
        let steps = list.len();
        let shape = [engine.shape(x)?[1], size * self.cell.gates()];
        for i in 0..steps {
            let step = if is_reverse { steps - 1 - i } else { i };
            let c = Calculation::new(engine);
            let before = [c.input(&states[row][0]), c.input(&states[row][1])];
            let from_state = c.linear(before[0], &parameters[1].1, bias(3));
            let mut next = self.cell.next(&c, [c.with_shape(c.input(&list[step]), &shape), from_state], before, size);
            let mut output = next[0];
            if let Some(stops) = stops {
                let stop = c.input(&stops[step]);
                output = c.number_where(stop, 0.0, output);
                next = [0, 1].map(|i| c.primitive(Primitive::Where, &[stop, before[i], next[i]]));
            }
            states[row] = [c.result(next[0])?, c.result(next[1])?];
            // In the place of the input, which is no longer needed.
            list[step] = c.result(output)?;
        }
        Ok(list)
    }

    /// The outputs of all steps of each direction as one tensor `[t, n, directions * hidden]`.
    fn joined<E: Engine<Tensor = T>>(&self, engine: &E, outputs: &[T], [steps, batch]: [usize; 2]) -> Result<T> {
        let c = Calculation::new(engine);
        let mut directions = Vec::new();
        for outputs in outputs.chunks(steps) {
            let outputs: Vec<_> = outputs.iter().map(|output| c.input(output)).collect();
            directions.push(c.with_shape(c.cat(0, &outputs), &[steps, batch, self.hidden]));
        }
        c.result(c.cat(2, &directions))
    }
}

/// For each step `[n, 1]`: true at padding, by lengths `[n]` or a mask `[n, t]`.
fn stops<E: Engine>(engine: &E, given: &E::Tensor, steps: usize, batch: usize) -> Result<Vec<E::Tensor>> {
    let (shape, data) = (engine.shape(given)?, engine.data(given)?);
    let mask = match data {
        Data::Long(lengths) if shape == [batch] => {
            if let Some(length) = lengths.iter().find(|length| !(0..=steps as i64).contains(length)) {
                let message = format_args!("expected lengths from 0 to {steps}, given {length}");
                return Err(Error::new(Code::Argument, message));
            }
            let padding = |length: i64| (0..steps).map(move |step| step as i64 >= length);
            lengths.into_iter().flat_map(padding).collect()
        }
        Data::Bool(mask) if shape == [batch, steps] => mask,
        other => {
            let (dtype, expected) = (other.dtype().name(), [batch, steps]);
            let message = format_args!(
                "expected lengths of shape {:?} and dtype long, or a mask of shape {expected:?} and dtype bool, given shape \
                 {shape:?} and dtype {dtype}",
                [batch]
            );
            return Err(Error::new(Code::Shape, message));
        }
    };
    let device = engine.device(given)?;
    let step_mask = |step| {
        let stopped = (0..batch).map(|row| mask[row * steps + step]).collect();
        engine.tensor(&Data::Bool(stopped), &[batch, 1], device)
    };
    (0..steps).map(step_mask).collect()
}
