// A pack on its way through `git index-pack` into a quarantine directory below incoming/.
//
// One thread at a time. Destroying the object kills the child and removes the directory with what
// is left in it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/result.h"
#include "env/child.h"
#include "git/internal/object_reader.h"
#include "git/internal/store_context.h"

namespace quorate::git::internal {

class IndexPack {
 public:
  enum class Checks {
    kStrict,  // Of a push: objects are well-formed, and what they refer to exists.
    kNone,    // Of a pack that was checked where it came in.
  };
  // `on_progress`, which may be null, gets progress lines in the words of git, within Write() and
  // Finish(). `cancelled` kills the child.
  using OnProgress = std::function<void(std::string_view line)>;
  static Result<std::unique_ptr<IndexPack>> Start(StoreContext& context, Checks checks,
                                                  OnProgress on_progress,
                                                  std::stop_token cancelled);
  ~IndexPack();
  IndexPack(const IndexPack&) = delete;
  IndexPack& operator=(const IndexPack&) = delete;

  // Both fail as PackReceiver's Write() and Finish() do. After a failure only destruction is left.
  Status Write(std::string_view bytes);
  Status Finish();

  // After Finish(): the complete pack and its index, and look-ups in the pack alone.
  std::string pack_path() const { return base_ + ".pack"; }
  std::string index_path() const { return base_ + ".idx"; }
  ObjectReader& reader() { return *reader_; }

 private:
  IndexPack(StoreContext& context, std::string directory, OnProgress on_progress);

  GitPlace Place() const;
  void EndChild();
  std::string objects() const { return directory_ + "/objects"; }
  Status CheckEnd(std::string_view beyond) const;
  void TakeIn(std::string_view said);
  Error Failure(int status) const;

  StoreContext& context_;
  const std::string directory_;
  const OnProgress on_progress_;
  LooseObjects no_loose_;  // The quarantine has none.
  std::unique_ptr<env::Child> child_;
  std::stop_token cancelled_;
  std::optional<std::stop_callback<std::function<void()>>> kill_;  // Not without child_.
  std::unique_ptr<ObjectReader> reader_;
  std::string head_;           // Of what was written: the header.
  std::uint64_t written_ = 0;  // Bytes.
  std::string base_;           // Path of the finished pack without its suffix.
  std::string line_;           // What the child began to say on stderr.
  std::string errors_;         // All that was no progress, bounded.
};

}  // namespace quorate::git::internal
