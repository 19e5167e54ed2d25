//! Tensor mathematics: one table of operations, a file for each family. A row names an operation, its arguments with their
//! kinds and defaults, and the function that composes it of primitives. The SDK's types and methods are generated from it.

pub(crate) mod activation;
pub(crate) mod comparison;
pub(crate) mod context;
pub(crate) mod convolution;
pub(crate) mod counting;
pub(crate) mod creation;
pub(crate) mod definition;
pub(crate) mod diagonal;
pub(crate) mod elementwise;
pub(crate) mod given;
pub(crate) mod indexing;
pub(crate) mod linear_algebra;
pub(crate) mod matrix;
pub(crate) mod operand;
pub(crate) mod parameter;
pub(crate) mod pooling;
pub(crate) mod reduction;
pub(crate) mod sampling;
pub(crate) mod shape;
pub(crate) mod sorting;
pub(crate) mod spectral;
pub(crate) mod statistics;

use std::sync::OnceLock;

use crate::commands::operations::definition::{Function, Operation};
use crate::engine::Engine;
use crate::engine::primitives::Elementwise;

/// The families in the order of the documentation, with the name of the file of each.
pub(crate) const FAMILIES: [(&str, &[Operation]); 17] = [
    ("elementwise", elementwise::ROWS),
    ("activation", activation::ROWS),
    ("comparison", comparison::ROWS),
    ("reduction", reduction::ROWS),
    ("statistics", statistics::ROWS),
    ("counting", counting::ROWS),
    ("sorting", sorting::ROWS),
    ("matrix", matrix::ROWS),
    ("diagonal", diagonal::ROWS),
    ("linear_algebra", linear_algebra::ROWS),
    ("convolution", convolution::ROWS),
    ("pooling", pooling::ROWS),
    ("shape", shape::ROWS),
    ("indexing", indexing::ROWS),
    ("creation", creation::ROWS),
    ("sampling", sampling::ROWS),
    ("spectral", spectral::ROWS),
];

/// The functions of the families.
fn functions<E: Engine>() -> [&'static [Function<E>]; 17] {
    [
        elementwise::functions(),
        activation::functions(),
        comparison::functions(),
        reduction::functions(),
        statistics::functions(),
        counting::functions(),
        sorting::functions(),
        matrix::functions(),
        diagonal::functions(),
        linear_algebra::functions(),
        convolution::functions(),
        pooling::functions(),
        shape::functions(),
        indexing::functions(),
        creation::functions(),
        sampling::functions(),
        spectral::functions(),
    ]
}

/// Rows of a family that an index counts.
const MAX_ROWS: usize = 1 << 10;

/// The operation of a name.
pub(crate) fn operation<E: Engine>(name: &str) -> Option<(&'static Operation, Function<E>)> {
    FAMILIES.iter().zip(functions()).find_map(|((_, rows), functions)| {
        let index = rows.iter().position(|row| row.name == name)?;
        Some((&rows[index], functions[index]))
    })
}

/// The index of an operation that returns one tensor.
pub(crate) fn index(name: &str) -> Option<usize> {
    FAMILIES.iter().enumerate().find_map(|(family, (_, rows))| {
        let row = rows.iter().position(|row| row.name == name && row.outputs == 1)?;
        Some(family * MAX_ROWS + row)
    })
}

/// The operation of an index.
pub(crate) fn at<E: Engine>(index: usize) -> Option<(&'static Operation, Function<E>)> {
    let (family, row) = (index / MAX_ROWS, index % MAX_ROWS);
    Some((FAMILIES.get(family)?.1.get(row)?, *functions().get(family)?.get(row)?))
}

/// The name and the function of an operation of an index, if it is a function of each element.
pub(crate) fn elementwise_at(index: usize) -> Option<(&'static str, Elementwise)> {
    type Functions = Vec<Option<(&'static str, Elementwise)>>;
    /// By family and row.
    static FUNCTIONS: OnceLock<Vec<Functions>> = OnceLock::new();
    let functions = FUNCTIONS.get_or_init(|| {
        let function = |row: &Operation| Some((row.name, elementwise::function_of(row.name)?));
        FAMILIES.iter().map(|(_, rows)| rows.iter().map(function).collect()).collect()
    });
    *functions.get(index / MAX_ROWS)?.get(index % MAX_ROWS)?
}
