//! The header of a safetensors file: name, type, shape and place of each tensor, as JSON.
//!
//! <https://github.com/huggingface/safetensors#format>. It is read in one pass and stays text. A tensor takes 24 bytes
//! and a slot of a table in addition. A header of a million names takes little more than its own size.

use std::borrow::Cow;
use std::hash::{BuildHasher, RandomState};

use stepwell_optim::Brief;

use crate::description::{KEY, METADATA, is_description};
use crate::json::{Description, ElementType, Name, members, value_at};

/// The most bytes that the format allows for a header.
pub(crate) const MAX_HEADER_LEN: u64 = 100_000_000;
/// The tensors of a file.
pub(crate) struct Header {
    text: String,
    /// In the order of their data.
    entries: Vec<Entry>,
    /// The entries by the hashes of their names: each is found at the first place from its hash on that holds it.
    table: Vec<u32>,
    hasher: RandomState,
    /// The description of Stepwell.
    description: Option<String>,
}

/// A tensor of a file.
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    /// The bytes of its elements, counted from the end of the header.
    pub(crate) start: u64,
    pub(crate) end: u64,
    /// Offsets of its name and its description in the header, in bytes.
    name: u32,
    description: u32,
}

const EMPTY: u32 = u32::MAX;

impl Header {
    /// Reads a header in front of that many bytes of data, and checks that the tensors fill them without holes.
    pub(crate) fn parse(text: String, data: u64) -> Result<Self, String> {
        let (mut entries, description) = entries(&text)?;
        entries.sort_unstable_by_key(|entry| (entry.start, entry.end));
        let mut end = 0;
        for entry in &entries {
            if entry.start != end {
                let problem = if entry.start < end { "overlaps another" } else { "leaves a hole before it" };
                let Name(name) = value_at(&text, entry.name)?;
                return Err(format!("the data of `{}` {problem}", Brief(&name)));
            }
            end = entry.end;
        }
        if end != data {
            return Err(format!("its tensors have {end} bytes and its data {data}"));
        }
        let slots = (2 * entries.len()).next_power_of_two();
        let mut table = Vec::new();
        table.try_reserve_exact(slots).map_err(|_| "no memory for its names".to_owned())?;
        table.resize(slots, EMPTY);
        let mut header = Self { text, entries, table, hasher: RandomState::new(), description };
        for i in 0..header.entries.len() {
            let (slot, found) = header.slot(&header.name(&header.entries[i]));
            if found.is_some() {
                let name = header.name(&header.entries[i]);
                return Err(format!("it names `{}` twice", Brief(&name)));
            }
            // The number of entries fits: the header has more bytes than entries.
            header.table[slot] = i as u32;
        }
        Ok(header)
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The description of Stepwell, if a program wrote one.
    pub(crate) fn description_text(&self) -> Option<&str> {
        self.description.as_deref()
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(crate) fn name(&self, entry: &Entry) -> Cow<'_, str> {
        // It was read before.
        value_at(&self.text, entry.name).map(|Name(name)| name).unwrap_or_default()
    }

    pub(crate) fn description(&self, entry: &Entry) -> Result<Description, String> {
        value_at(&self.text, entry.description)
    }

    pub(crate) fn find(&self, name: &str) -> Option<&Entry> {
        self.slot(name).1
    }

    /// The entry of that name and its place in the table, or the place for one.
    fn slot(&self, name: &str) -> (usize, Option<&Entry>) {
        let mask = self.table.len() - 1;
        let mut slot = self.hasher.hash_one(name) as usize & mask;
        while let Some(entry) = self.entries.get(self.table[slot] as usize) {
            if self.name(entry) == name {
                return (slot, Some(entry));
            }
            slot = (slot + 1) & mask;
        }
        (slot, None)
    }
}

/// The tensors of a header, in its order, and the description.
fn entries(text: &str) -> Result<(Vec<Entry>, Option<String>), String> {
    if !text.starts_with('{') {
        return Err("its header does not begin with {".into());
    }
    // A header has at most MAX_HEADER_LEN bytes, which 32 bits count.
    let offset = |part: &str| (part.as_ptr().addr() - text.as_ptr().addr()) as u32;
    let mut entries: Vec<Entry> = Vec::new();
    let (mut metadata, mut description) = (false, None);
    members(text, |raw, value| {
        let Name(name) = value_at(raw, 0)?;
        if name == METADATA {
            if std::mem::replace(&mut metadata, true) {
                return Err(format!("it names `{METADATA}` twice"));
            }
            return members(value, |raw, value| {
                let (Name(key), Name(text)) = (value_at(raw, 0)?, value_at(value, 0)?);
                if key != KEY && !is_description(&key, &text) {
                    return Ok(());
                }
                if key != KEY {
                    return Err(format!("its metadata has a description under `{}`, expected `{KEY}`", Brief(&key)));
                }
                match description.replace(text.into_owned()) {
                    Some(_) => Err(format!("its metadata has `{KEY}` twice")),
                    None => Ok(()),
                }
            });
        }
        let wrong = |problem: &str| format!("`{}`: {problem}", Brief(&name));
        let Description { dtype: ElementType(_, bits), shape, data_offsets: [start, end] } =
            value_at(value, 0).map_err(|problem| wrong(&problem))?;
        let bits = shape.iter().try_fold(bits, |product, size| product.checked_mul(*size));
        match bits {
            Some(bits) if bits % 8 == 0 && start.checked_add(bits / 8) == Some(end) => {}
            _ => return Err(wrong("its shape does not fit its data")),
        }
        entries.try_reserve(1).map_err(|_| "no memory for its names".to_owned())?;
        entries.push(Entry { start, end, name: offset(raw), description: offset(value) });
        Ok(())
    })?;
    Ok((entries, description))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::MAX_DIMENSIONS;

    fn names(text: &str, data: u64) -> Result<Vec<String>, String> {
        let header = Header::parse(text.into(), data)?;
        for entry in header.entries() {
            let name = header.name(entry).into_owned();
            let found = header.find(&name).expect("it is there");
            assert_eq!((found.start, found.end), (entry.start, entry.end));
        }
        assert!(header.find("no such name").is_none());
        Ok(header.entries().iter().map(|entry| header.name(entry).into_owned()).collect())
    }

    fn tensor(name: &str, start: u64, end: u64) -> String {
        format!(r#""{name}":{{"dtype":"U8","shape":[{}],"data_offsets":[{start},{end}]}}"#, end - start)
    }

    #[test]
    fn names_are_told_in_the_order_of_the_data() {
        let text = format!(r#"{{ "__metadata__" : {{"a":"b"}} , {} ,{}}}  "#, tensor("x", 3, 5), tensor("y", 0, 3));
        assert_eq!(names(&text, 5), Ok(vec!["y".into(), "x".into()]));
        assert_eq!(names("{}", 0), Ok(vec![]));
    }

    #[test]
    fn names_are_what_json_says() {
        let text = format!("{{{}}}", tensor(r#"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00é"#, 0, 1));
        assert_eq!(names(&text, 1), Ok(vec!["\"\\/\u{8}\u{c}\n\r\té😀é".into()]));
    }

    #[test]
    fn what_the_format_forbids_is_refused() {
        let cases = [
            (format!("{{{},{}}}", tensor("x", 0, 2), tensor("x", 2, 3)), 3, "twice"),
            (format!("{{{},{}}}", tensor("x", 0, 2), tensor(r"\u0078", 2, 3)), 3, "twice"),
            (format!("{{{},{}}}", tensor("x", 0, 0), tensor("x", 0, 3)), 3, "twice"),
            (format!("{{{},{}}}", tensor("x", 0, 2), tensor("y", 1, 3)), 3, "overlaps"),
            (format!("{{{},{}}}", tensor("x", 0, 3), tensor("y", 0, 3)), 3, "overlaps"),
            (format!("{{{},{}}}", tensor("x", 0, 2), tensor("y", 3, 4)), 4, "hole"),
            (format!("{{{}}}", tensor("x", 1, 2)), 2, "hole"),
            (format!("{{{}}}", tensor("x", 0, 2)), 3, "its data 3"),
            (format!("{{{}}}", tensor("x", 0, 2)), 1, "its data 1"),
            (format!(" {{{}}}", tensor("x", 0, 2)), 2, "begin with {"),
            (format!("{{{}}}}}", tensor("x", 0, 2)), 2, "trailing"),
            (format!("{{{},}}", tensor("x", 0, 2)), 2, "trailing"),
            (r#"{"__metadata__":{"a":1}}"#.into(), 0, "string"),
            (r#"{"__metadata__":{},"__metadata__":{}}"#.into(), 0, "twice"),
            (r#"{"x":{"dtype":"U8","shape":[1],"shape":[1],"data_offsets":[0,1]}}"#.into(), 1, "duplicate"),
            (r#"{"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"more":1}}"#.into(), 1, "unknown field"),
            (r#"{"x":{"dtype":"U9","shape":[1],"data_offsets":[0,1]}}"#.into(), 1, "unknown dtype"),
            (r#"{"x":{"dtype":"F4","shape":[1],"data_offsets":[0,1]}}"#.into(), 1, "does not fit"),
            (r#"{"x":{"dtype":"U8","shape":[2],"data_offsets":[0,1]}}"#.into(), 1, "does not fit"),
            (r#"{"x":{"dtype":"U8","shape":[1],"data_offsets":[1,0]}}"#.into(), 1, "does not fit"),
            (r#"{"x":{"dtype":"U8","shape":[1],"data_offsets":[0]}}"#.into(), 1, "length 1"),
            (r#"{"x":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}}"#.into(), 1, "floating point"),
            (r#"{"x":{"dtype":"U8","shape":[01],"data_offsets":[0,1]}}"#.into(), 1, "invalid number"),
            (r#"{"x":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}}"#.into(), 1, "`-1`"),
            (r#"{"x":{"dtype":"U8","shape":[18446744073709551616],"data_offsets":[0,1]}}"#.into(), 1, "floating point"),
            (r#"{"x":{"dtype":"F32","shape":[4611686018427387905],"data_offsets":[0,4]}}"#.into(), 4, "does not fit"),
            (r#"{"\ud800":{}}"#.into(), 0, "escape"),
            (r#"{"\x":{}}"#.into(), 0, "escape"),
            ("{\"\n\":{}}".into(), 0, "control character"),
            (r#"{"x"#.into(), 0, "EOF"),
            ("{".into(), 0, "EOF"),
        ];
        let many = vec!["1"; MAX_DIMENSIONS + 1].join(",");
        let deep = format!(r#"{{"x":{{"dtype":"U8","shape":[{many}],"data_offsets":[0,1]}}}}"#);
        for (text, data, problem) in cases.into_iter().chain([(deep, 1, "at most 64")]) {
            let error = names(&text, data).expect_err(&text);
            assert!(error.contains(problem), "{text}: {error}");
        }
    }
}
