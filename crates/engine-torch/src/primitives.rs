//! The primitives on libtorch, by tch's methods that return errors, for any device.

use stepwell_optim::{Code, Error, Result};
use stepwell_session::{Binary, Compare, Cumulative, Data, Dtype, Pooling, Primitive, Reduce, Unary, Window};
use tch::TchError;

use crate::error::from_tch;
use crate::shim::WithoutAutograd;
use crate::tensor::{Tensor, kind, size, sizes};

type Tch = std::result::Result<tch::Tensor, TchError>;

/// Applies a primitive whose inputs the session has checked.
pub(crate) fn apply(primitive: &Primitive, inputs: &[&Tensor]) -> Result<Vec<Tensor>> {
    match (primitive, inputs) {
        (Primitive::Sort { dim, descending }, [x]) => {
            let (values, indices) = x.as_ref().f_sort_stable(true, size(*dim)?, *descending).map_err(from_tch)?;
            Ok(vec![Tensor::from_tch(Ok(values))?, Tensor::from_tch(Ok(indices))?])
        }
        (Primitive::Split { dim, sizes: parts }, [x]) => {
            let parts = x.as_ref().f_split_with_sizes(sizes(parts)?, size(*dim)?).map_err(from_tch)?;
            parts.into_iter().map(|part| Tensor::from_tch(Ok(part))).collect()
        }
        _ => apply_one(primitive, inputs).map(|output| vec![output]),
    }
}

/// Whether a primitive returns new memory in any case, and not a view of an input.
fn is_new(primitive: &Primitive) -> bool {
    match primitive {
        Primitive::Reduce { dims, .. } => !dims.is_empty(),
        Primitive::Unary(_) | Primitive::Binary(_) | Primitive::Compare(_) | Primitive::Where => true,
        Primitive::MatMul | Primitive::Softmax(_) | Primitive::LogSoftmax(_) => true,
        _ => false,
    }
}

/// The first output of a primitive.
pub(crate) fn apply_one(primitive: &Primitive, inputs: &[&Tensor]) -> Result<Tensor> {
    let _guard = match is_new(primitive) {
        true => WithoutAutograd::unless_recorded(inputs.iter().map(|x| x.tensor_ref())),
        false => None,
    };
    let result = match (primitive, inputs) {
        (Primitive::Unary(function), [x]) => unary(*function, x.as_ref()),
        (Primitive::Binary(function), [a, b]) => return binary(*function, a, b),
        (Primitive::Compare(comparison), [a, b]) => compare(*comparison, a.as_ref(), b.as_ref()),
        (Primitive::Where, [condition, a, b]) => a.as_ref().f_where_self(condition.as_ref(), b.as_ref()),
        (Primitive::Reduce { reduction, dims, keepdim }, [x]) => {
            reduce(*reduction, x.as_ref(), &sizes(dims)?, *keepdim)
        }
        (Primitive::ArgReduce { largest, dim, keepdim }, [x]) => match largest {
            true => x.as_ref().f_argmax(size(*dim)?, *keepdim),
            false => x.as_ref().f_argmin(size(*dim)?, *keepdim),
        },
        (Primitive::MatMul, [a, b]) => a.as_ref().f_matmul(b.as_ref()),
        (Primitive::Reshape(shape), [x]) => x.as_ref().f_reshape(sizes(shape)?),
        (Primitive::Permute(dims), [x]) => x.as_ref().f_permute(sizes(dims)?),
        (Primitive::Expand(shape), [x]) => x.as_ref().f_expand(sizes(shape)?, false),
        (Primitive::Slice { dim, start, length, step }, [x]) => {
            let end = start + length.saturating_sub(1) * step + usize::from(*length > 0);
            x.as_ref().f_slice(size(*dim)?, size(*start)?, size(end)?, size(*step)?)
        }
        (Primitive::Flip(dims), [x]) => x.as_ref().f_flip(sizes(dims)?),
        (Primitive::Cat(dim), [_, ..]) => {
            let inputs: Vec<_> = inputs.iter().map(|x| x.as_ref()).collect();
            tch::Tensor::f_cat(&inputs, size(*dim)?)
        }
        (Primitive::IndexSelect(dim), [x, indices]) => {
            check_indices(x, *dim, indices)?;
            x.as_ref().f_index_select(size(*dim)?, indices.as_ref())
        }
        (Primitive::Gather(dim), [x, indices]) => {
            check_indices(x, *dim, indices)?;
            x.as_ref().f_gather(size(*dim)?, indices.as_ref(), false)
        }
        (Primitive::ScatterAdd(dim), [x, indices, source]) => {
            check_indices(x, *dim, indices)?;
            x.as_ref().f_scatter_add(size(*dim)?, indices.as_ref(), source.as_ref())
        }
        (Primitive::Cumulative { kind, dim }, [x]) => match kind {
            Cumulative::Sum => x.as_ref().f_cumsum(size(*dim)?, None),
            Cumulative::Prod => x.as_ref().f_cumprod(size(*dim)?, None),
        },
        (Primitive::Sort { .. } | Primitive::Split { .. }, [_]) => {
            return apply(primitive, inputs)?.into_iter().next().ok_or_else(no_output);
        }
        (Primitive::Softmax(dim), [x]) => x.as_ref().f_softmax(size(*dim)?, None),
        (Primitive::LogSoftmax(dim), [x]) => x.as_ref().f_log_softmax(size(*dim)?, None),
        (Primitive::LogSumExp { dims, .. }, [x]) if dims.is_empty() => x.as_ref().f_alias(),
        (Primitive::LogSumExp { dims, keepdim }, [x]) => x.as_ref().f_logsumexp(sizes(dims)?, *keepdim),
        (Primitive::Conv2d { window, groups }, [x, weight, bias @ ..]) => {
            let [stride, padding, dilation] = sizes_of(window)?;
            let bias = bias.first().map(|bias| bias.as_ref());
            x.as_ref().f_conv2d(weight.as_ref(), bias, stride, padding, dilation, size(*groups)?)
        }
        (Primitive::ConvTranspose2d { window, groups, size: output }, [x, weight, bias @ ..]) => {
            let [stride, padding, dilation] = sizes_of(window)?;
            let beyond = beyond(window, &x.shape()?, &weight.shape()?, *output)?;
            let (weight, bias) = (weight.as_ref(), bias.first().map(|bias| bias.as_ref()));
            x.as_ref().f_conv_transpose2d(weight, bias, stride, padding, sizes(&beyond)?, size(*groups)?, dilation)
        }
        (Primitive::Pool2d(pooling), [x]) => pool2d(pooling, x.as_ref())?,
        (Primitive::Cast(dtype), [x]) => x.as_ref().f_to_dtype(kind(*dtype), false, false),
        _ => return Err(Error::new(Code::Internal, "a primitive with another number of inputs")),
    };
    Tensor::from_tch(result)
}

