#include "sim/serial_graph.h"

#include <algorithm>
#include <map>
#include <utility>

namespace quorate::sim {
namespace {

struct Edge {
  std::size_t to;
  const char* why;
};

class Graph {
 public:
  Graph(const std::vector<Happened>& all, const Model& model) : all_(all), edges_(all.size()) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      at_[all[i].lsn] = i;
    }
    AddVersions(model);
    for (std::size_t i = 0; i < all.size(); ++i) {
      AddReads(i, model);
      AddRealTime(i);
    }
  }

  std::optional<std::string> FindCycle() {
    marks_.assign(all_.size(), Mark::kNew);
    for (std::size_t i = 0; i < all_.size(); ++i) {
      if (marks_[i] == Mark::kNew && Visit(i)) {
        return Told();
      }
    }
    return std::nullopt;
  }

 private:
  enum class Mark : std::uint8_t { kNew, kOnPath, kDone };

  void Add(std::size_t from, std::size_t to, const char* why) {
    if (from != to) {
      edges_[from].push_back({.to = to, .why = why});
    }
  }

  void AddVersions(const Model& model) {
    for (const std::string& key : model.KeysWith("")) {
      const std::vector<Lsn> writes = model.WritesOf(key);
      for (std::size_t i = 1; i < writes.size(); ++i) {
        Add(at_.at(writes[i - 1]), at_.at(writes[i]), "overwritten by");
      }
    }
  }

  void AddReads(std::size_t reader, const Model& model) {
    if (!all_[reader].spec->serializable) {
      return;
    }
    for (const Read& read : all_[reader].spec->reads) {
      const std::string wanted = read.Key();
      for (const std::string& key : model.KeysWith(wanted)) {
        if (read.is_range() || key == wanted) {
          AddRead(reader, model.WritesOf(key));
        }
      }
    }
  }

  void AddRead(std::size_t reader, const std::vector<Lsn>& writes) {
    const auto next = std::ranges::upper_bound(writes, all_[reader].snapshot);
    if (next != writes.begin()) {
      Add(at_.at(*std::prev(next)), reader, "read by");
    }
    if (next != writes.end()) {
      Add(reader, at_.at(*next), "read what was then written by");
    }
  }

  void AddRealTime(std::size_t later) {
    for (std::size_t i = 0; i < all_.size(); ++i) {
      if (all_[i].answered != 0 && all_[i].answered < all_[later].began) {
        Add(i, later, "answered before the begin of");
      }
    }
  }

  // Depth first; true if it met its own path.
  bool Visit(std::size_t node) {
    marks_[node] = Mark::kOnPath;
    path_.push_back({.to = node, .why = ""});
    for (const Edge& edge : edges_[node]) {
      if (marks_[edge.to] == Mark::kDone) {
        continue;
      }
      path_.back().why = edge.why;
      if (marks_[edge.to] == Mark::kOnPath) {
        closing_ = edge.to;
        return true;
      }
      if (Visit(edge.to)) {
        return true;
      }
    }
    path_.pop_back();
    marks_[node] = Mark::kDone;
    return false;
  }

  std::string Told() const {
    auto first = std::ranges::find(path_, closing_, &Edge::to);
    std::string text;
    for (; first != path_.end(); ++first) {
      text += all_[first->to].name + " -" + first->why + "-> ";
    }
    return text + all_[closing_].name;
  }

  const std::vector<Happened>& all_;
  std::map<Lsn, std::size_t> at_;
  std::vector<std::vector<Edge>> edges_;
  std::vector<Mark> marks_;
  std::vector<Edge> path_;
  std::size_t closing_ = 0;
};

}  // namespace

std::optional<std::string> FindCycle(const std::vector<Happened>& all, const Model& model) {
  return Graph(all, model).FindCycle();
}

}  // namespace quorate::sim
