#include "txn/describe_entry.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>
#include <variant>

#include "base/bytes.h"
#include "txn/internal/entry_codec.h"

namespace quorate::txn {
namespace {

std::string Describe(const std::optional<RefValue>& value) {
  if (!value) {
    return "-";
  }
  return value->symref.empty() ? value->id.ToHex() : "ref:" + Printable(value->symref);
}

struct Describer {
  std::string operator()(const internal::RefChange& change) const {
    return fmt::format("{} {} -> {}", Printable(change.name), Describe(change.before),
                       Describe(change.after));
  }
  std::string operator()(const internal::HeadChange& change) const {
    return fmt::format("HEAD {} -> {}", Describe(change.before), Describe(change.after));
  }
  std::string operator()(const internal::PackAdd& change) const {
    return fmt::format("pack {} ({} objects, {} bytes, {})",
                       change.pack.digest.ToHex().substr(0, 16), change.pack.objects,
                       change.pack.size,
                       change.pack.inline_bytes.empty() ? "beside the log" : "inline");
  }
  std::string operator()(const internal::RepositoryCreate& change) const {
    return fmt::format("create repository {} ({}, {})", change.repository.value,
                       git::FormatName(change.format), Printable(change.default_branch));
  }
  std::string operator()(const internal::RepositoryDelete& change) const {
    return fmt::format("delete repository {}", change.repository.value);
  }
  std::string operator()(const internal::ConfigChange& change) const {
    std::string text = "config " + Printable(change.name);
    for (const std::string& value : change.after) {
      text += fmt::format(" = '{}'", Printable(value));
    }
    return change.after.empty() ? text + " unset" : text;
  }
  std::string operator()(const internal::KeyChange& change) const {
    return fmt::format("key {} {}", Printable(change.key),
                       change.after ? fmt::format("= {} bytes", change.after->size()) : "deleted");
  }
  std::string operator()(const internal::ConsumerChange& change) const {
    const std::string consumer = "consumer " + Printable(change.name);
    if (!change.after) {
      return consumer + " removed";
    }
    if (change.after->created == Lsn{}) {
      return consumer + " created";
    }
    return change.after->cut_off()
               ? fmt::format("{} cut off, lost from {}", consumer, change.after->lost_first.value)
               : fmt::format("{} acknowledged {}", consumer, change.after->acknowledged.value);
  }
};

}  // namespace

Result<std::string> DescribeEntry(std::string_view data) {
  const internal::LogRecord record = QUORATE_TRY(internal::DecodeRecord(data));
  const auto seconds = static_cast<std::time_t>(record.time_unix_micros / 1'000'000);
  std::string line =
      fmt::format("{} {:%Y-%m-%dT%H:%M:%SZ} {}:", HexEncode(record.transaction_id),
                  fmt::gmtime(seconds), record.actor.empty() ? "-" : Printable(record.actor));
  std::string_view separator = " ";
  for (const internal::Change& change : record.changes) {
    line += separator;
    line += std::visit(Describer{}, change);
    separator = "; ";
  }
  return line;
}

}  // namespace quorate::txn
