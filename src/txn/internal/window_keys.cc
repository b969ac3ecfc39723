#include "txn/internal/window_keys.h"

#include <chrono>
#include <utility>
#include <variant>

#include "base/bytes.h"
#include "base/check.h"
#include "txn/internal/state_codec.h"

namespace quorate::txn::internal {
namespace {

constexpr std::size_t kRefNameAt = 1 + 8;

std::string KeyOf(char kind, RepositoryId repository) {
  std::string key(1, kind);
  AppendBigEndian64(key, repository.value);
  return key;
}

std::optional<std::string> Encoded(const std::optional<RefValue>& value) {
  return value ? std::optional(EncodeRefValue(*value)) : std::nullopt;
}

struct WritesOf {
  std::vector<ConflictWindow::Write>& out;

  void operator()(const RefChange& change) const {
    out.push_back({RefWindowKey(change.repository, change.name), Encoded(change.after)});
  }
  void operator()(const HeadChange& change) const {
    out.push_back({HeadWindowKey(change.repository), Encoded(change.after)});
  }
  void operator()(const PackAdd&) const {}  // Objects only ever appear; nothing conflicts with it.
  void operator()(const RepositoryCreate& change) const {
    out.push_back({RepositoryWindowKey(change.repository), std::string()});
    RefValue head;
    head.symref = change.default_branch;
    out.push_back({HeadWindowKey(change.repository), Encoded(head)});
  }
  void operator()(const RepositoryDelete& change) const {
    out.push_back({RepositoryWindowKey(change.repository), std::nullopt});
    out.push_back({HeadWindowKey(change.repository), std::nullopt});
  }
  void operator()(const KeyChange& change) const {
    out.push_back({UserWindowKey(change.key), change.after});
  }
  void operator()(const ConfigChange& change) const {
    out.push_back(
        {ConfigWindowKey(change.repository, change.name),
         change.after.empty() ? std::nullopt : std::optional(EncodeConfig(change.after))});
  }
  void operator()(const ConsumerChange& change) const {
    out.push_back({ConsumerWindowKey(change.repository, change.name),
                   change.after ? std::optional<std::string>("") : std::nullopt});
  }
};

}  // namespace

std::string RefWindowKey(RepositoryId repository, std::string_view name) {
  return KeyOf('R', repository).append(name);
}

std::string_view RefNameOfWindowKey(std::string_view key) {
  return key.substr(kRefNameAt);
}

std::string HeadWindowKey(RepositoryId repository) {
  return KeyOf('H', repository);
}

std::string RepositoryWindowKey(RepositoryId repository) {
  return KeyOf('I', repository);
}

std::string ConfigWindowKey(RepositoryId repository, std::string_view name) {
  return KeyOf('C', repository).append(name);
}

std::string UserWindowKey(std::string_view key) {
  return std::string(1, 'K').append(key);
}

std::string ConsumerWindowKey(RepositoryId repository, std::string_view name) {
  return KeyOf('P', repository).append(name);
}

ConflictKey ConflictKeyOf(std::string_view window_key) {
  using Kind = ConflictKey::Kind;
  const std::string_view rest = window_key.substr(1);
  const auto repository = [rest] { return RepositoryId{ReadBigEndian64(rest)}; };
  switch (window_key[0]) {
    case 'R':
      return {Kind::kRef, repository(), std::string(RefNameOfWindowKey(window_key))};
    case 'H':
      return {Kind::kHead, repository(), {}};
    case 'C':
      return {Kind::kConfig, repository(), std::string(RefNameOfWindowKey(window_key))};
    case 'I':
      return {Kind::kRepository, repository(), {}};
    case 'P':
      return {Kind::kConsumer, repository(), std::string(RefNameOfWindowKey(window_key))};
    default:
      QUORATE_CHECK(window_key[0] == 'K');
      return {Kind::kKey, RepositoryId{0}, std::string(rest)};
  }
}

ConflictWindow::EntryInfo InfoOf(const LogRecord& record, Lsn lsn, std::size_t log_bytes) {
  return {.lsn = lsn,
          .transaction = {.bytes = record.transaction_id},
          .time = std::chrono::microseconds(record.time_unix_micros),
          .log_bytes = log_bytes};
}

std::vector<ConflictWindow::Write> WindowWrites(const LogRecord& record) {
  std::vector<ConflictWindow::Write> writes;
  writes.reserve(record.changes.size());
  for (const Change& change : record.changes) {
    std::visit(WritesOf{writes}, change);
  }
  return writes;
}

}  // namespace quorate::txn::internal
