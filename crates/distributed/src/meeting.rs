//! How the processes of a group meet: at a store, whose port rank 0 opens, or the program that has started them.

use std::ffi::CString;
use std::io::{self, ErrorKind};
use std::mem;
use std::net::{TcpStream, ToSocketAddrs};
use std::ptr::{self, NonNull};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use stepwell_optim::{Code, Error, Result};
use stepwell_session::GroupSettings;

use crate::interfaces::own_address;
use crate::shim::{
    Group, Store, checked, stepwell_group_connect, stepwell_group_free, stepwell_store_free, stepwell_store_open,
    stepwell_store_wait,
};
use crate::waiting_threads::Waiting;

/// Between two attempts to reach the port.
const PAUSE: Duration = Duration::from_millis(50);
/// The longest wait for one address of the host.
const ATTEMPT: Duration = Duration::from_secs(5);
/// The waits end so much earlier than the caller's timeout, at most, since their errors say more.
const MARGIN: Duration = Duration::from_millis(200);
/// The shortest wait: c10d and the system take none for one without an end.
const SHORTEST: Duration = Duration::from_millis(1);
/// How many absent ranks an error names.
const NAMED: usize = 4;

/// A group whose processes have met.
pub(crate) struct Met(NonNull<Group>);

/// A store of c10d, where the processes meet.
struct Meeting<'a> {
    settings: &'a GroupSettings,
    store: NonNull<Store>,
}

/// The present wait in words. The error says it if the time is up.
#[derive(Clone, Default)]
struct Awaited(Arc<Mutex<String>>);

/// The time until a wait ends.
struct Limit {
    begin: Instant,
    length: Duration,
}

// SAFETY: c10d's groups may be used by any thread.
unsafe impl Send for Met {}

/// Waits until all processes are there.
///
/// # Errors
/// [`Code::Distributed`] says what this process has waited for.
pub(crate) fn meet(settings: &GroupSettings) -> Result<Met> {
    let (begin, (sender, receiver)) = (Instant::now(), mpsc::channel());
    let awaited = Awaited::default();
    let (own, awaits, _waiting) = (settings.clone(), awaited.clone(), Waiting::begin());
    let limit = Limit { begin, length: settings.timeout - (settings.timeout / 10).min(MARGIN) };
    // The look-up of a host, and c10d's wait for the first answer of what has the port, have no time limit. If the thread meets the others too late, it
    // leaves them.
    let thread = thread::Builder::new().name("process-group".to_owned()).spawn(move || {
        let _waiting = Waiting::begin();
        let _ = sender.send(meet_within(&own, &limit, &awaits));
    });
    thread.map_err(|error| Error::new(Code::Memory, format!("no thread for a process group: {error}")))?;
    receiver
        .recv_timeout(settings.timeout.saturating_sub(begin.elapsed()))
        .unwrap_or_else(|_| Err(not_met(settings, &awaited.get())))
}

fn meet_within(settings: &GroupSettings, limit: &Limit, awaited: &Awaited) -> Result<Met> {
    reach(settings, limit, awaited)?;
    let meeting = Meeting::open(settings, limit, awaited)?;
    meeting.wait(limit)?;
    meeting.connect(limit, awaited)
}

/// Waits until something listens at the port of the host. The process that opens the port waits until the host has an address.
fn reach(settings: &GroupSettings, limit: &Limit, awaited: &Awaited) -> Result<()> {
    let GroupSettings { host, port, .. } = settings;
    awaited.set(format!("the host {host:?} is looked up"));
    loop {
        match (host.as_str(), *port).to_socket_addrs() {
            Err(error) => awaited.set(format!("the host {host:?} is unknown ({error})")),
            Ok(_) if settings.hosts_store => return Ok(()),
            Ok(addresses) => {
                for address in addresses {
                    match TcpStream::connect_timeout(&address, limit.left().min(ATTEMPT)) {
                        Ok(_) => return Ok(()),
                        Err(error) => awaited.set(unreached(&error)),
                    }
                }
            }
        }
        let pause = PAUSE.min(limit.left());
        thread::sleep(pause);
        if pause < PAUSE {
            return Err(not_met(settings, &awaited.get()));
        }
    }
}

fn unreached(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::ConnectionRefused => {
            "nothing listens there: rank 0 opens the port, or torchrun if it has started the processes".to_owned()
        }
        ErrorKind::TimedOut => "the host does not answer".to_owned(),
        _ => format!("the host cannot be reached ({error})"),
    }
}