fn no_output() -> Error {
    Error::new(Code::Internal, "a primitive without an output")
}

/// Stride, padding and dilation.
fn sizes_of(window: &Window) -> Result<[Vec<i64>; 3]> {
    Ok([sizes(&window.stride)?, sizes(&window.padding)?, sizes(&window.dilation)?])
}

/// By how many rows and columns the output of a transposed convolution is larger than its windows.
fn beyond(window: &Window, x: &[usize], weight: &[usize], output: [usize; 2]) -> Result<[usize; 2]> {
    let along = |i: usize| {
        let last = x.get(i + 2)?.checked_sub(1)?.checked_mul(window.stride[i])?;
        let span = weight.get(i + 2)?.checked_sub(1)?.checked_mul(window.dilation[i])?.checked_add(1)?;
        (output[i].checked_add(window.padding[i].checked_mul(2)?)?).checked_sub(last.checked_add(span)?)
    };
    match (along(0), along(1)) {
        (Some(rows), Some(columns)) => Ok([rows, columns]),
        _ => Err(Error::new(Code::Internal, "a transposed convolution of shapes that do not fit")),
    }
}

fn pool2d(pooling: &Pooling, x: &tch::Tensor) -> Result<Tch> {
    Ok(match pooling {
        Pooling::Max { kernel, window, ceiling } => {
            let [stride, padding, dilation] = sizes_of(window)?;
            x.f_max_pool2d(sizes(kernel)?, stride, padding, dilation, *ceiling)
        }
        Pooling::Mean { kernel, window, ceiling, count_padding, divisor } => {
            let [stride, padding, _] = sizes_of(window)?;
            let divisor = divisor.map(size).transpose()?;
            x.f_avg_pool2d(sizes(kernel)?, stride, padding, *ceiling, *count_padding, divisor)
        }
        Pooling::AdaptiveMax(parts) => x.f_adaptive_max_pool2d(sizes(parts)?).map(|(largest, _)| largest),
        Pooling::AdaptiveMean(parts) => x.f_adaptive_avg_pool2d(sizes(parts)?),
    })
}

fn unary(function: Unary, x: &tch::Tensor) -> Tch {
    match function {
        Unary::Abs => x.f_abs(),
        Unary::Neg => x.f_neg(),
        Unary::Sign => x.f_sign(),
        Unary::Ceil => x.f_ceil(),
        Unary::Floor => x.f_floor(),
        Unary::Round => x.f_round(),
        Unary::Trunc => x.f_trunc(),
        Unary::Sqrt => x.f_sqrt(),
        Unary::Rsqrt => x.f_rsqrt(),
        Unary::Exp => x.f_exp(),
        Unary::Expm1 => x.f_expm1(),
        Unary::Log => x.f_log(),
        Unary::Log1p => x.f_log1p(),
        Unary::Log2 => x.f_log2(),
        Unary::Log10 => x.f_log10(),
        Unary::Sin => x.f_sin(),
        Unary::Cos => x.f_cos(),
        Unary::Tan => x.f_tan(),
        Unary::Asin => x.f_asin(),
        Unary::Acos => x.f_acos(),
        Unary::Atan => x.f_atan(),
        Unary::Sinh => x.f_sinh(),
        Unary::Cosh => x.f_cosh(),
        Unary::Tanh => x.f_tanh(),
        Unary::Sigmoid => x.f_sigmoid(),
        Unary::Relu => x.f_relu(),
        Unary::Erf => x.f_erf(),
        Unary::Erfc => x.f_erfc(),
        Unary::Erfinv => x.f_erfinv(),
        Unary::Lgamma => x.f_lgamma(),
        Unary::Digamma => x.f_digamma(),
        Unary::Not => x.f_bitwise_not(),
    }
}

