#include "txn/testing/world.h"

#include <utility>

#include "base/check.h"

namespace quorate::txn {

World::World(LogMode& mode, std::optional<std::uint64_t> seed, TransactionManagerOptions options)
    : mode_(mode),
      env_(seed ? env::ManualEnv(*seed) : env::ManualEnv()),
      node_(env_, mode, options) {
}

World::World(std::unique_ptr<LogMode> mode, std::optional<std::uint64_t> seed,
             TransactionManagerOptions options)
    : owned_(std::move(mode)),
      mode_(*owned_),
      env_(seed ? env::ManualEnv(*seed) : env::ManualEnv()),
      node_(env_, mode_, options) {
}

Status World::Open() {
  Status opened = node_.Open();
  Run();
  return opened;
}

Stage::Nodes World::Crash(const Keep& keep, const Nodes&) {
  node_.Crash(keep(disk.unsynced()));
  return {&node_};
}

void World::BeginStop(Callback<> stopped) {
  manager().Stop(std::move(stopped));
  Run();
}

std::function<bool()> World::WatchWrites() {
  return [this, written = disk.writes()] { return disk.writes() != written; };
}

void World::Stop() {
  bool stopped = false;
  manager().Stop([&stopped] { stopped = true; });
  Run();
  QUORATE_CHECK(stopped);
  node_.Close();
}

void World::RunOnStrand(env::Task task) {
  node_.process().strand().Post(std::move(task));
  Run();
}

log::LogStatus World::log_status() {
  log::LogStatus status;
  RunOnStrand([this, &status] { status = node_.log().status(); });
  return status;
}

Position World::position() {
  return node_.manager().LocalSnapshot().value().position();
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
