// quorate-transactions: how many transactions a second the engine takes, without any network.
//
// Prints one JSON object. Works:
//   commits  transactions of one reference each, `--in-flight` of them at a time
//   begin    the time of Begin() and of taking its end, with `--refs` references in the repository
//   raw      the base line: synced puts of `--bytes` by `--in-flight` threads into one RocksDB,
//            which commits them in groups
#include <fmt/format.h>
#include <rocksdb/db.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <future>
#include <nlohmann/json.hpp>
#include <semaphore>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"
#include "transactions/host.h"

namespace quorate::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr RepositoryId kRepository{1};

struct Options {
  std::string folder;
  std::string mode = "raft1";
  std::uint64_t partitions = 1;
  std::uint64_t in_flight = 64;
  std::uint64_t refs = 10;
  std::uint64_t reads = 0;  // Declared by each transaction, which is serializable then.
  std::size_t bytes = 200;
  double seconds = 3;
};

txn::RefValue Value(std::uint64_t number) {
  std::string raw(12, '\1');
  AppendBigEndian64(raw, number + 1);
  return {.id = git::ObjectId::FromRaw(git::ObjectFormat::kSha1, raw).value(),
          .peeled = {},
          .symref = {}};
}

// One host, or three that hand each other their messages at once.
class Group {
 public:
  explicit Group(const Options& options) {
    const bool three = options.mode == "raft3";
    const std::uint64_t count = three ? 3 : 1;
    std::vector<ReplicaId> voters;
    for (std::uint64_t i = 1; i <= count; ++i) {
      voters.push_back(ReplicaId{i});
    }
    for (const ReplicaId self : voters) {
      const std::string folder = fmt::format("{}/{}", options.folder, self.value);
      std::filesystem::create_directories(folder);
      hosts_.push_back(std::make_unique<Host>(
          HostOptions{.folder = folder,
                      .partitions = options.partitions,
                      .raft = options.mode != "local",
                      .self = self,
                      .voters = voters,
                      .carry = [this](raft::Message message) { Carry(std::move(message)); }}));
    }
    carrying_ = true;
    hosts_.front()->Lead();
  }
  // Nobody is sent anything while hosts go.
  ~Group() { carrying_ = false; }

  Host& leader() { return *hosts_.front(); }

  // Lets time pass, with the heartbeats and elections that belong to it.
  void Spend(double seconds) {
    constexpr std::chrono::milliseconds kTick(100);
    const auto end = SteadyClock::now() + std::chrono::duration<double>(seconds);
    while (SteadyClock::now() + kTick < end) {
      std::this_thread::sleep_for(kTick);
      for (const auto& host : hosts_) {
        host->Tick();
      }
    }
    std::this_thread::sleep_until(end);
  }

 private:
  void Carry(raft::Message message) {
    if (carrying_) {
      Host& to = *hosts_[message.to.value - 1];
      to.Receive(std::move(message));
    }
  }

  std::atomic<bool> carrying_{false};
  std::vector<std::unique_ptr<Host>> hosts_;
};

Result<txn::CommitOutcome> CommitAndWait(txn::TransactionManager& manager,
                                         txn::Transaction transaction) {
  std::promise<Result<txn::CommitOutcome>> outcome;
  manager.Commit(std::move(transaction), [&outcome](Result<txn::CommitOutcome> result) {
    outcome.set_value(std::move(result));
  });
  return outcome.get_future().get();
}

void WaitApplied(txn::TransactionManager& manager) {
  std::promise<Result<txn::Snapshot>> applied;
  manager.ReadSnapshot(
      [&applied](Result<txn::Snapshot> snapshot) { applied.set_value(std::move(snapshot)); });
  applied.get_future().get().value();
}

