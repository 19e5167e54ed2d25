//! Memory that would be lent twice.

use stepwell_optim::{Code, Error, Result};

use crate::shim::{BFLOAT16, FLOAT, HALF, ParameterDescriptor};

/// Bytes of an element of a floating-point dtype.
fn size(dtype: u8) -> usize {
    match dtype {
        HALF | BFLOAT16 => 2,
        FLOAT => 4,
        _ => 8,
    }
}

/// True if a storage belongs to two parameters or gradients.
pub(crate) fn shares_storage(descriptors: &[ParameterDescriptor]) -> bool {
    // An open hash table at most a quarter full; no storage has the address 0.
    let bits = (8 * descriptors.len()).next_power_of_two().trailing_zeros().max(1);
    let mut table = vec![0u64; 1 << bits];
    let place = |table: &[u64], key: u64| {
        let mut at = (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - bits)) as usize;
        while table[at] != 0 && table[at] != key {
            at = (at + 1) % table.len();
        }
        at
    };
    let lent = || descriptors.iter().filter(|descriptor| descriptor.has_grad != 0);
    for storage in lent().flat_map(|descriptor| [descriptor.storage, descriptor.grad_storage]) {
        let key = storage as u64;
        let at = place(&table, key);
        if table[at] == key {
            return true;
        }
        table[at] = key;
    }
    false
}

/// Fails where a parameter shares memory with another or with a gradient. Returns the gradients that share memory with
/// gradients before them.
pub(crate) fn check_overlap(descriptors: &[ParameterDescriptor]) -> Result<Vec<usize>> {
    struct Range {
        start: usize,
        end: usize,
        index: usize,
        written: bool,
    }
    let mut ranges = Vec::with_capacity(2 * descriptors.len());
    for (index, descriptor) in
        descriptors.iter().enumerate().filter(|(_, descriptor)| descriptor.has_grad != 0 && descriptor.len() > 0)
    {
        let bytes = descriptor.len() * size(descriptor.dtype);
        let mut push = |start: usize, written| ranges.push(Range { start, end: start + bytes, index, written });
        push(descriptor.data as usize, true);
        push(descriptor.grad as usize, false);
    }
    ranges.sort_unstable_by_key(|range| range.start);
    // Of the ranges so far, the one that reaches farthest, and the one of those written to.
    let mut any: Option<&Range> = None;
    let mut written: Option<&Range> = None;
    let mut shared = Vec::new();
    for range in &ranges {
        let before = if range.written { any } else { written };
        if let Some(other) = before.filter(|other| range.start < other.end) {
            let name =
                |range: &Range| format!("{} {}", if range.written { "parameter" } else { "gradient" }, range.index);
            let code = if range.written && other.written { Code::Parameter } else { Code::Gradient };
            return Err(Error::new(code, format!("{} shares memory with {}", name(other), name(range))));
        }
        if !range.written && any.is_some_and(|other| range.start < other.end) {
            shared.push(range.index);
        }
        let farther = |old: Option<&Range>| old.is_none_or(|old| old.end < range.end);
        if farther(any) {
            any = Some(range);
        }
        if range.written && farther(written) {
            written = Some(range);
        }
    }
    Ok(shared)
}
