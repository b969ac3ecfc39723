#include "kv/store.h"

#include <iterator>
#include <utility>

namespace quorate::kv {

void WriteBatch::Put(Family family, std::string key, std::string value) {
  Add({.kind = Kind::kPut, .family = family, .key = std::move(key), .value = std::move(value)});
}

void WriteBatch::Delete(Family family, std::string key) {
  Add({.kind = Kind::kDelete, .family = family, .key = std::move(key), .value = {}});
}

void WriteBatch::DeleteRange(Family family, std::string first, std::string last) {
  Add({.kind = Kind::kDeleteRange,
       .family = family,
       .key = std::move(first),
       .value = std::move(last)});
}

void WriteBatch::Append(WriteBatch other) {
  bytes_ += std::exchange(other.bytes_, 0);
  if (changes_.empty()) {
    changes_ = std::move(other.changes_);
    return;
  }
  changes_.insert(changes_.end(), std::make_move_iterator(other.changes_.begin()),
                  std::make_move_iterator(other.changes_.end()));
}

void WriteBatch::Add(Change change) {
  bytes_ += change.key.size() + change.value.size();
  changes_.push_back(std::move(change));
}

}  // namespace quorate::kv
