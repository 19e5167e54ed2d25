//! Attention of queries to keys: `query [l, n, dim]`, `key [s, n, kdim]` and `value [s, n, vdim]` to `[l, n, dim]`; with the
//! batch first, or without a batch.
//!
//! The inputs are query, key, value, a mask of padding and a mask, in this order; or x alone, which attends to itself. A tensor
//! of shape `[0]` stands for no mask. A query without any key gives 0 before the last linear map.

use std::ops::RangeInclusive;

use stepwell_optim::{Code, Error, Limit::*, Result, count, options};

use crate::engine::Engine;
use crate::engine::primitives::Primitive;
use crate::mathematics::calculation::Calculation;
use crate::mathematics::tensor_math::TensorMath;
use crate::nn::context::{ForwardContext, InitContext, misfit};
use crate::nn::layer::{Layer, LayerDefinition, Parts, run};
use crate::nn::layers::attention::heads::{Heads, mean_of_heads};
use crate::nn::layers::attention::masks::{Masks, given};
use crate::values::data::Data;

options! {
    /// Options of attention.
    pub(crate) struct AttentionOptions {
        /// Size of the last dimension of queries and results.
        dim: i64, limit AtLeast(1.0), alias "embed_dim";
        /// Parts of that dimension which attend on their own.
        heads: i64, limit AtLeast(1.0), alias "num_heads";
        /// Probability of a weight to become 0 while training.
        dropout: f64 = 0.0, limit Closed(0.0, 1.0);
        /// Add a bias in all linear maps.
        bias: bool = true;
        /// Train one more key and its value.
        addbias: bool = false, alias "add_bias_kv";
        /// Add one more key of zeros, with a value of zeros.
        addzero: bool = false, alias "add_zero_attn";
        /// Size of the last dimension of keys; null: as of queries.
        kdim: Option<i64> = None, limit AtLeast(1.0);
        /// Size of the last dimension of values; null: as of queries.
        vdim: Option<i64> = None, limit AtLeast(1.0);
        /// The batch is the first dimension of inputs and results.
        batchfirst: bool = false, alias "batch_first", extension true;
        /// A query attends to keys at its position and before.
        causal: bool = false, alias "is_causal", extension true;
        /// The weights are a second result: their mean over the heads.
        weights: bool = false, alias "need_weights", extension true;
    }
}

pub(crate) struct Attention;

/// Parameters and parts of an attention.
struct MultiHead<E: Engine> {
    heads: usize,
    dropout: f64,
    add_zero: bool,
    batch_first: bool,
    causal: bool,
    weights: bool,
    /// Sizes of queries, keys and values.
    sizes: [usize; 3],
    parameters: Vec<(&'static str, E::Tensor)>,
}

/// Fails unless the heads divide the size.
pub(crate) fn check_heads(owner: &str, dim: i64, heads: i64) -> Result<()> {
    if dim % heads == 0 {
        return Ok(());
    }
    let message = format_args!("{owner} heads: expected a divisor of {dim}, given {heads}");
    Err(Error::new(Code::OptionRange, message))
}

impl LayerDefinition for Attention {
    type Options = AttentionOptions;
    const NAME: &'static str = "attention";
    const ABOUT: &'static str =
        "Attention of a query to keys and values with several heads, or of one input to itself.";

