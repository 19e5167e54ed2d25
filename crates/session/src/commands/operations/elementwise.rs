//! Functions of each element, and of elements of several tensors that broadcast.

use stepwell_optim::fallible::collected;
use stepwell_optim::{Code, Error, Number, Result};

use crate::commands::operations::context::Context;
use crate::commands::operations::definition::operations;
use crate::commands::operations::given::Given;
use crate::commands::operations::operand::{Operand, common};
use crate::commands::operations::parameter::Output;
use crate::engine::Engine;
use crate::engine::primitives::{Binary, Compare, Elementwise, Reduce, Unary};
use crate::mathematics::calculation::{Calculation, calculated};
use crate::mathematics::tensor_math::{TensorMath, expected_dtype};
use crate::values::data::Data;
use crate::values::dtype::Dtype;

operations! { E,
    /// Absolute value.
    "abs" (x: Tensor) gradient 1 => |cx, given| numeric(cx, given, Unary::Abs);
    /// Negation.
    "neg" as "negative" (x: Tensor) gradient 1 => |cx, given| numeric(cx, given, Unary::Neg);
    /// -1, 0 or 1 by the sign of each element; 0 for NaN.
    "sign" as "sgn" (x: Tensor) gradient 1 => |cx, given| numeric(cx, given, Unary::Sign);
    /// The least whole number that is not smaller.
    "ceil" (x: Tensor) gradient 1 => |cx, given| rounded(cx, given, Unary::Ceil);
    /// The greatest whole number that is not larger.
    "floor" (x: Tensor) gradient 1 => |cx, given| rounded(cx, given, Unary::Floor);
    /// The nearest whole number, in a tie the even one.
    "round" (x: Tensor) gradient 1 => |cx, given| rounded(cx, given, Unary::Round);
    /// The whole part.
    "trunc" as "fix" (x: Tensor) gradient 1 => |cx, given| rounded(cx, given, Unary::Trunc);
    /// The part after the point, with the sign of the element.
    "frac" (x: Tensor) gradient 1 => |cx, given| {
        let x = cx.only_floating(given.operand(0)?)?;
        cx.calculated(&|c| {
            let x = c.input(&x);
            Ok(c.binary(Binary::Sub, x, c.unary(Unary::Trunc, x)))
        })
    };
    /// The square root; NaN for a negative element.
    "sqrt" (x: Tensor) gradient 1 => |cx, given| floating(cx, given, Unary::Sqrt);
    /// One over the square root.
    "rsqrt" (x: Tensor) gradient 1 => |cx, given| floating(cx, given, Unary::Rsqrt);
    /// The square.
    "square" (x: Tensor) gradient 1 => |cx, given| {
        let x = cx.numeric(given.operand(0)?)?;
        cx.engine.binary(Binary::Mul, &x, &x).map(Output::One)
    };
    /// The exponential function.
    "exp" (x: Tensor) gradient 1 => |cx, given| floating(cx, given, Unary::Exp);
    /// exp(x) - 1, precise near 0.
    "expm1" as "special.expm1" (x: Tensor) gradient 1 => |cx, given| floating(cx, given, Unary::Expm1);
    /// The natural logarithm.
    "log" (x: Tensor) gradient 1 => |cx, given| floating(cx, given, Unary::Log);
    /// log(1 + x), precise near 0.
    "log1p" (x: Tensor) gradient 1 => |cx, given| floating(cx, given, Unary::Log1p);
    /// The logarithm to base 2.
    "log2" (x: Tensor) gradient 1 => |cx, given| floating(cx, given, Unary::Log2);
    /// The logarithm to base 10.
    "log10" (x: Tensor) gradient 1 => |cx, given| floating(cx, given, Unary::Log10);
    /// The sine.
    "sin" (x: Tensor) gradient 1 => |cx, given| floating(cx, given, Unary::Sin);
    /// The cosine.
    "cos" (x: Tensor) gradient 1 => |cx, given| floating(cx, given, Unary::Cos);
    /// The tangent.
    "tan" (x: Tensor) gradient 1 => |cx, given| floating(cx, given, Unary::Tan);
    /// The inverse sine.
    "asin" (x: Tensor) gradient 1 => |cx, given| floating(cx, given, Unary::Asin);
    /// The inverse cosine.
    "acos" (x: Tensor) gradient 1 => |cx, given| floating(cx, given, Unary::Acos);
    /// The inverse tangent.
    "atan" (x: Tensor) gradient 1 => |cx, given| floating(cx, given, Unary::Atan);
    /// The hyperbolic sine.
    "sinh" (x: Tensor) gradient 1 => |cx, given| floating(cx, given, Unary::Sinh);
    /// The hyperbolic cosine.
    "cosh" (x: Tensor) gradient 1 => |cx, given| floating(cx, given, Unary::Cosh);
    /// The error function.
    "erf" (x: Tensor) gradient 1 => |cx, given| floating(cx, given, Unary::Erf);
    /// 1 - erf(x), precise for large elements.
    "erfc" (x: Tensor) gradient 1 => |cx, given| floating(cx, given, Unary::Erfc);
    /// The inverse of the error function.
    "erfinv" (x: Tensor) gradient 1 => |cx, given| floating(cx, given, Unary::Erfinv);
    /// The logarithm of the absolute value of the gamma function.
    "lgamma" (x: Tensor) gradient 1 => |cx, given| floating(cx, given, Unary::Lgamma);
    /// The derivative of `lgamma`.
    "digamma" (x: Tensor) gradient 1 => |cx, given| floating(cx, given, Unary::Digamma);
    /// One over each element.
    "reciprocal" (x: Tensor) gradient 1 => |cx, given| {
        let x = cx.floating(given.operand(0)?)?;
        cx.engine.binary(Binary::Div, &cx.engine.number_like(&x, 1.0)?, &x).map(Output::One)
    };
    /// Whether elements are 0.
    "not" as "logical_not" (x: Tensor) no_gradient 1 => |cx, given| {
        cx.engine.unary(Unary::Not, &cx.flags(given.operand(0)?)?).map(Output::One)
    };
    /// Each bit of whole numbers inverted, or each boolean.
    "bitwisenot" as "bitwise_not" (x: Tensor) no_gradient 1 => |cx, given| {
        let x = whole(cx, cx.tensor(given.operand(0)?)?)?;
        cx.engine.unary(Unary::Not, &x).map(Output::One)
    };
    /// x + alpha y.
    "add" (x: Tensor, y: Tensor, alpha: Number = 1.0) gradient 1 => |cx, given| scaled(cx, given, Binary::Add);
    /// x - alpha y.
    "sub" (x: Tensor, y: Tensor, alpha: Number = 1.0) gradient 1 => |cx, given| scaled(cx, given, Binary::Sub);
    /// The product of elements.
    "mul" (x: Tensor, y: Tensor) gradient 1 => |cx, given| pair(cx, given, Binary::Mul, false);
    /// The quotient of elements. Whole numbers become `float`.
    "div" (x: Tensor, y: Tensor) gradient 1 => |cx, given| pair(cx, given, Binary::Div, true);
    /// x to the power y.
    "pow" (x: Tensor, y: Tensor) gradient 1 => |cx, given| {
        let (x, y) = (given.operand(0)?, given.operand(1)?);
        if let Operand::Plain { data: Data::Double(exponent), shape } = y
            && shape.is_empty()
            && exponent[0] < 0.0
            && !common(cx.engine, &[x, y])?.is_floating()
        {
            let message = format_args!(
                "expected an exponent >= 0 for whole numbers, given {}; cast x to float first", Number(exponent[0])
            );
            return Err(Error::new(Code::Argument, message));
        }
        numbers(cx, given, Binary::Pow)
    };
    /// x to the power y, in `double`.
    "fpow" as "float_power" (x: Tensor, y: Tensor) gradient 1 => |cx, given| {
        let mut tensors = Vec::new();
        for tensor in cx.promoted(&[given.operand(0)?, given.operand(1)?], false)? {
            tensors.push(cx.engine.cast(tensor, Dtype::Double)?);
        }
        cx.engine.binary(Binary::Pow, &tensors[0], &tensors[1]).map(Output::One)
    };
    /// The multivariate log-gamma function of p dimensions.
    "mvlgamma" (x: Tensor, p: Whole) gradient 1 => |cx, given| {
        let x = cx.floating(given.operand(0)?)?;
        let (p, mut shape) = (given.size(1)?, cx.engine.shape(&x)?);
        if p == 0 {
            return Err(Error::new(Code::Argument, "expected at least one dimension p, given 0"));
        }
        // No memory holds as many lists of numbers as some p need.
        cx.engine.check_memory(&[p], Dtype::Double)?;
        /// So many terms of one number take a tenth of a second.
        const MAX_DIMENSIONS: usize = 1 << 20;
        if p > MAX_DIMENSIONS {
            return Err(Error::new(
                Code::Argument,
                format_args!("expected at most {MAX_DIMENSIONS} dimensions p, given {p}"),
            ));
        }
        shape.push(1);
        let x = cx.engine.with_shape(&x, &shape)?;
        let c = Calculation::new(cx.engine);
        let x = c.input(&x);
        let steps = c.tensor(x, Data::Double(collected((0..p).map(|i| i as f64 / -2.0))?), &[p]);
        let sum = c.sum(c.unary(Unary::Lgamma, c.checked_binary(Binary::Add, x, steps)), shape.len() - 1);
        let p = p as f64;
        let constant = p * (p - 1.0) / 4.0 * libm::log(std::f64::consts::PI);
        c.result(c.with_number(Binary::Add, sum, constant)).map(Output::One)
    };
    /// The remainder of a division, with the sign of y.
    "remainder" (x: Tensor, y: Tensor) gradient 1 => |cx, given| numbers(cx, given, Binary::Remainder);
    /// The remainder of a division, with the sign of x.
    "fmod" (x: Tensor, y: Tensor) gradient 1 => |cx, given| numbers(cx, given, Binary::Fmod);
    /// The angle of the point (y, x), in radians.
    "atan2" (x: Tensor, y: Tensor) gradient 1 => |cx, given| pair(cx, given, Binary::Atan2, true);
    /// The larger element; NaN if one is NaN.
    "maximum" (x: Tensor, y: Tensor) gradient 1 => |cx, given| pair(cx, given, Binary::Maximum, false);
    /// The smaller element; NaN if one is NaN.
    "minimum" (x: Tensor, y: Tensor) gradient 1 => |cx, given| pair(cx, given, Binary::Minimum, false);
    /// The larger element, or the one that is not NaN.
    "fmax" (x: Tensor, y: Tensor) gradient 1 => |cx, given| without_nan(cx, given, Compare::Ge);
    /// The smaller element, or the one that is not NaN.
    "fmin" (x: Tensor, y: Tensor) gradient 1 => |cx, given| without_nan(cx, given, Compare::Le);
    /// Whether both elements differ from 0.
    "and" as "logical_and" (x: Tensor, y: Tensor) no_gradient 1 => |cx, given| logical(cx, given, Binary::And);
    /// Whether one of the elements differs from 0.
    "or" as "logical_or" (x: Tensor, y: Tensor) no_gradient 1 => |cx, given| logical(cx, given, Binary::Or);
    /// Whether exactly one of the elements differs from 0.
    "xor" as "logical_xor" (x: Tensor, y: Tensor) no_gradient 1 => |cx, given| logical(cx, given, Binary::Xor);
    /// x + weight (y - x).
    "lerp" (x: Tensor, y: Tensor, weight: Tensor) gradient 1 => |cx, given| {
        let tensors = cx.promoted(&[given.operand(0)?, given.operand(1)?, given.operand(2)?], true)?;
        let [x, y, weight] = &tensors[..] else { return Err(count()) };
        cx.calculated(&|c| {
            let [x, y, weight] = [x, y, weight].map(|x| c.input(x));
            let scaled = c.checked_binary(Binary::Mul, weight, c.checked_binary(Binary::Sub, y, x));
            Ok(c.checked_binary(Binary::Add, x, scaled))
        })
    };
    /// x + value y z.
    "addcmul" (x: Tensor, y: Tensor, z: Tensor, value: Number = 1.0) gradient 1 => |cx, given| {
        with_pair(cx, given, Binary::Mul)
    };
    /// x + value y / z.
    "addcdiv" (x: Tensor, y: Tensor, z: Tensor, value: Number = 1.0) gradient 1 => |cx, given| {
        with_pair(cx, given, Binary::Div)
    };
    /// Elements raised to at least `min` and lowered to at most `max`; one of the two may be null.
    "clamp" as "clip" (x: Tensor, min: Tensor = null, max: Tensor = null) gradient 1 => |cx, given| clamp(cx, given);
    /// Elements of x where the condition is true, else of y.
    "where" (condition: Tensor, x: Tensor, y: Tensor) gradient 1 => |cx, given| {
        let tensors = cx.promoted(&[given.operand(1)?, given.operand(2)?], false)?;
        let condition = cx.tensor(given.operand(0)?)?;
        match cx.engine.dtype(&condition)? {
            Dtype::Bool => cx.engine.choose(&condition, &tensors[0], &tensors[1]).map(Output::One),
            dtype => Err(expected_dtype("a condition of dtype bool", dtype)),
        }
    };
    /// The elements as another dtype. The gradient flows between dtypes of floating point.
    "cast" as "to" (x: Tensor, dtype: Dtype) gradient 1 => |cx, given| {
        let dtype = given.dtype(1).unwrap_or(Dtype::Float);
        let x = cx.tensor(given.operand(0)?)?;
        if cx.engine.dtype(&x)? == dtype {
            // A tensor of its own, so that the handle of the result is not a second one of `x`.
            let shape = cx.engine.shape(&x)?;
            return cx.engine.with_shape(&x, &shape).map(Output::One);
        }
        if dtype == Dtype::Long && cx.engine.dtype(&x)?.is_floating() {
            check_fits_long(cx, &x)?;
        }
        cx.engine.cast(x, dtype).map(Output::One)
    };
}

