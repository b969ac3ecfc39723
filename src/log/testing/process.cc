#include "log/testing/process.h"

#include <utility>

#include "base/check.h"

namespace quorate::log {

Process::Process(env::ManualEnv& env, env::Logger& logger, env::Metrics& metrics)
    : env_(env), logger_(logger), metrics_(metrics) {
}

Process::~Process() {
  End();
}

void Process::Boot() {
  QUORATE_CHECK(!up());
  fatal_.clear();
  strand_ = std::make_unique<env::GatedStrand>(env_.NewStrand());
  storage_ = std::make_unique<env::GatedStrand>(env_.NewStrand());
  auto states = std::make_unique<env::GatedStrand>(env_.NewStrand());
  states_strand_ = states.get();
  states_ = std::make_unique<kv::GroupWriter>(disk, std::move(states),
                                              kv::GroupWriterOptions{.always_gather = true});
  auto writer = std::make_unique<env::GatedStrand>(env_.NewStrand());
  writer_ = writer.get();
  LogStoreOptions options;
  options.on_fatal = [this](const Error& error) { fatal_.push_back(error.message()); };
  logs_ =
      std::make_unique<LogStore>(disk, std::move(writer), std::move(options), logger_, metrics_);
}

void Process::Halt() {
  if (up()) {
    strand_->Kill();
    storage_->Kill();
    states_strand_->Kill();
    writer_->Kill();
  }
}

void Process::End() {
  Halt();
  writer_ = nullptr;
  logs_ = nullptr;
  states_strand_ = nullptr;
  states_ = nullptr;
  storage_ = nullptr;
  strand_ = nullptr;
}

void Process::Crash(std::size_t keep_unsynced) {
  End();
  disk.Crash(keep_unsynced);
}

}  // namespace quorate::log
