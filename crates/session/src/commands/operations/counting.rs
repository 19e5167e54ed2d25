//! How often elements occur: different elements, modes, counts and histograms.

use stepwell_optim::{Code, Error, Number, Result};

use crate::commands::operations::context::Context;
use crate::commands::operations::definition::operations;
use crate::commands::operations::parameter::Output;
use crate::commands::operations::sorting::sorted;
use crate::engine::Engine;
use crate::engine::primitives::{Binary, Compare, Cumulative, Primitive, Reduce, Unary};
use crate::mathematics::calculation::{Calculation, Node};
use crate::mathematics::tensor_math::TensorMath;
use crate::values::data::Data;
use crate::values::dtype::Dtype;

operations! { E,
    /// The most frequent elements along a dimension, and their last indices. The smallest one of several is taken.
    "mode" (x: Tensor, dim: Dim = minus_one, keepdim: Flag = false) gradient 2 => |cx, given| {
        let x = cx.numeric(given.operand(0)?)?;
        let engine = cx.engine;
        let (mut shape, dim) = (engine.shape(&x)?, engine.dim(&x, given.whole(1)?)?);
        let [values, order] = sorted(cx, &x, dim, false)?;
        if shape.is_empty() {
            return Ok(Output::Several(vec![values, order]));
        }
        if shape[dim] == 0 {
            return Err(Error::new(Code::Shape, format_args!("expected at least one element, given a tensor of shape {shape:?}")));
        }
        let c = Calculation::new(engine);
        let (values, order) = (c.input(&values), c.input(&order));
        let runs = runs(&c, values, dim, &shape);
        let counts = counts_of(&c, runs, dim, &shape);
        let counts = c.primitive(Primitive::Gather(dim), &[counts, runs]);
        let first = c.primitive(Primitive::ArgReduce { largest: true, dim, keepdim: true }, &[counts]);
        let most = c.primitive(Primitive::Gather(dim), &[counts, first]);
        let last = c.with_number(Binary::Sub, c.binary(Binary::Add, first, most), 1.0);
        let mut outputs = Vec::new();
        if !given.flag(2) {
            shape.remove(dim);
        } else {
            shape[dim] = 1;
        }
        for sorted in [values, order] {
            let found = c.primitive(Primitive::Gather(dim), &[sorted, last]);
            outputs.push(c.result(c.with_shape(found, &shape))?);
        }
        Ok(Output::Several(outputs))
    };
    /// The different elements in ascending order, the index of each element of x among them, and how often each occurs.
    "unique" (x: Tensor) no_gradient 3 => |cx, given| {
        let x = cx.tensor(given.operand(0)?)?;
        distinct(cx, &x, true)
    };
    /// Elements that differ from the one before, the index of each element of x among them, and how often each is repeated.
    "uniquec" as "unique_consecutive" (x: Tensor) no_gradient 3 => |cx, given| {
        let x = cx.tensor(given.operand(0)?)?;
        distinct(cx, &x, false)
    };
    /// How often each whole number from 0 occurs, or the sum of its weights; at least `bins` counts.
    "bincount" (x: Tensor, weight: Tensor = null, bins: Whole = 0.0) no_gradient 1 => |cx, given| {
        let engine = cx.engine;
        let x = cx.indices(given.operand(0)?, &engine.full(&Data::Long(vec![0]), &[], cx.device)?)?;
        let (shape, mut bins) = (engine.shape(&x)?, given.size(2)?);
        let [count] = shape[..] else {
            return Err(Error::new(Code::Shape, format_args!("expected whole numbers [n], given shape {shape:?}")));
        };
        let weight = match given.operand_or_none(1) {
            None => engine.full(&Data::Long(vec![1]), &shape, engine.device(&x)?)?,
            Some(weight) => {
                let weight = detached(cx, &cx.tensor(weight)?)?;
                let dtype = engine.dtype(&weight)?;
                engine.cast(weight, if dtype == Dtype::Float { dtype } else { Dtype::Double })?
            }
        };
        if engine.shape(&weight)? != shape {
            let given = engine.shape(&weight)?;
            return Err(Error::new(Code::Shape, format_args!("expected weights of shape {shape:?}, given {given:?}")));
        }
        if count > 0 {
            let [least, most] = range(engine, &x)?;
            if least < 0.0 {
                return Err(Error::new(Code::Argument, format_args!("expected whole numbers >= 0, given {}", Number(least))));
            }
            bins = bins.max((most as usize).saturating_add(1));
        }
        let dtype = engine.dtype(&weight)?;
        engine.check_memory(&[bins], dtype)?;
        let zeros = engine.full(&Data::Long(vec![0]).cast(dtype)?, &[bins], engine.device(&x)?)?;
        if count == 0 {
            return Ok(Output::One(zeros));
        }
        cx.one(Primitive::ScatterAdd(0), &[&zeros, &x, &weight])
    };
    /// How many elements are in each of `bins` intervals from `low` to `high`; if these are equal, from the least to the largest.
    "histc" (x: Tensor, bins: Whole = 100.0, low: Number = 0.0, high: Number = 0.0) no_gradient 1 => |cx, given| {
        let engine = cx.engine;
        let x = detached(cx, &cx.only_floating(given.operand(0)?)?)?;
        let count = engine.shape(&x)?.iter().product();
        let x = engine.with_shape(&x, &[count])?;
        let (bins, mut low, mut high) = (given.size(1)?, given.number(2)?, given.number(3)?);
        if low == high && count > 0 {
            [low, high] = range(engine, &x)?;
        }
        if low == high {
            (low, high) = (low - 1.0, high + 1.0);
        }
        if bins == 0 || low > high || !(high - low).is_finite() {
            let message = format_args!(
                "expected at least one bin from low to a larger high, both finite, given {bins} from {} to {}",
                Number(low), Number(high)
            );
            return Err(Error::new(Code::Argument, message));
        }
        let dtype = engine.dtype(&x)?;
        engine.check_memory(&[bins], dtype)?;
        let zeros = engine.full(&Data::Long(vec![0]).cast(dtype)?, &[bins], engine.device(&x)?)?;
        if count == 0 {
            return Ok(Output::One(zeros));
        }
        cx.calculated(&|c| {
            // An f32 cannot hold the ends of some ranges. PyTorch counts types of 16 bits, which WebAssembly lacks, by their own arithmetic.
            #[cfg(not(target_family = "wasm"))]
            let is_short = matches!(dtype, Dtype::Half | Dtype::BFloat16);
            let x = c.input(&x);
            #[cfg(not(target_family = "wasm"))]
            let x = if is_short { x } else { c.cast(x, Dtype::Double) };
            #[cfg(target_family = "wasm")]
            let x = c.cast(x, Dtype::Double);
            let is_above = c.compare_number(Compare::Ge, x, low);
            let within = c.binary(Binary::And, is_above, c.compare_number(Compare::Le, x, high));
            let x = c.choose(within, x, c.number(x, low));
            let scaled = c.with_number(Binary::Mul, c.with_number(Binary::Sub, x, low), bins as f64);
            let scaled = c.with_number(Binary::Div, scaled, high - low);
            // The last interval contains its end.
            let last = c.with_number(Binary::Minimum, scaled, (bins - 1) as f64);
            let index = c.cast(c.unary(Unary::Floor, last), Dtype::Long);
            // They may lack the number of the last bin.
            #[cfg(not(target_family = "wasm"))]
            let index = if is_short { c.with_number(Binary::Minimum, index, (bins - 1) as f64) } else { index };
            Ok(c.primitive(Primitive::ScatterAdd(0), &[c.input(&zeros), index, c.cast(within, dtype)]))
        })
    };
}