fn binary(function: Binary, a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let is_long = matches!(function, Binary::Remainder | Binary::Fmod) && a.dtype()? == Dtype::Long;
    let divisor = if is_long { Some(whole_divisor(b)?) } else { None };
    let (a, b) = (a.as_ref(), divisor.as_ref().unwrap_or(b.as_ref()));
    Tensor::from_tch(match function {
        Binary::Add => a.f_add(b),
        Binary::Sub => a.f_sub(b),
        Binary::Mul => a.f_mul(b),
        Binary::Div => a.f_div(b),
        Binary::Pow => a.f_pow(b),
        Binary::Maximum => a.f_maximum(b),
        Binary::Minimum => a.f_minimum(b),
        Binary::Remainder => a.f_remainder_tensor(b),
        Binary::Fmod => a.f_fmod_tensor(b),
        Binary::Atan2 => a.f_atan2(b),
        Binary::And => a.f_bitwise_and_tensor(b),
        Binary::Or => a.f_bitwise_or_tensor(b),
        Binary::Xor => a.f_bitwise_xor_tensor(b),
    })
}

/// Divisors of whole numbers, without 0, which libtorch refuses on the CPU alone. -1 becomes 1, which leaves the same remainder:
/// -2^63 divided by -1 raises a signal of the processor.
fn whole_divisor(divisor: &Tensor) -> Result<tch::Tensor> {
    let values = || -> std::result::Result<_, TchError> {
        let one = divisor.as_ref().f_ones_like()?;
        let is_minus_one = divisor.as_ref().f_eq_tensor(&one.f_neg()?)?;
        Ok((divisor.as_ref().f_all()?, one.f_where_self(&is_minus_one, divisor.as_ref())?))
    };
    let (all, divisor) = values().map_err(from_tch)?;
    match Tensor::from_tch(Ok(all))?.to_data()? {
        Data::Bool(flags) if flags.iter().all(|flag| *flag) => Ok(divisor),
        _ => Err(Error::new(Code::Argument, "expected a divisor other than 0")),
    }
}

fn compare(comparison: Compare, a: &tch::Tensor, b: &tch::Tensor) -> Tch {
    match comparison {
        Compare::Eq => a.f_eq_tensor(b),
        Compare::Ne => a.f_ne_tensor(b),
        Compare::Lt => a.f_lt_tensor(b),
        Compare::Le => a.f_le_tensor(b),
        Compare::Gt => a.f_gt_tensor(b),
        Compare::Ge => a.f_ge_tensor(b),
    }
}

/// libtorch reads an empty list of dimensions as all of them.
fn reduce(reduction: Reduce, x: &tch::Tensor, dims: &[i64], keepdim: bool) -> Tch {
    if dims.is_empty() {
        return x.f_alias();
    }
    match reduction {
        Reduce::Sum => x.f_sum_dim_intlist(dims, keepdim, None),
        Reduce::Mean => x.f_mean_dim(dims, keepdim, None),
        // The last first, so that the others keep their numbers.
        Reduce::Prod => dims.iter().rev().try_fold(x.shallow_clone(), |x, dim| x.f_prod_dim_int(*dim, keepdim, None)),
        Reduce::Amax => x.f_amax(dims, keepdim),
        Reduce::Amin => x.f_amin(dims, keepdim),
        Reduce::All => x.f_all_dims(dims, keepdim),
        Reduce::Any => x.f_any_dims(dims, keepdim),
    }
}

/// Fails unless every index is within the dimension. A wrong one would make a CUDA device unusable.
fn check_indices(x: &Tensor, dim: usize, indices: &Tensor) -> Result<()> {
    let length = x.shape()?.get(dim).copied().unwrap_or(1);
    if indices.shape()?.contains(&0) {
        return Ok(());
    }
    let (least, most) = indices.as_ref().f_aminmax(None, false).map_err(from_tch)?;
    for bound in [least, most] {
        if let Data::Long(found) = Tensor::from_tch(Ok(bound))?.to_data()?
            && let Some(given) = found.into_iter().find(|index| usize::try_from(*index).map_or(true, |i| i >= length))
        {
            let expected = match length.checked_sub(1) {
                Some(last) => format!("expected indices from 0 to {last}"),
                None => "expected no indices into a dimension of size 0".to_owned(),
            };
            return Err(Error::new(Code::Argument, format!("{expected}, given {given}")));
        }
    }
    Ok(())
}
