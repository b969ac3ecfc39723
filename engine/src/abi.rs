//! The structs that cross the ABI, field by field as in `quorate_raft.h`.
//!
//! Sizes are asserted here and in C++ (`src/consensus/abi_test.cc`), offsets in the tests of both.

use std::mem::size_of;
use std::os::raw::{c_int, c_void};
use std::{ptr, slice};

use crate::ready::ReadyBuf;
use crate::storage::EntrySink;

/// Grows with every change of a struct, a number or a meaning in the header.
pub const ABI_VERSION: u32 = 1;

/// Borrowed bytes. An empty slice may have a null pointer.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Slice {
    pub ptr: *const u8,
    pub len: usize,
}

impl Slice {
    pub const EMPTY: Slice = Slice { ptr: ptr::null(), len: 0 };

    pub fn of(bytes: &[u8]) -> Slice {
        Slice { ptr: bytes.as_ptr(), len: bytes.len() }
    }

    /// The caller vouches for pointer, length and lifetime.
    pub unsafe fn bytes<'a>(self) -> &'a [u8] {
        if self.len == 0 {
            &[]
        } else {
            slice::from_raw_parts(self.ptr, self.len)
        }
    }
}

/// Where the other side wants bytes delivered.
#[repr(C)]
pub struct Sink {
    pub ctx: *mut c_void,
    pub write: Option<unsafe extern "C" fn(*mut c_void, Slice)>,
}

impl Sink {
    pub unsafe fn put(&self, bytes: &[u8]) {
        if let Some(write) = self.write {
            write(self.ctx, Slice::of(bytes));
        }
    }
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct HardStateC {
    pub term: u64,
    pub vote: u64,
    pub commit: u64,
}

#[repr(C)]
pub struct EntryC {
    pub index: u64,
    pub term: u64,
    pub entry_type: u32,
    pub pad: u32,
    pub data: Slice,
    pub ctx: Slice,
}

#[repr(C)]
pub struct MessageC {
    pub to: u64,
    pub term: u64,
    pub index: u64,
    pub commit: u64,
    pub message_type: u32,
    pub n_entries: u32,
    pub bytes: Slice,
}

#[repr(C)]
pub struct ReadC {
    pub index: u64,
    pub ctx: Slice,
}

#[repr(C)]
pub struct ReadyView {
    pub handle: *mut ReadyBuf,
    pub number: u64,
    pub must_sync: u8,
    pub has_hs: u8,
    pub has_ss: u8,
    pub has_snapshot: u8,
    pub role: u32,
    pub leader: u64,
    pub hs: HardStateC,
    pub entries: *const EntryC,
    pub n_entries: usize,
    pub committed: *const EntryC,
    pub n_committed: usize,
    pub msgs: *const MessageC,
    pub n_msgs: usize,
    pub persisted_msgs: *const MessageC,
    pub n_persisted_msgs: usize,
    pub reads: *const ReadC,
    pub n_reads: usize,
    pub snap_index: u64,
    pub snap_term: u64,
    pub snapshot: Slice,
}

#[repr(C)]
#[derive(Clone)]
pub struct ConfigC {
    pub id: u64,
    pub applied: u64,
    pub election_tick: u32,
    pub heartbeat_tick: u32,
    pub min_election_tick: u32,
    pub max_election_tick: u32,
    pub max_inflight_msgs: u32,
    pub pre_vote: u8,
    pub check_quorum: u8,
    pub lease_read: u8,
    pub batch_append: u8,
    pub skip_bcast_commit: u8,
    pub allow_remove_leader: u8,
    pub pad: [u8; 6],
    pub max_size_per_msg: u64,
    pub max_uncommitted_size: u64,
    pub max_committed_size_per_ready: u64,
    pub priority: i64,
    pub seed: u64,
}

pub type IndexFn = unsafe extern "C" fn(*mut c_void, *mut u64) -> c_int;

#[repr(C)]
pub struct StorageC {
    pub ctx: *mut c_void,
    pub initial_state: unsafe extern "C" fn(*mut c_void, *mut HardStateC, Sink) -> c_int,
    pub entries: unsafe extern "C" fn(*mut c_void, u64, u64, u64, *mut EntrySink) -> c_int,
    pub term: unsafe extern "C" fn(*mut c_void, u64, *mut u64) -> c_int,
    pub first_index: IndexFn,
    pub last_index: IndexFn,
    pub snapshot: unsafe extern "C" fn(*mut c_void, u64, u64, Sink) -> c_int,
}

#[repr(C)]
#[derive(Default)]
pub struct StatusC {
    pub id: u64,
    pub term: u64,
    pub vote: u64,
    pub commit: u64,
    pub applied: u64,
    pub persisted: u64,
    pub last_index: u64,
    pub leader: u64,
    pub transferee: u64,
    pub pending_conf_index: u64,
    pub uncommitted_size: u64,
    pub pending_reads: u64,
    pub role: u32,
    pub promotable: u8,
    pub in_lease: u8,
    pub joint: u8,
    pub pad: u8,
    pub election_elapsed: u32,
    pub randomized_timeout: u32,
}

#[repr(C)]
pub struct ProgressC {
    pub id: u64,
    pub matched: u64,
    pub next: u64,
    pub committed: u64,
    pub pending_snapshot: u64,
    pub state: u32,
    pub paused: u8,
    pub recent_active: u8,
    pub learner: u8,
    pub pad: u8,
}

pub type LogFn = unsafe extern "C" fn(*mut c_void, c_int, u64, Slice);

// The header is written for 64-bit pointers, as all of Quorate is.
const _: () = assert!(size_of::<Slice>() == 16);
const _: () = assert!(size_of::<Sink>() == 16);
const _: () = assert!(size_of::<HardStateC>() == 24);
const _: () = assert!(size_of::<EntryC>() == 56);
const _: () = assert!(size_of::<MessageC>() == 56);
const _: () = assert!(size_of::<ReadC>() == 24);
const _: () = assert!(size_of::<ReadyView>() == 168);
const _: () = assert!(size_of::<ConfigC>() == 88);
const _: () = assert!(size_of::<StorageC>() == 56);
const _: () = assert!(size_of::<StatusC>() == 112);
const _: () = assert!(size_of::<ProgressC>() == 48);