/// The tensor cut off from the graph.
fn detached<E: Engine>(cx: &Context<'_, E>, x: &E::Tensor) -> Result<E::Tensor> {
    cx.engine.convert(x, cx.engine.dtype(x)?, cx.engine.device(x)?)
}

/// The least and the largest of elements `[n]`, of which there is at least one.
fn range<E: Engine>(engine: &E, x: &E::Tensor) -> Result<[f64; 2]> {
    let c = Calculation::new(engine);
    let x = c.input(x);
    let least = single(&c, c.reduce(Reduce::Amin, x, &[0], false))?;
    Ok([least, single(&c, c.reduce(Reduce::Amax, x, &[0], false))?])
}

/// The number in a tensor of one element.
fn single<E: Engine>(c: &Calculation<'_, E>, x: Node) -> Result<f64> {
    match c.engine.data(&c.result(x)?)?.cast(Dtype::Double)? {
        Data::Double(numbers) if numbers.len() == 1 => Ok(numbers[0]),
        _ => Err(Error::new(Code::Internal, "another number of elements than one")),
    }
}

/// For each element the number of the run of equal elements that it is in, along a dimension with at least one element.
fn runs<E: Engine>(c: &Calculation<'_, E>, x: Node, dim: usize, shape: &[usize]) -> Node {
    let rest = shape[dim] - 1;
    let (later, earlier) = (c.slice(x, dim, 1, rest), c.slice(x, dim, 0, rest));
    let changes = c.cast(c.compare(Compare::Ne, later, earlier), Dtype::Long);
    let mut shape = shape.to_vec();
    shape[dim] = 1;
    let changes = c.cat(dim, &[whole(c, x, 0, &shape), changes]);
    c.primitive(Primitive::Cumulative { kind: Cumulative::Sum, dim }, &[changes])
}