/// The function of each element that the operation of a name is, for tensors of one shape and floating dtype, and without options.
pub(crate) fn function_of(name: &str) -> Option<Elementwise> {
    let unary = |function| Some(Elementwise::Unary(function));
    let binary = |function| Some(Elementwise::Binary(function));
    match name {
        "abs" => unary(Unary::Abs),
        "neg" => unary(Unary::Neg),
        "sign" => unary(Unary::Sign),
        "ceil" => unary(Unary::Ceil),
        "floor" => unary(Unary::Floor),
        "round" => unary(Unary::Round),
        "trunc" => unary(Unary::Trunc),
        "sqrt" => unary(Unary::Sqrt),
        "rsqrt" => unary(Unary::Rsqrt),
        "exp" => unary(Unary::Exp),
        "expm1" => unary(Unary::Expm1),
        "log" => unary(Unary::Log),
        "log1p" => unary(Unary::Log1p),
        "log2" => unary(Unary::Log2),
        "log10" => unary(Unary::Log10),
        "sin" => unary(Unary::Sin),
        "cos" => unary(Unary::Cos),
        "tan" => unary(Unary::Tan),
        "asin" => unary(Unary::Asin),
        "acos" => unary(Unary::Acos),
        "atan" => unary(Unary::Atan),
        "sinh" => unary(Unary::Sinh),
        "cosh" => unary(Unary::Cosh),
        "tanh" => unary(Unary::Tanh),
        "sigmoid" => unary(Unary::Sigmoid),
        "relu" => unary(Unary::Relu),
        "erf" => unary(Unary::Erf),
        "erfc" => unary(Unary::Erfc),
        "erfinv" => unary(Unary::Erfinv),
        "lgamma" => unary(Unary::Lgamma),
        "digamma" => unary(Unary::Digamma),
        "add" => binary(Binary::Add),
        "sub" => binary(Binary::Sub),
        "mul" => binary(Binary::Mul),
        "div" => binary(Binary::Div),
        "pow" => binary(Binary::Pow),
        "maximum" => binary(Binary::Maximum),
        "minimum" => binary(Binary::Minimum),
        _ => None,
    }
}

