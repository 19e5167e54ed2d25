//! The functions of c10d.cpp.

use std::ffi::{CStr, c_char, c_void};

use stepwell_optim::{Error, Result};
use torch_sys::C_tensor;

/// In bytes: the text of an exception, as in guarded.h.
const MESSAGE_BYTES: usize = 1024;

/// The function of the library with NCCL, as in nccl.h. It takes a store, a prefix, rank, size and milliseconds. It writes the group, and a message
/// if it fails.
pub(crate) type MakeGroup =
    unsafe extern "C" fn(*mut c_void, *const c_char, i32, i32, i64, *mut *mut RawGpus, *mut c_char) -> i32;

#[repr(C)]
pub(crate) struct Group {
    opaque: [u8; 0],
}

/// A store where processes meet.
#[repr(C)]
pub(crate) struct RawStore {
    opaque: [u8; 0],
}

/// A group for tensors of GPUs.
#[repr(C)]
pub(crate) struct RawGpus {
    opaque: [u8; 0],
}

#[repr(C)]
pub(crate) struct RawWork {
    opaque: [u8; 0],
}

unsafe extern "C" {
    pub(crate) fn stepwell_store_open(
        host: *const c_char,
        port: i32,
        limit: i64,
        hosts_store: bool,
        store: *mut *mut RawStore,
        message: *mut c_char,
    ) -> i32;
    pub(crate) fn stepwell_store_free(store: *mut RawStore);
    pub(crate) fn stepwell_store_set(
        store: *mut RawStore,
        name: *const c_char,
        value: *const c_char,
        message: *mut c_char,
    ) -> i32;
    pub(crate) fn stepwell_store_get(
        store: *mut RawStore,
        name: *const c_char,
        value: *mut c_char,
        found: *mut bool,
        message: *mut c_char,
    ) -> i32;
    pub(crate) fn stepwell_group_connect(
        store: *const RawStore,
        prefix: *const c_char,
        rank: i32,
        size: i32,
        limit: i64,
        timeout: i64,
        interface: *const c_char,
        group: *mut *mut Group,
        message: *mut c_char,
    ) -> i32;
    pub(crate) fn stepwell_group_free(group: *mut Group);
    pub(crate) fn stepwell_group_add_gpus(
        group: *mut Group,
        make: MakeGroup,
        prefix: *const c_char,
        rank: i32,
        size: i32,
        message: *mut c_char,
    ) -> i32;
    pub(crate) fn stepwell_group_take_gpus(group: *mut Group) -> *mut RawGpus;
    pub(crate) fn stepwell_leave_gpus(gpus: *mut RawGpus);
    pub(crate) fn stepwell_group_broadcast(
        group: *mut Group,
        tensor: *mut C_tensor,
        from: i32,
        work: *mut *mut RawWork,
        message: *mut c_char,
    ) -> i32;
    pub(crate) fn stepwell_group_all_gather(
        group: *mut Group,
        to: *mut C_tensor,
        from: *mut C_tensor,
        work: *mut *mut RawWork,
        message: *mut c_char,
    ) -> i32;
    pub(crate) fn stepwell_group_all_to_all(
        group: *mut Group,
        to: *mut C_tensor,
        from: *mut C_tensor,
        work: *mut *mut RawWork,
        message: *mut c_char,
    ) -> i32;
    pub(crate) fn stepwell_group_send(
        group: *mut Group,
        tensor: *mut C_tensor,
        to: i32,
        tag: i32,
        work: *mut *mut RawWork,
        message: *mut c_char,
    ) -> i32;
    pub(crate) fn stepwell_group_receive(
        group: *mut Group,
        tensor: *mut C_tensor,
        from: i32,
        tag: i32,
        work: *mut *mut RawWork,
        message: *mut c_char,
    ) -> i32;
    pub(crate) fn stepwell_message_wait(work: *mut RawWork, has_ended: *mut bool, message: *mut c_char) -> i32;
    pub(crate) fn stepwell_message_interrupt(work: *mut RawWork);
    pub(crate) fn stepwell_message_free(work: *mut RawWork);
    pub(crate) fn stepwell_group_abort(group: *mut Group, rank: i32, size: i32);
    pub(crate) fn stepwell_group_barrier(group: *mut Group, work: *mut *mut RawWork, message: *mut c_char) -> i32;
    pub(crate) fn stepwell_work_wait(work: *mut RawWork, message: *mut c_char) -> i32;
}

/// Runs a function of c10d.cpp. Its text becomes an error by `failed`.
pub(crate) fn checked(failed: impl FnOnce(&str) -> Error, run: impl FnOnce(*mut c_char) -> i32) -> Result<()> {
    let mut message = [0; MESSAGE_BYTES];
    match run(message.as_mut_ptr()) {
        0 => Ok(()),
        _ => {
            // SAFETY: c10d.cpp ends a text with 0, within the bytes.
            let text = unsafe { CStr::from_ptr(message.as_ptr()) };
            Err(failed(&text.to_string_lossy()))
        }
    }
}
