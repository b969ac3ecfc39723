//! A node: its making and its end.

use std::os::raw::{c_int, c_void};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr;

use raft::prelude::{Config, RawNode, Ready};
use raft::ReadOnlyOption;

use crate::abi::{ConfigC, LogFn, StorageC};
use crate::determinism::SeededTimeouts;
use crate::error::{record_panic, status_of, with, BAD_ARG, OK, POISONED};
use crate::guards;
use crate::log::logger;
use crate::storage::Store;

pub struct Node {
    pub raw: RawNode<Store>,
    /// Taken, and not yet advanced: until then nothing else may be called.
    pub pending: Option<Ready>,
    pub poisoned: bool,
    pub allow_remove_leader: bool,
    pub timeouts: SeededTimeouts,
    /// The configuration is a joint one. Kept, because the engine copies all members to tell.
    pub joint: bool,
}

impl Node {
    /// To be called after everything that may have changed the configuration.
    pub fn note_conf(&mut self) {
        self.joint = guards::is_joint(&self.raw.raft);
    }
}

fn engine_config(config: &ConfigC) -> Config {
    Config {
        id: config.id,
        applied: config.applied,
        election_tick: config.election_tick as usize,
        heartbeat_tick: config.heartbeat_tick as usize,
        min_election_tick: config.min_election_tick as usize,
        max_election_tick: config.max_election_tick as usize,
        max_inflight_msgs: config.max_inflight_msgs as usize,
        pre_vote: config.pre_vote != 0,
        check_quorum: config.check_quorum != 0,
        read_only_option: match config.lease_read {
            0 => ReadOnlyOption::Safe,
            _ => ReadOnlyOption::LeaseBased,
        },
        batch_append: config.batch_append != 0,
        skip_bcast_commit: config.skip_bcast_commit != 0,
        max_size_per_msg: config.max_size_per_msg,
        max_uncommitted_size: config.max_uncommitted_size,
        max_committed_size_per_ready: config.max_committed_size_per_ready,
        priority: config.priority,
    }
}

fn open(config: &ConfigC, store: Store, logger: &slog::Logger) -> raft::Result<Box<Node>> {
    let engine = engine_config(config);
    // Before the span below is used: the engine checks that it is not empty.
    let mut raw = RawNode::new(&engine, store, logger)?;
    let (low, high) = (engine.min_election_tick() as u64, engine.max_election_tick() as u64);
    let mut timeouts = SeededTimeouts::new(config.seed, low, high);
    timeouts.settle(&mut raw.raft);
    let joint = guards::is_joint(&raw.raft);
    Ok(Box::new(Node {
        raw,
        pending: None,
        poisoned: false,
        allow_remove_leader: config.allow_remove_leader != 0,
        timeouts,
        joint,
    }))
}

#[no_mangle]
pub unsafe extern "C" fn qr_new(
    config: *const ConfigC,
    storage: *const StorageC,
    log: Option<LogFn>,
    log_ctx: *mut c_void,
    out: *mut *mut Node,
) -> c_int {
    if config.is_null() || storage.is_null() || out.is_null() {
        return BAD_ARG;
    }
    let config = &*config;
    let store = Store::new(ptr::read(storage), config.applied);
    let logger = logger(log, log_ctx, config.id);
    match catch_unwind(AssertUnwindSafe(|| open(config, store, &logger))) {
        Ok(Ok(node)) => {
            *out = Box::into_raw(node);
            OK
        }
        Ok(Err(error)) => status_of(error),
        Err(payload) => {
            record_panic(payload);
            POISONED
        }
    }
}

/// A poisoned node may be in any state; a panic while it is dropped is of no interest any more.
#[no_mangle]
pub unsafe extern "C" fn qr_free(node: *mut Node) {
    if !node.is_null() {
        let _ = catch_unwind(AssertUnwindSafe(|| drop(Box::from_raw(node))));
    }
}

/// Test only: panics inside the guard.
#[no_mangle]
pub unsafe extern "C" fn qr_test_panic(node: *mut Node) -> c_int {
    with(node, |_| panic!("injected"))
}
