//! What goes into a node: ticks, messages, proposals, reads, reports.

use std::os::raw::c_int;

use bytes::Bytes;
use protobuf::Message as _;
use raft::eraftpb::{ConfChange, ConfChangeV2, Entry, Message, MessageType};
use raft::{Error, SnapshotStatus, StateRole};

use crate::abi::{Sink, Slice};
use crate::error::*;
use crate::guards;
use crate::node::Node;

#[no_mangle]
pub unsafe extern "C" fn qr_tick(node: *mut Node) -> c_int {
    with(node, |node| {
        if node.raw.raft.state != StateRole::Leader && guards::election_must_wait(node) {
            return OK;
        }
        node.raw.tick();
        OK
    })
}

#[no_mangle]
pub unsafe extern "C" fn qr_step(node: *mut Node, message: Slice) -> c_int {
    with(node, |node| {
        let bytes = Bytes::copy_from_slice(message.bytes());
        let message = match Message::parse_from_carllerche_bytes(&bytes) {
            Ok(message) => message,
            Err(error) => return status_of(error.into()),
        };
        if !guards::may_step(node, &message) {
            return guards::refuse_message(&message);
        }
        if guards::is_stale_rejection(node, &message) {
            return OK;
        }
        let may_restore = message.get_msg_type() == MessageType::MsgSnapshot;
        let status = status_of_result(node.raw.step(message));
        if may_restore {
            node.note_conf();
        }
        status
    })
}

#[no_mangle]
pub unsafe extern "C" fn qr_campaign(node: *mut Node) -> c_int {
    with(node, |node| {
        if guards::election_must_wait(node) {
            set_error("a sole voter with unsynced entries cannot campaign yet".into());
            return DROPPED;
        }
        status_of_result(node.raw.campaign())
    })
}

/// Appends `count` entries as one batch: one append message per follower instead of `count`.
#[no_mangle]
pub unsafe extern "C" fn qr_propose(
    node: *mut Node,
    data: *const Slice,
    ctx: *const Slice,
    count: usize,
    first_index: *mut u64,
    term: *mut u64,
) -> c_int {
    if count == 0 || data.is_null() || first_index.is_null() || term.is_null() {
        return BAD_ARG;
    }
    with(node, |node| {
        let verdict = guards::may_propose(node);
        if verdict != OK {
            return verdict;
        }
        let mut entries = Vec::with_capacity(count);
        for i in 0..count {
            let context = if ctx.is_null() { Slice::EMPTY } else { *ctx.add(i) };
            entries.push(Entry {
                data: Bytes::copy_from_slice((*data.add(i)).bytes()),
                context: Bytes::copy_from_slice(context.bytes()),
                ..Default::default()
            });
        }
        let raft = &mut node.raw.raft;
        let mut message =
            Message { from: raft.id, msg_type: MessageType::MsgPropose, ..Default::default() };
        message.set_entries(entries.into());
        let status = status_of_result(raft.step(message));
        if status == OK {
            *first_index = raft.raft_log.last_index() + 1 - count as u64;
            *term = raft.term;
        }
        status
    })
}

#[no_mangle]
pub unsafe extern "C" fn qr_propose_conf_change(
    node: *mut Node,
    conf_change_v2: Slice,
    ctx: Slice,
    index: *mut u64,
    term: *mut u64,
) -> c_int {
    if index.is_null() || term.is_null() {
        return BAD_ARG;
    }
    with(node, |node| {
        let verdict = guards::may_propose(node);
        if verdict != OK {
            return verdict;
        }
        let change = match ConfChangeV2::parse_from_bytes(conf_change_v2.bytes()) {
            Ok(change) => change,
            Err(error) => return status_of(error.into()),
        };
        let verdict = guards::may_change_conf(node, &change);
        if verdict != OK {
            return verdict;
        }
        let status = status_of_result(node.raw.propose_conf_change(ctx.bytes().to_vec(), change));
        if status == OK {
            *index = node.raw.raft.raft_log.last_index();
            *term = node.raw.raft.term;
        }
        status
    })
}

/// For each committed configuration entry, before `qr_advance_apply_to` reaches it: the engine
/// leaves a joint configuration inside that call.
#[no_mangle]
pub unsafe extern "C" fn qr_apply_conf_change(
    node: *mut Node,
    entry_type: u32,
    entry_data: Slice,
    conf_state: Sink,
) -> c_int {
    with(node, |node| {
        let data = entry_data.bytes();
        let applied = match entry_type {
            1 => ConfChange::parse_from_bytes(data)
                .map_err(Error::from)
                .and_then(|change| node.raw.apply_conf_change(&change)),
            2 => ConfChangeV2::parse_from_bytes(data)
                .map_err(Error::from)
                .and_then(|change| node.raw.apply_conf_change(&change)),
            _ => return BAD_ARG,
        };
        node.note_conf();
        guards::step_down_if_unseated(node);
        match applied.and_then(|state| state.write_to_bytes().map_err(Error::from)) {
            Ok(bytes) => {
                conf_state.put(&bytes);
                OK
            }
            Err(error) => status_of(error),
        }
    })
}

/// The engine drops a read silently when it cannot be served; two of the reasons are told here.
#[no_mangle]
pub unsafe extern "C" fn qr_read_index(node: *mut Node, ctx: Slice) -> c_int {
    with(node, |node| {
        let raft = &node.raw.raft;
        if raft.leader_id == 0 {
            return NOT_LEADER;
        }
        if raft.state == StateRole::Leader && !raft.commit_to_current_term() {
            set_error("nothing is committed in this term yet".into());
            return DROPPED;
        }
        node.raw.read_index(ctx.bytes().to_vec());
        OK
    })
}

#[no_mangle]
pub unsafe extern "C" fn qr_transfer_leader(node: *mut Node, to: u64) -> c_int {
    with(node, |node| {
        if node.raw.raft.state != StateRole::Leader {
            return NOT_LEADER;
        }
        node.raw.transfer_leader(to);
        if node.raw.raft.lead_transferee == Some(to) {
            OK
        } else {
            set_error(format!("replica {} cannot take leadership", to));
            DROPPED
        }
    })
}

#[no_mangle]
pub unsafe extern "C" fn qr_report_unreachable(node: *mut Node, id: u64) -> c_int {
    with(node, |node| {
        node.raw.report_unreachable(id);
        OK
    })
}

#[no_mangle]
pub unsafe extern "C" fn qr_report_snapshot(node: *mut Node, id: u64, failed: c_int) -> c_int {
    with(node, |node| {
        let status = if failed != 0 { SnapshotStatus::Failure } else { SnapshotStatus::Finish };
        node.raw.report_snapshot(id, status);
        OK
    })
}

#[no_mangle]
pub unsafe extern "C" fn qr_request_snapshot(node: *mut Node) -> c_int {
    with(node, |node| status_of_result(node.raw.request_snapshot()))
}

#[no_mangle]
pub unsafe extern "C" fn qr_ping(node: *mut Node) -> c_int {
    with(node, |node| {
        node.raw.ping();
        OK
    })
}

#[no_mangle]
pub unsafe extern "C" fn qr_trim_memory(node: *mut Node) -> c_int {
    with(node, |node| {
        node.raw.raft.maybe_free_inflight_buffers();
        OK
    })
}
