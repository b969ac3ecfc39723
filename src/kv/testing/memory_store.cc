#include "kv/testing/memory_store.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace quorate::kv {

namespace {

std::size_t IndexOf(Family family) {
  return static_cast<std::size_t>(family);
}

}  // namespace

class MemoryStore::MemoryIterator final : public Iterator {
 public:
  MemoryIterator(PersistentMap map, std::string_view lower, std::string_view upper)
      : map_(std::move(map)), upper_(upper), cursor_(map_, lower) {}

  bool Valid() const override {
    const PersistentMap::Item* item = cursor_.item();
    return item != nullptr && item->key < upper_;
  }
  void Next() override {
    QUORATE_CHECK(Valid());
    cursor_.Next();
  }
  void Seek(std::string_view key) override {
    if (Valid() && cursor_.item()->key < key) {
      cursor_ = PersistentMap::Cursor(map_, key);
    }
  }
  std::string_view key() const override {
    QUORATE_CHECK(Valid());
    return cursor_.item()->key;
  }
  std::string_view value() const override {
    QUORATE_CHECK(Valid());
    return cursor_.item()->value;
  }
  Status status() const override { return Ok(); }

 private:
  const PersistentMap map_;
  const std::string upper_;
  PersistentMap::Cursor cursor_;
};

class MemoryStore::MemorySnapshot final : public Snapshot {
 public:
  explicit MemorySnapshot(Image image) : image_(std::move(image)) {}

  Result<std::optional<std::string>> Get(Family family, std::string_view key) const override {
    const std::string* value = image_[IndexOf(family)].Find(key);
    return value == nullptr ? std::optional<std::string>() : std::optional(*value);
  }
  std::unique_ptr<Iterator> NewIterator(Family family, std::string_view lower,
                                        std::string_view upper) const override {
    return std::make_unique<MemoryIterator>(image_[IndexOf(family)], lower, upper);
  }

 private:
  const Image image_;
};

Result<std::optional<std::string>> MemoryStore::Get(Family family, std::string_view key) const {
  return MemorySnapshot(current()).Get(family, key);
}

std::unique_ptr<Iterator> MemoryStore::NewIterator(Family family, std::string_view lower,
                                                   std::string_view upper) const {
  return MemorySnapshot(current()).NewIterator(family, lower, upper);
}

std::shared_ptr<const Snapshot> MemoryStore::TakeSnapshot() const {
  return std::make_shared<MemorySnapshot>(current());
}

Status MemoryStore::Write(WriteBatch batch, WriteOptions options) {
  std::unique_lock<std::mutex> sync_lock(sync_mutex_, std::defer_lock);
  if (options.sync) {
    sync_lock.lock();
  }
  const bool passes = PassesGate();
  std::unique_lock lock(mutex_);
  QUORATE_TRY(BeginWrite(options.sync, passes));
  Image image = images_.back();
  for (const WriteBatch::Change& change : batch.changes()) {
    ApplyChange(image, change);
  }
  images_.push_back(std::move(image));
  if (!options.sync) {
    return Ok();
  }
  const std::uint64_t number = dropped_ + images_.size() - 1;
  const std::uint64_t crashes = crashes_;
  if (const std::function<void()> hook = sync_hook_) {
    lock.unlock();
    hook();
    lock.lock();
  }
  if (crashes != crashes_) {
    return Error(Code::kInternal, "sync: the store crashed meanwhile");
  }
  if (std::exchange(fail_next_sync_, false)) {
    broken_ = true;
    return Error(Code::kInternal, "sync: injected failure");
  }
  ++syncs_;
  for (; dropped_ < number; ++dropped_) {
    images_.pop_front();
  }
  return Ok();
}

// Not with the mutex held: whoever is asked may look at the store.
bool MemoryStore::PassesGate() const {
  std::function<bool()> gate;
  {
    const std::lock_guard lock(mutex_);
    gate = write_gate_;
  }
  return gate == nullptr || gate();
}

Status MemoryStore::BeginWrite(bool sync, bool passes) {
  if (broken_) {
    return Error(Code::kInternal, "write: the store failed before");
  }
  if (full_) {
    broken_ = true;
    return Error(Code::kResourceExhausted, "write: no space left on device");
  }
  if (std::exchange(fail_next_write_, false) || !passes) {
    broken_ = true;
    return Error(Code::kInternal,
                 sync ? "synced write: injected failure" : "write: injected failure");
  }
  ++writes_;
  return Ok();
}

void MemoryStore::ApplyChange(Image& image, WriteBatch::Change change) {
  PersistentMap& map = image[IndexOf(change.family)];
  switch (change.kind) {
    case WriteBatch::Kind::kPut:
      map = map.Put(std::move(change.key), std::move(change.value));
      break;
    case WriteBatch::Kind::kDelete:
      map = map.Erase(change.key);
      break;
    case WriteBatch::Kind::kDeleteRange:
      map = map.EraseRange(change.key, change.value);
      break;
  }
}

MemoryStore::Image MemoryStore::current() const {
  const std::lock_guard lock(mutex_);
  return images_.back();
}

void MemoryStore::Crash(std::size_t keep_unsynced) {
  const std::lock_guard lock(mutex_);
  const std::size_t kept = std::min(keep_unsynced, images_.size() - 1);
  Image image = images_[kept];
  dropped_ += images_.size();  // Numbers are never used twice.
  images_.clear();
  images_.push_back(std::move(image));
  ++crashes_;
  fail_next_write_ = fail_next_sync_ = broken_ = false;
}

void MemoryStore::Crash(Prng& prng) {
  Crash(prng.Below(unsynced() + 1));
}

void MemoryStore::FailNextWrite() {
  const std::lock_guard lock(mutex_);
  fail_next_write_ = true;
}

void MemoryStore::FailNextSync() {
  const std::lock_guard lock(mutex_);
  fail_next_sync_ = true;
}

void MemoryStore::SetWriteGate(std::function<bool()> gate) {
  const std::lock_guard lock(mutex_);
  write_gate_ = std::move(gate);
}

bool MemoryStore::broken() const {
  const std::lock_guard lock(mutex_);
  return broken_;
}

void MemoryStore::SetDiskFull(bool full) {
  const std::lock_guard lock(mutex_);
  full_ = full;
}

void MemoryStore::SetSyncHook(std::function<void()> hook) {
  const std::lock_guard lock(mutex_);
  sync_hook_ = std::move(hook);
}

void MemoryStore::Damage(Family family, std::string_view key, std::string value) {
  const std::lock_guard lock(mutex_);
  for (Image& image : images_) {
    PersistentMap& map = image[IndexOf(family)];
    if (map.Find(key) != nullptr) {
      map = map.Put(std::string(key), value);
    }
  }
}

std::uint64_t MemoryStore::syncs() const {
  const std::lock_guard lock(mutex_);
  return syncs_;
}

std::uint64_t MemoryStore::writes() const {
  const std::lock_guard lock(mutex_);
  return writes_;
}

std::size_t MemoryStore::unsynced() const {
  const std::lock_guard lock(mutex_);
  return images_.size() - 1;
}

}  // namespace quorate::kv
