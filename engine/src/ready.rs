//! What comes out of a node, and the acknowledgements that follow.

use std::os::raw::c_int;
use std::ptr;

use protobuf::Message as _;
use raft::eraftpb::{Entry, Message};
use raft::prelude::Ready;
use raft::ReadState;

use crate::abi::{EntryC, HardStateC, MessageC, ReadC, ReadyView, Slice};
use crate::error::{set_error, with, BAD_ARG, NO_READY, OK};
use crate::guards;
use crate::node::Node;

/// Owns everything that a view points to: the engine's own buffers, and the C structs over them.
/// It may be freed on any thread.
#[derive(Default)]
pub struct ReadyBuf {
    entries: Vec<Entry>,
    committed: Vec<Entry>,
    reads: Vec<ReadState>,
    wire: Vec<u8>, // All messages, encoded one behind the other.
    snapshot: Vec<u8>,
    entries_c: Vec<EntryC>,
    committed_c: Vec<EntryC>,
    messages_c: Vec<MessageC>,
    reads_c: Vec<ReadC>,
}

fn entries_c(entries: &[Entry]) -> Vec<EntryC> {
    let entry_c = |entry: &Entry| EntryC {
        index: entry.index,
        term: entry.term,
        entry_type: entry.entry_type as u32,
        pad: 0,
        data: Slice::of(&entry.data),
        ctx: Slice::of(&entry.context),
    };
    entries.iter().map(entry_c).collect()
}

impl ReadyBuf {
    /// Moves out of `ready` what the engine does not need back.
    fn fill(&mut self, ready: &mut Ready, messages: &[Message]) {
        self.encode(messages);
        self.entries = ready.take_entries();
        self.committed = ready.take_committed_entries();
        self.reads = ready.take_read_states();
        self.entries_c = entries_c(&self.entries);
        self.committed_c = entries_c(&self.committed);
        let read_c =
            |read: &ReadState| ReadC { index: read.index, ctx: Slice::of(&read.request_ctx) };
        self.reads_c = self.reads.iter().map(read_c).collect();
        if !ready.snapshot().is_empty() {
            self.snapshot = ready.snapshot().write_to_bytes().expect("encode snapshot");
        }
    }

    fn encode(&mut self, messages: &[Message]) {
        self.wire.reserve(messages.iter().map(|m| m.compute_size() as usize).sum());
        let mut ends = Vec::with_capacity(messages.len());
        for message in messages {
            message.write_to_vec(&mut self.wire).expect("encode message");
            ends.push(self.wire.len());
        }
        // Only now that the buffer does not move any more may anything point into it.
        let mut start = 0;
        for (message, end) in messages.iter().zip(ends) {
            self.messages_c.push(MessageC {
                to: message.to,
                term: message.term,
                index: message.index,
                commit: message.commit,
                message_type: message.get_msg_type() as u32,
                n_entries: message.entries.len() as u32,
                bytes: Slice::of(&self.wire[start..end]),
            });
            start = end;
        }
    }
}

/// The view over `buf`; `handle` is still null. A ready has messages of one of the two kinds only.
fn view_of(ready: &Ready, buf: &ReadyBuf, after_persist: bool) -> ReadyView {
    let none: (*const MessageC, usize) = (ptr::null(), 0);
    let all = (buf.messages_c.as_ptr(), buf.messages_c.len());
    let (now, later) = if after_persist { (none, all) } else { (all, none) };
    let hard_state =
        ready.hs().map(|hs| HardStateC { term: hs.term, vote: hs.vote, commit: hs.commit });
    let metadata = ready.snapshot().get_metadata();
    ReadyView {
        handle: ptr::null_mut(),
        number: ready.number(),
        must_sync: ready.must_sync() as u8,
        has_hs: hard_state.is_some() as u8,
        has_ss: ready.ss().is_some() as u8,
        has_snapshot: !ready.snapshot().is_empty() as u8,
        role: ready.ss().map_or(0, |ss| ss.raft_state as u32),
        leader: ready.ss().map_or(0, |ss| ss.leader_id),
        hs: hard_state.unwrap_or_default(),
        entries: buf.entries_c.as_ptr(),
        n_entries: buf.entries_c.len(),
        committed: buf.committed_c.as_ptr(),
        n_committed: buf.committed_c.len(),
        msgs: now.0,
        n_msgs: now.1,
        persisted_msgs: later.0,
        n_persisted_msgs: later.1,
        reads: buf.reads_c.as_ptr(),
        n_reads: buf.reads_c.len(),
        snap_index: metadata.index,
        snap_term: metadata.term,
        snapshot: Slice::of(&buf.snapshot),
    }
}

#[no_mangle]
pub unsafe extern "C" fn qr_has_ready(node: *mut Node) -> c_int {
    with(node, |node| if node.raw.has_ready() { OK } else { NO_READY })
}

#[no_mangle]
pub unsafe extern "C" fn qr_take_ready(node: *mut Node, out: *mut ReadyView) -> c_int {
    if out.is_null() {
        return BAD_ARG;
    }
    with(node, |node| {
        if node.pending.is_some() {
            set_error("the ready before was not advanced".into());
            return BAD_ARG;
        }
        if !node.raw.has_ready() {
            return NO_READY;
        }
        let mut ready = node.raw.ready();
        let after_persist = !ready.persisted_messages().is_empty();
        let messages =
            if after_persist { ready.take_persisted_messages() } else { ready.take_messages() };
        let mut buf = Box::new(ReadyBuf::default());
        buf.fill(&mut ready, &messages);
        let view = view_of(&ready, &buf, after_persist);
        node.pending = Some(ready);
        ptr::write(out, ReadyView { handle: Box::into_raw(buf), ..view });
        OK
    })
}

#[no_mangle]
pub unsafe extern "C" fn qr_ready_free(buf: *mut ReadyBuf) {
    if !buf.is_null() {
        drop(Box::from_raw(buf));
    }
}

/// What the ready wants stored can now be read through the storage callbacks, synced or not.
#[no_mangle]
pub unsafe extern "C" fn qr_advance_append(node: *mut Node) -> c_int {
    with(node, |node| match node.pending.take() {
        Some(ready) => {
            node.raw.advance_append_async(ready);
            OK
        }
        None => {
            set_error("no ready was taken".into());
            BAD_ARG
        }
    })
}

/// All readies up to `number` are synced. To be called before their persisted messages are sent.
#[no_mangle]
pub unsafe extern "C" fn qr_on_persist(node: *mut Node, number: u64) -> c_int {
    with(node, |node| {
        if node.pending.is_some() {
            set_error("the ready that was taken must be advanced first".into());
            return BAD_ARG;
        }
        node.raw.on_persist_ready(number);
        OK
    })
}

#[no_mangle]
pub unsafe extern "C" fn qr_advance_apply_to(node: *mut Node, applied: u64) -> c_int {
    with(node, |node| {
        if !guards::may_apply_to(node, applied) {
            return BAD_ARG;
        }
        node.raw.advance_apply_to(applied);
        OK
    })
}
