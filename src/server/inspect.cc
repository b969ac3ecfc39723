#include "server/inspect.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "cluster/data_directory.h"
#include "cluster/directory.h"
#include "consensus/conf_state.h"
#include "env/posix/clock.h"
#include "env/posix/file_system.h"
#include "env/posix/prometheus_metrics.h"
#include "env/posix/spdlog_logger.h"
#include "env/posix/thread_pool.h"
#include "kv/rocksdb_store.h"
#include "log/log_store.h"
#include "txn/consumer.h"
#include "txn/describe_entry.h"
#include "txn/snapshot.h"

namespace quorate::server {
namespace {

constexpr std::size_t kReadBytesMax = 4 << 20;
constexpr RepositoryId kFirst{1};  // Of its partition.

std::string Describe(const txn::RefValue& value) {
  return value.symref.empty() ? value.id.ToHex() : "ref: " + Printable(value.symref);
}

// A stopped node's data, opened without changing it.
class Inspector {
 public:
  explicit Inspector(const InspectArguments& arguments) : arguments_(arguments) {}

  Status Run() {
    directory_ = QUORATE_TRY(cluster::DataDirectory::OpenStopped(arguments_.data, files_));
    store_ =
        QUORATE_TRY(kv::RocksDbStore::Open(directory_->database(), {.read_only = true}, logger_));
    log_ = std::make_unique<log::LogStore>(*store_, pool_.NewStrand(), log::LogStoreOptions{},
                                           logger_, metrics_);
    QUORATE_TRY(ReadNames());
    for (const PartitionId partition : QUORATE_TRY(log_->Partitions())) {
      if (arguments_.partition == 0 || arguments_.partition == partition.value) {
        QUORATE_TRY(Show(partition));
      }
    }
    return Ok();
  }

 private:
  Status ReadNames() {
    const txn::Snapshot meta = QUORATE_TRY(txn::Snapshot::Take(kMetaPartition, *store_));
    for (const auto& [name, record] : QUORATE_TRY(cluster::ReadDirectory(meta))) {
      names_[record.partition] = name;
    }
    return Ok();
  }

  Status Show(PartitionId partition) {
    const log::StoredLog stored = QUORATE_TRY(log_->Load(partition));
    const txn::Snapshot snapshot = QUORATE_TRY(txn::Snapshot::Take(partition, *store_));
    const auto name = names_.find(partition);
    const std::string what = partition == kMetaPartition ? "(meta)"
                             : name == names_.end()      ? "(no repository)"
                                                         : name->second;
    const consensus::ConfState conf = QUORATE_TRY(consensus::ConfState::Decode(stored.conf_state));
    fmt::print(
        "partition {} {}: replica {} incarnation {:016x}, term {} vote {} commit {}, "
        "entries {}..{}, applied {}, configuration {}\n",
        partition.value, what, stored.identity.replica.value, stored.identity.incarnation,
        stored.hard_state.term.value, stored.hard_state.vote.value, stored.hard_state.commit.value,
        stored.truncated.lsn.value + 1, stored.last.value, snapshot.lsn().value, conf.ToString());
    QUORATE_TRY(ShowMarks(partition, stored, snapshot));
    if (arguments_.what == "log") {
      return ShowLog(partition, stored);
    }
    if (arguments_.what == "state") {
      return ShowState(partition, snapshot);
    }
    return arguments_.what == "packs" ? ShowPacks(partition) : Ok();
  }

  // Up to where each of those that need the log has let go of it.
  Status ShowMarks(PartitionId partition, const log::StoredLog& stored,
                   const txn::Snapshot& snapshot) {
    fmt::print("  low-water marks: applied {}", snapshot.lsn().value);
    if (partition != kMetaPartition) {
      fmt::print(", objects durable {}", QUORATE_TRY(snapshot.ObjectsDurable()).value);
    }
    const std::vector<txn::Consumer> consumers = QUORATE_TRY(txn::ListConsumers(snapshot, kFirst));
    for (const txn::Consumer& consumer : consumers) {
      if (!consumer.cut_off()) {
        fmt::print(", consumer {} {}", consumer.name, consumer.acknowledged.value);
      }
    }
    fmt::print("; truncated {}\n  transaction ids: {} remembered, all from {} on\n",
               stored.truncated.lsn.value, QUORATE_TRY(snapshot.CountTransactions()),
               snapshot.TransactionsKnownFrom().value);
    for (const txn::Consumer& consumer : consumers) {
      if (consumer.cut_off()) {
        fmt::print("  consumer {} was cut off at {}, lost {} to {}\n", consumer.name,
                   consumer.acknowledged.value, consumer.lost_first.value,
                   consumer.lost_last.value);
      }
    }
    return Ok();
  }