type Called<E> = Result<Output<E>>;

fn count() -> Error {
    Error::new(Code::Internal, "another number of operands")
}

/// Of numbers of any dtype but `bool`.
fn numeric<E: Engine>(cx: &Context<'_, E>, given: &Given<E>, function: Unary) -> Called<E> {
    cx.engine.unary(function, &cx.numeric(given.operand(0)?)?).map(Output::One)
}

/// Of floating point; other dtypes become `float`.
pub(crate) fn floating<E: Engine>(cx: &Context<'_, E>, given: &Given<E>, function: Unary) -> Called<E> {
    cx.engine.unary(function, &cx.floating(given.operand(0)?)?).map(Output::One)
}

/// A whole number stays as it is, as a tensor of its own.
fn rounded<E: Engine>(cx: &Context<'_, E>, given: &Given<E>, function: Unary) -> Called<E> {
    let x = cx.numeric(given.operand(0)?)?;
    if cx.engine.dtype(&x)? == Dtype::Long {
        return cx.engine.with_shape(&x, &cx.engine.shape(&x)?).map(Output::One);
    }
    cx.engine.unary(function, &x).map(Output::One)
}

fn pair<E: Engine>(cx: &Context<'_, E>, given: &Given<E>, function: Binary, floating: bool) -> Called<E> {
    let tensors = cx.promoted(&[given.operand(0)?, given.operand(1)?], floating)?;
    cx.engine.binary(function, &tensors[0], &tensors[1]).map(Output::One)
}

