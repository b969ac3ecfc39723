// The C ABI: layouts as engine/src/abi.rs has them, and what only the raw calls can show.
#include <gtest/gtest.h>
#include <quorate_raft.h>

#include <cstddef>

#include "consensus/internal/storage_bridge.h"
#include "consensus/testing/model_disk.h"

extern "C" std::size_t QuorateAbiSizeInC(int which);

namespace quorate::consensus::testing {
namespace {

static_assert(sizeof(qr_slice) == 16);
static_assert(offsetof(qr_slice, len) == 8);
static_assert(sizeof(qr_sink) == 16);
static_assert(offsetof(qr_sink, write) == 8);
static_assert(sizeof(qr_hard_state) == 24);
static_assert(offsetof(qr_hard_state, vote) == 8);
static_assert(offsetof(qr_hard_state, commit) == 16);
static_assert(sizeof(qr_entry) == 56);
static_assert(offsetof(qr_entry, term) == 8);
static_assert(offsetof(qr_entry, type) == 16);
static_assert(offsetof(qr_entry, data) == 24);
static_assert(offsetof(qr_entry, ctx) == 40);
static_assert(sizeof(qr_msg) == 56);
static_assert(offsetof(qr_msg, commit) == 24);
static_assert(offsetof(qr_msg, type) == 32);
static_assert(offsetof(qr_msg, n_entries) == 36);
static_assert(offsetof(qr_msg, bytes) == 40);
static_assert(sizeof(qr_read) == 24);
static_assert(offsetof(qr_read, ctx) == 8);
static_assert(sizeof(qr_ready_view) == 168);
static_assert(offsetof(qr_ready_view, number) == 8);
static_assert(offsetof(qr_ready_view, must_sync) == 16);
static_assert(offsetof(qr_ready_view, has_snapshot) == 19);
static_assert(offsetof(qr_ready_view, role) == 20);
static_assert(offsetof(qr_ready_view, leader) == 24);
static_assert(offsetof(qr_ready_view, hs) == 32);
static_assert(offsetof(qr_ready_view, entries) == 56);
static_assert(offsetof(qr_ready_view, committed) == 72);
static_assert(offsetof(qr_ready_view, msgs) == 88);
static_assert(offsetof(qr_ready_view, persisted_msgs) == 104);
static_assert(offsetof(qr_ready_view, reads) == 120);
static_assert(offsetof(qr_ready_view, snap_index) == 136);
static_assert(offsetof(qr_ready_view, snapshot) == 152);
static_assert(sizeof(qr_config) == 88);
static_assert(offsetof(qr_config, election_tick) == 16);
static_assert(offsetof(qr_config, max_inflight_msgs) == 32);
static_assert(offsetof(qr_config, pre_vote) == 36);
static_assert(offsetof(qr_config, batch_append) == 39);
static_assert(offsetof(qr_config, allow_remove_leader) == 41);
static_assert(offsetof(qr_config, max_size_per_msg) == 48);
static_assert(offsetof(qr_config, priority) == 72);
static_assert(offsetof(qr_config, seed) == 80);
static_assert(sizeof(qr_storage) == 56);
static_assert(offsetof(qr_storage, initial_state) == 8);
static_assert(offsetof(qr_storage, entries) == 16);
static_assert(offsetof(qr_storage, term) == 24);
static_assert(offsetof(qr_storage, first_index) == 32);
static_assert(offsetof(qr_storage, last_index) == 40);
static_assert(offsetof(qr_storage, snapshot) == 48);
static_assert(sizeof(qr_status_t) == 112);
static_assert(offsetof(qr_status_t, leader) == 56);
static_assert(offsetof(qr_status_t, pending_reads) == 88);
static_assert(offsetof(qr_status_t, role) == 96);
static_assert(offsetof(qr_status_t, joint) == 102);
static_assert(offsetof(qr_status_t, election_elapsed) == 104);
static_assert(sizeof(qr_progress_t) == 48);
static_assert(offsetof(qr_progress_t, pending_snapshot) == 32);
static_assert(offsetof(qr_progress_t, state) == 40);
static_assert(offsetof(qr_progress_t, learner) == 46);

TEST(AbiTest, CAndCppAgree) {
  const std::size_t sizes[] = {sizeof(qr_slice),      sizeof(qr_sink),      sizeof(qr_hard_state),
                               sizeof(qr_entry),      sizeof(qr_msg),       sizeof(qr_read),
                               sizeof(qr_ready_view), sizeof(qr_config),    sizeof(qr_storage),
                               sizeof(qr_status_t),   sizeof(qr_progress_t)};
  for (int i = 0; i < 11; ++i) {
    EXPECT_EQ(QuorateAbiSizeInC(i), sizes[i]) << i;
  }
}

TEST(AbiTest, VersionOfTheLibraryIsTheHeaders) {
  EXPECT_EQ(qr_abi_version(), QR_ABI_VERSION);
}

TEST(AbiTest, NullPointersAreAnErrorNotACrash) {
  qr_node* node = nullptr;
  EXPECT_EQ(qr_new(nullptr, nullptr, nullptr, nullptr, &node), QR_BAD_ARG);
  EXPECT_EQ(qr_tick(nullptr), QR_BAD_ARG);
  qr_free(nullptr);
  qr_ready_free(nullptr);
}

// Why RawNode::Propose() has no context: it would escape uncommitted_bytes_max.
TEST(AbiTest, RawEngineDoesNotCountTheContextOfAnEntry) {
  qr_init();
  const ModelDisk disk = ModelDisk::Bootstrapped({ReplicaId{1}});
  ModelStorage storage(disk);
  internal::StorageBridge bridge(storage);
  const qr_storage callbacks = bridge.callbacks();
  qr_config config{};
  config.id = 1;
  config.applied = disk.applied.value;
  config.election_tick = 10;
  config.heartbeat_tick = 2;
  config.max_inflight_msgs = 16;
  config.max_size_per_msg = 1000;
  config.max_uncommitted_size = 5000;
  config.max_committed_size_per_ready = 5000;
  qr_node* node = nullptr;
  ASSERT_EQ(qr_new(&config, &callbacks, nullptr, nullptr, &node), QR_OK);
  ASSERT_EQ(qr_campaign(node), QR_OK);
  const std::string big(100'000, 'c');
  const std::string full(5000, 'd');
  const qr_slice empty{nullptr, 0};
  const qr_slice context = internal::ToSlice(big);
  const qr_slice data = internal::ToSlice(full);
  std::uint64_t index = 0;
  std::uint64_t term = 0;

  ASSERT_EQ(qr_propose(node, &data, nullptr, 1, &index, &term), QR_OK) << "the budget is full now";
  EXPECT_EQ(qr_propose(node, &data, nullptr, 1, &index, &term), QR_DROPPED);
  EXPECT_EQ(qr_propose(node, &empty, &context, 1, &index, &term), QR_OK);
  qr_free(node);
}

}  // namespace
}  // namespace quorate::consensus::testing
