#include "txn/consumer.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "base/bytes.h"
#include "txn/internal/state_codec.h"
#include "txn/internal/state_keys.h"
#include "txn/snapshot.h"

namespace quorate::txn {
namespace {

bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

Error CutOffError(const Consumer& consumer) {
  auto detail = std::make_shared<ConsumerCutOff>();
  detail->lost_first = consumer.lost_first;
  detail->lost_last = consumer.lost_last;
  return Error(Code::kNotFound,
               fmt::format("consumer {} fell too far behind and was cut off: entries {} to {} are "
                           "lost; create it again to go on from now",
                           consumer.name, consumer.lost_first.value, consumer.lost_last.value))
      .WithDetail(std::move(detail));
}

}  // namespace

const ConsumerCutOff* CutOffOf(const Error& error) {
  return dynamic_cast<const ConsumerCutOff*>(error.detail());
}

Status CheckConsumerName(std::string_view name) {
  const bool good = !name.empty() && name.size() <= kConsumerNameBytesMax && name[0] != '.' &&
                    std::ranges::all_of(name, IsNameCharacter);
  return good ? Ok()
              : Error(Code::kInvalidArgument,
                      fmt::format("'{}' is no name of a consumer: 1 to {} of A-Z a-z 0-9 . _ -",
                                  Printable(name), kConsumerNameBytesMax));
}

Result<Consumer> FindConsumer(const Snapshot& snapshot, RepositoryId repository,
                              std::string_view name) {
  const auto bytes = QUORATE_TRY(snapshot.view().Get(
      kv::Family::kState, internal::ConsumerKey(snapshot.partition(), repository, name)));
  if (!bytes) {
    return Error(Code::kNotFound, fmt::format("there is no consumer {}", Printable(name)));
  }
  return internal::DecodeConsumer(repository, name, *bytes);
}

Result<Consumer> FindFollowingConsumer(const Snapshot& snapshot, RepositoryId repository,
                                       std::string_view name) {
  Consumer consumer = QUORATE_TRY(FindConsumer(snapshot, repository, name));
  if (consumer.cut_off()) {
    return CutOffError(consumer);
  }
  return consumer;
}

Result<std::vector<Consumer>> ListConsumers(const Snapshot& snapshot, RepositoryId repository) {
  std::vector<Consumer> consumers;
  const std::string prefix = internal::ConsumerKey(snapshot.partition(), repository, "");
  const auto it =
      snapshot.view().NewIterator(kv::Family::kState, prefix, internal::PrefixEnd(prefix));
  for (; it->Valid(); it->Next()) {
    const std::string_view name = it->key().substr(prefix.size());
    Consumer consumer = QUORATE_TRY(internal::DecodeConsumer(repository, name, it->value()));
    consumers.push_back(std::move(consumer));
  }
  QUORATE_TRY(it->status());
  return consumers;
}

std::uint64_t LagOf(const Consumer& consumer, const RepositoryInfo& repository, Lsn applied) {
  const bool behind = !consumer.cut_off() && repository.ref_version > consumer.acknowledged;
  return behind ? applied.value - consumer.acknowledged.value : 0;
}

}  // namespace quorate::txn
