//! Unit tests through the ABI, over a small log in memory. What needs several replicas is tested
//! in C++ (`src/consensus/`).

use std::mem::MaybeUninit;
use std::os::raw::{c_int, c_void};
use std::ptr;

use protobuf::Message as _;
use raft::eraftpb::{
    ConfChangeSingle, ConfChangeType, ConfChangeV2, ConfState, Message, MessageType,
};

use crate::abi::*;
use crate::error::*;
use crate::input::*;
use crate::node::*;
use crate::ready::*;
use crate::status::*;
use crate::storage::*;

/// A log of normal entries behind index 5, for the callbacks below. What is there at the start is
/// of term 1, what `Fixture::cycle` adds of term 2.
struct Log {
    voters: Vec<u64>,
    hard_state: HardStateC,
    last: u64,
    added: u64,    // Of these, the last so many were added.
    answer: c_int, // Of `entries`, if not 0.
    entry_type: u32,
    entries_pushed: u64, // At most so many.
}

impl Log {
    fn new(voters: &[u64]) -> Box<Log> {
        Box::new(Log {
            voters: voters.to_vec(),
            hard_state: HardStateC { term: 1, vote: 0, commit: 5 },
            last: 5,
            added: 0,
            answer: 0,
            entry_type: 0,
            entries_pushed: u64::MAX,
        })
    }

    fn term(&self, index: u64) -> u64 {
        1 + (index > self.last - self.added) as u64
    }

    fn callbacks(&mut self) -> StorageC {
        StorageC {
            ctx: self as *mut Log as *mut c_void,
            initial_state,
            entries,
            term,
            first_index,
            last_index,
            snapshot,
        }
    }
}

unsafe fn log<'a>(ctx: *mut c_void) -> &'a Log {
    &*(ctx as *const Log)
}

unsafe extern "C" fn initial_state(ctx: *mut c_void, out: *mut HardStateC, conf: Sink) -> c_int {
    *out = log(ctx).hard_state;
    let state = ConfState { voters: log(ctx).voters.clone(), ..Default::default() };
    conf.put(&state.write_to_bytes().unwrap());
    OK
}

unsafe extern "C" fn entries(
    ctx: *mut c_void,
    low: u64,
    high: u64,
    _: u64,
    sink: *mut EntrySink,
) -> c_int {
    let log = log(ctx);
    for index in (low..high).take(log.entries_pushed as usize) {
        let entry = EntryC {
            index,
            term: log.term(index),
            entry_type: log.entry_type,
            pad: 0,
            data: Slice::EMPTY,
            ctx: Slice::EMPTY,
        };
        qr_push_entry(sink, &entry);
    }
    log.answer
}

unsafe extern "C" fn term(ctx: *mut c_void, index: u64, out: *mut u64) -> c_int {
    *out = log(ctx).term(index);
    OK
}

unsafe extern "C" fn first_index(_: *mut c_void, out: *mut u64) -> c_int {
    *out = 6;
    OK
}

unsafe extern "C" fn last_index(ctx: *mut c_void, out: *mut u64) -> c_int {
    *out = log(ctx).last;
    OK
}

unsafe extern "C" fn snapshot(_: *mut c_void, _: u64, _: u64, _: Sink) -> c_int {
    5
}

fn config() -> ConfigC {
    ConfigC {
        id: 1,
        applied: 5,
        election_tick: 10,
        heartbeat_tick: 2,
        min_election_tick: 0,
        max_election_tick: 0,
        max_inflight_msgs: 16,
        pre_vote: 1,
        check_quorum: 1,
        lease_read: 0,
        batch_append: 0,
        skip_bcast_commit: 0,
        allow_remove_leader: 0,
        pad: [0; 6],
        max_size_per_msg: 4096,
        max_uncommitted_size: 1 << 20,
        max_committed_size_per_ready: 1 << 16,
        priority: 0,
        seed: 7,
    }
}

/// A node and the log it reads.
struct Fixture {
    node: *mut Node,
    log: Box<Log>,
}

impl Fixture {
    fn open(voters: &[u64]) -> Fixture {
        Fixture::open_over(Log::new(voters), &config()).expect("opens")
    }

    fn open_over(mut log: Box<Log>, config: &ConfigC) -> Result<Fixture, c_int> {
        qr_init();
        let mut node = ptr::null_mut();
        let callbacks = log.callbacks();
        match unsafe { qr_new(config, &callbacks, None, ptr::null_mut(), &mut node) } {
            OK => Ok(Fixture { node, log }),
            status => Err(status),
        }
    }

