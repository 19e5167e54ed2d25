//! Memory that would be in two views.

use stepwell_optim::{Code, Error, Result};

use crate::descriptors::ParameterDescriptor;
use crate::shim::{BFLOAT16, FLOAT, HALF};

/// Bytes of an element of a floating-point dtype.
fn size(dtype: u8) -> usize {
    match dtype {
        HALF | BFLOAT16 => 2,
        FLOAT => 4,
        _ => 8,
    }
}

/// True if two tensors, parameters or gradients, have one storage.
pub(crate) fn shares_storage(descriptors: &[ParameterDescriptor]) -> bool {
    // An open-addressing hash table, at most a quarter full. 0 marks a free entry: a storage does not have the address 0.
    let bits = (8 * descriptors.len()).next_power_of_two().trailing_zeros().max(1);
    let mut table = vec![0u64; 1 << bits];
    let find = |table: &[u64], key: u64| {
        let mut at = (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - bits)) as usize;
        while table[at] != 0 && table[at] != key {
            at = (at + 1) % table.len();
        }
        at
    };
    let with_gradient = || descriptors.iter().filter(|descriptor| descriptor.has_grad != 0);
    for storage in with_gradient().flat_map(|descriptor| [descriptor.storage, descriptor.grad_storage]) {
        let key = storage as u64;
        let at = find(&table, key);
        if table[at] == key {
            return true;
        }
        table[at] = key;
    }
    false
}

/// Fails if the memory of a parameter overlaps another parameter or a gradient. Returns the indices of gradients that overlap an
/// earlier gradient.
pub(crate) fn check_overlap(descriptors: &[ParameterDescriptor], name: &dyn Fn(usize) -> String) -> Result<Vec<usize>> {
    struct Range {
        start: usize,
        end: usize,
        index: usize,
        is_parameter: bool,
    }
    let mut ranges = Vec::with_capacity(2 * descriptors.len());
    for (index, descriptor) in
        descriptors.iter().enumerate().filter(|(_, descriptor)| descriptor.has_grad != 0 && descriptor.len() > 0)
    {
        let bytes = descriptor.len() * size(descriptor.dtype);
        let mut push =
            |start: usize, is_parameter| ranges.push(Range { start, end: start + bytes, index, is_parameter });
        push(descriptor.data as usize, true);
        push(descriptor.grad_data as usize, false);
    }
    ranges.sort_unstable_by_key(|range| range.start);
    // The range so far that ends last: of all ranges, and of parameters.
    let mut any: Option<&Range> = None;
    let mut parameter: Option<&Range> = None;
    let mut shared = Vec::new();
    for range in &ranges {
        let before = if range.is_parameter { any } else { parameter };
        if let Some(other) = before.filter(|other| range.start < other.end) {
            let text = |range: &Range| {
                format!("{} {}", if range.is_parameter { "parameter" } else { "gradient" }, name(range.index))
            };
            let code = if range.is_parameter && other.is_parameter { Code::Parameter } else { Code::Gradient };
            return Err(Error::new(code, format!("{} shares memory with {}", text(other), text(range))));
        }
        if !range.is_parameter && any.is_some_and(|other| range.start < other.end) {
            shared.push(range.index);
        }
        let ends_later = |old: Option<&Range>| old.is_none_or(|old| old.end < range.end);
        if ends_later(any) {
            any = Some(range);
        }
        if range.is_parameter && ends_later(parameter) {
            parameter = Some(range);
        }
    }
    Ok(shared)
}
