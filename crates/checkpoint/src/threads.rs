//! Work on parts of a file that several threads share.

use std::io::{Error, Result};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// More threads do not help: they wait for memory.
const MAX_THREADS: usize = 8;

/// Runs `work` on this thread and others until it has taken all items. Once it fails on one thread, the others get no more items.
pub(crate) fn share<T: Send>(
    count: usize,
    items: impl Iterator<Item = T> + Send,
    work: impl Fn(&mut dyn FnMut() -> Option<T>) -> Result<()> + Sync,
) -> Result<()> {
    let items = Mutex::new(Some(items));
    let run = || {
        let mut next = || items.lock().unwrap_or_else(PoisonError::into_inner).as_mut()?.next();
        let done = work(&mut next);
        if done.is_err() {
            *items.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        done
    };
    let threads = thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS).min(count);
    thread::scope(|scope| {
        // A thread that cannot be started is not needed: this one takes every item that is left.
        let spawn = |_| thread::Builder::new().name("checkpoint".into()).spawn_scoped(scope, run).ok();
        let others: Vec<_> = (1..threads).filter_map(spawn).collect();
        let own = run();
        others.into_iter().fold(own, |done, other| {
            let other = other.join().unwrap_or_else(|_| Err(Error::other("a thread of the checkpoint failed")));
            done.and(other)
        })
    })
}