  Status ShowLog(PartitionId partition, const log::StoredLog& stored) {
    std::uint64_t lines = 0;
    for (Lsn next = stored.truncated.lsn.Next(); next <= stored.last;) {
      const auto entries =
          QUORATE_TRY(log_->Read(partition, next, stored.last.Next(), kReadBytesMax));
      for (const consensus::Entry& entry : entries) {
        if (lines++ == arguments_.limit) {
          fmt::print("  ...\n");
          return Ok();
        }
        QUORATE_TRY(ShowEntry(entry));
      }
      next = entries.back().lsn.Next();
    }
    return Ok();
  }

  static Status ShowEntry(const consensus::Entry& entry) {
    std::string text = "(no-op)";
    if (entry.type != consensus::EntryType::kNormal) {
      text = "(configuration change)";
    } else if (!entry.data.empty()) {
      text = QUORATE_TRY(txn::DescribeEntry(entry.data));
    }
    fmt::print("  {:>8} term {:<4} {:>8} bytes  {}\n", entry.lsn.value, entry.term.value,
               entry.data.size(), text);
    return Ok();
  }

  Status ShowState(PartitionId partition, const txn::Snapshot& snapshot) {
    std::uint64_t lines = 0;
    const auto more = [&] { return lines++ < arguments_.limit; };
    if (partition == kMetaPartition) {
      return snapshot.ForEachKey("", [&](std::string_view key, std::string_view value) {
        fmt::print("  key {} = {}\n", Printable(key), Printable(value));
        return more();
      });
    }
    const auto info = QUORATE_TRY(snapshot.FindRepository(kFirst));
    if (!info) {
      fmt::print("  no repository\n");
      return Ok();
    }
    fmt::print("  repository {}: {}, created {}, ref version {}\n  HEAD {}\n", info->id.value,
               git::FormatName(info->format), info->created.value, info->ref_version.value,
               Describe(info->head));
    return snapshot.ForEachRef(kFirst, "", [&](const txn::Ref& ref) {
      fmt::print("  {} {}{}\n", Describe(ref.value), Printable(ref.name),
                 ref.value.peeled ? " peeled " + ref.value.peeled->ToHex() : "");
      return more();
    });
  }

  Status ShowPacks(PartitionId partition) {
    for (const std::string_view folder : {"objects/pack", "staged", "incoming"}) {
      const std::string path = fmt::format("{}/{}", directory_->partition(partition), folder);
      if (!files_.Exists(path)) {
        continue;
      }
      for (const std::string& file : QUORATE_TRY(files_.List(path))) {
        const auto size = files_.FileSize(path + "/" + file);
        fmt::print("  {}/{} {}\n", folder, file,
                   size ? fmt::format("{} bytes", *size) : "(a folder)");
      }
    }
    return Ok();
  }

  const InspectArguments& arguments_;
  env::PosixClock clock_;
  env::SpdlogLogger logger_{clock_, {.level = env::Severity::kError, .json = false}};
  env::PrometheusMetrics metrics_;
  env::PosixFileSystem files_;
  env::ThreadPool pool_{{.name = "inspect", .threads = 1}};
  std::unique_ptr<cluster::DataDirectory> directory_;
  std::unique_ptr<kv::RocksDbStore> store_;
  std::unique_ptr<log::LogStore> log_;
  std::map<PartitionId, std::string> names_;
};

}  // namespace

Status Inspect(const InspectArguments& arguments) {
  return Inspector(arguments).Run();
}

}  // namespace quorate::server