    /// A sole voter that leads.
    fn leader() -> Fixture {
        let fixture = Fixture::open(&[1]);
        assert_eq!(unsafe { qr_campaign(fixture.node) }, OK);
        assert_eq!(fixture.status().role, 2);
        fixture
    }

    fn status(&self) -> StatusC {
        let mut status = StatusC::default();
        assert_eq!(unsafe { qr_status(self.node, &mut status) }, OK);
        status
    }

    fn propose(&self, data: &[u8]) -> c_int {
        let (mut index, mut term) = (0, 0);
        let slice = Slice::of(data);
        unsafe { qr_propose(self.node, &slice, ptr::null(), 1, &mut index, &mut term) }
    }

    fn propose_change(&self, changes: &[(u64, ConfChangeType)]) -> c_int {
        let mut change = ConfChangeV2::default();
        for (id, kind) in changes {
            let mut single = ConfChangeSingle::default();
            single.node_id = *id;
            single.set_change_type(*kind);
            change.mut_changes().push(single);
        }
        let bytes = change.write_to_bytes().unwrap();
        let (mut index, mut term) = (0, 0);
        unsafe {
            qr_propose_conf_change(
                self.node,
                Slice::of(&bytes),
                Slice::EMPTY,
                &mut index,
                &mut term,
            )
        }
    }

    fn step(&self, kind: MessageType, from: u64, to: u64) -> c_int {
        let mut message = Message::default();
        message.set_msg_type(kind);
        message.from = from;
        message.to = to;
        message.term = self.status().term;
        let bytes = message.write_to_bytes().unwrap();
        unsafe { qr_step(self.node, Slice::of(&bytes)) }
    }

    /// Takes one ready and reports it written and synced; its number of new entries.
    fn cycle(&mut self) -> usize {
        let mut view = MaybeUninit::uninit();
        unsafe {
            assert_eq!(qr_take_ready(self.node, view.as_mut_ptr()), OK);
            let view: ReadyView = view.assume_init();
            self.log.last += view.n_entries as u64;
            self.log.added += view.n_entries as u64;
            assert_eq!(qr_advance_append(self.node), OK);
            assert_eq!(qr_on_persist(self.node, view.number), OK);
            qr_ready_free(view.handle);
            view.n_entries
        }
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        unsafe { qr_free(self.node) };
    }
}

#[test]
fn proposals_only_at_the_leader() {
    let follower = Fixture::open(&[1, 2, 3]);
    assert_eq!(follower.propose(b"x"), NOT_LEADER);
    assert_eq!(follower.propose_change(&[(4, ConfChangeType::AddNode)]), NOT_LEADER);

    let leader = Fixture::leader();
    assert_eq!(leader.propose(b"x"), OK);
}

#[test]
fn refuses_messages_that_are_not_for_us() {
    let node = Fixture::open(&[1, 2, 3]);
    assert_eq!(node.step(MessageType::MsgHeartbeat, 2, 1), OK);
    assert_eq!(node.step(MessageType::MsgHeartbeat, 2, 3), REFUSED_MSG);
    assert_eq!(node.step(MessageType::MsgHeartbeat, 0, 1), REFUSED_MSG);
    assert_eq!(node.step(MessageType::MsgHeartbeat, 1, 1), REFUSED_MSG);
    assert_eq!(node.step(MessageType::MsgPropose, 2, 1), REFUSED_MSG);
    assert_eq!(node.step(MessageType::MsgHup, 2, 1), REFUSED_MSG);
    let garbage = [0xff_u8; 3];
    assert_eq!(unsafe { qr_step(node.node, Slice::of(&garbage)) }, BAD_MESSAGE);
}

#[test]
fn conf_changes_that_the_engine_would_drop_silently_are_refused() {
    let mut leader = Fixture::leader();
    leader.cycle(); // The engine takes everything up to its own first entry for a pending change.
    unsafe { qr_advance_apply_to(leader.node, leader.status().commit) };
    assert_eq!(leader.propose_change(&[]), CONF_REFUSED);
    assert!(last_error().contains("no joint"), "{}", last_error());
    assert_eq!(leader.propose_change(&[(1, ConfChangeType::RemoveNode)]), CONF_REFUSED);
    assert!(last_error().contains("transfer"), "{}", last_error());
    assert_eq!(leader.propose_change(&[(1, ConfChangeType::AddLearnerNode)]), CONF_REFUSED);

    assert_eq!(leader.propose_change(&[(2, ConfChangeType::AddNode)]), OK);
    assert_eq!(leader.propose_change(&[(3, ConfChangeType::AddNode)]), CONF_REFUSED);
    assert!(last_error().contains("not applied"), "{}", last_error());
}

