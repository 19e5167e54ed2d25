//! Which tensors of a list are the same.

/// For each number the place of the first that is equal.
pub fn first_places(numbers: &[u64]) -> Vec<usize> {
    const EMPTY: usize = usize::MAX;
    // At most half of the table is taken, and what is taken begins near where its number says.
    let mut table = vec![EMPTY; (2 * numbers.len()).next_power_of_two()];
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
    numbers.iter().enumerate().map(place_of).collect()
}

/// True if one of the numbers behind the first `count` is equal to one of those.
pub(crate) fn any_equal(numbers: &[u64], count: usize) -> bool {
    first_places(numbers)[count..].iter().any(|place| *place < count)
}

/// For each name its place among the known ones, that of the first of them that is the same; behind their end where it is none.
pub(crate) fn places_of(names: &[&str], known: &[&str]) -> Vec<usize> {
    let mut hashes = Vec::new();
    for name in known.iter().chain(names) {
        let mut hash = 0xcbf2_9ce4_8422_2325;
        for byte in name.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        hashes.push(hash);
    }
    let mut places = first_places(&hashes).split_off(known.len());
    for (place, name) in places.iter_mut().zip(names) {
        // Another name may have the same hash.
        if known.get(*place).is_some_and(|same| same != name) {
            *place = known.iter().position(|same| same == name).unwrap_or(usize::MAX);
        }
    }
    places
}

/// A name that is there more than once.
pub(crate) fn repeated<'a>(names: &[&'a str]) -> Option<&'a str> {
    let place = places_of(names, names).iter().enumerate().position(|(place, first)| *first < place)?;
    Some(names[place])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_the_place_of_the_first_that_is_equal() {
        let numbers: Vec<u64> = (0..5000).map(|i| ((i * i % 1009) << 40) | (i % 7)).collect();
        for (place, number) in first_places(&numbers).into_iter().zip(&numbers) {
            assert_eq!(Some(place), numbers.iter().position(|other| other == number));
        }
        assert!(first_places(&[]).is_empty());
    }

    #[test]
    fn every_name_has_its_place() {
        let known: Vec<String> = (0..1000).map(|i| format!("name {i}")).collect();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let names: Vec<&str> = known.iter().rev().copied().chain(["", "name", known[7], "name 1000"]).collect();
        let expected: Vec<_> = names.iter().map(|name| known.iter().position(|same| same == name)).collect();
        let places: Vec<_> =
            places_of(&names, &known).into_iter().map(|i| Some(i).filter(|i| *i < known.len())).collect();
        assert_eq!(places, expected);
        assert!(places_of(&[], &known).is_empty());
        assert_eq!(places_of(&["a"], &[]).len(), 1);
        assert_eq!(places_of(&["b", "a"], &["a", "b", "a", "b"]), [1, 0]);
        assert_eq!(repeated(&known), None);
        assert_eq!(repeated(&names), Some(known[7]));
        assert_eq!(repeated(&["", "a", ""]), Some(""));
    }
}
