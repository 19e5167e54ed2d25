//! The JSON of a header: names and values are borrowed from its text, and a list of sizes has a limit.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use stepwell_optim::Brief;

/// Maximum number of dimensions, checked before a list of sizes takes memory.
pub(crate) const MAX_DIMENSIONS: usize = 64;

/// The element types of the format with their sizes in bits.
const DTYPES: [(&str, u64); 22] = [
    ("BOOL", 8),
    ("F4", 4),
    ("F6_E2M3", 6),
    ("F6_E3M2", 6),
    ("U8", 8),
    ("I8", 8),
    ("F8_E5M2", 8),
    ("F8_E4M3", 8),
    ("F8_E8M0", 8),
    ("F8_E4M3FNUZ", 8),
    ("F8_E5M2FNUZ", 8),
    ("I16", 16),
    ("U16", 16),
    ("F16", 16),
    ("BF16", 16),
    ("I32", 32),
    ("U32", 32),
    ("F32", 32),
    ("C64", 64),
    ("F64", 64),
    ("I64", 64),
    ("U64", 64),
];

/// The bits of an element of a type.
pub(crate) fn element_type(word: &str) -> Option<u64> {
    DTYPES.iter().find(|(known, _)| *known == word).map(|(_, bits)| *bits)
}

/// The type, shape and data offsets of a tensor, as in the header.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Description {
    pub(crate) dtype: ElementType,
    #[serde(deserialize_with = "few")]
    pub(crate) shape: Vec<u64>,
    pub(crate) data_offsets: [u64; 2],
}

/// A word of [`DTYPES`] with its size in bits.
#[derive(Clone, Copy)]
pub(crate) struct ElementType(pub(crate) &'static str, pub(crate) u64);

impl<'a> Deserialize<'a> for ElementType {
    fn deserialize<D: Deserializer<'a>>(json: D) -> Result<Self, D::Error> {
        let Name(word) = Name::deserialize(json)?;
        let known = DTYPES.iter().find(|(known, _)| *known == word);
        let unknown = || D::Error::custom(format_args!("unknown dtype `{}`", Brief(&word)));
        known.map(|(word, bits)| Self(word, *bits)).ok_or_else(unknown)
    }
}

/// A string, which is borrowed from the header unless it has escapes.
#[derive(Deserialize)]
pub(crate) struct Name<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

/// Reads the JSON value that begins at a place of a text.
pub(crate) fn value_at<'a, T: Deserialize<'a>>(text: &'a str, offset: u32) -> Result<T, String> {
    let mut json = serde_json::Deserializer::from_str(&text[offset as usize..]);
    T::deserialize(&mut json).map_err(|error| error.to_string())
}

/// Calls `member` with the text of the name and of the value of each member of a JSON object. A JSON library's own map would
/// copy both, and would not report a name that comes twice.
pub(crate) fn members<'a>(
    text: &'a str,
    member: impl FnMut(&'a str, &'a str) -> Result<(), String>,
) -> Result<(), String> {
    struct Members<F>(F);
    impl<'a, F: FnMut(&'a str, &'a str) -> Result<(), String>> Visitor<'a> for Members<F> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'a>>(mut self, mut map: A) -> Result<(), A::Error> {
            while let Some((name, value)) = map.next_entry::<&RawValue, &RawValue>()? {
                (self.0)(name.get(), value.get()).map_err(A::Error::custom)?;
            }
            Ok(())
        }
    }
    let mut json = serde_json::Deserializer::from_str(text);
    let read = json.deserialize_map(Members(member)).and_then(|()| json.end());
    read.map_err(|error| error.to_string())
}

/// A list of at most [`MAX_DIMENSIONS`] whole numbers.
fn few<'a, D: Deserializer<'a>>(json: D) -> Result<Vec<u64>, D::Error> {
    struct Few;
    impl<'a> Visitor<'a> for Few {
        type Value = Vec<u64>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "a list of at most {MAX_DIMENSIONS} whole numbers")
        }

        fn visit_seq<A: SeqAccess<'a>>(self, mut list: A) -> Result<Vec<u64>, A::Error> {
            let mut numbers = Vec::new();
            while let Some(number) = list.next_element()? {
                if numbers.len() == MAX_DIMENSIONS {
                    return Err(A::Error::invalid_length(numbers.len() + 1, &self));
                }
                numbers.push(number);
            }
            Ok(numbers)
        }
    }
    json.deserialize_seq(Few)
}
