//! The engine's `Storage`, answered by callbacks of the host.

use std::os::raw::{c_int, c_void};

use bytes::Bytes;
use protobuf::Message as _;
use raft::eraftpb::{ConfState, Entry, EntryType, HardState, Snapshot};
use raft::{Error, GetEntriesContext, RaftState, Result, Storage, StorageError};

use crate::abi::{EntryC, HardStateC, IndexFn, Sink, Slice, StorageC};

/// Not a number that a callback may return: ours, for an answer that cannot be.
const ANSWER_MALFORMED: c_int = -2;

pub struct Store {
    callbacks: StorageC,
    /// The durable applied index: a floor for the commit index, which is written lazily.
    applied: u64,
}

fn store_error(answer: c_int) -> Error {
    Error::Store(match answer {
        1 => StorageError::Compacted,
        2 => StorageError::Unavailable,
        3 => StorageError::LogTemporarilyUnavailable,
        4 => StorageError::SnapshotOutOfDate,
        5 => StorageError::SnapshotTemporarilyUnavailable,
        ANSWER_MALFORMED => StorageError::Other("storage callback gave a malformed answer".into()),
        n => StorageError::Other(format!("storage callback returned {}", n).into()),
    })
}

fn check(answer: c_int) -> Result<()> {
    match answer {
        0 => Ok(()),
        n => Err(store_error(n)),
    }
}

unsafe extern "C" fn append_to_vec(ctx: *mut c_void, bytes: Slice) {
    (*(ctx as *mut Vec<u8>)).extend_from_slice(bytes.bytes());
}

fn sink_into(buffer: &mut Vec<u8>) -> Sink {
    Sink { ctx: buffer as *mut Vec<u8> as *mut c_void, write: Some(append_to_vec) }
}

impl Store {
    /// The caller of `qr_new` vouches that the callbacks outlive the node.
    pub fn new(callbacks: StorageC, applied: u64) -> Store {
        Store { callbacks, applied }
    }

    fn index(&self, callback: IndexFn) -> Result<u64> {
        let mut value = 0;
        check(unsafe { callback(self.callbacks.ctx, &mut value) })?;
        Ok(value)
    }
}

impl Storage for Store {
    fn initial_state(&self) -> Result<RaftState> {
        let mut state = HardStateC::default();
        let mut conf = Vec::new();
        let sink = sink_into(&mut conf);
        check(unsafe { (self.callbacks.initial_state)(self.callbacks.ctx, &mut state, sink) })?;
        let hard_state = HardState {
            term: state.term,
            vote: state.vote,
            commit: state.commit.max(self.applied),
            ..Default::default()
        };
        Ok(RaftState::new(hard_state, ConfState::parse_from_bytes(&conf)?))
    }

    fn entries(
        &self,
        low: u64,
        high: u64,
        max_size: impl Into<Option<u64>>,
        _: GetEntriesContext,
    ) -> Result<Vec<Entry>> {
        let max_size = max_size.into().unwrap_or(u64::MAX);
        let mut sink = EntrySink::with_room_for(high - low);
        check(unsafe {
            (self.callbacks.entries)(self.callbacks.ctx, low, high, max_size, &mut sink)
        })?;
        // The engine believes this answer blindly; make a wrong one loud instead.
        if !sink.is_run_in(low, high) {
            return Err(store_error(ANSWER_MALFORMED));
        }
        Ok(sink.entries)
    }

    fn term(&self, index: u64) -> Result<u64> {
        let mut term = 0;
        check(unsafe { (self.callbacks.term)(self.callbacks.ctx, index, &mut term) })?;
        Ok(term)
    }

    fn first_index(&self) -> Result<u64> {
        self.index(self.callbacks.first_index)
    }

    fn last_index(&self) -> Result<u64> {
        self.index(self.callbacks.last_index)
    }

    fn snapshot(&self, request_index: u64, to: u64) -> Result<Snapshot> {
        let mut bytes = Vec::new();
        let sink = sink_into(&mut bytes);
        check(unsafe { (self.callbacks.snapshot)(self.callbacks.ctx, request_index, to, sink) })?;
        Ok(Snapshot::parse_from_bytes(&bytes)?)
    }
}

/// Collects what the `entries` callback pushes.
pub struct EntrySink {
    entries: Vec<Entry>,
    unknown_type: bool,
}

impl EntrySink {
    fn with_room_for(count: u64) -> EntrySink {
        EntrySink { entries: Vec::with_capacity(count.min(64) as usize), unknown_type: false }
    }

    /// At least one entry, and nothing but the entries from `low` on, in order, below `high`.
    fn is_run_in(&self, low: u64, high: u64) -> bool {
        let in_order =
            |(i, entry): (usize, &Entry)| entry.index == low + i as u64 && entry.term > 0;
        !self.unknown_type
            && !self.entries.is_empty()
            && self.entries.len() as u64 <= high - low
            && self.entries.iter().enumerate().all(in_order)
    }
}

/// Only inside the `entries` callback, once for each entry, in order; copies.
#[no_mangle]
pub unsafe extern "C" fn qr_push_entry(sink: *mut EntrySink, entry: *const EntryC) {
    let sink = &mut *sink;
    let entry = &*entry;
    let entry_type = match entry.entry_type {
        0 => EntryType::EntryNormal,
        1 => EntryType::EntryConfChange,
        2 => EntryType::EntryConfChangeV2,
        _ => {
            sink.unknown_type = true;
            return;
        }
    };
    sink.entries.push(Entry {
        index: entry.index,
        term: entry.term,
        entry_type,
        data: Bytes::copy_from_slice(entry.data.bytes()),
        context: Bytes::copy_from_slice(entry.ctx.bytes()),
        ..Default::default()
    });
}
