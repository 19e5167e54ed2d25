//! Calculations of several functions, which look at errors once, at their end.

use std::cell::RefCell;

use stepwell_optim::{Code, Error, Result};

use crate::engine::Engine;
use crate::engine::primitives::{Binary, Primitive, Unary};
use crate::mathematics::tensor_math::TensorMath;

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
    engine: &'a E,
    state: RefCell<State<E::Tensor>>,
}

struct State<T> {
    tensors: Vec<T>,
    error: Option<Error>,
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

    /// The first output of a primitive; the others come after it.
    #[inline(never)]
    pub(crate) fn primitive(&self, primitive: Primitive, inputs: &[Node]) -> Node {
        let mut tensors = Vec::new();
        for node in inputs {
            match self.result(*node) {
                Ok(tensor) => tensors.push(tensor),
                Err(error) => return self.output(Err(error)),
            }
        }
        let borrowed: Vec<_> = tensors.iter().collect();
        self.outputs(self.engine.apply(&primitive, &borrowed))
    }

    /// A function of a node that is not a primitive.
    #[inline(never)]
    pub(crate) fn with(&self, x: Node, function: &dyn Fn(&E::Tensor) -> Result<E::Tensor>) -> Node {
        let output = self.result(x).and_then(|x| function(&x));
        self.output(output)
    }

    pub(crate) fn unary(&self, function: Unary, x: Node) -> Node {
        self.primitive(Primitive::Unary(function), &[x])
    }

    /// Of shapes that broadcast.
    #[inline(never)]
    pub(crate) fn binary(&self, function: Binary, a: Node, b: Node) -> Node {
        self.primitive(Primitive::Binary(function), &[a, b])
    }

    #[inline(never)]
    pub(crate) fn with_number(&self, function: Binary, x: Node, number: f64) -> Node {
        self.with(x, &|x| self.engine.with_number(function, x, number))
    }

    /// `a` where the condition is true, else a number.
    #[inline(never)]
    pub(crate) fn number_where(&self, condition: Node, number: f64, x: Node) -> Node {
        let number = self.with(x, &|x| self.engine.number_like(x, number));
        self.primitive(Primitive::Where, &[condition, number, x])
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
