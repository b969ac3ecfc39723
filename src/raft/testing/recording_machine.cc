#include "raft/testing/recording_machine.h"

#include <cstdio>
#include <utility>

#include "base/check.h"

namespace quorate::raft {
namespace {

// Far from what the log keeps in other families.
constexpr char kPrefix = 'm';

std::string Key(Lsn lsn) {
  char text[24];
  const int length = std::snprintf(text, sizeof text, "%c%020llu", kPrefix,
                                   static_cast<unsigned long long>(lsn.value));
  return {text, static_cast<std::size_t>(length)};
}

}  // namespace

RecordingMachine::RecordingMachine(ReplicaId at, kv::Store& store, MachineObserver& observer)
    : at_(at), store_(store), observer_(observer) {
  const std::string first(1, kPrefix);
  const std::string last(1, static_cast<char>(kPrefix + 1));
  for (auto it = store.NewIterator(kv::Family::kState, first, last); it->Valid(); it->Next()) {
    const std::string_view value = it->value();
    const std::size_t space = value.find(' ');
    QUORATE_CHECK(space != std::string_view::npos);
    applied_.lsn = Lsn{std::stoull(std::string(it->key().substr(1)))};
    applied_.term = Term{std::stoull(std::string(value.substr(0, space)))};
    state_[applied_.lsn] = value.substr(space + 1);
  }
}

void RecordingMachine::Attach(log::LogManager& log, bool lazy) {
  log_ = &log;
  lazy_ = lazy;
}

void RecordingMachine::OnCommitted(std::vector<consensus::Entry> entries) {
  for (consensus::Entry& entry : entries) {
    observer_.OnCommitted(at_, entry);
    waiting_.push_back(std::move(entry));
  }
  if (!lazy_) {
    ApplySome(waiting_.size());
  }
}

void RecordingMachine::OnLeading(Term term, Lsn no_op) {
  observer_.OnLeading(at_, term, no_op);
}

void RecordingMachine::OnFollowing(Term term, ReplicaId leader) {
  observer_.OnFollowing(at_, term, leader);
}

void RecordingMachine::OnFenced(const Error& reason) {
  observer_.OnFenced(at_, reason);
}

void RecordingMachine::ApplySome(std::size_t count) {
  if (count == 0 || waiting_.empty()) {
    return;
  }
  for (; count > 0 && !waiting_.empty(); --count) {
    Apply(waiting_.front());
    waiting_.pop_front();
  }
  log_->Applied(applied_.lsn);
}

std::size_t RecordingMachine::unapplied_bytes() const {
  std::size_t bytes = 0;
  for (const consensus::Entry& entry : waiting_) {
    bytes += entry.data.size();
  }
  return bytes;
}

void RecordingMachine::Apply(const consensus::Entry& entry) {
  QUORATE_CHECK(entry.lsn == applied_.lsn.Next());
  const bool change = entry.type != consensus::EntryType::kNormal;
  const std::string data = change ? "" : entry.data;
  kv::WriteBatch batch;
  batch.Put(kv::Family::kState, Key(entry.lsn), std::to_string(entry.term.value) + " " + data);
  QUORATE_CHECK(store_.Write(std::move(batch), {.sync = false}).has_value());
  applied_ = entry.position();
  state_[entry.lsn] = data;
}

}  // namespace quorate::raft
