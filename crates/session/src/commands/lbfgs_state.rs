//! The state of L-BFGS as plain data, and back.

use std::borrow::Cow;

use stepwell_optim::fallible::copied;
use stepwell_optim::{AnyLbfgsStateDict, Code, Error, LbfgsState, LbfgsStateDict, MAX_STEPS, Result, Results, Scalar};

use crate::commands::parameters::indices;
use crate::commands::state_entries::{Entries, dictionary, entry, find, list, malformed, numbers, whole};
use crate::engine::Engine;
use crate::nn::module::Named;
use crate::values::convert::check_keys;
use crate::values::data::{Data, Differentiable};
use crate::values::dtype::Dtype;
use crate::values::numbers::{Numbers, array};
use crate::values::value::{NumericArray, Value};

/// The positions of the parameters that were frozen when L-BFGS learned its state; there only if some were.
const FROZEN: &str = "frozen";
/// Every key of a state of L-BFGS.
const LBFGS_KEYS: &[&str] =
    &["func_evals", "n_iter", "t", "prev_loss", "d", "H_diag", "prev_flat_grad", "old_dirs", "old_stps", "ro", FROZEN];

/// The state as values by PyTorch's names, with the positions of parameters that are not trained.
pub(crate) fn state_dict_values(curvature: AnyLbfgsStateDict, trained: &[bool]) -> Vec<(&'static str, Value)> {
    let number = Value::Number;
    let (memory, [d, prev_flat_grad, old_dirs, old_stps]) = match curvature {
        AnyLbfgsStateDict::Float(memory) => vectors(memory),
        AnyLbfgsStateDict::Double(memory) => vectors(memory),
    };
    let mut values = vec![
        ("func_evals", count(memory.func_evals)),
        ("n_iter", count(memory.n_iter)),
        ("t", number(memory.t)),
        ("prev_loss", number(memory.prev_loss)),
        ("d", d),
        ("H_diag", number(memory.h_diag)),
        ("prev_flat_grad", prev_flat_grad),
        ("old_dirs", old_dirs),
        ("old_stps", old_stps),
        ("ro", Value::Array(memory.ro.into_iter().map(number).collect())),
    ];
    let mut frozen = Vec::new();
    for (position, trained) in trained.iter().enumerate() {
        if !trained {
            frozen.push(Value::Number(position as f64));
        }
    }
    if !frozen.is_empty() {
        values.push((FROZEN, Value::Array(frozen)));
    }
    values
}

/// The numbers of a state, and its vectors as values.
fn vectors<T: Differentiable>(memory: LbfgsStateDict<T>) -> (LbfgsStateDict<()>, [Value; 4]) {
    let vector = |v: Vec<T>| {
        let shape = vec![v.len()];
        Value::NumericArray(NumericArray { data: T::data(v), shape })
    };
    let list = |vectors: Vec<Vec<T>>| Value::Array(vectors.into_iter().map(vector).collect());
    let LbfgsStateDict { func_evals, n_iter, t, prev_loss, d, h_diag, prev_flat_grad, old_dirs, old_stps, ro } = memory;
    let vectors = [vector(d), vector(prev_flat_grad), list(old_dirs), list(old_stps)];
    (LbfgsStateDict { func_evals, n_iter, t, prev_loss, h_diag, ro, ..LbfgsStateDict::default() }, vectors)
}

