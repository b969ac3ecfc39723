// What Repositories' two source files share.
#pragma once

#include <fmt/format.h>

#include <memory>
#include <string>
#include <utility>

#include "base/ids.h"
#include "base/result.h"
#include "cluster/partition.h"
#include "cluster/repositories.h"

namespace quorate::cluster {

namespace internal {

inline constexpr RepositoryId kFirstRepository{1};  // Of its partition; forks come later.

inline Error NoSuch(const std::string& name) {
  return Error(Code::kNotFound, fmt::format("there is no repository {}", name));
}

inline Error Exists(const std::string& name) {
  return Error(Code::kAlreadyExists, fmt::format("repository {} exists already", name));
}

inline Error BeingDeleted(const std::string& name) {
  return Error(Code::kAlreadyExists, fmt::format("repository {} is still being deleted", name));
}

inline Error Stopping() {
  return Error(Code::kUnavailable, "the node is stopping");
}

// Whether the repository was made inside its partition.
inline Result<bool> IsInside(Partition& partition) {
  const txn::Snapshot snapshot = QUORATE_TRY(partition.transactions().LocalSnapshot());
  const auto info = QUORATE_TRY(snapshot.FindRepository(kFirstRepository));
  return info.has_value();
}

}  // namespace internal

class Repositories::OpenRepository final : public Repository {
 public:
  OpenRepository(std::string name, std::shared_ptr<Partition> partition)
      : name_(std::move(name)), partition_(std::move(partition)) {}

  const std::string& name() const override { return name_; }
  PartitionId partition() const override { return partition_->id(); }
  RepositoryId id() const override { return internal::kFirstRepository; }
  git::ObjectFormat format() const override { return partition_->format(); }
  txn::TransactionManager& transactions() override { return partition_->transactions(); }
  git::ObjectStore& objects() override { return partition_->objects(); }

  const std::shared_ptr<Partition>& opened() const { return partition_; }

 private:
  const std::string name_;
  const std::shared_ptr<Partition> partition_;
};

}  // namespace quorate::cluster
