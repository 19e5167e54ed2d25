//! Scaled dot-product attention with several heads. Vaswani et al. 2017, <https://arxiv.org/abs/1706.03762>.

use stepwell_optim::Result;

use crate::engine::Engine;
use crate::engine::primitives::{Binary, Primitive, Reduce};
use crate::mathematics::calculation::Calculation;
use crate::mathematics::tensor_math::TensorMath;
use crate::nn::context::ForwardContext;
use crate::nn::layers::attention::masks::{Masks, Sizes};
use crate::nn::layers::dropout::dropped_elements;

/// Queries, keys and values of all heads: `[n, l, heads * d]`, or `[l, n, heads * d]`.
pub(crate) struct Heads<T> {
    pub(crate) query: T,
    pub(crate) key: T,
    pub(crate) value: T,
    pub(crate) heads: usize,
    /// Whether the batch is the first dimension.
    pub(crate) batch_first: bool,
    /// Keys at the end that masks do not cover.
    pub(crate) more_keys: usize,
    /// The probability of a weight to become 0 while training.
    pub(crate) dropout: f64,
}

impl<T: Clone> Heads<T> {
    /// The attended values, as the queries are laid out, and the weights `[n, heads, l, s]`.
    pub(crate) fn attend<E: Engine<Tensor = T>>(
        &self,
        context: &mut ForwardContext<'_, E>,
        masks: Masks<'_, T>,
    ) -> Result<(T, T)> {
        let (engine, heads) = (context.engine, self.heads);
        let (shape, key_shape) = (engine.shape(&self.query)?, engine.shape(&self.key)?);
        // Permutations from dimensions of the input to [n, heads, l, d], and back.
        let (apart, together, along) = match self.batch_first {
            true => ([0, 2, 1, 3], [0, 2, 1, 3], 1),
            false => ([1, 2, 0, 3], [2, 0, 1, 3], 0),
        };
        let (batch, queries, keys) = (shape[1 - along], shape[along], key_shape[along]);
        let size = shape[2] / heads;
        engine.check_memory(&[batch, heads, queries, keys], engine.dtype(&self.query)?)?;
        let sizes = Sizes { batch, heads, queries, keys: keys - self.more_keys, more_keys: self.more_keys };
        let added = masks.added(engine, sizes, &self.query)?;
        let c = Calculation::new(engine);
        let split = |x: &T, [a, b]: [usize; 2]| c.permuted(c.with_shape(c.input(x), &[a, b, heads, size]), &apart);
        let (query, key) = (split(&self.query, [shape[0], shape[1]]), split(&self.key, [key_shape[0], key_shape[1]]));
        let scaled = c.with_number(Binary::Mul, query, 1.0 / (size as f64).sqrt());
        let mut scores = c.primitive(Primitive::MatMul, &[scaled, c.permuted(key, &[0, 1, 3, 2])]);
        if let Some(added) = &added {
            scores = c.binary(Binary::Add, scores, c.input(&added.scores));
        }
        let mut weights = c.primitive(Primitive::Softmax(3), &[scores]);
        if let Some(without) = added.as_ref().and_then(|added| added.without_keys.as_ref()) {
            weights = c.number_where(c.input(without), 0.0, weights);
        }
        let weights = dropped_elements(context, &c.result(weights)?, self.dropout)?;
        let value = split(&self.value, [key_shape[0], key_shape[1]]);
        let values = c.primitive(Primitive::MatMul, &[c.input(&weights), value]);
        let merged = c.with_shape(c.permuted(values, &together), &shape);
        Ok((c.result(merged)?, weights))
    }
}

/// The mean of weights `[n, heads, l, s]` over the heads.
pub(crate) fn mean_of_heads<E: Engine>(engine: &E, weights: &E::Tensor) -> Result<E::Tensor> {
    engine.reduce(Reduce::Mean, weights, &[1], false)
}
