/* C ABI over raft-rs 0.7.0. Clean as C99 and as C++20.
 *
 * Threads   A qr_node is used by one thread at a time, any thread. qr_ready_free may run on any
 *           thread at any time, also after qr_free.
 * Memory    Every qr_slice that goes in is copied. Every pointer in a qr_ready_view lives until
 *           qr_ready_free(view.handle). Slices given to a sink live only during that call.
 * Errors    0 is success. QR_POISONED means that the engine panicked: the group is fenced, every
 *           later call but qr_free answers QR_POISONED, and nothing of the last call may be acted
 *           on. qr_last_error() has the text (this thread, until the next call).
 * Callbacks Must not throw, must not call back into the same node, may be called inside any qr_*.
 *
 * The order in which a host must call is in src/consensus/README.md. A change of anything here
 * changes qr_abi_version(), engine/src/abi.rs and src/consensus/abi_test.cc.
 */
#ifndef QUORATE_RAFT_H
#define QUORATE_RAFT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define QR_ABI_VERSION 1u

typedef struct qr_node qr_node;
typedef struct qr_ready_buf qr_ready_buf;
typedef struct qr_entry_sink qr_entry_sink;

enum qr_status {
  QR_OK = 0,
  QR_DROPPED = 1,        /* proposal dropped (size limit, no leader, ...): retry later */
  QR_NOT_LEADER = 2,     /* never forwarded: send the client to status.leader */
  QR_PEER_NOT_FOUND = 3, /* answer of a replica outside the configuration: drop it */
  QR_REFUSED_MSG = 4,    /* local-only or forwarded-proposal message, or not for this node */
  QR_BAD_MESSAGE = 5,    /* undecodable bytes */
  QR_CONFIG_INVALID = 6,
  QR_CONF_REFUSED = 7, /* a change is pending, joint state wrong, or the leader would go */
  QR_STORAGE = 8,
  QR_BAD_ARG = 9,
  QR_NO_READY = 10,
  QR_TRANSFERRING = 11, /* leader transfer running: refused for at most one election timeout */
  QR_POISONED = 100
};

enum qr_storage_rc { /* what a storage callback returns; anything else fences the group */
  QR_ST_OK = 0,
  QR_ST_COMPACTED = 1,
  QR_ST_UNAVAILABLE = 2,
  QR_ST_LOG_TEMP_UNAVAILABLE = 3,
  QR_ST_SNAP_OUT_OF_DATE = 4,
  QR_ST_SNAP_TEMP_UNAVAILABLE = 5,
  QR_ST_FATAL = -1
};

enum qr_role { QR_FOLLOWER = 0, QR_CANDIDATE = 1, QR_LEADER = 2, QR_PRECANDIDATE = 3 };
enum qr_progress_state { QR_PROBE = 0, QR_REPLICATE = 1, QR_SNAPSHOT = 2 };
enum qr_entry_type { QR_NORMAL = 0, QR_CONF_CHANGE = 1, QR_CONF_CHANGE_V2 = 2 };

typedef struct {
  const uint8_t* ptr;
  size_t len;
} qr_slice;

typedef struct {
  uint64_t term, vote, commit;
} qr_hard_state;

typedef struct {
  uint64_t index, term;
  uint32_t type, pad;
  qr_slice data, ctx;
} qr_entry;

typedef struct { /* header fields for routing and batching; bytes = eraftpb.Message */
  uint64_t to, term, index, commit;
  uint32_t type, n_entries;
  qr_slice bytes;
} qr_msg;

typedef struct {
  uint64_t index;
  qr_slice ctx;
} qr_read;

typedef struct {
  void* ctx;
  void (*write)(void*, qr_slice);
} qr_sink;

typedef struct {
  qr_ready_buf* handle;
  uint64_t number; /* for qr_on_persist */
  uint8_t must_sync, has_hs, has_ss, has_snapshot;
  uint32_t role;            /* valid if has_ss */
  uint64_t leader;          /* valid if has_ss; 0 = none */
  qr_hard_state hs;         /* valid if has_hs; a change of term or vote implies must_sync */
  const qr_entry* entries;  /* append, truncating at entries[0].index first */
  size_t n_entries;
  const qr_entry* committed; /* apply, in order; already synced here */
  size_t n_committed;
  const qr_msg* msgs; /* send at once */
  size_t n_msgs;
  const qr_msg* persisted_msgs; /* send after qr_on_persist(number) */
  size_t n_persisted_msgs;
  const qr_read* reads; /* serve when applied >= index */
  size_t n_reads;
  uint64_t snap_index, snap_term;
  qr_slice snapshot; /* eraftpb.Snapshot; install before entries */
} qr_ready_view;

