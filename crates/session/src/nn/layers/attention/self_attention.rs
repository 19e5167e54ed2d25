//! Attention of a sequence to itself: `[n, l, dim]` to `[n, l, dim]`.
//!
//! The inputs are x, a mask and a mask of padding. The mask may be larger than the sequence, of which it then covers the start.
//! Parts are named as in the k-api.

use std::ops::RangeInclusive;

use stepwell_optim::{Limit::*, Result, count, options};

use crate::engine::Engine;
use crate::mathematics::calculation::Calculation;
use crate::mathematics::tensor_math::TensorMath;
use crate::nn::context::{ForwardContext, InitContext, misfit};
use crate::nn::layer::{Layer, LayerDefinition, Parts, run};
use crate::nn::layers::attention::heads::Heads;
use crate::nn::layers::attention::masks::{Masks, given};
use crate::nn::layers::attention::multihead::check_heads;

options! {
    /// Options of self-attention.
    pub(crate) struct SelfAttentionOptions {
        /// Size of the last dimension of the input.
        dim: i64, limit AtLeast(1.0);
        /// Parts of that dimension which attend on their own.
        heads: i64, limit AtLeast(1.0);
        /// Probability of a weight to become 0 while training.
        dropout: f64 = 0.0, limit Closed(0.0, 1.0);
        /// Normalise the input first; the first linear map then adds no bias.
        norm: bool = false;
        /// A position attends to itself and to earlier ones.
        causal: bool = false, alias "is_causal", extension true;
    }
}

pub(crate) struct SelfAttention;

/// Its parts are a normalisation or none, and the linear maps before and after the heads, with the dropout between.
struct SelfHeads {
    dim: usize,
    heads: usize,
    dropout: f64,
    causal: bool,
}

impl LayerDefinition for SelfAttention {
    type Options = SelfAttentionOptions;
    const NAME: &'static str = "selfattention";
    const ABOUT: &'static str = "Attention of a sequence to itself with several heads.";

    fn make<E: Engine>(o: SelfAttentionOptions, context: &mut InitContext<'_, E>) -> Result<Box<dyn Layer<E>>> {
        check_heads(Self::NAME, o.dim, o.heads)?;
        let dim = o.dim as f64;
        if o.norm {
            context.part("norm", "layernorm", &[dim], &[]);
        }
        context.part("in", "linear", &[dim, 3.0 * dim], &[("bias", (!o.norm).into())]);
        context.part("drop", "dropout", &[o.dropout], &[]);
        context.part("out", "linear", &[dim, dim], &[]);
        let (dim, heads) = (count(o.dim), count(o.heads));
        Ok(Box::new(SelfHeads { dim, heads, dropout: o.dropout, causal: o.causal }))
    }
}

impl<E: Engine> Layer<E> for SelfHeads {
    fn inputs(&self) -> RangeInclusive<usize> {
        1..=3
    }

    fn forward_with(
        &self,
        context: &mut ForwardContext<'_, E>,
        inputs: &[E::Tensor],
        parts: &Parts<'_, E>,
    ) -> Result<Vec<E::Tensor>> {
        let (engine, dim) = (context.engine, self.dim);
        let shape = engine.shape(&inputs[0])?;
        if shape.len() != 3 || shape[2] != dim {
            return Err(misfit(format_args!("[n, l, {dim}]"), &shape));
        }
        let first = parts.len() - 3;
        let x = if first > 0 { run(context, parts[0], &inputs[..1])? } else { inputs[0].clone() };
        let all = run(context, parts[first], &[x])?;
        let c = Calculation::new(engine);
        let first_part = c.split(c.input(&all), 2, dim, 3);
        let mut mask = given(engine, inputs, 1)?.cloned();
        if let Some(large) = &mask
            && let [rows, columns] = engine.shape(large)?[..]
            && rows.min(columns) >= shape[1]
        {
            mask = Some(engine.slice(&engine.slice(large, 0, 0, shape[1])?, 1, 0, shape[1])?);
        }
        let masks = Masks { mask: mask.as_ref(), padding: given(engine, inputs, 2)?, causal: self.causal };
        let heads = Heads {
            query: c.result(first_part)?,
            key: c.result(first_part.after(1))?,
            value: c.result(first_part.after(2))?,
            heads: self.heads,
            batch_first: true,
            more_keys: 0,
            dropout: self.dropout,
        };
        let (values, _) = heads.attend(context, masks)?;
        run(context, parts[first + 2], &[values]).map(|output| vec![output])
    }
}
