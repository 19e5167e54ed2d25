//! A vector for each position of a sequence: `[*, n]` to `[1, n, columns]`. The vectors start as 0, as in the k-api.

use stepwell_optim::{Limit::*, Result, count, options};

use crate::engine::Engine;
use crate::engine::primitives::Binary;
use crate::mathematics::tensor_math::TensorMath;
use crate::nn::context::{ForwardContext, InitContext, misfit};
use crate::nn::layer::{Layer, LayerDefinition, Parts, run};

options! {
    /// Options of an embedding of positions.
    pub(crate) struct PositionOptions {
        /// The largest length of a sequence.
        rows: i64, limit AtLeast(1.0);
        /// Elements of a vector.
        columns: i64, limit AtLeast(1.0);
    }
}

pub(crate) struct EmbedPosition<T = ()> {
    rows: usize,
    pos: T,
}

impl LayerDefinition for EmbedPosition {
    type Options = PositionOptions;
    const NAME: &'static str = "embedpos";
    const ABOUT: &'static str = "A vector for each position of a sequence.";

    fn make<E: Engine>(o: PositionOptions, context: &mut InitContext<'_, E>) -> Result<Box<dyn Layer<E>>> {
        let rows = count(o.rows);
        Ok(Box::new(EmbedPosition { rows, pos: context.constant(&[1, rows, count(o.columns)], 0.0)? }))
    }
}

impl<E: Engine> Layer<E> for EmbedPosition<E::Tensor> {
    fn parameters(&self) -> Vec<(&str, &E::Tensor)> {
        vec![("pos", &self.pos)]
    }

    /// The elements of the input are not read.
    fn forward(&self, context: &mut ForwardContext<'_, E>, input: &E::Tensor) -> Result<E::Tensor> {
        let shape = context.engine.shape(input)?;
        match shape.last() {
            Some(length) if *length <= self.rows => context.engine.slice(&self.pos, 1, 0, *length),
            _ => Err(misfit(format_args!("[*, n] with n up to {}", self.rows), &shape)),
        }
    }
}

options! {
    /// Options of an embedding of sequences.
    pub(crate) struct SequenceOptions {
        /// Vectors in the table of tokens.
        rows: i64, limit AtLeast(1.0);
        /// Elements of a vector.
        columns: i64, limit AtLeast(1.0);
        /// The largest length of a sequence.
        length: i64, limit AtLeast(1.0);
    }
}

pub(crate) struct EmbedSequence;

/// Embeddings of tokens and of positions.
struct TokensAndPositions;

impl LayerDefinition for EmbedSequence {
    type Options = SequenceOptions;
    const NAME: &'static str = "embedseq";
    const ABOUT: &'static str = "The vector of each token, plus the vector of its position.";

    fn make<E: Engine>(o: SequenceOptions, context: &mut InitContext<'_, E>) -> Result<Box<dyn Layer<E>>> {
        let columns = o.columns as f64;
        context.part("tok", "embedding", &[o.rows as f64, columns], &[]);
        context.part("pos", "embedpos", &[o.length as f64, columns], &[]);
        Ok(Box::new(TokensAndPositions))
    }
}

impl<E: Engine> Layer<E> for TokensAndPositions {
    fn forward_with(
        &self,
        context: &mut ForwardContext<'_, E>,
        inputs: &[E::Tensor],
        parts: &Parts<'_, E>,
    ) -> Result<Vec<E::Tensor>> {
        let tokens = run(context, parts[0], inputs)?;
        let positions = run(context, parts[1], inputs)?;
        context.engine.binary(Binary::Add, &tokens, &positions).map(|output| vec![output])
    }
}
