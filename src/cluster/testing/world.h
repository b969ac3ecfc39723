// What a node needs around it, for tests with real files and real threads.
#pragma once

#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/bytes.h"
#include "base/check.h"
#include "cluster/node.h"
#include "env/posix/clock.h"
#include "env/posix/file_system.h"
#include "env/posix/random.h"
#include "env/posix/thread_pool.h"
#include "env/posix/timers.h"
#include "env/testing/fake_metrics.h"
#include "env/testing/full_disk.h"
#include "env/testing/loggers.h"
#include "env/testing/scripted_children.h"
#include "kv/rocksdb_store.h"

namespace quorate::cluster {

// One node at a time on one data directory. Calls wait for their callbacks.
class World {
 public:
  using Found = Result<std::shared_ptr<Repository>>;

  explicit World(std::string data, LogMode mode) {
    options.data_directory = std::move(data);
    options.log_mode = mode;
  }
  ~World() { Close(); }

  World(const World&) = delete;
  World& operator=(const World&) = delete;

  Status Open() {
    QUORATE_CHECK(node == nullptr);
    node = QUORATE_TRY(Node::Open(options, env()));
    return Ok();
  }

  void Close() {
    if (node != nullptr) {
      node->Stop();
      node.reset();
    }
  }

  Found Create(const std::string& name) { return CreateLater(name).get(); }
  Found Find(const std::string& name) {
    auto [done, result] = Promise<Found>();
    node->FindRepository(name, std::move(done));
    return result.get();
  }
  Status Delete(const std::string& name) {
    auto [done, result] = Promise<Status>();
    node->DeleteRepository(name, std::move(done));
    return result.get();
  }
  std::future<Found> CreateLater(const std::string& name) {
    auto [done, result] = Promise<Found>();
    CreateRepositoryOptions create;
    create.name = name;
    node->CreateRepository(std::move(create), std::move(done));
    return std::move(result);
  }

  // Writes a key in the repository's partition: whether transactions can be committed.
  static Status Write(Repository& repository, const std::string& key, const std::string& value) {
    txn::Transaction transaction = QUORATE_TRY(repository.transactions().Begin({}));
    QUORATE_TRY(transaction.StageKey(key, std::nullopt, value));
    auto [done, result] = Promise<Result<txn::CommitOutcome>>();
    repository.transactions().Commit(std::move(transaction), std::move(done));
    QUORATE_TRY(result.get());
    return Ok();
  }
  static Result<std::optional<std::string>> Read(Repository& repository, const std::string& key) {
    auto [done, result] = Promise<Result<txn::Snapshot>>();
    repository.transactions().ReadSnapshot(std::move(done));
    const txn::Snapshot snapshot = QUORATE_TRY(result.get());
    return snapshot.FindKey(key);
  }

  // Changes a bit of the partition's newest entry where it lies. REQUIRES: the node is closed.
  Status DamageNewestEntry(PartitionId partition) {
    QUORATE_CHECK(node == nullptr);
    const auto store =
        QUORATE_TRY(kv::RocksDbStore::Open(options.data_directory + "/db", {}, logger));
    std::string first;
    std::string end;
    AppendBigEndian64(first, partition.value);
    AppendBigEndian64(end, partition.value + 1);
    std::string key;
    std::string value;
    {
      const auto entries = store->NewIterator(kv::Family::kLog, first, end);
      for (; entries->Valid(); entries->Next()) {
        key = entries->key();
        value = entries->value();
      }
    }
    QUORATE_CHECK(!value.empty());
    value[value.size() / 2] = static_cast<char>(value[value.size() / 2] ^ 0x10);
    kv::WriteBatch damage;
    damage.Put(kv::Family::kLog, key, value);
    return store->Write(std::move(damage), {.sync = true});
  }

  template <class T>
  static std::pair<Callback<T>, std::future<T>> Promise() {
    auto promise = std::make_unique<std::promise<T>>();
    std::future<T> result = promise->get_future();
    return {[promise = std::move(promise)](T value) { promise->set_value(std::move(value)); },
            std::move(result)};
  }

  NodeEnv env() {
    return {.core = core,
            .storage = storage,
            .files = disk,
            .children = children,
            .clock = clock,
            .timers = timers,
            .random = random,
            .logger = logger,
            .metrics = metrics};
  }

  NodeOptions options;
  env::PosixFileSystem files;
  env::FullDisk disk{files};  // What the node sees of it.
  env::ScriptedChildren children;
  env::PosixClock clock;
  env::PosixRandom random;
  env::RecordingLogger logger;
  env::FakeMetrics metrics;
  env::ThreadPool core{{.name = "core", .threads = 2}};
  env::ThreadPool storage{{.name = "storage", .threads = 2}};
  env::PosixTimers timers;
  std::unique_ptr<Node> node;
};

}  // namespace quorate::cluster
