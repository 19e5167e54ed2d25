//! How the processes of a group find each other in a store.
//!
//! A store may outlive a group: torchrun has one for a whole training, in which processes leave a group and join another. So rank 0 gives each
//! group a name, which is in the store until all processes have come. No process meets the addresses of an earlier group.

use std::collections::hash_map::RandomState;
use std::env;
use std::hash::{BuildHasher, Hasher};
use std::thread::sleep;
use std::time::{Duration, Instant};

use stepwell_optim::Result;
use stepwell_session::GroupSettings;

use crate::limit::Limit;
use crate::store::Store;

/// The text of a group that all processes have joined. Any other one is an error.
const COMPLETE: &str = "complete";
/// The text of a process that knows that it cannot join.
const TOLD: &str = "told";
/// The longest wait for processes to know it.
const TELLING: Duration = Duration::from_secs(1);
/// In the place of the group that processes join now, if there is none.
const CLOSED: &str = "closed";
/// Between two looks into the store; each is twice as long as the one before, up to the second one.
const LOOKS: [Duration; 2] = [Duration::from_millis(1), Duration::from_millis(100)];
/// At most this many ranks are named. More are not looked for.
const NAMED: usize = 8;

/// The result of a look into the store.
pub(crate) enum Look {
    /// All processes have come. The prefix of the group in the store.
    All(String),
    /// The processes cannot be one group.
    Refused(String),
    /// Not all processes have come. Who has not.
    Waiting(String),
}

/// Joins the group that rank 0 names, and waits until all have.
///
/// # Errors
/// [`Code::Distributed`](stepwell_optim::Code::Distributed) if the store fails.
pub(crate) fn join(store: &Store, settings: &GroupSettings, limit: &Limit) -> Result<Look> {
    // torchrun starts all processes again if one has failed. The store then has the names of those before.
    let restarts = env::var("TORCHELASTIC_RESTART_COUNT").unwrap_or_else(|_| "0".to_owned());
    let prefix = format!("stepwell/{restarts}/");
    let mut member = Member {
        store,
        rank: settings.rank,
        size: settings.size,
        current: format!("{prefix}current"),
        own: format!("{:016x} {}", random(), settings.size),
        group: None,
    };
    if settings.rank == 0 {
        let group = format!("{prefix}{:016x}/", random());
        store.set(&member.current, &format!("{group} {}", settings.size))?;
        member.group = Some(group);
    }
    let mut pause = LOOKS[0];
    loop {
        let look = if settings.rank == 0 { member.lead() } else { member.follow() }?;
        if !matches!(look, Look::Waiting(_)) || limit.has_ended() {
            return Ok(look);
        }
        sleep(pause.min(limit.left()));
        pause = (pause * 2).min(LOOKS[1]);
    }
}

struct Member<'a> {
    store: &'a Store,
    rank: usize,
    size: usize,
    /// The name of the text with the group that processes join now.
    current: String,
    /// The text of this process: a number that no other one has, and its size.
    own: String,
    /// The prefix of the group that this process has joined.
    group: Option<String>,
}

impl Member<'_> {
    /// Looks who has come, and tells all if the group is complete.
    fn lead(&self) -> Result<Look> {
        let group = self.group.clone().unwrap_or_default();
        let mut missing = Vec::new();
        for rank in 1..self.size {
            let Some(other) = self.store.get(&format!("{group}{rank}"))? else {
                missing.push(rank);
                if missing.len() > NAMED {
                    break;
                }
                continue;
            };
            let size = other.split(' ').nth(1).unwrap_or_default();
            if size != self.size.to_string() {
                let what = format!("rank {rank} has the size {size}, and rank 0 has the size {}", self.size);
                self.close(&group, &what)?;
                self.wait_for_the_told(&group)?;
                return Ok(Look::Refused(what));
            }
        }
        if !missing.is_empty() {
            return Ok(Look::Waiting(absent(&missing)));
        }
        self.close(&group, COMPLETE)?;
        Ok(Look::All(group))
    }

    /// Tells all that no more process can join, and why. Processes that come now wait for the next group.
    fn close(&self, group: &str, text: &str) -> Result<()> {
        self.store.set(&format!("{group}all"), text)?;
        self.store.set(&self.current, CLOSED)
    }

    /// Waits until all that have joined know the error, since the store may end with this process.
    fn wait_for_the_told(&self, group: &str) -> Result<()> {
        let started = Instant::now();
        for rank in 1..self.size {
            let name = format!("{group}{rank}");
            while self.store.get(&name)?.is_some_and(|text| text != TOLD) && started.elapsed() < TELLING {
                sleep(LOOKS[0]);
            }
        }
        Ok(())
    }

    /// Joins the group that rank 0 has named, and looks whether it is complete.
    fn follow(&mut self) -> Result<Look> {
        let current = self.store.get(&self.current)?.unwrap_or_default();
        if let Some((group, size)) = current.split_once(' ')
            && self.group.as_deref() != Some(group)
        {
            if size.parse::<usize>().is_ok_and(|size| size <= self.rank) {
                // Its members leave it before they join the one of this process, or have another size by mistake.
                return Ok(Look::Waiting(format!("rank 0 has the size {size}")));
            }
            self.store.set(&format!("{group}{}", self.rank), &self.own)?;
            self.group = Some(group.to_owned());
        }
        let Some(group) = &self.group else { return Ok(Look::Waiting(absent(&[0]))) };
        match self.store.get(&format!("{group}all"))? {
            None => Ok(Look::Waiting("rank 0 is there, and others are not".to_owned())),
            Some(text) if text != COMPLETE => {
                self.store.set(&format!("{group}{}", self.rank), TOLD)?;
                Ok(Look::Refused(text))
            }
            Some(_) if self.store.get(&format!("{group}{}", self.rank))?.as_ref() == Some(&self.own) => {
                Ok(Look::All(group.clone()))
            }
            Some(_) => Ok(Look::Refused(format!("another process has rank {}, too", self.rank))),
        }
    }
}

fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

fn absent(ranks: &[usize]) -> String {
    if let [rank] = ranks {
        return format!("rank {rank} is not there");
    }
    let named: Vec<_> = ranks.iter().take(NAMED).map(ToString::to_string).collect();
    let more = if ranks.len() > NAMED { " and others" } else { "" };
    format!("ranks {}{more} are not there", named.join(", "))
}