typedef struct {
  uint64_t id, applied; /* applied: durable applied index of the state machine */
  uint32_t election_tick, heartbeat_tick;
  uint32_t min_election_tick, max_election_tick; /* 0 = [election_tick, 2 * election_tick) */
  uint32_t max_inflight_msgs;                    /* per peer; 8 bytes each, at first use */
  uint8_t pre_vote, check_quorum;                /* set both to 1 */
  uint8_t lease_read;                            /* keep 0: stale reads when ticks stall */
  uint8_t batch_append;                          /* keep 0: loses acknowledged entries */
  uint8_t skip_bcast_commit;                     /* RawNodeOptions::announce_commits */
  uint8_t allow_remove_leader;                   /* keep 0: tests only */
  uint8_t pad[6];
  uint64_t max_size_per_msg;     /* encoded entry bytes in one MsgAppend; at least one entry */
  uint64_t max_uncommitted_size; /* sum of entry data (not ctx) on the leader */
  uint64_t max_committed_size_per_ready;
  int64_t priority; /* keep 0 */
  uint64_t seed;    /* 0 = random election timeouts; else deterministic ones */
} qr_config;

typedef struct {
  void* ctx;
  /* Hard state, and the ConfState (eraftpb.ConfState bytes) at `applied`. hs.commit may lag: it is
   * raised to applied. */
  int (*initial_state)(void*, qr_hard_state*, qr_sink conf_state);
  /* qr_push_entry() each entry of [lo, hi) in order, at least one, stop beyond max_bytes (encoded
   * size). COMPACTED if lo < first_index; LOG_TEMP_UNAVAILABLE is not supported here. */
  int (*entries)(void*, uint64_t lo, uint64_t hi, uint64_t max_bytes, qr_entry_sink*);
  /* valid for [first_index - 1, last_index]; COMPACTED below, UNAVAILABLE above */
  int (*term)(void*, uint64_t index, uint64_t* term);
  int (*first_index)(void*, uint64_t*);
  int (*last_index)(void*, uint64_t*);
  /* eraftpb.Snapshot with index >= request_index, for peer `to`; SNAP_TEMP_UNAVAILABLE while it is
   * being made (the engine asks again at the next heart-beat response) */
  int (*snapshot)(void*, uint64_t request_index, uint64_t to, qr_sink);
} qr_storage;

typedef struct {
  uint64_t id, term, vote, commit, applied, persisted, last_index, leader, transferee;
  uint64_t pending_conf_index, uncommitted_size, pending_reads;
  uint32_t role;
  uint8_t promotable, in_lease, joint, pad;
  uint32_t election_elapsed, randomized_timeout;
} qr_status_t;

typedef struct {
  uint64_t id, matched, next, committed, pending_snapshot;
  uint32_t state;
  uint8_t paused, recent_active, learner, pad;
} qr_progress_t;

typedef void (*qr_log_fn)(void*, int level /* 1 critical .. 6 trace */, uint64_t id, qr_slice text);

uint32_t qr_abi_version(void);
void qr_init(void); /* before any node: record panics, print nothing */
qr_slice qr_last_error(void);
int qr_new(const qr_config*, const qr_storage*, qr_log_fn, void* log_ctx, qr_node** out);
void qr_free(qr_node*);

/* --- input --- */

int qr_tick(qr_node*);                   /* no-op on a sole voter that has un-synced entries */
int qr_step(qr_node*, qr_slice message); /* refuses MsgPropose and messages not addressed to id */
int qr_campaign(qr_node*);
/* Appends n entries, next to each other. ctx may be NULL. */
int qr_propose(qr_node*, const qr_slice* data, const qr_slice* ctx, size_t n, uint64_t* first_index,
               uint64_t* term);
int qr_propose_conf_change(qr_node*, qr_slice conf_change_v2, qr_slice ctx, uint64_t* index,
                           uint64_t* term);
/* For each committed conf-change entry (also one with empty data), before
 * qr_advance_apply_to(its index); a leader that is no voter any more steps down here.
 * QR_CONF_REFUSED: same answer on every replica; configuration unchanged, go on. */
int qr_apply_conf_change(qr_node*, uint32_t entry_type, qr_slice entry_data, qr_sink conf_state);
int qr_read_index(qr_node*, qr_slice ctx); /* ctx must be unique for ever */
int qr_transfer_leader(qr_node*, uint64_t to);
int qr_report_unreachable(qr_node*, uint64_t id);
int qr_report_snapshot(qr_node*, uint64_t id, int failed);
int qr_request_snapshot(qr_node*); /* follower: ask the leader for one (local data damaged) */
int qr_ping(qr_node*);             /* leader: heart-beat now */
int qr_trim_memory(qr_node*);      /* free empty in-flight windows (before hibernation) */

/* --- output --- */

int qr_has_ready(qr_node*); /* QR_OK or QR_NO_READY */
int qr_take_ready(qr_node*, qr_ready_view*);
int qr_advance_append(qr_node*);              /* the next call on this node after qr_take_ready */
int qr_on_persist(qr_node*, uint64_t number); /* in order; covers all earlier numbers */
int qr_advance_apply_to(qr_node*, uint64_t applied);
void qr_ready_free(qr_ready_buf*);
int qr_status(qr_node*, qr_status_t*);
int qr_progress(qr_node*, qr_progress_t* out, size_t cap, size_t* count);

void qr_push_entry(qr_entry_sink*, const qr_entry*); /* only inside the entries callback; copies */
int qr_test_panic(qr_node*);                         /* tests only */

#ifdef __cplusplus
}
#endif

#endif /* QUORATE_RAFT_H */
