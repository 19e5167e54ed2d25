//! The sum, the mean or the maximum of the vectors of each bag of indices: `[n, l]`, or indices `[l]` and offsets `[n]`, to
//! `[n, columns]`. A bag without indices gives 0. A third input `[n, l]` or `[l]` has the weights of a sum.
//!
//! Bags become rows of one length, so that one bag with many indices takes memory for all.

use stepwell_optim::{Code, Error, Limit::*, Result, options, words};

use crate::engine::Engine;
use crate::engine::primitives::{Binary, Primitive, Reduce};
use crate::mathematics::calculation::Calculation;
use crate::mathematics::tensor_math::TensorMath;
use crate::nn::context::{ForwardContext, InitContext};
use crate::nn::layer::{Layer, LayerDefinition};
use crate::nn::layers::embedding::lookup::{EmbeddingOptions, Table, long};
use crate::values::data::Data;
use crate::values::dtype::Dtype;

words! {
    /// How the vectors of a bag become one.
    pub(crate) enum BagMode {
        Sum = "sum",
        Mean = "mean",
        Max = "max",
    }
}

options! {
    /// Options of an embedding of bags.
    pub(crate) struct BagOptions {
        /// Vectors in the table.
        rows: i64, limit AtLeast(1.0), alias "num_embeddings";
        /// Elements of a vector.
        columns: i64, limit AtLeast(1.0), alias "embedding_dim";
        /// Vectors that are looked up are first scaled in the table to at most this norm; null: they are not.
        maxnorm: Option<f64> = None, limit AtLeast(0.0), alias "max_norm";
        /// The order of that norm.
        p: f64 = 2.0, limit Above(0.0), alias "norm_type";
        /// How the vectors of a bag become one.
        mode: BagMode = BagMode::Mean;
        /// An index that counts for nothing, whose vector starts as 0; negative from the end.
        padindex: Option<i64> = None, alias "padding_idx";
        /// The last offset is the end of the last bag.
        lastoffset: bool = false, alias "include_last_offset";
    }
}

pub(crate) struct EmbedBag<T = ()> {
    table: Table<T>,
    mode: BagMode,
    last_offset: bool,
}

impl LayerDefinition for EmbedBag {
    type Options = BagOptions;
    const NAME: &'static str = "embedbag";
    const ABOUT: &'static str = "The sum, mean or maximum of the vectors of each bag of indices.";

    fn make<E: Engine>(o: BagOptions, context: &mut InitContext<'_, E>) -> Result<Box<dyn Layer<E>>> {
        let BagOptions { rows, columns, maxnorm, p, mode, padindex, lastoffset } = o;
        let table = Table::make(Self::NAME, EmbeddingOptions { rows, columns, padindex, maxnorm, p }, context)?;
        Ok(Box::new(EmbedBag { table, mode, last_offset: lastoffset }))
    }
}

/// Where each bag begins and ends among the indices.
struct Bags(Vec<(usize, usize)>);

impl Bags {
    /// `count` bags of one length.
    fn even(count: usize, length: usize) -> Self {
        Bags((0..count).map(|bag| (bag * length, (bag + 1) * length)).collect())
    }

    /// Bags that begin at the offsets. `last` says that the last offset is an end.
    fn at(offsets: &[i64], last: bool, end: usize) -> Result<Self> {
        let ends = offsets.iter().skip(1).copied().chain((!last).then_some(end as i64));
        let mut bags = Vec::new();
        for (start, stop) in offsets.iter().copied().zip(ends) {
            if start < 0 || stop < start || stop > end as i64 || (bags.is_empty() && start != 0) {
                let message = format_args!("expected offsets that ascend from 0 to {end}, given {start} and {stop}");
                return Err(Error::new(Code::Argument, message));
            }
            bags.push((start as usize, stop as usize));
        }
        Ok(Bags(bags))
    }
}

impl<E: Engine> Layer<E> for EmbedBag<E::Tensor> {
    fn parameters(&self) -> Vec<(&str, &E::Tensor)> {
        self.table.weight()
    }

    fn rescaled(&self) -> Vec<(&str, &E::Tensor)> {
        self.table.rescaled_weight()
    }

    fn inputs(&self) -> std::ops::RangeInclusive<usize> {
        1..=3
    }

