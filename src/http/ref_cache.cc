#include "http/ref_cache.h"

#include <utility>

namespace quorate::http {

Result<RefCache::Answer> RefCache::GetOrRender(const std::string& key, Lsn version,
                                               const std::function<Result<std::string>()>& render) {
  const std::string flight = key + "@" + std::to_string(version.value);
  {
    std::unique_lock lock(mutex_);
    for (;;) {
      const auto found = by_key_.find(key);
      if (found != by_key_.end() && found->second->version == version) {
        entries_.splice(entries_.begin(), entries_, found->second);
        hits_.Add();
        return found->second->answer;
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

void RefCache::Insert(const std::string& key, Lsn version, const Answer& answer) {
  const auto found = by_key_.find(key);
  if (found != by_key_.end()) {
    if (found->second->version > version) {
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
