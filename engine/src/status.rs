//! Looking at a node without changing it.

use std::os::raw::c_int;
use std::ptr;

use raft::StateRole;

use crate::abi::{ProgressC, StatusC};
use crate::error::{with, BAD_ARG, NOT_LEADER, OK};
use crate::node::Node;

#[no_mangle]
pub unsafe extern "C" fn qr_status(node: *mut Node, out: *mut StatusC) -> c_int {
    if out.is_null() {
        return BAD_ARG;
    }
    with(node, |node| {
        let raft = &node.raw.raft;
        let status = StatusC {
            id: raft.id,
            term: raft.term,
            vote: raft.vote,
            commit: raft.raft_log.committed,
            applied: raft.raft_log.applied,
            persisted: raft.raft_log.persisted,
            last_index: raft.raft_log.last_index(),
            leader: raft.leader_id,
            transferee: raft.lead_transferee.unwrap_or(0),
            pending_conf_index: raft.pending_conf_index,
            uncommitted_size: raft.uncommitted_size() as u64,
            pending_reads: raft.pending_read_count() as u64,
            role: raft.state as u32,
            promotable: raft.promotable() as u8,
            in_lease: raft.in_lease() as u8,
            joint: node.joint as u8,
            pad: 0,
            election_elapsed: raft.election_elapsed as u32,
            randomized_timeout: raft.randomized_election_timeout() as u32,
        };
        ptr::write(out, status);
        OK
    })
}

/// Leader only. Fills up to `cap`, and sets `*count` to the number there is.
#[no_mangle]
pub unsafe extern "C" fn qr_progress(
    node: *mut Node,
    out: *mut ProgressC,
    cap: usize,
    count: *mut usize,
) -> c_int {
    if count.is_null() || (out.is_null() && cap > 0) {
        return BAD_ARG;
    }
    with(node, |node| {
        if node.raw.raft.state != StateRole::Leader {
            return NOT_LEADER;
        }
        let peers = node.raw.raft.prs();
        let conf = peers.conf().to_conf_state();
        let mut seen = 0;
        for (id, peer) in peers.iter() {
            if seen < cap {
                let progress = ProgressC {
                    id: *id,
                    matched: peer.matched,
                    next: peer.next_idx,
                    committed: peer.committed_index,
                    pending_snapshot: peer.pending_snapshot,
                    state: peer.state as u32,
                    paused: peer.is_paused() as u8,
                    recent_active: peer.recent_active as u8,
                    learner: conf.learners.contains(id) as u8,
                    pad: 0,
                };
                ptr::write(out.add(seen), progress);
            }
            seen += 1;
        }
        *count = seen;
        OK
    })
}
