//! How the processes of a group meet: at a store, whose port rank 0 opens, or the program that has started them.

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
use crate::joining::{Look, join};
use crate::limit::{Limit, milliseconds};
use crate::shim::{Group, checked, stepwell_group_connect, stepwell_group_free};
use crate::store::{Store, text};
use crate::waiting_threads::Waiting;

/// Between two attempts to reach the port.
const PAUSE: Duration = Duration::from_millis(50);
/// The longest wait for one address of the host.
const ATTEMPT: Duration = Duration::from_secs(5);
/// The waits end so much earlier than the caller's timeout, at most, since their errors say more.
const MARGIN: Duration = Duration::from_millis(200);
/// How often a process opens the store. The one of a group that rank 0 leaves fails once.
const TRIES: usize = 5;

/// A group whose processes have met.
pub(crate) struct Met(NonNull<Group>);

/// The present wait in words. The error says it if the time is up.
#[derive(Clone, Default)]
struct Awaited(Arc<Mutex<String>>);

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
    let mut tries = 0;
    loop {
        reach(settings, limit, awaited, tries > 0)?;
        let met = open(settings, limit, awaited).and_then(|store| Ok((join(&store, settings, limit)?, store)));
        let error = match met {
            Ok((Look::All(prefix), store)) => return connect(settings, &store, &prefix, limit, awaited),
            Ok((Look::Refused(what), _)) => return Err(refused(settings, &what)),
            Ok((Look::Waiting(what), _)) => return Err(not_met(settings, &what)),
            Err(error) => error.to_string(),
        };
        tries += 1;
        if error.contains("EADDRINUSE") {
            let message = format!("port {} is in use: give all processes another one", settings.port);
            return Err(Error::new(Code::Distributed, message));
        }
        if tries == TRIES || limit.has_ended() {
            return Err(refused(settings, &with_cause(&awaited.get(), &error)));
        }
        thread::sleep(PAUSE.min(limit.left()));
    }
}

/// Waits until something listens at the port of the host. The process that opens the port waits until the host has an address. `was_there` says
/// that something has listened.
fn reach(settings: &GroupSettings, limit: &Limit, awaited: &Awaited, was_there: bool) -> Result<()> {
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
                        Err(error) => awaited.set(unreached(&error, was_there)),
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

fn unreached(error: &io::Error, was_there: bool) -> String {
    match error.kind() {
        ErrorKind::ConnectionRefused if was_there => "rank 0 was there, and has closed the port".to_owned(),
        ErrorKind::ConnectionRefused => {
            "nothing listens there: rank 0 opens the port, or torchrun if it has started the processes".to_owned()
        }
        ErrorKind::TimedOut => "the host does not answer".to_owned(),
        _ => format!("the host cannot be reached ({error})"),
    }
}

/// Opens the port, or meets the process that has opened it.
fn open(settings: &GroupSettings, limit: &Limit, awaited: &Awaited) -> Result<Store> {
    awaited.set(match settings.hosts_store {
        true => {
            "this process has opened the port, and does not get an answer there: the host is the one of this process"
        }
        false => "what has this port takes connections, and does not answer: it may be another program",
    });
    let store = Store::open(settings, limit)?;
    awaited.set("the process that has opened the port has left it");
    Ok(store)
}

/// Connects the processes with each other. They have met in a store under a prefix.
fn connect(settings: &GroupSettings, store: &Store, prefix: &str, limit: &Limit, awaited: &Awaited) -> Result<Met> {
    let what =
        "all processes are there, and do not reach each other: the option interface names the network between them";
    awaited.set(what);
    let interface = settings.interface.clone().or_else(|| own_address(&settings.host, settings.port));
    let (prefix, interface) = (text(prefix)?, interface.as_deref().map(text).transpose()?);
    let mut group = ptr::null_mut();
    checked(
        |text| not_met(settings, &with_cause(what, text)),
        |message| {
            // SAFETY: a live store, live texts or null; c10d.cpp writes the group and at most the length of the message.
            unsafe {
                stepwell_group_connect(
                    store.raw().as_ptr(),
                    prefix.as_ptr(),
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

impl Awaited {
    fn set(&self, what: impl Into<String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = what.into();
    }

    fn get(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A failure, with the first line of the text of c10d.
fn with_cause(what: &str, text: &str) -> String {
    format!("{what} ({})", text.lines().next().unwrap_or_default())
}

/// The error of a group whose processes have not met in time.
fn not_met(settings: &GroupSettings, what: &str) -> Error {
    let seconds = settings.timeout.as_secs_f64();
    refused(settings, &format!("the processes have not met within {seconds} s: {what}"))
}

/// The error of a process that has no group.
fn refused(settings: &GroupSettings, what: &str) -> Error {
    let GroupSettings { rank, size, host, port, .. } = settings;
    Error::new(Code::Distributed, format!("rank {rank} of {size} at {host}:{port}: {what}"))
}
