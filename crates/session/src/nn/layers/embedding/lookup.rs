//! A table of vectors: indices `[*]` to `[*, columns]`. The table starts standard normal, as in PyTorch.

use stepwell_optim::{Code, Error, Limit::*, Result, count, options};

use crate::engine::Engine;
use crate::engine::primitives::{Binary, Compare, Primitive, Reduce, Unary};
use crate::mathematics::calculation::Calculation;
use crate::mathematics::tensor_math::TensorMath;
use crate::nn::context::{ForwardContext, InitContext};
use crate::nn::layer::{Layer, LayerDefinition};
use crate::values::data::Data;
use crate::values::dtype::Dtype;
use crate::values::numbers::check_dimensions;

options! {
    /// Options of an embedding.
    pub(crate) struct EmbeddingOptions {
        /// Vectors in the table.
        rows: i64, limit AtLeast(1.0), alias "num_embeddings";
        /// Elements of a vector.
        columns: i64, limit AtLeast(1.0), alias "embedding_dim";
        /// An index whose vector starts as 0 and is not trained; negative from the end.
        padindex: Option<i64> = None, alias "padding_idx";
        /// Vectors that are looked up are first scaled in the table to at most this norm; null: they are not.
        maxnorm: Option<f64> = None, limit AtLeast(0.0), alias "max_norm";
        /// The order of that norm.
        p: f64 = 2.0, limit Above(0.0), alias "norm_type";
    }
}

/// A table of vectors, and the rules for its use.
pub(crate) struct Table<T> {
    rows: usize,
    weight: T,
    /// The index whose vector is not trained.
    pub(crate) padding: Option<i64>,
    /// The largest norm and its order.
    limit: Option<(f64, f64)>,
}

impl<T: Clone> Table<T> {
    pub(crate) fn make<E: Engine<Tensor = T>>(
        owner: &str,
        o: EmbeddingOptions,
        context: &mut InitContext<'_, E>,
    ) -> Result<Self> {
        let rows = count(o.rows);
        let padding = match o.padindex {
            Some(index) if !(-o.rows..o.rows).contains(&index) => {
                let message = format_args!(
                    "{owner} padindex: expected a whole number from {} to {}, given {index}",
                    -o.rows,
                    o.rows - 1
                );
                return Err(Error::new(Code::OptionRange, message));
            }
            index => index.map(|index| index.rem_euclid(o.rows)),
        };
        let weight = context.table(rows, count(o.columns), padding.map(count))?;
        Ok(Table { rows, weight, padding, limit: o.maxnorm.map(|limit| (limit, o.p)) })
    }

    pub(crate) fn weight(&self) -> Vec<(&str, &T)> {
        vec![("weight", &self.weight)]
    }

    /// The table, if a look-up scales vectors in it.
    pub(crate) fn rescaled_weight(&self) -> Vec<(&str, &T)> {
        if self.limit.is_some() { self.weight() } else { Vec::new() }
    }

    /// The indices of a tensor, if all are in the table.
    pub(crate) fn indices<E: Engine<Tensor = T>>(&self, engine: &E, input: &T) -> Result<Vec<i64>> {
        let indices = long(engine, input)?;
        match indices.iter().find(|index| !(0..self.rows as i64).contains(index)) {
            None => Ok(indices),
            Some(index) => {
                let message = format_args!("expected indices from 0 to {}, given {index}", self.rows - 1);
                Err(Error::new(Code::Argument, message))
            }
        }
    }

    /// The vectors of indices that were checked, with elements `given`.
    pub(crate) fn vectors<E: Engine<Tensor = T>>(&self, engine: &E, indices: &T, given: &[i64]) -> Result<T> {
        if let Some((limit, order)) = self.limit {
            engine.no_grad(|| self.scale_to(engine, given, limit, order))?;
        }
        let look_up = || engine.embedding(&self.weight, indices);
        let vectors = look_up();
        let Some(padding) = self.padding.filter(|padding| given.contains(padding)) else { return vectors };
        let c = Calculation::new(engine);
        let constant = c.output(engine.no_grad(look_up));
        let mut shape = engine.shape(indices)?;
        shape.push(1);
        let number = c.output(engine.number_like(indices, padding as f64));
        let is_padding =
            c.primitive(Primitive::Compare(Compare::Eq), &[c.with_shape(c.input(indices), &shape), number]);
        c.result(c.primitive(Primitive::Where, &[is_padding, constant, c.output(vectors)]))
    }

    /// Scales each vector that is used to a norm of at most `limit`, in the table.
    fn scale_to<E: Engine<Tensor = T>>(&self, engine: &E, used: &[i64], limit: f64, order: f64) -> Result<()> {
        /// Added to a norm before the division, as PyTorch does.
        const EPSILON: f64 = 1e-7;
        let c = Calculation::new(engine);
        let weight = c.input(&self.weight);
        let powers = c.with_number(Binary::Pow, c.unary(Unary::Abs, weight), order);
        let sum = Primitive::Reduce { reduction: Reduce::Sum, dims: vec![1], keepdim: true };
        let norms = c.result(c.with_number(Binary::Pow, c.primitive(sum, &[powers]), 1.0 / order))?;
        let Data::Double(norms) = engine.data(&norms)?.cast(Dtype::Double)? else { return Ok(()) };
        let mut factors = vec![1.0; self.rows];
        for row in used {
            let norm = norms[*row as usize];
            if norm > limit {
                factors[*row as usize] = limit / (norm + EPSILON);
            }
        }
        if factors.iter().all(|factor| *factor == 1.0) {
            return Ok(());
        }
        let factors = Data::Double(factors).cast(engine.dtype(&self.weight)?)?;
        let factors = c.output(engine.tensor(&factors, &[self.rows, 1], engine.device(&self.weight)?));
        engine.copy(&c.result(c.binary(Binary::Mul, weight, factors))?, &self.weight)
    }
}

/// The elements of a tensor of dtype `long`.
pub(crate) fn long<E: Engine>(engine: &E, input: &E::Tensor) -> Result<Vec<i64>> {
    match engine.data(input)? {
        Data::Long(elements) => Ok(elements),
        other => Err(Error::new(Code::Dtype, format_args!("expected long indices, given {}", other.dtype().name()))),
    }
}

pub(crate) struct Embedding;

impl LayerDefinition for Embedding {
    type Options = EmbeddingOptions;
    const NAME: &'static str = "embedding";
    const ABOUT: &'static str = "A vector for each index.";

    fn make<E: Engine>(o: EmbeddingOptions, context: &mut InitContext<'_, E>) -> Result<Box<dyn Layer<E>>> {
        Ok(Box::new(Table::make(Self::NAME, o, context)?))
    }
}

impl<E: Engine> Layer<E> for Table<E::Tensor> {
    fn parameters(&self) -> Vec<(&str, &E::Tensor)> {
        self.weight()
    }

    fn rescaled(&self) -> Vec<(&str, &E::Tensor)> {
        self.rescaled_weight()
    }

    fn forward(&self, context: &mut ForwardContext<'_, E>, input: &E::Tensor) -> Result<E::Tensor> {
        // The result has one more.
        check_dimensions(context.engine.shape(input)?.len() + 1)?;
        let given = self.indices(context.engine, input)?;
        self.vectors(context.engine, input, &given)
    }
}
