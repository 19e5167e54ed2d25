//! The description of a checkpoint: JSON in the metadata of its header, with the version of the format and the checksum.

use std::ops::Range;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::checksum::DIGITS;

/// The version of the format that this crate writes, and the newest that it reads.
pub const FORMAT_VERSION: u64 = 1;
/// Key of the description in the metadata, and name of the format.
pub(crate) const KEY: &str = "stepwell";
/// Key of the metadata in a header.
pub(crate) const METADATA: &str = "__metadata__";

/// The beginning of every header that this crate writes, up to the digits of the checksum: they have a fixed place.
const BEGINNING: &str = r#"{"__metadata__":{"stepwell":"{\"format\":\"stepwell\",\"version\":1,\"sha256\":\""#;
/// Where the header begins: after its length.
pub(crate) const LENGTH_BYTES: u64 = 8;

/// The places of the digits of the checksum in a file that this crate wrote.
pub(crate) const DIGITS_PLACE: Range<u64> =
    LENGTH_BYTES + BEGINNING.len() as u64..LENGTH_BYTES + (BEGINNING.len() + DIGITS) as u64;

/// The beginning of a header with a description, whose checksum is zeros. `content` is JSON.
pub(crate) fn written(content: &str) -> Result<String, String> {
    let rest = format!("\",\"content\":{content}}}");
    let escaped = serde_json::to_string(&rest).map_err(|error| error.to_string())?;
    let zeros = "0".repeat(DIGITS);
    // The escaped text begins with a quotation mark, which the beginning has already.
    Ok(format!("{BEGINNING}{zeros}{}}}", &escaped[1..]))
}

/// True if the checksum stands at its place.
pub(crate) fn has_digits_at_their_place(header: &str) -> bool {
    header.starts_with(BEGINNING)
}

/// True for an entry of metadata that begins as a description does, or has the members of one, in its key or its text. Under a damaged key
/// it would pass for another program's metadata, and the checksum would not be compared.
pub(crate) fn is_description(key: &str, text: &str) -> bool {
    text.starts_with(r#"{"format":"stepwell","#)
        || [r#""sha256":""#, r#""content":"#].iter().all(|part| key.contains(part) || text.contains(part))
}

/// A description that was read.
#[derive(Deserialize)]
pub(crate) struct Description {
    format: String,
    version: u64,
    pub(crate) sha256: String,
    content: Box<RawValue>,
}

impl Description {
    /// Reads a description. A newer version may have other members.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Version {
            format: String,
            version: u64,
        }
        let wrong = |error: serde_json::Error| format!("its description: {error}");
        let Version { format, version } = serde_json::from_str(text).map_err(wrong)?;
        if format != KEY {
            return Err(format!(
                "its description: expected the format {KEY}, given {}",
                stepwell_optim::Brief(&format)
            ));
        }
        if version == 0 || version > FORMAT_VERSION {
            return Err(format!(
                "version {version} of the format is unknown: this release reads versions up to {FORMAT_VERSION}; \
                 read it with a newer release"
            ));
        }
        serde_json::from_str(text).map_err(wrong)
    }

    /// The JSON that the caller wrote.
    pub(crate) fn content(&self) -> &str {
        self.content.get()
    }

    pub(crate) fn version(&self) -> u64 {
        debug_assert_eq!(self.format, KEY);
        self.version
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_is_read_as_it_was_written() {
        let content = r#"{"epoch":3,"text":"a \"quoted\" \\ word","list":[1,null]}"#;
        let header = written(content).expect("it is JSON") + "}";
        assert!(has_digits_at_their_place(&header));
        let place = (DIGITS_PLACE.start - LENGTH_BYTES) as usize..(DIGITS_PLACE.end - LENGTH_BYTES) as usize;
        assert_eq!(&header[place], "0".repeat(DIGITS));
        let parsed: serde_json::Value = serde_json::from_str(&header).expect("it is JSON");
        let text = parsed[METADATA][KEY].as_str().expect("it is a text");
        let description = Description::parse(text).expect("it is a description");
        assert_eq!((description.content(), description.version()), (content, FORMAT_VERSION));
    }

    #[test]
    fn a_newer_version_is_refused_by_name() {
        let error = Description::parse(r#"{"format":"stepwell","version":2,"blocks":[]}"#).err();
        assert!(error.expect("it is refused").contains("version 2 of the format is unknown"));
        for text in
            [r#"{"format":"other","version":1}"#, r#"{"version":1}"#, "[]", "", r#"{"format":"stepwell","version":1}"#]
        {
            assert!(Description::parse(text).is_err(), "{text}");
        }
    }
}
