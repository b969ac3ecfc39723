#include "kv/testing/persistent_map.h"

namespace quorate::kv {

namespace {

// FNV-1a and a final mix: the same on every machine, unlike std::hash.
std::uint64_t HashKey(std::string_view key) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : key) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  }
  hash = (hash ^ (hash >> 31)) * 0xbf58476d1ce4e5b9ULL;
  return hash ^ (hash >> 29);
}

// The least key above `key`.
std::string Successor(std::string_view key) {
  std::string next(key);
  next.push_back('\0');
  return next;
}

}  // namespace

const std::string* PersistentMap::Find(std::string_view key) const {
  const Node* node = root_.get();
  while (node != nullptr) {
    const int order = key.compare(node->item->key);
    if (order == 0) {
      return &node->item->value;
    }
    node = order < 0 ? node->left.get() : node->right.get();
  }
  return nullptr;
}

PersistentMap PersistentMap::Put(std::string key, std::string value) const {
  const auto [low, rest] = Split(root_, key);
  const Tree high = Split(rest, Successor(key)).second;
  const std::uint64_t priority = HashKey(key);
  Node node{
      .item = std::make_shared<const Item>(Item{.key = std::move(key), .value = std::move(value)}),
      .priority = priority,
      .left = nullptr,
      .right = nullptr};
  const Tree single = std::make_shared<const Node>(std::move(node));
  return PersistentMap(Merge(Merge(low, single), high));
}

PersistentMap PersistentMap::EraseRange(std::string_view first, std::string_view last) const {
  if (first >= last) {
    return *this;
  }
  const auto [low, rest] = Split(root_, first);
  return PersistentMap(Merge(low, Split(rest, last).second));
}

PersistentMap PersistentMap::Erase(std::string_view key) const {
  return Find(key) == nullptr ? *this : EraseRange(key, Successor(key));
}

PersistentMap::Tree PersistentMap::With(const Node& node, Tree left, Tree right) {
  return std::make_shared<const Node>(Node{.item = node.item,
                                           .priority = node.priority,
                                           .left = std::move(left),
                                           .right = std::move(right)});
}

std::pair<PersistentMap::Tree, PersistentMap::Tree> PersistentMap::Split(const Tree& tree,
                                                                         std::string_view key) {
  if (tree == nullptr) {
    return {nullptr, nullptr};
  }
  if (tree->item->key < key) {
    auto [low, high] = Split(tree->right, key);
    return {With(*tree, tree->left, std::move(low)), std::move(high)};
  }
  auto [low, high] = Split(tree->left, key);
  return {std::move(low), With(*tree, std::move(high), tree->right)};
}

PersistentMap::Tree PersistentMap::Merge(const Tree& low, const Tree& high) {
  if (low == nullptr) {
    return high;
  }
  if (high == nullptr) {
    return low;
  }
  if (low->priority > high->priority) {
    return With(*low, low->left, Merge(low->right, high));
  }
  return With(*high, Merge(low, high->left), high->right);
}

PersistentMap::Cursor::Cursor(const PersistentMap& map, std::string_view lower) : root_(map.root_) {
  const Node* node = root_.get();
  while (node != nullptr) {
    if (node->item->key < lower) {
      node = node->right.get();
    } else {
      path_.push_back(node);
      node = node->left.get();
    }
  }
}

void PersistentMap::Cursor::Next() {
  const Node* const node = path_.back();
  path_.pop_back();
  DescendLeft(node->right.get());
}

void PersistentMap::Cursor::DescendLeft(const Node* node) {
  for (; node != nullptr; node = node->left.get()) {
    path_.push_back(node);
  }
}

}  // namespace quorate::kv
