//! A store of c10d: texts by name, which all processes of a group read and write.

use std::ffi::{CString, c_char};
use std::ptr::{self, NonNull};

use stepwell_optim::{Code, Error, Result};
use stepwell_session::GroupSettings;

use crate::limit::Limit;
use crate::shim::{
    RawStore, checked, stepwell_store_free, stepwell_store_get, stepwell_store_open, stepwell_store_set,
};

/// In bytes: the longest text, with the 0 at its end, as in c10d.cpp.
const TEXT_BYTES: usize = 256;

/// The store of a port.
pub(crate) struct Store {
    raw: NonNull<RawStore>,
}

// SAFETY: any thread may use a store, one at a time.
unsafe impl Send for Store {}

impl Store {
    /// Opens the store of a group, or makes it on the port. Waits for the answer of the process that has opened it.
    ///
    /// # Errors
    /// [`Code::Distributed`] with the text of libtorch.
    pub(crate) fn open(settings: &GroupSettings, limit: &Limit) -> Result<Self> {
        let GroupSettings { host, port, hosts_store, .. } = settings;
        let (host, milliseconds) = (text(host)?, limit.milliseconds());
        let mut store = ptr::null_mut();
        checked(failed, |message| {
            // SAFETY: a live text; c10d.cpp writes the store and at most the length of the message.
            unsafe {
                stepwell_store_open(host.as_ptr(), i32::from(*port), milliseconds, *hosts_store, &mut store, message)
            }
        })?;
        let raw = NonNull::new(store).ok_or_else(|| Error::new(Code::Internal, "no store was made"))?;
        Ok(Self { raw })
    }

    pub(crate) fn raw(&self) -> NonNull<RawStore> {
        self.raw
    }

    pub(crate) fn set(&self, name: &str, value: &str) -> Result<()> {
        let (name, value) = (text(name)?, text(value)?);
        checked(failed, |message| {
            // SAFETY: a live store and live texts.
            unsafe { stepwell_store_set(self.raw.as_ptr(), name.as_ptr(), value.as_ptr(), message) }
        })
    }

    /// The text of a name, if it has one now.
    pub(crate) fn get(&self, name: &str) -> Result<Option<String>> {
        let name = text(name)?;
        let (mut value, mut found): ([c_char; TEXT_BYTES], bool) = ([0; TEXT_BYTES], false);
        checked(failed, |message| {
            // SAFETY: a live store, a live text, and as many bytes as c10d.cpp writes.
            unsafe { stepwell_store_get(self.raw.as_ptr(), name.as_ptr(), value.as_mut_ptr(), &mut found, message) }
        })?;
        let bytes: Vec<u8> = value.iter().map(|byte| *byte as u8).take_while(|byte| *byte != 0).collect();
        Ok(found.then(|| String::from_utf8_lossy(&bytes).into_owned()))
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // SAFETY: the store is this one's.
        unsafe { stepwell_store_free(self.raw.as_ptr()) };
    }
}

pub(crate) fn text(text: &str) -> Result<CString> {
    CString::new(text).map_err(|_| Error::new(Code::Argument, format!("expected a text without 0, given {text:?}")))
}

fn failed(text: &str) -> Error {
    Error::new(Code::Distributed, text.lines().next().unwrap_or_default())
}
