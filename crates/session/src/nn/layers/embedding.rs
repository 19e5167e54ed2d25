//! A table of vectors: indices `[*]` to `[*, columns]`. The table starts standard normal, as in PyTorch.

use stepwell_optim::{Code, Error, Limit::*, Result, count, options};

use crate::engine::Engine;
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
    }
}

pub(crate) struct Embedding<T = ()> {
    rows: usize,
    weight: T,
}

impl LayerDefinition for Embedding {
    type Options = EmbeddingOptions;
    const NAME: &'static str = "embedding";
    const ABOUT: &'static str = "A vector for each index.";

    fn make<E: Engine>(o: EmbeddingOptions, context: &mut InitContext<'_, E>) -> Result<Box<dyn Layer<E>>> {
        let rows = count(o.rows);
        Ok(Box::new(Embedding { rows, weight: context.normal(&[rows, count(o.columns)])? }))
    }
}

impl<E: Engine> Layer<E> for Embedding<E::Tensor> {
    fn parameters(&self) -> Vec<(&str, &E::Tensor)> {
        vec![("weight", &self.weight)]
    }

    fn forward(&self, context: &mut ForwardContext<'_, E>, input: &E::Tensor) -> Result<E::Tensor> {
        let dtype = context.engine.dtype(input)?;
        if dtype != Dtype::Long {
            return Err(Error::new(Code::Dtype, format!("expected long indices, given {}", dtype.name())));
        }
        // The result has one more.
        check_dimensions(context.engine.shape(input)?.len() + 1)?;
        if let Data::Long(indices) = context.engine.data(input)?
            && let Some(index) = indices.iter().find(|index| !(0..self.rows as i64).contains(index))
        {
            let message = format!("expected indices from 0 to {}, given {index}", self.rows - 1);
            return Err(Error::new(Code::Argument, message));
        }
        context.engine.embedding(&self.weight, input)
    }
}