    fn make<E: Engine>(o: AttentionOptions, context: &mut InitContext<'_, E>) -> Result<Box<dyn Layer<E>>> {
        check_heads(Self::NAME, o.dim, o.heads)?;
        let dim = count(o.dim);
        let sizes = [dim, o.kdim.map_or(dim, count), o.vdim.map_or(dim, count)];
        // As PyTorch's Xavier: uniform for matrices, normal for the key and the value of a bias.
        let bound = |rows: usize, columns: usize| (6.0 / (rows as f64 + columns as f64)).sqrt();
        let mut parameters = Vec::new();
        if sizes == [dim; 3] {
            let rows = dim.saturating_mul(3);
            parameters.push((IN_WEIGHT, context.uniform(&[rows, dim], bound(rows, dim))?));
        } else {
            for (name, size) in APART.into_iter().zip(sizes) {
                parameters.push((name, context.uniform(&[dim, size], bound(dim, size))?));
            }
        }
        if o.bias {
            parameters.push((IN_BIAS, context.constant(&[dim.saturating_mul(3)], 0.0)?));
        }
        if o.addbias {
            let deviation = (2.0 / (2.0 * dim as f64)).sqrt();
            for name in BIASES {
                parameters.push((name, context.normal(&[1, 1, dim], deviation)?));
            }
        }
        context.part("out_proj", "linear", &[o.dim as f64, o.dim as f64], &[("bias", o.bias.into())]);
        Ok(Box::new(MultiHead {
            heads: count(o.heads),
            dropout: o.dropout,
            add_zero: o.addzero,
            batch_first: o.batchfirst,
            causal: o.causal,
            weights: o.weights,
            sizes,
            parameters,
        }))
    }
}

const IN_WEIGHT: &str = "in_proj_weight";
const IN_BIAS: &str = "in_proj_bias";
/// Weights of queries, keys and values that differ in size.
const APART: [&str; 3] = ["q_proj_weight", "k_proj_weight", "v_proj_weight"];
const BIASES: [&str; 2] = ["bias_k", "bias_v"];

impl<E: Engine> Layer<E> for MultiHead<E> {
    fn parameters(&self) -> Vec<(&str, &E::Tensor)> {
        self.parameters.iter().map(|(name, tensor)| (*name, tensor)).collect()
    }

    fn inputs(&self) -> RangeInclusive<usize> {
        1..=5
    }

    /// The bias of the last linear map starts as 0, as in PyTorch.
    fn initialise(&self, context: &mut InitContext<'_, E>, tensors: &[(String, E::Tensor)]) -> Result<()> {
        match tensors.last() {
            Some((name, bias)) if name.ends_with("bias") => {
                context.engine.assign(bias, &Data::Float(vec![0.0; self.sizes[0]]))
            }
            _ => Ok(()),
        }
    }

    fn forward_with(
        &self,
        context: &mut ForwardContext<'_, E>,
        inputs: &[E::Tensor],
        parts: &Parts<'_, E>,
    ) -> Result<Vec<E::Tensor>> {
        let engine = context.engine;
        let [query, key, value] = match inputs {
            [x] => [x, x, x],
            [query, key, value, ..] => [query, key, value],
            _ => return Err(Error::new(Code::Argument, "expected 1 or 3 to 5 inputs, given 2")),
        };
        let shape = engine.shape(query)?;
        let has_batch = shape.len() != 2;
        let batched = [query, key, value].map(|x| self.with_batch(context, x, has_batch));
        let [query, key, value] = batched;
        let (query, key, value) = (query?, key?, value?);
        self.check_sizes(engine, [&query, &key, &value])?;
        let ([query, key, value], more_keys) = self.projected(engine, [&query, &key, &value])?;
        let masks = Masks { padding: given(engine, inputs, 3)?, mask: given(engine, inputs, 4)?, causal: self.causal };
        let heads = Heads {
            query,
            key,
            value,
            heads: self.heads,
            batch_first: self.batch_first,
            more_keys,
            dropout: self.dropout,
        };
        let (values, weights) = heads.attend(context, masks)?;
        let output = run(context, parts[0], &[values])?;
        let mut outputs = vec![engine.with_shape(&output, &shape)?];
        if self.weights {
            let weights = mean_of_heads(engine, &weights)?;
            let sizes = engine.shape(&weights)?;
            outputs.push(if has_batch { weights } else { engine.with_shape(&weights, &sizes[1..])? });
        }
        Ok(outputs)
    }
}

impl<E: Engine> MultiHead<E> {
    fn parameter(&self, name: &str) -> Option<&E::Tensor> {
        self.parameters.iter().find(|(own, _)| *own == name).map(|(_, tensor)| tensor)
    }

