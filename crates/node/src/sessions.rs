//! The sessions of a thread, by number.

use std::cell::RefCell;
use std::mem::ManuallyDrop;
use std::rc::Rc;

use napi::bindgen_prelude::External;
use napi_derive::napi;
use stepwell_engine::NativeEngine;
use stepwell_optim::{Code, Error, Result};
use stepwell_session::Session;

use crate::executor::Executor;

type Shared = Rc<RefCell<Session<NativeEngine>>>;
/// By number; `None` after the end of a session.
type Sessions = RefCell<Vec<Option<(Shared, CompactMemory)>>>;

/// The threads of asynchronous calls, by the number of the session; `None` before the first call and after the end.
type Executors = RefCell<Vec<Option<Executor>>>;

/// The number of doubles that arguments of a compact call take at most. Two more follow, see `compact_call`.
pub(crate) const COMPACT_LENGTH: usize = 64;

thread_local! {
    /// Never dropped by the thread, since libtorch may be unloaded by then. Owners remove their sessions, the clean-up hook the rest.
    static SESSIONS: ManuallyDrop<Sessions> = const { ManuallyDrop::new(RefCell::new(Vec::new())) };
    /// As [`SESSIONS`].
    static EXECUTORS: ManuallyDrop<Executors> = const { ManuallyDrop::new(RefCell::new(Vec::new())) };
}

/// Memory of a `Float64Array` of [`COMPACT_LENGTH`] + 2 elements, which lives as long as the environment.
#[derive(Clone, Copy)]
pub(crate) struct CompactMemory(pub(crate) *mut f64);

/// A new session.
#[napi(object, object_from_js = false)]
pub struct Opened {
    /// The first argument of the other functions.
    pub session: u32,
    /// Ends the session when it is collected.
    pub owner: External<Owner>,
}

/// Ends its session when it is dropped.
pub struct Owner(u32);

impl Drop for Owner {
    fn drop(&mut self) {
        end_executor(self.0);
        let Ok(removed) =
            SESSIONS.try_with(|sessions| sessions.try_borrow_mut().ok()?.get_mut(self.0 as usize)?.take())
        else {
            return;
        };
        drop(removed);
    }
}

/// Opens a session with a number that is new in this thread.
pub(crate) fn open(compact: CompactMemory) -> Result<Opened> {
    SESSIONS.with(|sessions| {
        let mut sessions = sessions.borrow_mut();
        let session = u32::try_from(sessions.len()).map_err(|_| missing())?;
        sessions.push(Some((Rc::new(RefCell::new(Session::new(NativeEngine::new()))), compact)));
        Ok(Opened { session, owner: External::new(Owner(session)) })
    })
}

/// The session of a number.
pub(crate) fn get(session: u32) -> Result<Shared> {
    get_compact(session).map(|(session, _)| session)
}

/// The session of a number, and its memory for arguments.
pub(crate) fn get_compact(session: u32) -> Result<(Shared, CompactMemory)> {
    SESSIONS.with(|sessions| sessions.borrow().get(session as usize).cloned().flatten().ok_or_else(missing))
}

/// Calls a function with the thread of a session's asynchronous calls.
pub(crate) fn with_executor<T>(session: u32, run: impl FnOnce(&mut Executor) -> Result<T>) -> Result<T> {
    EXECUTORS.with(|executors| {
        let mut executors = executors.borrow_mut();
        let index = session as usize;
        if executors.len() <= index {
            executors.resize_with(index + 1, || None);
        }
        run(executors[index].get_or_insert_default())
    })
}

/// Ends the thread of a session's asynchronous calls.
fn end_executor(session: u32) {
    let ended = EXECUTORS.try_with(|executors| executors.try_borrow_mut().ok()?.get_mut(session as usize)?.take());
    if let Ok(Some(executor)) = ended {
        executor.end(true);
    }
}

/// Ends the threads of all sessions of this thread, whose environment ends.
pub(crate) fn end_executors() {
    let executors = EXECUTORS.with(|executors| std::mem::take(&mut *executors.borrow_mut()));
    for executor in executors.into_iter().flatten() {
        executor.end(false);
    }
}

/// Ends every session of this thread.
pub(crate) fn clear() {
    end_executors();
    let all: Vec<_> = SESSIONS.with(|sessions| sessions.borrow_mut().iter_mut().map(Option::take).collect());
    drop(all);
}

fn missing() -> Error {
    Error::new(Code::Internal, "there is no session of this number")
}