void MakeRepository(txn::TransactionManager& manager, std::uint64_t refs) {
  txn::Transaction create = manager.Begin({}).value();
  create.StageRepositoryCreate(kRepository, git::ObjectFormat::kSha1, "refs/heads/main").value();
  CommitAndWait(manager, std::move(create)).value();
  constexpr std::uint64_t kPerTransaction = 20'000;
  for (std::uint64_t first = 0; first < refs; first += kPerTransaction) {
    WaitApplied(manager);  // Else the next one does not see the repository.
    txn::Transaction fill = manager.Begin({}).value();
    for (std::uint64_t i = first; i < std::min(refs, first + kPerTransaction); ++i) {
      txn::RefUpdate update{.repository = kRepository,
                            .name = fmt::format("refs/heads/b{:07}", i),
                            .expected = {},
                            .value = Value(i)};
      fill.StageRef(std::move(update)).value();
    }
    CommitAndWait(manager, std::move(fill)).value();
  }
  WaitApplied(manager);
}

// Runs transactions one after the other: as soon as one is committed, the next begins.
class Client {
 public:
  struct Shared {
    const Options& options;
    std::vector<std::string> read_names{};
    std::atomic<bool> stopping{false};
    std::atomic<std::uint64_t> committed{0};
    std::atomic<std::uint64_t> refused{0};
  };

  Client(Host& host, std::uint64_t partition, std::uint64_t number, Shared& shared)
      : host_(host), partition_(partition), number_(number), shared_(shared) {}

  void Start() {
    host_.clients().Post([this] { Next(); });
  }
  void Wait() { ended_.acquire(); }

 private:
  // Names come again only when what was written under them is long applied.
  static constexpr std::uint64_t kNames = 256;

  void Next() {
    if (shared_.stopping) {
      ended_.release();
      return;
    }
    txn::TransactionManager& manager = host_.transactions(partition_);
    txn::TransactionOptions options;
    options.isolation =
        shared_.options.reads > 0 ? txn::Isolation::kSerializable : txn::Isolation::kSnapshot;
    txn::Transaction transaction = manager.Begin(std::move(options)).value();
    for (const std::string& name : shared_.read_names) {
      transaction.DeclareRefRead(kRepository, name).value();
    }
    txn::RefUpdate update{.repository = kRepository,
                          .name = fmt::format("refs/heads/c{}-{}", number_, round_ % kNames),
                          .expected = {},
                          .value = Value(round_)};
    ++round_;
    QUORATE_CHECK(transaction.StageRef(std::move(update)).has_value());
    manager.Commit(std::move(transaction), [this](const Result<txn::CommitOutcome>& outcome) {
      if (!outcome && shared_.refused == 0) {
        fmt::print(stderr, "refused: {}\n", outcome.error().ToString());
      }
      ++(outcome ? shared_.committed : shared_.refused);
      Start();
    });
  }

  Host& host_;
  const std::uint64_t partition_;
  const std::uint64_t number_;
  Shared& shared_;
  std::uint64_t round_ = 0;
  std::binary_semaphore ended_{0};
};

void Sleep(double seconds) {
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
}

double SecondsSince(SteadyClock::time_point begin) {
  return std::chrono::duration<double>(SteadyClock::now() - begin).count();
}

nlohmann::json RunCommits(const Options& options) {
  Client::Shared shared{.options = options};
  for (std::uint64_t i = 0; i < options.reads; ++i) {
    shared.read_names.push_back(fmt::format("refs/heads/b{:07}", i));  // They exist.
  }
  std::vector<std::unique_ptr<Client>> clients;  // Outlive the pools, on which they end.
  Group group(options);
  for (std::uint64_t i = 0; i < options.partitions; ++i) {
    MakeRepository(group.leader().transactions(i), options.refs);
  }
  for (std::uint64_t i = 0; i < options.in_flight; ++i) {
    clients.push_back(std::make_unique<Client>(group.leader(), i % options.partitions, i, shared));
  }
  for (const auto& client : clients) {
    client->Start();
  }
  group.Spend(options.seconds / 4);  // Until caches and memtables are as they stay.
  const std::uint64_t before = shared.committed;
  const SteadyClock::time_point begin = SteadyClock::now();
  group.Spend(options.seconds);
  const double rate = static_cast<double>(shared.committed - before) / SecondsSince(begin);
  shared.stopping = true;
  for (const auto& client : clients) {
    client->Wait();
  }
  return {{"work", "commits"}, {"rate", rate}, {"refused", shared.refused.load()}};
}

