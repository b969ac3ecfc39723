// RefCache: rendered reference advertisements and ls-refs answers, shared by all requests.
//
// An answer is found under what was asked (`key`: partition, repository, kind, prefixes) and is
// good for one ref version only; a newer one replaces it. It also remembers the newest LSN at which
// it was found good, so that a request at that LSN needs not even look for the ref version. The
// least recently used answers go when the bytes exceed the bound. Requests that want the same
// answer at the same time render it once.
//
// Safe from any thread. GetOrRender() blocks while it, or somebody else, renders.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "base/ids.h"
#include "base/result.h"
#include "env/metrics.h"

namespace quorate::http {

class RefCache {
 public:
  using Answer = std::shared_ptr<const std::string>;

  // The counters outlive it.
  RefCache(std::size_t bytes_max, env::Counter& hits, env::Counter& misses)
      : bytes_max_(bytes_max), hits_(hits), misses_(misses) {}

  RefCache(const RefCache&) = delete;
  RefCache& operator=(const RefCache&) = delete;

  // Of references: the LSN of their last change, and the LSN at which that was read.
  struct Version {
    Lsn changed;
    Lsn read_at;
  };

  // The answer for `key` if one is known that contains everything up to `at`; else null.
  Answer FindCurrent(const std::string& key, Lsn at);

  // The answer for `key` at `version`. `render` is called without a lock if it is not there; its
  // errors are returned and not remembered.
  Result<Answer> GetOrRender(const std::string& key, Version version,
                             const std::function<Result<std::string>()>& render);

  std::size_t bytes() const;

 private:
  struct Entry {
    std::string key;
    Version version;
    Answer answer;
  };
  using Entries = std::list<Entry>;  // Most recently used first.

  Answer Use(Entries::iterator entry);
  void Insert(const std::string& key, Version version, const Answer& answer);
  void Erase(Entries::iterator entry);

  const std::size_t bytes_max_;
  env::Counter& hits_;
  env::Counter& misses_;

  mutable std::mutex mutex_;  // Guards what follows.
  std::condition_variable rendered_;
  Entries entries_;
  std::unordered_map<std::string, Entries::iterator> by_key_;
  std::unordered_set<std::string> rendering_;  // Key and last change.
  std::size_t bytes_ = 0;                      // Keys and answers.
};

}  // namespace quorate::http