    /// The input with a batch of one, if it has none.
    fn with_batch(&self, context: &ForwardContext<'_, E>, x: &E::Tensor, has_batch: bool) -> Result<E::Tensor> {
        context.same_dtype(x, &self.parameters[0].1)?;
        let shape = context.engine.shape(x)?;
        match shape[..] {
            [_, _, _] if has_batch => Ok(x.clone()),
            [length, size] if !has_batch && self.batch_first => context.engine.with_shape(x, &[1, length, size]),
            [length, size] if !has_batch => context.engine.with_shape(x, &[length, 1, size]),
            _ => Err(misfit(self.expected(), &shape)),
        }
    }

    fn expected(&self) -> String {
        let [query, key, value] = self.sizes;
        if self.batch_first {
            format!("[n, l, {query}], [n, s, {key}] and [n, s, {value}], or without n")
        } else {
            format!("[l, n, {query}], [s, n, {key}] and [s, n, {value}], or without n")
        }
    }

    fn check_sizes(&self, engine: &E, inputs: [&E::Tensor; 3]) -> Result<()> {
        let mut shapes = Vec::new();
        for (input, size) in inputs.into_iter().zip(self.sizes) {
            let shape = engine.shape(input)?;
            if shape[2] != size {
                return Err(misfit(self.expected(), &shape));
            }
            shapes.push(shape);
        }
        let (batch, length) = if self.batch_first { (0, 1) } else { (1, 0) };
        let [query, key, value] = &shapes[..] else { return Ok(()) };
        if query[batch] == key[batch] && key[batch] == value[batch] && key[length] == value[length] {
            return Ok(());
        }
        let message =
            format_args!("expected input of shape {}, given {query:?}, {key:?} and {value:?}", self.expected());
        Err(Error::new(Code::Shape, message))
    }

    /// Linear maps of query, key and value, one for all if they are one tensor; and how many keys the options add at the end.
    fn projected(&self, engine: &E, inputs: [&E::Tensor; 3]) -> Result<([E::Tensor; 3], usize)> {
        let c = Calculation::new(engine);
        let bias = self.parameter(IN_BIAS);
        let same = inputs.iter().all(|input| engine.identity(input) == engine.identity(inputs[0]));
        let mut nodes = match self.parameter(IN_WEIGHT) {
            Some(weight) if same => {
                let all = c.split(c.linear(c.input(inputs[0]), weight, bias), 2, self.sizes[0], 3);
                [0, 1, 2].map(|i| all.after(i))
            }
            weight => {
                let parts = |x: &E::Tensor| c.split(c.input(x), 0, self.sizes[0], 3);
                let (weight, bias) = (weight.map(parts), bias.map(parts));
                let mut nodes = [c.input(inputs[0]); 3];
                for (i, node) in nodes.iter_mut().enumerate() {
                    let weight = match weight {
                        Some(weight) => c.result(weight.after(i))?,
                        None => self.parameters[i].1.clone(),
                    };
                    let bias = bias.map(|bias| c.result(bias.after(i))).transpose()?;
                    *node = c.linear(c.input(inputs[i]), &weight, bias.as_ref());
                }
                nodes
            }
        };
        let along = usize::from(self.batch_first);
        let mut shape = engine.shape(inputs[1])?;
        (shape[along], shape[2]) = (1, self.sizes[0]);
        let mut more = Vec::new();
        if let (Some(key), Some(value)) = (self.parameter(BIASES[0]), self.parameter(BIASES[1])) {
            more.push([c.input(key), c.input(value)]);
        }
        if self.add_zero {
            more.push([c.output(engine.number_like(inputs[0], 0.0)); 2]);
        }
        for added in &more {
            for (node, one) in nodes[1..].iter_mut().zip(added) {
                *node = c.cat(along, &[*node, c.primitive(Primitive::Expand(shape.clone()), &[*one])]);
            }
        }
        let [query, key, value] = nodes.map(|node| c.result(node));
        Ok(([query?, key?, value?], more.len()))
    }
}
