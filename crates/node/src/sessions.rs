//! The sessions of a thread, by number.

use std::cell::RefCell;
use std::mem::ManuallyDrop;
use std::rc::Rc;

use napi::bindgen_prelude::External;
use napi_derive::napi;
use stepwell_engine_torch::TorchEngine;
use stepwell_optim::{Code, Error, Result};
use stepwell_session::Session;

type Shared = Rc<RefCell<Session<TorchEngine>>>;

thread_local! {
    /// Never dropped by the thread: libtorch may be gone by then. Owners remove theirs, and the clean-up hook the rest.
    static SESSIONS: ManuallyDrop<RefCell<Vec<Option<Shared>>>> = const { ManuallyDrop::new(RefCell::new(Vec::new())) };
}

/// A session that was opened.
#[napi(object, object_from_js = false)]
pub struct Opened {
    /// For the other functions to take.
    pub session: u32,
    /// The garbage collector ends the session when it finds this.
    pub owner: External<Owner>,
}

/// Ends its session when it is dropped.
pub struct Owner(u32);

impl Drop for Owner {
    fn drop(&mut self) {
        let Ok(removed) =
            SESSIONS.try_with(|sessions| sessions.try_borrow_mut().ok()?.get_mut(self.0 as usize)?.take())
        else {
            return;
        };
        drop(removed);
    }
}

/// Opens a session under a number that no other session of this thread has had.
pub(crate) fn open() -> Result<Opened> {
    SESSIONS.with(|sessions| {
        let mut sessions = sessions.borrow_mut();
        let session = u32::try_from(sessions.len()).map_err(|_| missing())?;
        sessions.push(Some(Rc::new(RefCell::new(Session::new(TorchEngine::new())))));
        Ok(Opened { session, owner: External::new(Owner(session)) })
    })
}

/// The session of a number.
pub(crate) fn get(session: u32) -> Result<Shared> {
    SESSIONS.with(|sessions| sessions.borrow().get(session as usize).cloned().flatten().ok_or_else(missing))
}

/// Ends every session of this thread.
pub(crate) fn clear() {
    let all: Vec<_> = SESSIONS.with(|sessions| sessions.borrow_mut().iter_mut().map(Option::take).collect());
    drop(all);
}

fn missing() -> Error {
    Error::new(Code::Internal, "there is no session of this number")
}