impl<'a> Meeting<'a> {
    /// Opens the port, or meets the process that has opened it.
    fn open(settings: &'a GroupSettings, limit: &Limit, awaited: &Awaited) -> Result<Self> {
        let GroupSettings { host, port, hosts_store, .. } = settings;
        let what = match hosts_store {
            true => {
                "this process has opened the port, and does not get an answer there: the host is the one of this process"
            }
            false => "what has this port takes connections, and does not answer: it may be another program",
        };
        awaited.set(what);
        let failed = |text: &str| match text.contains("EADDRINUSE") {
            true => Error::new(Code::Distributed, format!("port {port} is in use: give all processes another one")),
            false => not_met(settings, &with_cause(what, text)),
        };
        let (address, mut store) = (text(host)?, ptr::null_mut());
        checked(failed, |message| {
            // SAFETY: a live text; c10d.cpp writes the store and at most the length of the message.
            unsafe {
                stepwell_store_open(
                    address.as_ptr(),
                    i32::from(*port),
                    limit.milliseconds(),
                    *hosts_store,
                    &mut store,
                    message,
                )
            }
        })?;
        let store = NonNull::new(store).ok_or_else(|| Error::new(Code::Internal, "no store was made"))?;
        Ok(Self { settings, store })
    }

    /// Waits until all processes are here.
    fn wait(&self, limit: &Limit) -> Result<()> {
        let GroupSettings { rank, size, .. } = *self.settings;
        let (mut present, mut absent) = (0, [-1; NAMED]);
        let failed =
            |text: &str| not_met(self.settings, &with_cause("the process that has opened the port has left it", text));
        checked(failed, |message| {
            // SAFETY: a live store, and places for the numbers.
            unsafe {
                stepwell_store_wait(
                    self.store.as_ptr(),
                    rank as i32,
                    size as i32,
                    limit.milliseconds(),
                    &mut present,
                    absent.as_mut_ptr(),
                    NAMED,
                    message,
                )
            }
        })?;
        if present >= size as i64 {
            return Ok(());
        }
        let named: Vec<_> = absent.iter().filter(|rank| **rank >= 0).map(ToString::to_string).collect();
        let more = if named.len() as i64 == size as i64 - present { "" } else { ", …" };
        let be = if present == 1 { "is" } else { "are" };
        let what = format!("{present} of {size} processes {be} there; absent ranks: {}{more}", named.join(", "));
        Err(not_met(self.settings, &what))
    }

    /// Connects the processes with each other.
    fn connect(&self, limit: &Limit, awaited: &Awaited) -> Result<Met> {
        let what =
            "all processes are there, and do not reach each other: the option interface names the network between them";
        awaited.set(what);
        let settings = self.settings;
        let interface = settings.interface.clone().or_else(|| own_address(&settings.host, settings.port));
        let interface = interface.as_deref().map(text).transpose()?;
        let mut group = ptr::null_mut();
        checked(
            |text| not_met(settings, &with_cause(what, text)),
            |message| {
                // SAFETY: a live store, a live text or null; c10d.cpp writes the group and at most the length of the message.
                unsafe {
                    stepwell_group_connect(
                        self.store.as_ptr(),
                        settings.rank as i32,
                        settings.size as i32,
                        limit.milliseconds(),
                        milliseconds(settings.timeout),
                        interface.as_ref().map_or(ptr::null(), |name| name.as_ptr()),
                        &mut group,
                        message,
                    )
                }
            },
        )?;
        NonNull::new(group).map(Met).ok_or_else(|| Error::new(Code::Internal, "no group was made"))
    }
}

impl Met {
    /// The group, which the caller frees.
    pub(crate) fn into_group(self) -> NonNull<Group> {
        let group = self.0;
        mem::forget(self);
        group
    }
}

impl Drop for Met {
    fn drop(&mut self) {
        // SAFETY: nothing else has the group.
        unsafe { stepwell_group_free(self.0.as_ptr()) };
    }
}

impl Drop for Meeting<'_> {
    fn drop(&mut self) {
        // SAFETY: the store is this one's. A group has a reference of its own.
        unsafe { stepwell_store_free(self.store.as_ptr()) };
    }
}

impl Awaited {
    fn set(&self, what: impl Into<String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = what.into();
    }

    fn get(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Limit {
    /// The rest of the time, and at least the shortest wait.
    fn left(&self) -> Duration {
        self.length.saturating_sub(self.begin.elapsed()).max(SHORTEST)
    }

    fn milliseconds(&self) -> i64 {
        milliseconds(self.left())
    }
}

fn milliseconds(time: Duration) -> i64 {
    i64::try_from(time.max(SHORTEST).as_millis()).unwrap_or(i64::MAX)
}

fn text(text: &str) -> Result<CString> {
    CString::new(text).map_err(|_| Error::new(Code::Argument, format!("expected a host, given {text:?}")))
}

/// A failure, with the first line of the text of c10d.
fn with_cause(what: &str, text: &str) -> String {
    format!("{what} ({})", text.lines().next().unwrap_or_default())
}

/// The error of a group whose processes have not met.
fn not_met(settings: &GroupSettings, what: &str) -> Error {
    let GroupSettings { rank, size, host, port, .. } = settings;
    let seconds = settings.timeout.as_secs_f64();
    let action = format!("rank {rank} of {size} at {host}:{port}");
    Error::new(Code::Distributed, format!("{action}: the processes have not met within {seconds} s: {what}"))
}
