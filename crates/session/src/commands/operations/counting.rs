//! How often elements occur: different elements, modes, counts and histograms.

use stepwell_optim::{Code, Error, Number, Result};

use crate::commands::operations::context::Context;
use crate::commands::operations::definition::operations;
use crate::commands::operations::parameter::Output;
use crate::commands::operations::sorting::sorted;
use crate::engine::Engine;
use crate::engine::primitives::{Binary, Compare, Cumulative, Primitive, Reduce, Unary};
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
            return Err(Error::new(Code::Shape, format!("expected at least one element, given a tensor of shape {shape:?}")));
        }
        let runs = runs(cx, &values, dim)?;
        let zeros = engine.full(&Data::Long(vec![0]), &shape, engine.device(&x)?)?;
        let ones = engine.full(&Data::Long(vec![1]), &shape, engine.device(&x)?)?;
        let counts = engine.primitive(Primitive::ScatterAdd(dim), &[&zeros, &runs, &ones])?;
        let counts = engine.primitive(Primitive::Gather(dim), &[&counts, &runs])?;
        let first = engine.primitive(Primitive::ArgReduce { largest: true, dim, keepdim: true }, &[&counts])?;
        let most = engine.primitive(Primitive::Gather(dim), &[&counts, &first])?;
        let last = engine.with_number(Binary::Sub, &engine.binary(Binary::Add, &first, &most)?, 1.0)?;
        let mut outputs = Vec::new();
        if !given.flag(2) {
            shape.remove(dim);
        } else {
            shape[dim] = 1;
        }
        for sorted in [values, order] {
            let found = engine.primitive(Primitive::Gather(dim), &[&sorted, &last])?;
            outputs.push(engine.with_shape(&found, &shape)?);
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
            return Err(Error::new(Code::Shape, format!("expected whole numbers [n], given shape {shape:?}")));
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
            return Err(Error::new(Code::Shape, format!("expected weights of shape {shape:?}, given {given:?}")));
        }
        if count > 0 {
            let least = single(cx, &engine.reduce(Reduce::Amin, &x, &[0], false)?)?;
            let most = single(cx, &engine.reduce(Reduce::Amax, &x, &[0], false)?)?;
            if least < 0.0 {
                return Err(Error::new(Code::Argument, format!("expected whole numbers >= 0, given {}", Number(least))));
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
            low = single(cx, &engine.reduce(Reduce::Amin, &x, &[0], false)?)?;
            high = single(cx, &engine.reduce(Reduce::Amax, &x, &[0], false)?)?;
        }
        if low == high {
            (low, high) = (low - 1.0, high + 1.0);
        }
        if bins == 0 || low > high || !(high - low).is_finite() {
            let message = format!(
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
        let within = engine.binary(
            Binary::And,
            &engine.compare_number(Compare::Ge, &x, low)?,
            &engine.compare_number(Compare::Le, &x, high)?,
        )?;
        let x = engine.choose(&within, &x, &engine.number_like(&x, low)?)?;
        let scaled = engine.with_number(Binary::Mul, &engine.with_number(Binary::Sub, &x, low)?, bins as f64)?;
        let scaled = engine.with_number(Binary::Div, &scaled, high - low)?;
        // The last interval contains its end.
        let last = engine.with_number(Binary::Minimum, &scaled, (bins - 1) as f64)?;
        let index = engine.primitive(Primitive::Cast(Dtype::Long), &[&engine.unary(Unary::Floor, &last)?])?;
        cx.one(Primitive::ScatterAdd(0), &[&zeros, &index, &engine.cast(within, dtype)?])
    };
}

/// The tensor cut off from the graph.
fn detached<E: Engine>(cx: &Context<'_, E>, x: &E::Tensor) -> Result<E::Tensor> {
    cx.engine.convert(x, cx.engine.dtype(x)?, cx.engine.device(x)?)
}

/// The number in a tensor of one element.
fn single<E: Engine>(cx: &Context<'_, E>, x: &E::Tensor) -> Result<f64> {
    match cx.engine.data(x)?.cast(Dtype::Double)? {
        Data::Double(numbers) if numbers.len() == 1 => Ok(numbers[0]),
        _ => Err(Error::new(Code::Internal, "another number of elements than one")),
    }
}

/// For each element the number of the run of equal elements that it is in, along a dimension with at least one element.
fn runs<E: Engine>(cx: &Context<'_, E>, x: &E::Tensor, dim: usize) -> Result<E::Tensor> {
    let engine = cx.engine;
    let mut shape = engine.shape(x)?;
    let rest = shape[dim] - 1;
    let (later, earlier) = (engine.slice(x, dim, 1, rest)?, engine.slice(x, dim, 0, rest)?);
    let changes = engine.cast(engine.compare(Compare::Ne, &later, &earlier)?, Dtype::Long)?;
    shape[dim] = 1;
    let first = engine.full(&Data::Long(vec![0]), &shape, engine.device(x)?)?;
    let changes = engine.primitive(Primitive::Cat(dim), &[&first, &changes])?;
    engine.primitive(Primitive::Cumulative { kind: Cumulative::Sum, dim }, &[&changes])
}

fn distinct<E: Engine>(cx: &Context<'_, E>, x: &E::Tensor, is_sorted: bool) -> Result<Output<E>> {
    let engine = cx.engine;
    let (shape, dtype, device) = (engine.shape(x)?, engine.dtype(x)?, engine.device(x)?);
    let count = shape.iter().product();
    let mut x = engine.with_shape(&detached(cx, x)?, &[count])?;
    // No engine sorts truth values.
    if dtype == Dtype::Bool {
        x = engine.cast(x, Dtype::Long)?;
    }
    let zeros = engine.full(&Data::Long(vec![0]), &[count], device)?;
    if count == 0 {
        let indices = engine.with_shape(&zeros, &shape)?;
        return Ok(Output::Several(vec![engine.cast(x, dtype)?, indices, zeros]));
    }
    let order = if is_sorted {
        let [values, order] = sorted(cx, &x, 0, false)?;
        x = values;
        Some(order)
    } else {
        None
    };
    let runs = runs(cx, &x, 0)?;
    let number = single(cx, &engine.slice(&runs, 0, count - 1, 1)?)? as usize + 1;
    let ones = engine.full(&Data::Long(vec![1]), &[count], device)?;
    let counts = engine.primitive(Primitive::ScatterAdd(0), &[&zeros, &runs, &ones])?;
    let counts = engine.slice(&counts, 0, 0, number)?;
    let ends = engine.primitive(Primitive::Cumulative { kind: Cumulative::Sum, dim: 0 }, &[&counts])?;
    let starts = engine.binary(Binary::Sub, &ends, &counts)?;
    let values = engine.primitive(Primitive::IndexSelect(0), &[&x, &starts])?;
    let indices = match order {
        Some(order) => engine.primitive(Primitive::ScatterAdd(0), &[&zeros, &order, &runs])?,
        None => runs,
    };
    Ok(Output::Several(vec![engine.cast(values, dtype)?, engine.with_shape(&indices, &shape)?, counts]))
}
