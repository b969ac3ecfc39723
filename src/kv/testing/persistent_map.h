// An immutable ordered map of strings: every change makes a new map that shares all but O(log n)
// nodes with the old one. Copying is one reference count. Safe to read from many threads.
//
// A treap whose priorities are hashes of the keys: the same keys always make the same tree.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace quorate::kv {

class PersistentMap {
 public:
  struct Item {
    std::string key;
    std::string value;
  };

  // Null if there is none. Lives as long as any map that holds it.
  const std::string* Find(std::string_view key) const;

  [[nodiscard]] PersistentMap Put(std::string key, std::string value) const;
  // Without the keys in [first, last).
  [[nodiscard]] PersistentMap EraseRange(std::string_view first, std::string_view last) const;
  [[nodiscard]] PersistentMap Erase(std::string_view key) const;

 private:
  struct Node;
  using Tree = std::shared_ptr<const Node>;
  struct Node {
    std::shared_ptr<const Item> item;
    std::uint64_t priority = 0;
    Tree left;
    Tree right;
  };

 public:
  // Walks upwards from the first key >= a bound. Holds the map that it walks.
  class Cursor {
   public:
    Cursor() = default;
    Cursor(const PersistentMap& map, std::string_view lower);

    const Item* item() const { return path_.empty() ? nullptr : path_.back()->item.get(); }
    void Next();

   private:
    void DescendLeft(const Node* node);

    Tree root_;
    std::vector<const Node*> path_;  // Nodes whose item is still to come, the next one last.
  };

 private:
  explicit PersistentMap(Tree root) : root_(std::move(root)) {}

 public:
  PersistentMap() = default;

 private:
  static Tree With(const Node& node, Tree left, Tree right);
  // The keys below `key`, and the others.
  static std::pair<Tree, Tree> Split(const Tree& tree, std::string_view key);
  // REQUIRES: every key of `low` is below every key of `high`.
  static Tree Merge(const Tree& low, const Tree& high);

  Tree root_;
};

}  // namespace quorate::kv
