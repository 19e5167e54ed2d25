//! Equal numbers and names in lists: first positions, duplicates.

use stepwell_optim::Result;
use stepwell_optim::fallible::{collected, filled, with_capacity};

/// For each number the position of the first that is equal.
///
/// # Errors
/// [`Code::Memory`](stepwell_optim::Code::Memory)
pub fn first_positions(numbers: &[u64]) -> Result<Vec<usize>> {
    const EMPTY: usize = usize::MAX;
    // Open addressing with linear probing. At most half of the slots are used.
    let mut table = filled((2 * numbers.len()).next_power_of_two(), EMPTY)?;
    let mask = table.len() - 1;
    let place_of = |(i, number): (usize, &u64)| {
        let mut slot = (number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as usize & mask;
        loop {
            match table[slot] {
                EMPTY => {
                    table[slot] = i;
                    return i;
                }
                first if numbers[first] == *number => return first,
                _ => slot = (slot + 1) & mask,
            }
        }
    };
    collected(numbers.iter().enumerate().map(place_of))
}

/// True if a number after the first `count` equals one of the first `count`.
///
/// # Errors
/// [`Code::Memory`](stepwell_optim::Code::Memory)
pub(crate) fn any_equal(numbers: &[u64], count: usize) -> Result<bool> {
    Ok(first_positions(numbers)?[count..].iter().any(|position| *position < count))
}

/// For each name, the position of the first known name that equals it; at least `known.len()` if none does.
///
/// # Errors
/// [`Code::Memory`](stepwell_optim::Code::Memory)
pub(crate) fn positions_of(names: &[&str], known: &[&str]) -> Result<Vec<usize>> {
    let mut hashes = with_capacity(known.len() + names.len())?;
    for name in known.iter().chain(names) {
        let mut hash = 0xcbf2_9ce4_8422_2325;
        for byte in name.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        hashes.push(hash);
    }
    let mut positions = first_positions(&hashes)?;
    positions.drain(..known.len());
    for (position, name) in positions.iter_mut().zip(names) {
        // Another name may have the same hash.
        if known.get(*position).is_some_and(|same| same != name) {
            *position = known.iter().position(|same| same == name).unwrap_or(usize::MAX);
        }
    }
    Ok(positions)
}

/// A name that is there more than once.
///
/// # Errors
/// [`Code::Memory`](stepwell_optim::Code::Memory)
pub(crate) fn repeated<'a>(names: &[&'a str]) -> Result<Option<&'a str>> {
    let positions = positions_of(names, names)?;
    Ok(positions.iter().enumerate().find(|(position, first)| *first < position).map(|(position, _)| names[position]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_the_place_of_the_first_that_is_equal() {
        let numbers: Vec<u64> = (0..5000).map(|i| ((i * i % 1009) << 40) | (i % 7)).collect();
        for (position, number) in first_positions(&numbers).unwrap().into_iter().zip(&numbers) {
            assert_eq!(Some(position), numbers.iter().position(|other| other == number));
        }
        assert!(first_positions(&[]).unwrap().is_empty());
    }

    #[test]
    fn every_name_has_its_place() {
        let known: Vec<String> = (0..1000).map(|i| format!("name {i}")).collect();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let names: Vec<&str> = known.iter().rev().copied().chain(["", "name", known[7], "name 1000"]).collect();
        let expected: Vec<_> = names.iter().map(|name| known.iter().position(|same| same == name)).collect();
        let positions: Vec<_> =
            positions_of(&names, &known).unwrap().into_iter().map(|i| Some(i).filter(|i| *i < known.len())).collect();
        assert_eq!(positions, expected);
        assert!(positions_of(&[], &known).unwrap().is_empty());
        assert_eq!(positions_of(&["a"], &[]).unwrap().len(), 1);
        assert_eq!(positions_of(&["b", "a"], &["a", "b", "a", "b"]).unwrap(), [1, 0]);
        assert_eq!(repeated(&known).unwrap(), None);
        assert_eq!(repeated(&names).unwrap(), Some(known[7]));
        assert_eq!(repeated(&["", "a", ""]).unwrap(), Some(""));
    }
}
