//! Comparison of the objects of several processes, which must be the same in all of them.

use std::io;

use stepwell_checkpoint::Sink;
use stepwell_optim::{Code, Error, Result};

use crate::engine::process_group::ProcessGroup;

/// A part of a training that the processes must have in common.
pub(crate) struct Part {
    pub(crate) kind: PartKind,
    /// The part in words, equal for equal parts.
    pub(crate) text: String,
}

/// Kinds of parts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum PartKind {
    Option,
    Parameter,
    Buffer,
    Module,
    State,
    Call,
    Object,
}

impl PartKind {
    /// A noun, and what makes the parts equal.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            PartKind::Option => ("options", "make the same optimizer with the same options"),
            PartKind::Parameter => {
                ("parameters", "make the same module and the same parameter groups, in the same order")
            }
            PartKind::Buffer => ("buffers", "make the same module"),
            PartKind::Module => ("modules", "make the same module with the same options"),
            PartKind::State => ("state of the optimizer", "load the same checkpoint, or make the optimizer anew"),
            PartKind::Call => (
                "optimizer and options in a step",
                "step the same optimizer with the same options, and change them on each process alike",
            ),
            PartKind::Object => (
                "path and objects in a call",
                "call it on each process with the same path, and with the same objects under the same names, in the same order",
            ),
        }
    }

    fn from_number(number: f64) -> Option<Self> {
        [Self::Option, Self::Parameter, Self::Buffer, Self::Module, Self::State, Self::Call, Self::Object]
            .into_iter()
            .find(|kind| *kind as u8 as f64 == number)
    }
}

/// Fails on all processes, with the same message, unless all have the same parts.
///
/// # Errors
/// [`Code::Parameter`] names the first part that differs.
pub(crate) fn check_same<T>(group: &dyn ProcessGroup<T>, parts: &[Part]) -> Result<()> {
    let digests: Vec<_> = parts.iter().map(|part| digest_of(part.text.as_bytes())).collect();
    let all = digest_of(&digests.iter().flatten().flat_map(|half| half.to_le_bytes()).collect::<Vec<_>>());
    let rows = group.gather(&[parts.len() as f64, all[0], all[1]])?;
    if different(&rows).is_none() {
        return Ok(());
    }
    // Only now, since an agreement is the rule.
    let most = rows.iter().map(|row| row[0]).fold(0.0, f64::max) as usize;
    let mut numbers: Vec<f64> = digests.into_iter().flatten().collect();
    numbers.resize(2 * most, -1.0);
    let rows = group.gather(&numbers)?;
    let first = (0..most).find(|i| rows.iter().any(|row| row[2 * i..][..2] != rows[0][2 * i..][..2]));
    let Some(first) = first else { return Err(Error::new(Code::Internal, "equal parts of different digests")) };
    let at = |row: &[f64]| [row[2 * first], row[2 * first + 1]];
    let Some(rank) = rows.iter().position(|row| at(row) != at(&rows[0])) else { return Ok(()) };
    let texts = texts(group, parts.get(first))?;
    // A process with fewer parts of a kind has one of a later kind in its place.
    let kind = [texts[0].0, texts[rank].0].into_iter().flatten().min();
    let (noun, advice) = kind.unwrap_or(PartKind::Option).words();
    let given = |(own, text): &(Option<PartKind>, String)| if *own == kind { text.clone() } else { "none".to_owned() };
    let message = format!(
        "expected the same {noun} on each process, given {} on rank 0 and {} on rank {rank}: {advice}",
        given(&texts[0]),
        given(&texts[rank])
    );
    Err(Error::new(Code::Parameter, message))
}

/// The kinds and texts of a part of each process; no kind for a process that has fewer parts.
fn texts<T>(group: &dyn ProcessGroup<T>, part: Option<&Part>) -> Result<Vec<(Option<PartKind>, String)>> {
    let (kind, text) = part.map_or((-1.0, ""), |part| (f64::from(part.kind as u8), &*part.text));
    let lengths = group.gather(&[text.len() as f64])?;
    let longest = lengths.iter().map(|row| row[0]).fold(0.0, f64::max) as usize;
    let mut numbers = vec![kind];
    numbers.extend(text.bytes().map(f64::from));
    numbers.resize(1 + longest, 0.0);
    let rows = group.gather(&numbers)?;
    let decoded = rows.iter().zip(&lengths).map(|(row, length)| {
        let bytes: Vec<u8> = row[1..=length[0] as usize].iter().map(|byte| *byte as u8).collect();
        (PartKind::from_number(row[0]), String::from_utf8_lossy(&bytes).into_owned())
    });
    Ok(decoded.collect())
}

/// The first rank whose row differs from the row of rank 0.
pub(crate) fn different(rows: &[Vec<f64>]) -> Option<usize> {
    rows.iter().position(|row| *row != rows[0])
}

/// The digest of all parts.
pub(crate) fn digest_of_parts(parts: &[Part]) -> Digest {
    let mut digest = Digest::default();
    for part in parts {
        digest.add(part.text.as_bytes());
        digest.add(b"\n");
    }
    digest
}

fn digest_of(bytes: &[u8]) -> [f64; 2] {
    let mut digest = Digest::default();
    digest.add(bytes);
    digest.numbers()
}

/// 64 bits of FNV-1a.
pub(crate) struct Digest(u64);

impl Default for Digest {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Digest {
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        let mix = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        self.0 = bytes.iter().fold(self.0, mix);
    }

    /// As two numbers that are exact.
    pub(crate) fn numbers(&self) -> [f64; 2] {
        [(self.0 >> 32) as f64, (self.0 & 0xffff_ffff) as f64]
    }

    pub(crate) fn bytes(&self) -> [u8; 8] {
        self.0.to_le_bytes()
    }

    /// In hexadecimal digits.
    pub(crate) fn text(&self) -> String {
        format!("{:016x}", self.0)
    }
}

impl Sink for Digest {
    fn take(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.add(bytes);
        Ok(())
    }
}
