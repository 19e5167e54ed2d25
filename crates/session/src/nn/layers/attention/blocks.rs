//! Layers of a transformer: attention, for a decoder also attention to the encoder's result, and a network of two linear maps.
//! Each is added to its input, with a normalisation before or after.
//!
//! An encoder layer takes x, a mask and a mask of padding. A decoder layer takes x, the memory, a mask, a mask of the memory, a
//! mask of padding and one of the memory's. A tensor of shape `[0]` stands for no mask. Parts are named as in PyTorch.

use std::ops::RangeInclusive;

use stepwell_optim::{Limit::*, Result, options, words};

use crate::engine::Engine;
use crate::engine::operations::Activation;
use crate::engine::primitives::Binary;
use crate::mathematics::tensor_math::TensorMath;
use crate::nn::context::{ForwardContext, InitContext};
use crate::nn::layer::{Layer, LayerDefinition, Parts, run};
use crate::nn::layers::attention::multihead::check_heads;
use crate::values::data::Data;
use crate::values::value::Value;

words! {
    /// The function between two linear maps.
    pub(crate) enum Between {
        Relu = "relu",
        Gelu = "gelu",
    }
}

options! {
    /// Options of a layer of a transformer.
    pub(crate) struct BlockOptions {
        /// Size of the last dimension of inputs and results.
        inputs: i64, limit AtLeast(1.0), alias "d_model";
        /// Heads of an attention.
        heads: i64, limit AtLeast(1.0), alias "nhead";
        /// Size between the two linear maps.
        dim: i64 = 2048, limit AtLeast(1.0), alias "dim_feedforward";
        /// Probability of an element to become 0 while training.
        dropout: f64 = 0.1, limit Closed(0.0, 1.0);
        /// The function between the two linear maps.
        r#fn: Between = Between::Relu, alias "activation";
        /// Normalise before attention and linear maps, and not after them.
        normfirst: bool = false, alias "norm_first", extension true;
        /// Added to the variance of a normalisation.
        eps: f64 = 1e-5, limit Above(0.0), alias "layer_norm_eps", extension true;
        /// The batch is the first dimension of inputs and results.
        batchfirst: bool = false, alias "batch_first", extension true;
        /// A position attends to itself and to earlier ones.
        causal: bool = false, alias "is_causal", extension true;
    }
}

pub(crate) struct EncoderLayer;
pub(crate) struct DecoderLayer;

/// A part of a block that is added to its input.
#[derive(Clone, Copy)]
enum Step {
    SelfAttention,
    MemoryAttention,
    Network,
}

const ENCODER: &[Step] = &[Step::SelfAttention, Step::Network];
const DECODER: &[Step] = &[Step::SelfAttention, Step::MemoryAttention, Step::Network];

struct Block {
    steps: &'static [Step],
    norm_first: bool,
    between: Activation,
}

impl LayerDefinition for EncoderLayer {
    type Options = BlockOptions;
    const NAME: &'static str = "encoderlayer";
    const ABOUT: &'static str = "A layer of an encoder: self-attention and two linear maps.";

    fn make<E: Engine>(o: BlockOptions, context: &mut InitContext<'_, E>) -> Result<Box<dyn Layer<E>>> {
        block(Self::NAME, ENCODER, &o, context)
    }
}

impl LayerDefinition for DecoderLayer {
    type Options = BlockOptions;
    const NAME: &'static str = "decoderlayer";
    const ABOUT: &'static str = "A layer of a decoder: self-attention, attention to a memory, and two linear maps.";

    fn make<E: Engine>(o: BlockOptions, context: &mut InitContext<'_, E>) -> Result<Box<dyn Layer<E>>> {
        block(Self::NAME, DECODER, &o, context)
    }
}

#[inline(never)]
fn block<E: Engine>(
    owner: &str,
    steps: &'static [Step],
    o: &BlockOptions,
    context: &mut InitContext<'_, E>,
) -> Result<Box<dyn Layer<E>>> {
    check_heads(owner, o.inputs, o.heads)?;
    let (size, dim) = (o.inputs as f64, o.dim as f64);
    for (name, causal) in [("self_attn", o.causal), ("multihead_attn", false)].into_iter().take(steps.len() - 1) {
        let named = [("batchfirst", o.batchfirst.into()), ("causal", causal.into())];
        context.part(name, "attention", &[size, o.heads as f64, o.dropout], &named);
    }
    context.part("linear1", "linear", &[size, dim], &[]);
    context.part("dropout", "dropout", &[o.dropout], &[]);
    context.part("linear2", "linear", &[dim, size], &[]);
    for i in 1..=steps.len() {
        context.part(&format!("norm{i}"), "layernorm", &[size, o.eps], &[]);
    }
    for i in 1..=steps.len() {
        context.part(&format!("dropout{i}"), "dropout", &[o.dropout], &[]);
    }
    let between = match o.r#fn {
        Between::Relu => Activation::Relu,
        Between::Gelu => Activation::Gelu { tanh: false },
    };
    Ok(Box::new(Block { steps, norm_first: o.normfirst, between }))
}

impl<E: Engine> Layer<E> for Block {
    fn inputs(&self) -> RangeInclusive<usize> {
        if self.steps.len() == DECODER.len() { 2..=6 } else { 1..=3 }
    }

    fn forward_with(
        &self,
        context: &mut ForwardContext<'_, E>,
        inputs: &[E::Tensor],
        parts: &Parts<'_, E>,
    ) -> Result<Vec<E::Tensor>> {
        let engine = context.engine;
        let count = self.steps.len();
        // Attentions, two linear maps and the dropout between, normalisations, dropouts.
        let (network, norms, dropouts) = (count - 1, count + 2, 2 * count + 2);
        let none = engine.tensor(&Data::Float(Vec::new()), &[0], engine.device(&inputs[0])?)?;
        let mask = |index: usize| inputs.get(index).unwrap_or(&none).clone();
        let mut x = inputs[0].clone();
        for (i, step) in self.steps.iter().enumerate() {
            let normalise = |context: &mut ForwardContext<'_, E>, x| run(context, parts[norms + i], &[x]);
            let given = if self.norm_first { normalise(context, x.clone())? } else { x.clone() };
            let added = match step {
                Step::SelfAttention => {
                    let (own, padding) = if count == DECODER.len() { (2, 4) } else { (1, 2) };
                    run(context, parts[0], &[given.clone(), given.clone(), given, mask(padding), mask(own)])?
                }
                Step::MemoryAttention => {
                    run(context, parts[1], &[given, inputs[1].clone(), inputs[1].clone(), mask(5), mask(3)])?
                }
                Step::Network => {
                    let hidden = run(context, parts[network], &[given])?;
                    let hidden = engine.activation(&hidden, self.between)?;
                    let hidden = run(context, parts[network + 1], &[hidden])?;
                    run(context, parts[network + 2], &[hidden])?
                }
            };
            let added = run(context, parts[dropouts + i], &[added])?;
            x = engine.binary(Binary::Add, &x, &added)?;
            if !self.norm_first {
                x = normalise(context, x)?;
            }
        }
        Ok(vec![x])
    }
}

impl BlockOptions {
    /// The options by name, for blocks of a stack.
    pub(crate) fn named(&self) -> [(&'static str, Value); 5] {
        [
            ("fn", Value::string(if self.r#fn == Between::Relu { "relu" } else { "gelu" })),
            ("normfirst", self.normfirst.into()),
            ("eps", Value::Number(self.eps)),
            ("batchfirst", self.batchfirst.into()),
            ("causal", self.causal.into()),
        ]
    }
}
