//! Functions that fill tensors in place: with one number, or with random numbers of the session's generator.

use stepwell_optim::fallible::collected;
use stepwell_optim::{Code, Error, Number, Result};

use crate::commands::arguments::Arguments;
use crate::commands::operations::given::Given;
use crate::commands::operations::parameter::{Default, Kind, Parameter};
use crate::commands::parameters::resolve_parameters;
use crate::engine::Engine;
use crate::engine::element_count::checked_element_count;
use crate::engine::primitives::Primitive;
use crate::mathematics::tensor_math::{TensorMath, expected_dtype};
use crate::random::Random;
use crate::session::Session;
use crate::values::data::Data;
use crate::values::dtype::Dtype;
use crate::values::handle::ObjectKind;
use crate::values::value::Value;

/// A distribution of random numbers with up to two parameters.
struct Distribution {
    parameters: &'static [Parameter],
    /// The condition of the parameters, and its words.
    holds: fn(f64, f64) -> bool,
    expected: &'static str,
    /// Whether the parameters are a place and a width among the numbers, which the dtype has to hold.
    is_located: bool,
    draw: fn(&mut Random, f64, f64) -> f64,
}

const fn parameter(name: &'static str, default: Default) -> Parameter {
    Parameter { name, kind: Kind::Number, default }
}

const NORMAL: Distribution = Distribution {
    parameters: &[parameter("mean", Default::Number(0.0)), parameter("std", Default::Number(1.0))],
    holds: |mean, std| mean.is_finite() && std >= 0.0 && std.is_finite(),
    expected: "a finite mean and a finite std >= 0",
    is_located: true,
    draw: |random, mean, std| mean + std * random.normal(),
};
const UNIFORM: Distribution = Distribution {
    parameters: &[parameter("low", Default::Number(0.0)), parameter("high", Default::Number(1.0))],
    holds: |low, high| low <= high && (high - low).is_finite(),
    expected: "a finite low up to a finite high",
    is_located: true,
    draw: |random, low, high| low + (high - low) * random.unit(),
};
const LOGNORMAL: Distribution = Distribution {
    parameters: &[parameter("mean", Default::Number(1.0)), parameter("std", Default::Number(2.0))],
    holds: |mean, std| mean.is_finite() && std > 0.0 && std.is_finite(),
    expected: "a finite mean and a finite std > 0",
    is_located: false,
    draw: |random, mean, std| libm::exp(mean + std * random.normal()),
};
const EXPONENTIAL: Distribution = Distribution {
    parameters: &[parameter("rate", Default::Number(1.0))],
    holds: |rate, _| rate > 0.0 && rate.is_finite(),
    expected: "a finite rate > 0",
    is_located: false,
    draw: |random, rate, _| -libm::log(1.0 - random.unit()) / rate,
};
const GEOMETRIC: Distribution = Distribution {
    parameters: &[parameter("p", Default::Required)],
    holds: |p, _| p > 0.0 && p < 1.0,
    expected: "a probability p in (0, 1)",
    is_located: false,
    draw: |random, p, _| (libm::log(1.0 - random.unit()) / libm::log1p(-p)).ceil().max(1.0),
};
const CAUCHY: Distribution = Distribution {
    parameters: &[parameter("median", Default::Number(0.0)), parameter("sigma", Default::Number(1.0))],
    holds: |median, sigma| median.is_finite() && sigma > 0.0 && sigma.is_finite(),
    expected: "a finite median and a finite sigma > 0",
    is_located: true,
    draw: |random, median, sigma| median + sigma * libm::tan(std::f64::consts::PI * (random.unit() - 0.5)),
};
const RANDOM: Distribution = Distribution {
    parameters: &[parameter("low", Default::Absent), parameter("high", Default::Absent)],
    holds: |low, high| low.fract() == 0.0 && high.fract() == 0.0 && low < high && (high - low) <= LARGEST,
    expected: "whole numbers low below high",
    is_located: false,
    draw: |random, low, high| low + (random.unit() * (high - low)).floor(),
};

/// 2^53, the numbers up to which a double tells apart from their neighbours.
const LARGEST: f64 = 9_007_199_254_740_992.0;

/// `normal(object, mean, std)`
pub(crate) fn normal<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    drawn(session, arguments, &NORMAL)
}

/// `uniform(object, low, high)`
pub(crate) fn uniform<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    drawn(session, arguments, &UNIFORM)
}

/// `lognormal(object, mean, std)`: exponentials of normal numbers.
pub(crate) fn lognormal<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    drawn(session, arguments, &LOGNORMAL)
}

/// `exponential(object, rate)`
pub(crate) fn exponential<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    drawn(session, arguments, &EXPONENTIAL)
}

/// `geometric(object, p)`: the number of the first success, from 1.
pub(crate) fn geometric<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    drawn(session, arguments, &GEOMETRIC)
}

/// `cauchy(object, median, sigma)`
pub(crate) fn cauchy<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    drawn(session, arguments, &CAUCHY)
}

/// `random(object, low, high)`: whole numbers from low up to below high; of all that the dtype holds if neither is given.
pub(crate) fn random<E: Engine>(session: &mut Session<E>, arguments: Arguments) -> Result<Value> {
    drawn(session, arguments, &RANDOM)
}

