#include "http/ref_cache.h"

#include <algorithm>
#include <utility>

namespace quorate::http {

RefCache::Answer RefCache::FindCurrent(const std::string& key, Lsn at) {
  const std::lock_guard lock(mutex_);
  const auto found = by_key_.find(key);
  return found != by_key_.end() && found->second->version.read_at >= at ? Use(found->second)
                                                                        : nullptr;
}

Result<RefCache::Answer> RefCache::GetOrRender(const std::string& key, Version version,
                                               const std::function<Result<std::string>()>& render) {
  const std::string flight = key + "@" + std::to_string(version.changed.value);
  {
    std::unique_lock lock(mutex_);
    for (;;) {
      const auto found = by_key_.find(key);
      if (found != by_key_.end() && found->second->version.changed == version.changed) {
        Lsn& read_at = found->second->version.read_at;
        read_at = std::max(read_at, version.read_at);
        return Use(found->second);
      }
      if (rendering_.insert(flight).second) {
        break;
      }
      rendered_.wait(lock);  // Then look again: it may have failed, or not have been kept.
    }
  }
  misses_.Add();
  Result<std::string> text = render();

  const std::lock_guard lock(mutex_);
  rendering_.erase(flight);
  rendered_.notify_all();
  if (!text) {
    return std::move(text).error();
  }
  auto answer = std::make_shared<const std::string>(std::move(*text));
  Insert(key, version, answer);
  return answer;
}

RefCache::Answer RefCache::Use(Entries::iterator entry) {
  entries_.splice(entries_.begin(), entries_, entry);
  hits_.Add();
  return entry->answer;
}

void RefCache::Insert(const std::string& key, Version version, const Answer& answer) {
  const auto found = by_key_.find(key);
  if (found != by_key_.end()) {
    if (found->second->version.changed > version.changed) {
      return;  // Rendered from an older snapshot than somebody else's.
    }
    Erase(found->second);
  }
  const std::size_t size = key.size() + answer->size();
  if (size > bytes_max_) {
    return;
  }
  bytes_ += size;
  entries_.push_front({key, version, answer});
  by_key_.emplace(key, entries_.begin());
  while (bytes_ > bytes_max_) {
    Erase(std::prev(entries_.end()));
  }
}

void RefCache::Erase(Entries::iterator entry) {
  bytes_ -= entry->key.size() + entry->answer->size();
  by_key_.erase(entry->key);
  entries_.erase(entry);
}

std::size_t RefCache::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace quorate::http