#[test]
fn applied_stays_in_range() {
    let mut leader = Fixture::leader();
    assert_eq!(unsafe { qr_advance_apply_to(leader.node, 6) }, BAD_ARG);
    assert_eq!(leader.cycle(), 1);
    assert_eq!(leader.status().commit, 6);
    assert_eq!(unsafe { qr_advance_apply_to(leader.node, 7) }, BAD_ARG);
    assert_eq!(unsafe { qr_advance_apply_to(leader.node, 4) }, BAD_ARG);
    assert_eq!(unsafe { qr_advance_apply_to(leader.node, 6) }, OK);
}

#[test]
fn nothing_between_take_and_advance() {
    let node = Fixture::leader();
    assert_eq!(unsafe { qr_advance_append(node.node) }, BAD_ARG);
    let mut view = MaybeUninit::<ReadyView>::uninit();
    unsafe {
        assert_eq!(qr_take_ready(node.node, view.as_mut_ptr()), OK);
        let view = view.assume_init();
        let mut second = MaybeUninit::<ReadyView>::uninit();
        assert_eq!(qr_take_ready(node.node, second.as_mut_ptr()), BAD_ARG);
        assert_eq!(qr_on_persist(node.node, view.number), BAD_ARG);
        assert_eq!(qr_advance_append(node.node), OK);
        qr_ready_free(view.handle);
    }
}

#[test]
fn sole_voter_waits_for_its_own_sync() {
    let mut log = Log::new(&[1]);
    log.last = 8;
    let node = Fixture::open_over(log, &config()).expect("opens");
    // What is in storage at start is synced: it may campaign.
    assert_eq!(unsafe { qr_campaign(node.node) }, OK);
    // Its first entry is not yet persisted, so a new election has to wait.
    assert_ne!(node.status().persisted, node.status().last_index);
    assert_eq!(unsafe { qr_campaign(node.node) }, DROPPED);
}

#[test]
fn a_panic_poisons_this_node_only() {
    let bad = Fixture::open(&[1, 2, 3]);
    let good = Fixture::open(&[1, 2, 3]);
    assert_eq!(unsafe { qr_test_panic(bad.node) }, POISONED);
    assert!(last_error().starts_with("panic: injected at "), "{}", last_error());
    assert_eq!(unsafe { qr_tick(bad.node) }, POISONED);
    assert_eq!(unsafe { qr_has_ready(bad.node) }, POISONED);
    assert_eq!(unsafe { qr_step(bad.node, Slice::EMPTY) }, POISONED);
    assert_eq!(unsafe { qr_tick(good.node) }, OK);
}

#[test]
fn wrong_answers_of_the_log_poison() {
    let spoil: [fn(&mut Log); 4] = [
        |log| log.answer = -1,
        |log| log.answer = 77,
        |log| log.entries_pushed = 0,
        |log| log.entry_type = 9,
    ];
    for spoil in spoil {
        let mut leader = Fixture::leader();
        spoil(&mut leader.log);
        // The committed entry is read back from the log.
        leader.cycle();
        let mut view = MaybeUninit::<ReadyView>::uninit();
        assert_eq!(unsafe { qr_take_ready(leader.node, view.as_mut_ptr()) }, POISONED);
    }
}

#[test]
fn states_that_do_not_fit_together_are_poisoned_at_open() {
    let mut log = Log::new(&[1]);
    log.hard_state.commit = 20;
    assert_eq!(Fixture::open_over(log, &config()).err(), Some(POISONED));

    let beyond = ConfigC { applied: 12, ..config() };
    assert_eq!(Fixture::open_over(Log::new(&[1]), &beyond).err(), Some(POISONED));

    let never = ConfigC { election_tick: 2, ..config() };
    assert_eq!(Fixture::open_over(Log::new(&[1]), &never).err(), Some(CONFIG_INVALID));
}

#[test]
fn lagging_commit_is_raised_to_applied() {
    let mut log = Log::new(&[1]);
    log.last = 9;
    let node = Fixture::open_over(log, &ConfigC { applied: 8, ..config() }).expect("opens");
    assert_eq!(node.status().commit, 8);
}