fn drawn<E: Engine>(session: &mut Session<E>, mut arguments: Arguments, of: &Distribution) -> Result<Value> {
    let tensors = targets(session, &mut arguments)?;
    let is_named = matches!(arguments.peek(), Value::Object(_));
    let given = Given::<E>::read(session, of.parameters, arguments)?;
    let given = [given.number(0).ok(), given.number(1).ok()];
    let is_whole = of.parameters[0].default == Default::Absent;
    let is_default = is_whole && given == [None; 2];
    let [a, b] = match given {
        // One whole number alone is the end, as in PyTorch.
        [Some(high), None] if is_whole && !is_named => [0.0, high],
        [a, b] => [a.unwrap_or(0.0), b.unwrap_or(0.0)],
    };
    if !is_default && !(of.holds)(a, b) {
        let mut shown = Number(a).to_string();
        if of.parameters.len() > 1 {
            shown += &format!(" and {}", Number(b));
        }
        return Err(Error::new(Code::Argument, format_args!("expected {}, given {shown}", of.expected)));
    }
    let (engine, random) = (&session.engine, &mut session.random);
    let mut filled = Vec::new();
    for tensor in &tensors {
        let (shape, dtype) = (engine.shape(tensor)?, engine.dtype(tensor)?);
        if !(dtype.is_floating() || is_whole && dtype == Dtype::Long) {
            return Err(expected_dtype("a tensor of floating point", dtype));
        }
        if of.is_located {
            dtype.check_holds(a)?;
            dtype.check_holds(b)?;
        }
        if is_whole && !is_default {
            dtype.check_holds(a)?;
            dtype.check_holds(b - 1.0)?;
        }
        let end = match dtype {
            _ if !is_default => b,
            Dtype::Half => 2049.0,
            Dtype::BFloat16 => 257.0,
            Dtype::Float => 16_777_217.0,
            _ => LARGEST,
        };
        let count = checked_element_count(engine, &shape, Dtype::Double)?;
        let numbers = collected((0..count).map(|_| (of.draw)(random, a, end)))?;
        filled.push(engine.tensor(&Data::Double(numbers).cast(dtype)?, &shape, engine.device(tensor)?)?);
    }
    write(session, &tensors, &filled)
}

/// `fill(object, number)`: every element becomes the number.
pub(crate) fn fill<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let tensors = targets(session, &mut arguments)?;
    let number = number(&mut arguments)?;
    arguments.finish()?;
    let engine = &session.engine;
    let mut filled = Vec::new();
    for tensor in &tensors {
        let dtype = engine.dtype(tensor)?;
        dtype.check_holds(number)?;
        let element = Data::Double(vec![number]).cast(dtype)?;
        filled.push(engine.full(&element, &engine.shape(tensor)?, engine.device(tensor)?)?);
    }
    write(session, &tensors, &filled)
}

/// `filldiagonal(tensor, number, [wrap])`: the elements of the diagonal become the number. Of a tall matrix, `wrap` begins another
/// diagonal after one row.
pub(crate) fn filldiagonal<E: Engine>(session: &mut Session<E>, mut arguments: Arguments) -> Result<Value> {
    let tensor = session.tensor(arguments.handle(ObjectKind::Tensor)?)?.clone();
    let number = number(&mut arguments)?;
    let wrap = arguments.flag("whether another diagonal begins")?.unwrap_or(false);
    arguments.finish()?;
    let engine = &session.engine;
    let (shape, dtype) = (engine.shape(&tensor)?, engine.dtype(&tensor)?);
    let is_cube = shape.len() >= 2 && shape.iter().all(|size| *size == shape[0]);
    if shape.len() != 2 && !is_cube {
        let message = format_args!("expected a matrix, or dimensions of one size, given shape {shape:?}");
        return Err(Error::new(Code::Shape, message));
    }
    dtype.check_holds(number)?;
    // The distance of two elements of the diagonal in row-major order.
    let step: usize = (1..shape.len()).map(|dim| shape[dim..].iter().product::<usize>()).sum::<usize>() + 1;
    let length = if wrap { usize::MAX } else { shape.iter().copied().min().unwrap_or(0) };
    let places = (0..shape.iter().product::<usize>()).map(|i| i % step == 0 && i / step < length);
    let mask = engine.tensor(&Data::Bool(collected(places)?), &shape, engine.device(&tensor)?)?;
    let filled = engine.no_grad(|| {
        let number = Data::Double(vec![number]).cast(dtype)?;
        let number = engine.tensor(&number, &[], engine.device(&tensor)?)?;
        engine.primitive(Primitive::Where, &[&mask, &number, &tensor])
    })?;
    write(session, &[tensor], &[filled])
}

fn number(arguments: &mut Arguments) -> Result<f64> {
    match arguments.next() {
        Value::Number(number) => Ok(number),
        other => Err(arguments.argument_error("a number", &other)),
    }
}

/// The tensors that the first argument selects.
fn targets<E: Engine>(session: &Session<E>, arguments: &mut Arguments) -> Result<Vec<E::Tensor>> {
    let given = arguments.next();
    if let Value::Null | Value::Undefined = given {
        return Err(arguments.argument_error("a tensor, vector, dictionary, module or model handle", &given));
    }
    Ok(resolve_parameters(session, &given)?.tensors.into_iter().map(|named| named.tensor).collect())
}

/// Overwrites tensors, for all of which there are new elements.
fn write<E: Engine>(session: &Session<E>, tensors: &[E::Tensor], filled: &[E::Tensor]) -> Result<Value> {
    session.check_written(&mut tensors.iter())?;
    for (from, to) in filled.iter().zip(tensors) {
        session.engine.copy(from, to)?;
    }
    Ok(Value::Null)
}
