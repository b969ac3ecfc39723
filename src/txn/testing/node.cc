#include "txn/testing/node.h"

#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"

namespace quorate::txn {

// The only thing that transactions ask of a file system: to sync it.
class Node::Files final : public env::FileSystem {
 public:
  explicit Files(git::FakePacks& packs) : packs_(packs) {}

  Status SyncFileSystem(const std::string&) override { return packs_.Sync(); }

  Status CreateDirectories(const std::string&) override { return Unexpected(); }
  Status RemoveAll(const std::string&) override { return Unexpected(); }
  Status WriteFile(const std::string&, std::string_view) override { return Unexpected(); }
  Result<std::string> ReadFile(const std::string&) override { return Unexpected(); }
  Result<std::string> ReadRange(const std::string&, std::uint64_t, std::size_t) override {
    return Unexpected();
  }
  Status Rename(const std::string&, const std::string&) override { return Unexpected(); }
  bool Exists(const std::string&) override { return false; }
  Result<std::uint64_t> FileSize(const std::string&) override { return Unexpected(); }
  Result<std::vector<std::string>> List(const std::string&) override { return Unexpected(); }
  Status Sync(const std::string&) override { return Unexpected(); }
  Result<std::unique_ptr<env::FileLock>> Lock(const std::string&) override { return Unexpected(); }
  Result<std::uint64_t> SpaceAvailable(const std::string&) override { return Unexpected(); }

 private:
  static Error Unexpected() { return Error(Code::kInternal, "no transaction does this"); }

  git::FakePacks& packs_;
};

Node::Node(env::ManualEnv& env, LogMode& mode, TransactionManagerOptions options)
    : env_(env),
      mode_(mode),
      options_(options),
      files_(std::make_unique<Files>(packs)),
      process_(env, logger, metrics) {
}

Node::~Node() {
  Close();
}

Status Node::Open() {
  QUORATE_CHECK(!is_open());
  process_.Boot();
  const LogModeParts parts = Parts();
  if (Result<log::StoredLog> stored = process_.logs().Load(kPartition); !stored) {
    const bool fresh = stored.error().code() == Code::kNotFound;
    if (Status made = fresh ? mode_.Bootstrap(parts) : stored.error(); !made) {
      Close();
      return made;
    }
  }
  log_ = mode_.Open(parts);
  manager_ = std::make_unique<TransactionManager>(Deps(), options_);
  return manager_->Open();
}

LogModeParts Node::Parts() {
  return {.partition = kPartition,
          .env = env_,
          .strand = process_.strand(),
          .store = disk(),
          .logs = process_.logs(),
          .logger = logger,
          .metrics = metrics};
}

TransactionManagerDeps Node::Deps() {
  return {.partition = kPartition,
          .strand = process_.strand(),
          .storage = process_.storage(),
          .log = *log_,
          .store = disk(),
          .states = process_.states(),
          .packs = &packs,
          .files = files_.get(),
          .root = "/objects",
          .clock = env_,
          .random = env_,
          .logger = logger,
          .metrics = metrics,
          .log_store = &process_.logs(),
          .drop_staged_except = [this](const std::vector<Sha256Digest>& named) {
            named_beside_the_log = named;
            return packs.DropStagedExcept(named);
          }};
}

// The other way round than it was made. Tasks first: what they hold must not run while its owner
// goes.
void Node::Close() {
  process_.Halt();
  manager_.reset();
  log_.reset();
  process_.End();
}

void Node::Crash(std::size_t keep_unsynced) {
  packs.Crash();
  Close();
  disk().Crash(keep_unsynced);
}

}  // namespace quorate::txn