/// Of any dtype but `bool`.
fn numbers<E: Engine>(cx: &Context<'_, E>, given: &Given<E>, function: Binary) -> Called<E> {
    let tensors = cx.promoted(&[given.operand(0)?, given.operand(1)?], false)?;
    match cx.engine.dtype(&tensors[0])? {
        Dtype::Bool => Err(expected_dtype("tensors of numbers", Dtype::Bool)),
        _ => cx.engine.binary(function, &tensors[0], &tensors[1]).map(Output::One),
    }
}

fn scaled<E: Engine>(cx: &Context<'_, E>, given: &Given<E>, function: Binary) -> Called<E> {
    let alpha = given.number(2)?;
    let tensors = cx.promoted(&[given.operand(0)?, given.operand(1)?], false)?;
    let dtype = cx.engine.dtype(&tensors[0])?;
    if dtype == Dtype::Bool && (function == Binary::Sub || alpha != 1.0) {
        return Err(expected_dtype("tensors of numbers", Dtype::Bool));
    }
    if !dtype.is_floating() && alpha.fract() != 0.0 {
        let (dtype, alpha) = (dtype.name(), Number(alpha));
        let message = format_args!("expected a whole number alpha for tensors of {dtype}, given {alpha}");
        return Err(Error::new(Code::Dtype, message));
    }
    if alpha == 1.0 {
        return cx.engine.binary(function, &tensors[0], &tensors[1]).map(Output::One);
    }
    cx.engine.binary(function, &tensors[0], &cx.engine.with_number(Binary::Mul, &tensors[1], alpha)?).map(Output::One)
}