#[test]
fn seeded_timeouts_repeat_and_differ() {
    let timeouts = |seed, id| {
        let mut log = Log::new(&[1, 2, 3]);
        log.hard_state.vote = 0;
        let node = Fixture::open_over(log, &ConfigC { seed, id, ..config() }).expect("opens");
        let mut seen = vec![];
        for _ in 0..200 {
            unsafe { qr_tick(node.node) };
            seen.push(node.status().randomized_timeout);
        }
        seen
    };
    assert_eq!(timeouts(7, 1), timeouts(7, 1));
    assert_ne!(timeouts(7, 1), timeouts(8, 1));
    assert_ne!(timeouts(7, 1), timeouts(7, 2));
    assert!(timeouts(7, 1).iter().all(|t| (10..20).contains(t)));
}

#[test]
fn null_arguments_are_refused() {
    let leader = Fixture::leader();
    let slice = Slice::of(b"x");
    let mut n = 0;
    unsafe {
        assert_eq!(qr_tick(ptr::null_mut()), BAD_ARG);
        assert_eq!(qr_propose(leader.node, ptr::null(), ptr::null(), 1, &mut n, &mut 0), BAD_ARG);
        assert_eq!(qr_propose(leader.node, &slice, ptr::null(), 0, &mut n, &mut 0), BAD_ARG);
        assert_eq!(qr_take_ready(leader.node, ptr::null_mut()), BAD_ARG);
        assert_eq!(qr_status(leader.node, ptr::null_mut()), BAD_ARG);
        assert_eq!(qr_progress(leader.node, ptr::null_mut(), 3, &mut 0), BAD_ARG);
    }
}

#[test]
fn the_proven_engine_is_pinned_and_panics_unwind() {
    let lock = include_str!("../Cargo.lock");
    assert!(lock.contains("name = \"raft\"\nversion = \"0.7.0\"\n"));
    assert!(lock.contains("\nversion = 3\n"), "older cargo must read it");
    let manifest = include_str!("../Cargo.toml");
    assert!(manifest.contains("panic = \"unwind\"") && !manifest.contains("panic = \"abort\""));
    assert!(manifest.contains("overflow-checks = true"));
}

/// The byte offset of a field (`offset_of!` is newer than our oldest rustc).
macro_rules! offset {
    ($type:ty, $field:ident) => {{
        let place = MaybeUninit::<$type>::uninit();
        let base = place.as_ptr();
        unsafe { ptr::addr_of!((*base).$field) as usize - base as usize }
    }};
}

/// The same numbers stand in `src/consensus/abi_test.cc`.
#[test]
fn offsets_are_those_of_the_header() {
    assert_eq!(offset!(Slice, len), 8);
    assert_eq!(offset!(Sink, write), 8);
    assert_eq!(offset!(HardStateC, commit), 16);
    assert_eq!(
        [offset!(EntryC, entry_type), offset!(EntryC, data), offset!(EntryC, ctx)],
        [16, 24, 40]
    );
    assert_eq!([offset!(MessageC, message_type), offset!(MessageC, bytes)], [32, 40]);
    assert_eq!(offset!(MessageC, n_entries), 36);
    assert_eq!(offset!(ReadC, ctx), 8);
    assert_eq!([offset!(ReadyView, must_sync), offset!(ReadyView, has_snapshot)], [16, 19]);
    assert_eq!([offset!(ReadyView, role), offset!(ReadyView, leader)], [20, 24]);
    assert_eq!([offset!(ReadyView, hs), offset!(ReadyView, entries)], [32, 56]);
    assert_eq!([offset!(ReadyView, committed), offset!(ReadyView, msgs)], [72, 88]);
    assert_eq!([offset!(ReadyView, persisted_msgs), offset!(ReadyView, reads)], [104, 120]);
    assert_eq!([offset!(ReadyView, snap_index), offset!(ReadyView, snapshot)], [136, 152]);
    assert_eq!([offset!(ConfigC, election_tick), offset!(ConfigC, max_inflight_msgs)], [16, 32]);
    assert_eq!([offset!(ConfigC, pre_vote), offset!(ConfigC, batch_append)], [36, 39]);
    assert_eq!(offset!(ConfigC, allow_remove_leader), 41);
    assert_eq!([offset!(ConfigC, max_size_per_msg), offset!(ConfigC, seed)], [48, 80]);
    assert_eq!([offset!(StorageC, initial_state), offset!(StorageC, snapshot)], [8, 48]);
    assert_eq!([offset!(StatusC, leader), offset!(StatusC, role)], [56, 96]);
    assert_eq!([offset!(StatusC, joint), offset!(StatusC, election_elapsed)], [102, 104]);
    assert_eq!([offset!(ProgressC, state), offset!(ProgressC, learner)], [40, 46]);
}
