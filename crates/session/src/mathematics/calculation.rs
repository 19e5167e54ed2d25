//! Calculations of several functions, which look at errors once, at their end.

use std::cell::RefCell;

use stepwell_optim::{Code, Error, Result};

use crate::engine::Engine;
use crate::engine::primitives::{Binary, Compare, Primitive, Reduce, Unary};
use crate::mathematics::tensor_math::TensorMath;
use crate::values::data::Data;
use crate::values::dtype::Dtype;

/// A tensor of a [`Calculation`].
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Node(usize);

impl Node {
    /// The output of a primitive after this one by `offset`.
    pub(crate) fn after(self, offset: usize) -> Self {
        Node(self.0 + offset)
    }
}

/// The tensors of a calculation, and its first error, after which nothing more is calculated. Tensors are freed with it.
///
/// A caller that tests for an error after each function takes three times the code in WebAssembly.
pub(crate) struct Calculation<'a, E: Engine> {
    pub(crate) engine: &'a E,
    state: RefCell<State<E::Tensor>>,
}

struct State<T> {
    tensors: Vec<T>,
    error: Option<Error>,
}

/// The result of a calculation.
#[inline(never)]
pub(crate) fn calculated<E: Engine>(engine: &E, calculate: &dyn Fn(&Calculation<'_, E>) -> Node) -> Result<E::Tensor> {
    let calculation = Calculation::new(engine);
    calculation.result(calculate(&calculation))
}

impl<'a, E: Engine> Calculation<'a, E> {
    #[inline(never)]
    pub(crate) fn new(engine: &'a E) -> Self {
        Self { engine, state: RefCell::new(State { tensors: Vec::new(), error: None }) }
    }

    /// A tensor that exists.
    #[inline(never)]
    pub(crate) fn input(&self, x: &E::Tensor) -> Node {
        self.outputs(Ok(vec![x.clone()]))
    }

    /// A tensor that a function gave.
    #[inline(never)]
    pub(crate) fn output(&self, x: Result<E::Tensor>) -> Node {
        self.outputs(x.map(|x| vec![x]))
    }

    fn outputs(&self, outputs: Result<Vec<E::Tensor>>) -> Node {
        let mut state = self.state.borrow_mut();
        let first = Node(state.tensors.len());
        match outputs {
            Ok(mut outputs) => state.tensors.append(&mut outputs),
            Err(error) => state.error = state.error.take().or(Some(error)),
        }
        first
    }

    /// An error in the place of a tensor.
    #[inline(never)]
    pub(crate) fn fail(&self, error: Error) -> Node {
        self.output(Err(error))
    }

    /// The first output of a primitive; the others come after it.
    #[inline(never)]
    pub(crate) fn primitive(&self, primitive: Primitive, inputs: &[Node]) -> Node {
        let state = self.state.borrow();
        let first = Node(state.tensors.len());
        if state.error.is_some() {
            return first;
        }
        let tensors: Vec<_> = inputs.iter().flat_map(|node| state.tensors.get(node.0)).collect();
        let outputs = self.engine.apply(&primitive, &tensors);
        drop(tensors);
        drop(state);
        self.outputs(outputs)
    }

    /// A function of a node that is not a primitive.
    #[inline(never)]
    pub(crate) fn with(&self, x: Node, function: &dyn Fn(&E::Tensor) -> Result<E::Tensor>) -> Node {
        let output = self.result(x).and_then(|x| function(&x));
        self.output(output)
    }

    #[inline(never)]
    pub(crate) fn unary(&self, function: Unary, x: Node) -> Node {
        self.primitive(Primitive::Unary(function), &[x])
    }

    /// Of shapes that broadcast.
    #[inline(never)]
    pub(crate) fn binary(&self, function: Binary, a: Node, b: Node) -> Node {
        self.primitive(Primitive::Binary(function), &[a, b])
    }

    /// As [`Calculation::binary`], of any shapes: [`Code::Shape`] unless they broadcast, [`Code::Memory`] unless the result fits.
    #[inline(never)]
    pub(crate) fn checked_binary(&self, function: Binary, a: Node, b: Node) -> Node {
        let result = self.result(a).and_then(|a| self.engine.binary(function, &a, &self.result(b)?));
        self.output(result)
    }

    /// A number without dimensions, of the dtype and on the device of `like`.
    #[inline(never)]
    pub(crate) fn number(&self, like: Node, number: f64) -> Node {
        self.with(like, &|x| self.engine.number_like(x, number))
    }

    #[inline(never)]
    pub(crate) fn with_number(&self, function: Binary, x: Node, number: f64) -> Node {
        self.binary(function, x, self.number(x, number))
    }

    /// Of shapes that broadcast.
    #[inline(never)]
    pub(crate) fn compare(&self, comparison: Compare, a: Node, b: Node) -> Node {
        self.primitive(Primitive::Compare(comparison), &[a, b])
    }

    /// As [`Calculation::checked_binary`].
    #[inline(never)]
    pub(crate) fn checked_compare(&self, comparison: Compare, a: Node, b: Node) -> Node {
        let result = self.result(a).and_then(|a| self.engine.compare(comparison, &a, &self.result(b)?));
        self.output(result)
    }

    #[inline(never)]
    pub(crate) fn compare_number(&self, comparison: Compare, x: Node, number: f64) -> Node {
        self.compare(comparison, x, self.number(x, number))
    }

    /// `a` where the condition is true, else `b`, of shapes that broadcast.
    #[inline(never)]
    pub(crate) fn choose(&self, condition: Node, a: Node, b: Node) -> Node {
        self.primitive(Primitive::Where, &[condition, a, b])
    }

    /// A number where the condition is true, else `x`.
    #[inline(never)]
    pub(crate) fn number_where(&self, condition: Node, number: f64, x: Node) -> Node {
        self.choose(condition, self.number(x, number), x)
    }

    #[inline(never)]
    pub(crate) fn reduce(&self, reduction: Reduce, x: Node, dims: &[usize], keepdim: bool) -> Node {
        self.with(x, &|x| self.engine.reduce(reduction, x, dims, keepdim))
    }

    /// The sum over a dimension, which is removed.
    #[inline(never)]
    pub(crate) fn sum(&self, x: Node, dim: usize) -> Node {
        self.reduce(Reduce::Sum, x, &[dim], false)
    }

    #[inline(never)]
    pub(crate) fn cast(&self, x: Node, dtype: Dtype) -> Node {
        self.with(x, &|x| self.engine.cast(x.clone(), dtype))
    }

    /// As the dtype of another tensor.
    #[inline(never)]
    pub(crate) fn with_dtype_of(&self, x: Node, like: Node) -> Node {
        match self.dtype(like) {
            Ok(dtype) => self.cast(x, dtype),
            Err(error) => self.fail(error),
        }
    }

    /// `length` elements along a dimension.
    #[inline(never)]
    pub(crate) fn slice(&self, x: Node, dim: usize, start: usize, length: usize) -> Node {
        self.primitive(Primitive::Slice { dim, start, length, step: 1 }, &[x])
    }

    /// Broadcast to a shape.
    #[inline(never)]
    pub(crate) fn expand(&self, x: Node, shape: &[usize]) -> Node {
        self.primitive(Primitive::Expand(shape.to_vec()), &[x])
    }

    /// A tensor of these elements, converted to the dtype of `like` if they are doubles, on its device.
    #[inline(never)]
    pub(crate) fn tensor(&self, like: Node, data: Data, shape: &[usize]) -> Node {
        let made = self.result(like).and_then(|x| {
            let is_double = matches!(data, Data::Double(_));
            let data = if is_double { data.cast(self.engine.dtype(&x)?)? } else { data };
            self.engine.tensor(&data, shape, self.engine.device(&x)?)
        });
        self.output(made)
    }

    pub(crate) fn shape(&self, x: Node) -> Result<Vec<usize>> {
        self.engine.shape(&self.result(x)?)
    }

    pub(crate) fn dtype(&self, x: Node) -> Result<Dtype> {
        self.engine.dtype(&self.result(x)?)
    }

    #[inline(never)]
    pub(crate) fn with_shape(&self, x: Node, shape: &[usize]) -> Node {
        self.primitive(Primitive::Reshape(shape.to_vec()), &[x])
    }

    #[inline(never)]
    pub(crate) fn permuted(&self, x: Node, dims: &[usize]) -> Node {
        self.primitive(Primitive::Permute(dims.to_vec()), &[x])
    }

    /// The first of `count` parts of one size along a dimension; the others come after it.
    #[inline(never)]
    pub(crate) fn split(&self, x: Node, dim: usize, size: usize, count: usize) -> Node {
        self.primitive(Primitive::Split { dim, sizes: vec![size; count] }, &[x])
    }

    #[inline(never)]
    pub(crate) fn linear(&self, x: Node, weight: &E::Tensor, bias: Option<&E::Tensor>) -> Node {
        self.with(x, &|x| self.engine.linear(x, weight, bias))
    }

    #[inline(never)]
    pub(crate) fn cat(&self, dim: usize, parts: &[Node]) -> Node {
        self.primitive(Primitive::Cat(dim), parts)
    }

    /// The tensor of a node.
    ///
    /// # Errors
    /// The first of the calculation.
    #[inline(never)]
    pub(crate) fn result(&self, node: Node) -> Result<E::Tensor> {
        let state = self.state.borrow();
        match (&state.error, state.tensors.get(node.0)) {
            (Some(error), _) => Err(error.clone()),
            (None, Some(tensor)) => Ok(tensor.clone()),
            (None, None) => Err(Error::new(Code::Internal, "a tensor that was not calculated")),
        }
    }
}
