//! Processes that meet in a store. Here each process is a thread.

#![allow(clippy::unwrap_used, reason = "clippy exempts tests, but not their helpers")]

use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use stepwell_distributed::ProcessGroup;
use stepwell_optim::Code;
use stepwell_session::GroupSettings;

/// In seconds: processes that do not meet hang as long.
const LONG: f64 = 60.0;

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn connect(port: u16, rank: usize, size: usize, hosts_store: bool, seconds: f64) -> Result<ProcessGroup, String> {
    let (host, timeout) = ("127.0.0.1".to_owned(), Duration::from_secs_f64(seconds));
    let settings = GroupSettings { rank, size, host, port, timeout, hosts_store, interface: None };
    ProcessGroup::connect(&settings, None).map_err(|error| {
        assert_eq!(error.code(), Code::Distributed);
        error.to_string()
    })
}

/// A store that stays, as torchrun's does: the one of a group of one process.
fn lasting_store() -> (u16, ProcessGroup) {
    let port = free_port();
    (port, connect(port, 0, 1, true, LONG).unwrap())
}

/// Three processes join a group after another. `place` has the rank of a process in a round, and the size of the group.
fn join_again(port: u16, hosts: bool, place: fn(usize, usize) -> (usize, usize)) {
    let processes: Vec<_> = (0..3)
        .map(|process| {
            thread::spawn(move || {
                for round in 0..10 {
                    let (rank, size) = place(process, round);
                    if rank < size {
                        let group = connect(port, rank, size, hosts && rank == 0, LONG).unwrap();
                        let own = tch::Tensor::f_from_slice(&[rank as f64]).unwrap();
                        let all =
                            tch::Tensor::f_zeros([size as i64, 1], (tch::Kind::Double, tch::Device::Cpu)).unwrap();
                        group.agreed().all_gather(&all, &own).unwrap().wait().unwrap();
                        let ranks: Vec<_> = (0..size).map(|rank| rank as f64).collect();
                        assert_eq!(Vec::<f64>::try_from(all.flatten(0, 1)).unwrap(), ranks);
                    }
                }
            })
        })
        .collect();
    processes.into_iter().for_each(|process| process.join().unwrap());
}

#[test]
fn groups_follow_each_other_in_a_store_that_stays() {
    let (port, _store) = lasting_store();
    join_again(port, false, |process, round| ((process + round) % 3, 3));
}

#[test]
fn groups_follow_each_other_in_stores_of_rank_0() {
    // The last process is in each second group.
    join_again(free_port(), true, |process, round| (process, 3 - round % 2));
}

#[test]
fn processes_of_other_sizes_are_told_both() {
    let port = free_port();
    let other = thread::spawn(move || connect(port, 1, 3, false, LONG).map(|_| ()).unwrap_err());
    let error = connect(port, 0, 2, true, LONG).map(|_| ()).unwrap_err();
    let what = "rank 1 has the size 3, and rank 0 has the size 2";
    assert_eq!(error, format!("rank 0 of 2 at 127.0.0.1:{port}: {what}"));
    assert_eq!(other.join().unwrap(), format!("rank 1 of 3 at 127.0.0.1:{port}: {what}"));
}

#[test]
fn two_processes_of_one_rank_are_an_error() {
    let (port, _store) = lasting_store();
    let join = |rank| thread::spawn(move || connect(port, rank, 3, false, 10.0).map(|_| ()));
    let (first, twins) = (join(0), [join(1), join(1)]);
    // Both have joined when the last one comes.
    thread::sleep(Duration::from_millis(500));
    let last = join(2);
    let errors: Vec<_> = twins.into_iter().filter_map(|twin| twin.join().unwrap().err()).collect();
    assert_eq!(errors, [format!("rank 1 of 3 at 127.0.0.1:{port}: another process has rank 1, too")]);
    first.join().unwrap().unwrap();
    last.join().unwrap().unwrap();
}

#[test]
fn a_process_says_for_whom_it_has_waited() {
    let port = free_port();
    let waited = |rank, size, host: &str, hosts_store, expected: &str| {
        let (host, timeout) = (host.to_owned(), Duration::from_millis(500));
        let settings = GroupSettings { rank, size, host, port, timeout, hosts_store, interface: None };
        let error = ProcessGroup::connect(&settings, None).map(|_| ()).unwrap_err();
        assert!(error.to_string().contains(&format!("have not met within 0.5 s: {expected}")), "{error}");
    };
    waited(0, 3, "127.0.0.1", true, "ranks 1, 2 are not there");
    waited(0, 2, "127.0.0.1", true, "rank 1 is not there");
    waited(0, 1_000_000, "127.0.0.1", true, "ranks 1, 2, 3, 4, 5, 6, 7, 8 and others are not there");
    waited(1, 2, "127.0.0.1", false, "nothing listens there");
    waited(1, 2, "nohost.invalid", false, "the host \"nohost.invalid\" is unknown");
    let (port, _store) = lasting_store();
    let error = connect(port, 1, 2, false, 0.5).map(|_| ()).unwrap_err();
    assert!(error.ends_with("rank 0 is not there"), "{error}");
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let error = connect(silent.local_addr().unwrap().port(), 1, 2, false, 0.5).map(|_| ()).unwrap_err();
    assert!(error.contains("what has this port takes connections, and does not answer"), "{error}");
}