/// Whole numbers or booleans.
fn whole<E: Engine>(cx: &Context<'_, E>, x: E::Tensor) -> Result<E::Tensor> {
    match cx.engine.dtype(&x)? {
        Dtype::Long | Dtype::Bool => Ok(x),
        dtype => Err(expected_dtype("a tensor of long or bool", dtype)),
    }
}

fn logical<E: Engine>(cx: &Context<'_, E>, given: &Given<E>, function: Binary) -> Called<E> {
    let tensors = cx.promoted(&[given.operand(0)?, given.operand(1)?], false)?;
    let mut flags = Vec::new();
    for tensor in tensors {
        flags.push(cx.engine.cast(tensor, Dtype::Bool)?);
    }
    cx.engine.binary(function, &flags[0], &flags[1]).map(Output::One)
}

/// x where it wins or y is NaN, else y.
fn without_nan<E: Engine>(cx: &Context<'_, E>, given: &Given<E>, wins: Compare) -> Called<E> {
    let tensors = cx.promoted(&[given.operand(0)?, given.operand(1)?], false)?;
    cx.engine.broadcast(&[&tensors[0], &tensors[1]])?;
    cx.calculated(&|c| {
        let (x, y) = (c.input(&tensors[0]), c.input(&tensors[1]));
        let chosen = c.binary(Binary::Or, c.compare(wins, x, y), c.compare(Compare::Ne, y, y));
        Ok(c.choose(chosen, x, y))
    })
}

