//! The list of the jobs of a session.

use crate::values::handle::Handle;

/// The jobs of a session, with what they have.
#[derive(Default)]
pub(crate) struct Leases {
    /// Each job that is not over, by its number.
    pub(crate) jobs: Vec<Lease>,
    /// The number of the last job.
    pub(crate) last: u64,
    /// Jobs that have the generator of random numbers, in order.
    pub(crate) drawing: usize,
    /// In bytes: the objects that jobs have.
    pub(crate) lent_bytes: usize,
    /// The number of resets, since the generator of an older job is not taken back.
    pub(crate) resets: u64,
}

/// A job that is not over.
pub(crate) struct Lease {
    pub(crate) number: u64,
    /// Identities of tensors.
    pub(crate) tensors: Vec<u64>,
    /// Each object, as `leaks` lists it: its bytes, and the command that made it.
    pub(crate) objects: Vec<(Handle, usize, &'static str)>,
    /// In bytes, of all objects.
    pub(crate) bytes: usize,
}