    fn forward_all(&self, context: &mut ForwardContext<'_, E>, inputs: &[E::Tensor]) -> Result<Vec<E::Tensor>> {
        let engine = context.engine;
        let shape = engine.shape(&inputs[0])?;
        let given = self.table.indices(engine, &inputs[0])?;
        let offsets = match inputs.get(1) {
            Some(offsets) => match engine.shape(offsets)? {
                none if none == [0] => Some((none, Vec::new())),
                shape => Some((shape, long(engine, offsets)?)),
            },
            None => None,
        };
        // Of bags without indices too, since there is a list of them.
        let size = |i: usize| shape.get(i).copied().unwrap_or(1).max(1);
        engine.check_memory(&[size(0), size(1), 4], Dtype::Double)?;
        let bags = match (&shape[..], &offsets) {
            ([count, length], None) => Bags::even(*count, *length),
            // Offsets without elements stand for none, before weights.
            ([count, length], Some((offsets, _))) if offsets[..] == [0] => Bags::even(*count, *length),
            ([end], Some((offsets, list))) if offsets.len() == 1 => Bags::at(list, self.last_offset, *end)?,
            (_, offsets) => {
                let given = offsets.as_ref().map_or("none".to_owned(), |(shape, _)| format!("{shape:?}"));
                let message = format_args!(
                    "expected indices [n, l], or indices [l] and offsets [n], given indices {shape:?} and offsets {given}"
                );
                return Err(Error::new(Code::Shape, message));
            }
        };
        if let Some(weights) = inputs.get(2) {
            self.check_weights(context, weights, &shape)?;
        }
        self.reduced(context, &given, bags, inputs.get(2)).map(|output| vec![output])
    }
}

impl<T: Clone> EmbedBag<T> {
    fn check_weights<E: Engine<Tensor = T>>(
        &self,
        context: &ForwardContext<'_, E>,
        weights: &T,
        shape: &[usize],
    ) -> Result<()> {
        if self.mode != BagMode::Sum {
            return Err(Error::new(Code::Argument, "expected no weights, unless the mode is sum"));
        }
        let given = context.engine.shape(weights)?;
        if given != shape {
            let message = format_args!("expected weights of the indices' shape {shape:?}, given {given:?}");
            return Err(Error::new(Code::Shape, message));
        }
        context.same_dtype(weights, self.table.weight()[0].1)
    }

    fn reduced<E: Engine<Tensor = T>>(
        &self,
        context: &ForwardContext<'_, E>,
        given: &[i64],
        Bags(bags): Bags,
        weights: Option<&T>,
    ) -> Result<T> {
        let (engine, weight) = (context.engine, self.table.weight()[0].1);
        let (dtype, device) = (engine.dtype(weight)?, engine.device(weight)?);
        let columns = engine.shape(weight)?[1];
        // A row has one place at least, so that a maximum exists.
        let length = bags.iter().map(|(start, end)| end - start).max().unwrap_or(0).max(1);
        engine.check_memory(&[bags.len(), length, columns], dtype)?;
        let (mut positions, mut indices, mut empty) = (Vec::new(), Vec::new(), Vec::new());
        let mut counts = Vec::new();
        for (start, end) in &bags {
            let mut counted = 0.0f64;
            for position in *start..start + length {
                let index = given.get(position).filter(|_| position < *end);
                let counts = index.is_some_and(|index| self.table.padding != Some(*index));
                positions.push(if index.is_some() { position as i64 } else { 0 });
                indices.push(index.copied().unwrap_or(0));
                empty.push(!counts);
                counted += f64::from(u8::from(counts));
            }
            counts.push(counted);
        }
        let c = Calculation::new(engine);
        let count = bags.len();
        let any_empty = empty.contains(&true);
        let given_indices = engine.tensor(&Data::Long(indices.clone()), &[count, length], device)?;
        let mut vectors = c.output(self.table.vectors(engine, &given_indices, &indices));
        let places = [count, length, 1];
        if let Some(weights) = weights.filter(|_| !given.is_empty()) {
            let positions = c.output(engine.tensor(&Data::Long(positions), &[count * length], device));
            let flat = c.with_shape(c.input(weights), &[given.len()]);
            let selected = c.primitive(Primitive::IndexSelect(0), &[flat, positions]);
            vectors = c.binary(Binary::Mul, vectors, c.with_shape(selected, &places));
        }
        if any_empty {
            let filler = if self.mode == BagMode::Max { f64::NEG_INFINITY } else { 0.0 };
            vectors = c.number_where(c.output(engine.tensor(&Data::Bool(empty), &places, device)), filler, vectors);
        }
        let result = match self.mode {
            // The gradient goes to the first of equal elements.
            BagMode::Max => {
                let first = c.primitive(Primitive::ArgReduce { largest: true, dim: 1, keepdim: true }, &[vectors]);
                let largest = c.with_shape(c.primitive(Primitive::Gather(1), &[vectors, first]), &[count, columns]);
                let without = Data::Bool(counts.iter().map(|count| *count == 0.0).collect());
                c.number_where(c.output(engine.tensor(&without, &[count, 1], device)), 0.0, largest)
            }
            _ => {
                let sums = c
                    .primitive(Primitive::Reduce { reduction: Reduce::Sum, dims: vec![1], keepdim: false }, &[vectors]);
                let divisor = |count: f64| if self.mode == BagMode::Mean { count.max(1.0) } else { 1.0 };
                let counts = Data::Double(counts.into_iter().map(divisor).collect()).cast(dtype)?;
                c.binary(Binary::Div, sums, c.output(engine.tensor(&counts, &[count, 1], device)))
            }
        };
        c.result(result)
    }
}