nlohmann::json RunBegin(const Options& options) {
  Group group(options);
  txn::TransactionManager& manager = group.leader().transactions(0);
  MakeRepository(manager, options.refs);
  std::uint64_t count = 0;
  const SteadyClock::time_point begin = SteadyClock::now();
  while (SecondsSince(begin) < options.seconds) {
    for (int i = 0; i < 1000; ++i) {
      const txn::Transaction transaction = manager.Begin({}).value();
      ++count;
    }
  }
  const double micros = SecondsSince(begin) * 1e6 / static_cast<double>(count);
  return {{"work", "begin"}, {"refs", options.refs}, {"begin_us", micros}};
}

nlohmann::json RunRaw(const Options& options) {
  rocksdb::Options settings;
  settings.create_if_missing = true;
  rocksdb::DB* opened = nullptr;
  QUORATE_CHECK(rocksdb::DB::Open(settings, options.folder + "/raw", &opened).ok());
  const std::unique_ptr<rocksdb::DB> db(opened);
  std::atomic<bool> stopping{false};
  std::atomic<std::uint64_t> written{0};
  std::vector<std::thread> threads;
  for (std::uint64_t i = 0; i < options.in_flight; ++i) {
    threads.emplace_back([&, i] {
      const std::string value(options.bytes, 'v');
      rocksdb::WriteOptions write;
      write.sync = true;
      for (std::uint64_t n = 0; !stopping; ++n) {
        std::string key;
        AppendBigEndian64(key, i);
        AppendBigEndian64(key, n);
        QUORATE_CHECK(db->Put(write, key, value).ok());
        ++written;
      }
    });
  }
  Sleep(options.seconds / 4);
  const std::uint64_t before = written;
  const SteadyClock::time_point begin = SteadyClock::now();
  Sleep(options.seconds);
  const double rate = static_cast<double>(written - before) / SecondsSince(begin);
  stopping = true;
  for (std::thread& thread : threads) {
    thread.join();
  }
  return {{"work", "raw"}, {"rate", rate}};
}

int Main(int argc, char** argv) {
  CLI::App app("Transactions of one reference each, in one process, without a network.");
  Options options;
  std::string work = "commits";
  app.add_option("work", work, "commits, begin or raw")
      ->check(CLI::IsMember({"commits", "begin", "raw"}));
  app.add_option("--folder", options.folder, "an empty folder, on the disk to be measured")
      ->required()
      ->check(CLI::ExistingDirectory);
  app.add_option("--mode", options.mode, "local, raft1 or raft3 (three replicas in this process)")
      ->check(CLI::IsMember({"local", "raft1", "raft3"}));
  app.add_option("--partitions", options.partitions)->check(CLI::PositiveNumber);
  app.add_option("--in-flight", options.in_flight, "of all partitions")->check(CLI::PositiveNumber);
  app.add_option("--refs", options.refs, "of each repository before it begins");
  app.add_option("--reads", options.reads, "references that each transaction declares as read");
  app.add_option("--bytes", options.bytes, "of a raw put");
  app.add_option("--seconds", options.seconds);
  CLI11_PARSE(app, argc, argv);
  const nlohmann::json result = work == "raw"     ? RunRaw(options)
                                : work == "begin" ? RunBegin(options)
                                                  : RunCommits(options);
  fmt::print("{}\n", result.dump());
  return 0;
}

}  // namespace
}  // namespace quorate::bench

int main(int argc, char** argv) {
  return quorate::bench::Main(argc, argv);
}
