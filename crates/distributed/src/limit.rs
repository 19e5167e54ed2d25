//! The time until a wait ends.

use std::time::{Duration, Instant};

/// The shortest wait: c10d and the system take none for one without an end.
const SHORTEST: Duration = Duration::from_millis(1);

pub(crate) struct Limit {
    pub(crate) begin: Instant,
    pub(crate) length: Duration,
}

impl Limit {
    pub(crate) fn has_ended(&self) -> bool {
        self.begin.elapsed() >= self.length
    }

    /// The rest of the time, and at least the shortest wait.
    pub(crate) fn left(&self) -> Duration {
        self.length.saturating_sub(self.begin.elapsed()).max(SHORTEST)
    }

    /// As [`left`](Self::left), for c10d.
    pub(crate) fn milliseconds(&self) -> i64 {
        milliseconds(self.left())
    }
}

/// A time for c10d.
pub(crate) fn milliseconds(time: Duration) -> i64 {
    i64::try_from(time.max(SHORTEST).as_millis()).unwrap_or(i64::MAX)
}
