#include "transactions/host.h"

#include <algorithm>
#include <future>
#include <thread>
#include <utility>

#include "base/check.h"
#include "consensus/conf_state.h"
#include "log/local_log.h"

namespace quorate::bench {
namespace {

int Processors() {
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace

class Host::Wire final : public raft::Transport {
 public:
  explicit Wire(const Carry& carry) : carry_(carry) {}
  void Send(raft::Message message) override {
    if (carry_) {
      carry_(std::move(message));
    }
  }

 private:
  const Carry& carry_;
};

Host::Host(HostOptions options)
    : options_(std::move(options)),
      wire_(std::make_unique<Wire>(options_.carry)),
      core_({.name = "core", .threads = Processors()}),
      storage_({.name = "storage", .threads = Processors() + 1}),
      clients_({.name = "clients", .threads = Processors()}),
      store_(kv::RocksDbStore::Open(options_.folder + "/db", {}, logger_).value()),
      states_(std::make_unique<kv::GroupWriter>(*store_, storage_.NewStrand())),
      logs_(std::make_unique<log::LogStore>(*store_, storage_.NewStrand(), log::LogStoreOptions{},
                                            logger_, metrics_)) {
  for (std::uint64_t i = 1; i <= options_.partitions; ++i) {
    parts_.push_back(OpenPart(PartitionId{i}));
  }
}

std::unique_ptr<Host::Part> Host::OpenPart(PartitionId id) {
  consensus::ConfState conf;
  conf.voters = options_.voters;
  logs_->Bootstrap(id, {.replica = options_.self, .incarnation = id.value}, conf.Encode()).value();
  auto part = std::make_unique<Part>();
  part->strand = core_.NewStrand();
  part->storage = storage_.NewStrand();
  if (options_.raft) {
    auto replica =
        std::make_unique<raft::Replica>(id,
                                        raft::Replica::Environment{.strand = *part->strand,
                                                                   .logs = *logs_,
                                                                   .transport = *wire_,
                                                                   .random = random_,
                                                                   .logger = logger_,
                                                                   .metrics = metrics_},
                                        raft::ReplicaOptions{});
    part->replica = replica.get();
    part->log = std::move(replica);
  } else {
    part->log = std::make_unique<log::LocalLog>(id, *part->strand, *logs_, log::LocalLogOptions{});
  }
  part->manager = std::make_unique<txn::TransactionManager>(
      txn::TransactionManagerDeps{.partition = id,
                                  .strand = *part->strand,
                                  .storage = *part->storage,
                                  .log = *part->log,
                                  .store = *store_,
                                  .states = *states_,
                                  .root = {},
                                  .clock = clock_,
                                  .random = random_,
                                  .logger = logger_,
                                  .metrics = metrics_},
      txn::TransactionManagerOptions{});
  part->manager->Open().value();
  return part;
}

Host::~Host() {
  for (const auto& part : parts_) {
    std::promise<void> stopped;
    part->manager->Stop([&stopped] { stopped.set_value(); });
    stopped.get_future().wait();
  }
  clients_.Stop();
  core_.Stop();
  storage_.Stop();
  for (const auto& part : parts_) {
    part->manager.reset();
    part->log.reset();
  }
  parts_.clear();
  logs_.reset();
  states_.reset();
}

void Host::Receive(raft::Message message) {
  const Part& part = *parts_[message.partition.value - 1];
  part.strand->Post([&part, message = std::move(message)] { part.replica->Step(message); });
}

void Host::Tick() {
  for (const auto& part : parts_) {
    if (part->replica != nullptr) {
      part->strand->Post([replica = part->replica] {
        if (replica->WantsTicks()) {
          replica->Tick();
        }
      });
    }
  }
}

void Host::Lead() {
  for (const auto& part : parts_) {
    if (options_.voters.size() > 1) {
      part->strand->Post([&part] { part->replica->Campaign().value(); });
    }
    std::promise<void> writable;
    part->manager->WaitWritable([&writable](const Status& status) {
      QUORATE_CHECK(status.has_value());
      writable.set_value();
    });
    writable.get_future().wait();
  }
}

}  // namespace quorate::bench