fn with_pair<E: Engine>(cx: &Context<'_, E>, given: &Given<E>, function: Binary) -> Called<E> {
    let operands = [given.operand(0)?, given.operand(1)?, given.operand(2)?];
    let tensors = cx.promoted(&operands, function == Binary::Div)?;
    let [x, y, z] = &tensors[..] else { return Err(count()) };
    let mut product = cx.engine.binary(function, y, z)?;
    if given.number(3)? != 1.0 {
        product = cx.engine.with_number(Binary::Mul, &product, given.number(3)?)?;
    }
    cx.engine.binary(Binary::Add, x, &product).map(Output::One)
}

/// Fails for a number that no `long` holds even without its fraction, since processors convert it differently.
fn check_fits_long<E: Engine>(cx: &Context<'_, E>, x: &E::Tensor) -> Result<()> {
    // In `double`, since `half` does not hold the limit.
    let wide = cx.engine.convert(x, Dtype::Double, cx.engine.device(x)?)?;
    let limit = 9_223_372_036_854_775_808.0;
    let dims = cx.engine.dims(&wide, None)?;
    let all = calculated(cx.engine, &|c| {
        let wide = c.input(&wide);
        let is_above = c.compare_number(Compare::Ge, wide, -limit);
        let fits = c.binary(Binary::And, is_above, c.compare_number(Compare::Lt, wide, limit));
        c.reduce(Reduce::All, fits, &dims, false)
    })?;
    match cx.engine.data(&all)? {
        Data::Bool(flags) if flags == [false] => Err(Error::new(
            Code::Dtype,
            "expected numbers from -2^63 to below 2^63 for dtype long, given NaN or others",
        )),
        _ => Ok(()),
    }
}

/// The gradient flows where an element is within both bounds. It is 0 where an element or a bound is NaN, as the result is.
fn clamp<E: Engine>(cx: &Context<'_, E>, given: &Given<E>) -> Called<E> {
    let (min, max) = (given.operand_or_none(1), given.operand_or_none(2));
    if min.is_none() && max.is_none() {
        return Err(Error::new(Code::Argument, "expected min, max or both"));
    }
    let mut operands: Vec<&Operand<E>> = vec![given.operand(0)?];
    operands.extend(min);
    operands.extend(max);
    let tensors = cx.promoted(&operands, false)?;
    let mut bounds = tensors[1..].to_vec();
    // As in PyTorch, an element below equal bounds passes no gradient to the lower one.
    if let [min, max] = &mut bounds[..]
        && cx.engine.requires_grad(min)
    {
        let is_less = cx.engine.compare(Compare::Lt, min, max)?;
        let constant = cx.engine.convert(min, cx.engine.dtype(min)?, cx.engine.device(min)?)?;
        *min = cx.engine.choose(&is_less, min, &constant)?;
    }
    let c = Calculation::new(cx.engine);
    let (mut x, is_floating) = (c.input(&tensors[0]), cx.engine.dtype(&tensors[0])?.is_floating());
    let mut bounds = bounds.iter();
    for (bound, outside, within) in [(min, Compare::Lt, Compare::Ge), (max, Compare::Gt, Compare::Le)] {
        if bound.is_some()
            && let Some(bound) = bounds.next()
        {
            let bound = c.input(bound);
            let is_outside = c.checked_compare(outside, x, bound);
            if is_floating {
                let is_within = c.compare(within, x, bound);
                x = c.choose(is_within, x, c.number(x, f64::NAN));
            }
            x = c.choose(is_outside, bound, x);
        }
    }
    c.result(x).map(Output::One)
}
