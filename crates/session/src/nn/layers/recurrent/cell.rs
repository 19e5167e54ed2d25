//! The cells of recurrent layers: a state from the one before and from a part of the input.

use crate::engine::Engine;
use crate::engine::primitives::{Binary, Unary};
use crate::mathematics::calculation::{Calculation, Node};

/// A kind of cell.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Cell {
    /// Elman's: a function of the sum of both linear maps.
    Simple(Unary),
    /// With an input, a forget, a cell and an output gate, in this order. Hochreiter and Schmidhuber 1997.
    Lstm,
    /// With a reset, an update and a new gate, in this order. Cho et al. 2014, with the reset after the linear map.
    Gru,
}

impl Cell {
    /// How many times the weights of a cell have the rows of its state.
    pub(crate) fn gates(self) -> usize {
        match self {
            Cell::Simple(_) => 1,
            Cell::Lstm => 4,
            Cell::Gru => 3,
        }
    }

    /// How many tensors a state has.
    pub(crate) fn states(self) -> usize {
        if self == Cell::Lstm { 2 } else { 1 }
    }

    /// The next state, which repeats its only tensor unless it has two. `from_input` and `from_state` are the linear maps of the
    /// input and of the state, `[n, gates * hidden]`.
    pub(crate) fn next<E: Engine>(
        self,
        c: &Calculation<'_, E>,
        [from_input, from_state]: [Node; 2],
        [hidden, memory]: [Node; 2],
        size: usize,
    ) -> [Node; 2] {
        let sum = |a, b| c.binary(Binary::Add, a, b);
        let product = |a, b| c.binary(Binary::Mul, a, b);
        match self {
            Cell::Simple(function) => [c.unary(function, sum(from_input, from_state)); 2],
            Cell::Lstm => {
                let parts = c.split(sum(from_input, from_state), 1, size, 4);
                let gate = |gate| c.unary(Unary::Sigmoid, parts.after(gate));
                let new = c.unary(Unary::Tanh, parts.after(2));
                let memory = sum(product(gate(1), memory), product(gate(0), new));
                [product(gate(3), c.unary(Unary::Tanh, memory)), memory]
            }
            Cell::Gru => {
                let [of_input, of_state] = [from_input, from_state].map(|x| c.split(x, 1, size, 3));
                let gate = |gate| c.unary(Unary::Sigmoid, sum(of_input.after(gate), of_state.after(gate)));
                let (reset, update) = (gate(0), gate(1));
                let new = c.unary(Unary::Tanh, sum(of_input.after(2), product(reset, of_state.after(2))));
                [sum(new, product(update, c.binary(Binary::Sub, hidden, new))); 2]
            }
        }
    }
}
