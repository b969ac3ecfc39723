// What one log entry says, as plain values: one transaction. The wire form is entry_codec's matter.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "git/object_id.h"
#include "git/pack_installer.h"
#include "txn/consumer.h"
#include "txn/snapshot.h"

namespace quorate::txn::internal {

struct RefChange {
  RepositoryId repository;
  std::string name;
  std::optional<RefValue> before;  // As verified; apply checks it again. Nothing: did not exist.
  std::optional<RefValue> after;   // Nothing: deleted.
};

struct HeadChange {
  RepositoryId repository;
  RefValue before;
  RefValue after;
};

struct PackAdd {
  RepositoryId repository;
  git::PackRecord pack;
};

struct RepositoryCreate {
  RepositoryId repository;
  git::ObjectFormat format = git::ObjectFormat::kSha1;
  std::string default_branch;  // A full name.
};

struct RepositoryDelete {
  RepositoryId repository;
};

struct KeyChange {
  std::string key;
  std::optional<std::string> before;
  std::optional<std::string> after;
};

// All values of one name of the configuration; none: it is not set.
struct ConfigChange {
  RepositoryId repository;
  std::string name;
  std::vector<std::string> before;
  std::vector<std::string> after;
};

struct ConsumerChange {
  RepositoryId repository;
  std::string name;
  std::optional<Consumer> before;  // As verified; apply checks it again.
  // Nothing: removed. Its LSNs that are the entry's own are 0: see AtEntry().
  std::optional<Consumer> after;
};

// The consumer as the entry at `lsn` leaves it.
Consumer AtEntry(Consumer after, Lsn lsn);

using Change = std::variant<RefChange, HeadChange, PackAdd, RepositoryCreate, RepositoryDelete,
                            KeyChange, ConfigChange, ConsumerChange>;

// Changes take effect in order.
struct LogRecord {
  std::string transaction_id;  // 16 raw bytes.
  std::string actor;
  std::int64_t time_unix_micros = 0;
  std::vector<Change> changes;
  std::vector<std::string> push_options;
};

}  // namespace quorate::txn::internal