/// How often each number of `runs` occurs along a dimension, in the shape of `runs`.
fn counts_of<E: Engine>(c: &Calculation<'_, E>, runs: Node, dim: usize, shape: &[usize]) -> Node {
    let zeros = whole(c, runs, 0, shape);
    c.primitive(Primitive::ScatterAdd(dim), &[zeros, runs, whole(c, runs, 1, shape)])
}

/// One whole number everywhere, on the device of `like`.
fn whole<E: Engine>(c: &Calculation<'_, E>, like: Node, number: i64, shape: &[usize]) -> Node {
    c.with(like, &|like| c.engine.full(&Data::Long(vec![number]), shape, c.engine.device(like)?))
}

fn distinct<E: Engine>(cx: &Context<'_, E>, x: &E::Tensor, is_sorted: bool) -> Result<Output<E>> {
    let engine = cx.engine;
    let (shape, dtype) = (engine.shape(x)?, engine.dtype(x)?);
    let count = shape.iter().product();
    let c = Calculation::new(engine);
    let mut x = c.with_shape(c.output(detached(cx, x)), &[count]);
    // No engine sorts truth values.
    if dtype == Dtype::Bool {
        x = c.cast(x, Dtype::Long);
    }
    let zeros = whole(&c, x, 0, &[count]);
    let several = |outputs: [Node; 3]| {
        let mut tensors = Vec::new();
        for output in outputs {
            tensors.push(c.result(output)?);
        }
        Ok(Output::Several(tensors))
    };
    if count == 0 {
        return several([c.cast(x, dtype), c.with_shape(zeros, &shape), zeros]);
    }
    let mut order = None;
    if is_sorted {
        x = c.primitive(Primitive::Sort { dim: 0, descending: false }, &[x]);
        order = Some(x.after(1));
    }
    let runs = runs(&c, x, 0, &[count]);
    let number = single(&c, c.slice(runs, 0, count - 1, 1))? as usize + 1;
    let counts = c.slice(counts_of(&c, runs, 0, &[count]), 0, 0, number);
    let ends = c.primitive(Primitive::Cumulative { kind: Cumulative::Sum, dim: 0 }, &[counts]);
    let starts = c.binary(Binary::Sub, ends, counts);
    let values = c.primitive(Primitive::IndexSelect(0), &[x, starts]);
    let indices = match order {
        Some(order) => c.primitive(Primitive::ScatterAdd(0), &[zeros, order, runs]),
        None => runs,
    };
    several([c.cast(values, dtype), c.with_shape(indices, &shape), counts])
}
