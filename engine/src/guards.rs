//! What we refuse although the engine would take it, and why. Each has a probe in
//! `src/consensus/*_probe_test.cc`.

use std::os::raw::c_int;

use raft::eraftpb::{ConfChangeSingle, ConfChangeType, ConfChangeV2, Message, MessageType};
use raft::{Raft, StateRole};

use crate::error::{set_error, CONF_REFUSED, NOT_LEADER, OK, REFUSED_MSG, TRANSFERRING};
use crate::node::Node;
use crate::storage::Store;

/// A sole voter elects itself at once, and asserts while doing so that it persisted its log.
pub fn election_must_wait(node: &Node) -> bool {
    let raft = &node.raw.raft;
    raft.prs().is_singleton() && raft.raft_log.persisted != raft.raft_log.last_index()
}

/// Entries are made by `qr_propose` on the leader only: the engine would forward a follower's
/// proposals, and nobody would know what became of them. Misaddressed messages it takes as they are.
pub fn may_step(node: &Node, message: &Message) -> bool {
    let id = node.raw.raft.id;
    message.get_msg_type() != MessageType::MsgPropose
        && message.to == id
        && message.from != 0
        && message.from != id
}

/// A rejection that was overtaken: its sender has acknowledged more since then. In probe state the
/// engine would go back to where it stood at that time (upstream #557), which may be compacted by
/// now. A rejection that is no older than what was acknowledged never points below that: up to
/// there both logs are equal.
pub fn is_stale_rejection(node: &Node, message: &Message) -> bool {
    message.get_msg_type() == MessageType::MsgAppendResponse
        && message.reject
        && message.request_snapshot == 0
        && node
            .raw
            .raft
            .prs()
            .get(message.from)
            .map_or(false, |peer| message.reject_hint < peer.matched)
}

pub fn may_propose(node: &Node) -> c_int {
    let raft = &node.raw.raft;
    if raft.state != StateRole::Leader || raft.prs().get(raft.id).is_none() {
        return NOT_LEADER;
    }
    if raft.lead_transferee.is_some() {
        return TRANSFERRING;
    }
    OK
}

/// The engine silently replaces a change it does not like by an empty entry and answers OK, and
/// lets a leader remove itself, which ends in a panic or in a group that cannot elect anyone.
pub fn may_change_conf(node: &Node, change: &ConfChangeV2) -> c_int {
    let raft = &node.raw.raft;
    let joint = node.joint;
    let unseats_leader = |single: &ConfChangeSingle| {
        single.node_id == raft.id && single.get_change_type() != ConfChangeType::AddNode
    };
    let why = if raft.has_pending_conf() {
        "another change is not applied yet"
    } else if joint && !change.changes.is_empty() {
        "the joint configuration must be left first"
    } else if !joint && change.changes.is_empty() {
        "there is no joint configuration to leave"
    } else if !node.allow_remove_leader && change.changes.iter().any(unseats_leader) {
        "the leader would stop being a voter: transfer leadership first"
    } else {
        return OK;
    };
    set_error(format!("configuration change refused: {}", why));
    CONF_REFUSED
}

/// A leader that is no voter any more must step down. The engine lets it lead on, and unwraps its
/// own, missing, progress at the next commit.
pub fn step_down_if_unseated(node: &mut Node) {
    let raft = &mut node.raw.raft;
    if raft.state == StateRole::Leader && !raft.promotable() && !node.allow_remove_leader {
        let term = raft.term;
        raft.become_follower(term, 0);
    }
}

pub fn is_joint(raft: &Raft<Store>) -> bool {
    !raft.prs().conf().to_conf_state().voters_outgoing.is_empty()
}

/// `applied` may move within [applied, min(committed, persisted)]; beyond that the engine panics.
pub fn may_apply_to(node: &Node, applied: u64) -> bool {
    let log = &node.raw.raft.raft_log;
    let in_range = applied >= log.applied && applied <= log.committed.min(log.persisted);
    if !in_range {
        set_error(format!(
            "applied {} is outside [{}, min(committed {}, persisted {})]",
            applied, log.applied, log.committed, log.persisted
        ));
    }
    in_range
}

/// Called with every message's verdict, so that the refusal has a text.
pub fn refuse_message(message: &Message) -> c_int {
    set_error(format!(
        "message of type {:?} from {} to {} refused",
        message.get_msg_type(),
        message.from,
        message.to
    ));
    REFUSED_MSG
}