/// The state of L-BFGS, which the first parameter's row contains for all parameters, and which of them were trained.
pub(crate) fn lbfgs_state_of<E: Engine>(
    engine: &E,
    saved: &Entries,
    groups: &[Vec<Named<E>>],
) -> Result<Option<(LbfgsState, Vec<bool>)>> {
    let Some(first) = list(saved, "parms")?.first() else { return Ok(None) };
    let buffers = match find(dictionary("parms", first)?, "buffers") {
        Some(buffers) => dictionary("buffers", buffers)?,
        None => return Ok(None),
    };
    if buffers.is_empty() {
        return Ok(None);
    }
    check_keys("state attribute buffers", buffers, LBFGS_KEYS)?;
    let (mut length, mut dtype, mut trained) = (0, Dtype::Float, Vec::new());
    for parameter in groups.iter().flatten() {
        trained.push(true);
        length += engine.shape(&parameter.tensor)?.iter().product::<usize>();
        dtype = engine.dtype(&parameter.tensor)?;
    }
    if let Some(frozen) = find(buffers, FROZEN) {
        for i in indices(frozen, trained.len(), FROZEN)? {
            trained[i] = false;
        }
    }
    Ok(Some((state_dict_of(buffers, length, dtype)?.try_into()?, trained)))
}

fn state_dict_of(buffers: &Entries, length: usize, dtype: Dtype) -> Result<AnyLbfgsStateDict> {
    let mut vectors = Vec::new();
    let mut vector = |key: &str, given| {
        let Some(Numbers { data, shape }) = array(given)? else { return Err(malformed(key, "numbers", given)) };
        if shape != [length] {
            let message = format_args!("size mismatch for {key}, expected [{length}], given {shape:?}");
            return Err(Error::new(Code::Shape, message));
        }
        if data.dtype() != dtype {
            return Err(Error::new(Code::Dtype, format_args!("{key} is not of the parameters' dtype")));
        }
        vectors.push(data);
        Ok(())
    };
    let number = |key: &str| match entry(buffers, key)? {
        Value::Number(number) => Ok(*number),
        other => Err(malformed(key, "a number", other)),
    };
    let func_evals = whole(buffers, "func_evals", MAX_STEPS)?;
    let n_iter = whole(buffers, "n_iter", MAX_STEPS)?;
    let (t, prev_loss) = (number("t")?, number("prev_loss")?);
    vector("d", entry(buffers, "d")?)?;
    let h_diag = number("H_diag")?;
    vector("prev_flat_grad", entry(buffers, "prev_flat_grad")?)?;
    let old_dirs = list(buffers, "old_dirs")?;
    for given in old_dirs {
        vector("old_dirs", given)?;
    }
    for given in list(buffers, "old_stps")? {
        vector("old_stps", given)?;
    }
    let ro = numbers(buffers, "ro")?;
    let memory = LbfgsStateDict { func_evals, n_iter, t, prev_loss, h_diag, ro, ..LbfgsStateDict::default() };
    Ok(match dtype {
        Dtype::Double => {
            AnyLbfgsStateDict::Double(with_vectors(memory, &vectors, old_dirs.len(), |data| match data {
                Data::Double(elements) => elements,
                _ => &[],
            })?)
        }
        _ => AnyLbfgsStateDict::Float(with_vectors(memory, &vectors, old_dirs.len(), |data| match data {
            Data::Float(elements) => elements,
            _ => &[],
        })?),
    })
}

/// Copies of `d`, `prev_flat_grad`, `old_dirs` and `old_stps`, which `vectors` holds in this order.
fn with_vectors<T: Scalar>(
    memory: LbfgsStateDict<()>,
    vectors: &[Cow<'_, Data>],
    old_dirs: usize,
    elements: fn(&Data) -> &[T],
) -> Result<LbfgsStateDict<T>> {
    let mut vectors = vectors.iter().map(|data| copied(elements(data))).values()?;
    let old_stps = vectors.split_off(2 + old_dirs);
    let old_dirs = vectors.split_off(2);
    let (prev_flat_grad, d) = (vectors.pop().unwrap_or_default(), vectors.pop().unwrap_or_default());
    let LbfgsStateDict { func_evals, n_iter, t, prev_loss, h_diag, ro, .. } = memory;
    Ok(LbfgsStateDict { func_evals, n_iter, t, prev_loss, d, h_diag, prev_flat_grad, old_dirs, old_stps, ro })
}

pub(crate) fn count(steps: u64) -> Value {
    Value::Number(steps.min(MAX_STEPS) as f64)
}
