// Receives a pack: in memory as long as it is small, through git index-pack when it is not.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include "git/internal/index_pack.h"
#include "git/internal/small_check.h"
#include "git/internal/store_context.h"
#include "git/object_store.h"

namespace quorate::git::internal {

// `context` outlives it.
class Receiver final : public PackReceiver {
 public:
  Receiver(StoreContext& context, std::stop_token cancelled)
      : context_(context), cancelled_(std::move(cancelled)) {}

  Status Write(std::string_view bytes) override;
  Result<std::unique_ptr<QuarantinedPack>> Finish() override;
  Result<Target> Resolve(const ObjectId& id) override;
  void OnProgress(std::function<void(std::string_view)> sink) override;

 private:
  Status TakeIn(std::string_view bytes);
  Status CheckHeader();
  Status Spill();
  Result<std::unique_ptr<QuarantinedPack>> FinishInMemory();
  Result<std::unique_ptr<QuarantinedPack>> FinishIndexed();
  ObjectSource Source() const;
  const UnpackedObject* FindSmall(const ObjectId& id) const;

  StoreContext& context_;
  const std::stop_token cancelled_;
  std::uint64_t received_ = 0;
  std::optional<Error> failed_;  // Sticky.
  bool header_checked_ = false;
  std::string buffer_;  // The pack, while there is no child.
  std::shared_ptr<IndexPack> indexing_;
  std::shared_ptr<const SmallPackObjects> small_;  // After Finish() in memory.
  std::function<void(std::string_view)> on_progress_;
};

}  // namespace quorate::git::internal
