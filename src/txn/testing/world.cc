#include "txn/testing/world.h"

#include <utility>

#include "base/check.h"

namespace quorate::txn {

// The only thing that transactions ask of a file system: to sync it.
class World::Files final : public env::FileSystem {
 public:
  explicit Files(git::FakePacks& packs) : packs_(packs) {}

  Status SyncFileSystem(const std::string&) override {
    packs_.Sync();
    return Ok();
  }

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

World::World(LogMode& mode, std::optional<std::uint64_t> seed, TransactionManagerOptions options)
    : mode_(mode), seed_(seed), options_(options), files_(std::make_unique<Files>(packs)) {
}

World::~World() {
  Close();
}

Status World::Open() {
  QUORATE_CHECK(!is_open());
  ++lives_;
  env_ = seed_ ? std::make_unique<env::ManualEnv>(*seed_ * 1000 + lives_)
               : std::make_unique<env::ManualEnv>();
  if (!seed_) {
    for (std::uint64_t i = 0; i < lives_ * 100; ++i) {
      env_->Next();  // Another life draws other transaction ids.
    }
  }
  strand_ = env_->NewStrand();
  storage_ = env_->NewStrand();
  logs_ = std::make_unique<log::LogStore>(disk, env_->NewStrand(), log::LogStoreOptions{}, logger,
                                          metrics);
  const LogModeParts parts{.partition = kPartition,
                           .env = *env_,
                           .strand = *strand_,
                           .store = disk,
                           .logs = *logs_,
                           .logger = logger,
                           .metrics = metrics};
  if (Result<log::StoredLog> stored = logs_->Load(kPartition); !stored) {
    QUORATE_TRY(mode_.Bootstrap(parts));
  }
  log_ = mode_.Open(parts);
  TransactionManagerDeps deps{.partition = kPartition,
                              .strand = *strand_,
                              .storage = *storage_,
                              .log = *log_,
                              .store = disk,
                              .packs = &packs,
                              .files = files_.get(),
                              .root = "/objects",
                              .clock = *env_,
                              .random = *env_,
                              .logger = logger,
                              .metrics = metrics,
                              .log_store = logs_.get()};
  deps.drop_staged_except = [this](const std::vector<Sha256Digest>& named) {
    named_beside_the_log = named;
    return packs.DropStagedExcept(named);
  };
  manager_ = std::make_unique<TransactionManager>(std::move(deps), options_);
  return manager_->Open();
}

void World::Close() {
  // The other way round than it was made; tasks under way die with the environment.
  manager_.reset();
  log_.reset();
  logs_.reset();
  strand_.reset();
  storage_.reset();
  env_.reset();
}

void World::Crash(std::size_t keep_unsynced) {
  packs.Crash();
  Close();
  disk.Crash(keep_unsynced);
}

void World::Stop() {
  bool stopped = false;
  manager_->Stop([&stopped] { stopped = true; });
  Run();
  QUORATE_CHECK(stopped);
  Close();
}

void World::RunOnStrand(env::Task task) {
  strand_->Post(std::move(task));
  Run();
}

Position World::position() const {
  return manager_->LocalSnapshot().value().position();
}

git::ObjectId IdOf(char letter) {
  return *git::ObjectId::FromRaw(git::ObjectFormat::kSha1, std::string(20, letter));
}

RefValue ValueOf(char letter) {
  RefValue value;
  value.id = IdOf(letter);
  return value;
}

}  // namespace quorate::txn
