#include <charconv>
#include <utility>
#include <vector>

#include "git/internal/packed_objects.h"

namespace quorate::git::internal {
namespace {

// "<hex> <type> <size>\n", or "<hex> missing\n".
std::optional<ObjectHead> ParseAnswer(std::string_view line) {
  const std::size_t space = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (space == std::string_view::npos || last == space) {
    return std::nullopt;
  }
  const std::optional<ObjectType> type = ParseTypeName(line.substr(space + 1, last - space - 1));
  std::uint64_t size = 0;
  const auto parsed = std::from_chars(line.data() + last + 1, line.data() + line.size(), size);
  if (!type || parsed.ec != std::errc() || parsed.ptr != line.data() + line.size()) {
    return std::nullopt;
  }
  return ObjectHead{*type, size};
}

class CatFilePacks final : public PackedObjects {
 public:
  CatFilePacks(GitPlace place, env::ChildLauncher& children)
      : place_(std::move(place)), children_(children) {}

  Result<std::optional<ObjectHead>> FindHead(const ObjectId& id) override {
    const std::string hex = id.ToHex();
    std::string answer = QUORATE_TRY(Ask("--batch-check", hex, 4096));
    if (answer == hex + " missing\n") {
      return std::optional<ObjectHead>();
    }
    if (answer.ends_with('\n')) {
      answer.pop_back();
    }
    const std::optional<ObjectHead> head = ParseAnswer(answer);
    if (!head) {
      return Damaged(hex);
    }
    return head;
  }

  Result<std::optional<Object>> Find(const ObjectId& id, std::uint64_t size_max) override {
    const std::optional<ObjectHead> head = QUORATE_TRY(FindHead(id));
    if (!head) {
      return std::optional<Object>();
    }
    const std::string hex = id.ToHex();
    if (head->size > size_max) {
      return Error(Code::kResourceExhausted, "object " + hex + " is too large");
    }
    std::string answer = QUORATE_TRY(Ask("--batch", hex, head->size + 4096));
    const std::size_t line = answer.find('\n');
    // The content, and a line end after it.
    if (line == std::string::npos || answer.size() - line - 1 != head->size + 1) {
      return Damaged(hex);
    }
    return std::optional<Object>(Object{head->type, answer.substr(line + 1, head->size)});
  }

 private:
  static Error Damaged(const std::string& hex) {
    return {Code::kCorruption, "object " + hex + " cannot be read"};
  }

  Result<std::string> Ask(const std::string& mode, const std::string& hex,
                          std::uint64_t answer_bytes_max) {
    const std::unique_ptr<env::Child> child =
        QUORATE_TRY(children_.Launch(GitChild(place_, {"cat-file", mode})));
    QUORATE_TRY(child->Write(hex + "\n"));
    child->CloseStdin();
    std::string answer;
    while (true) {
      const std::string bytes = QUORATE_TRY(child->ReadStdout(64 << 10));
      if (bytes.empty()) {
        break;
      }
      answer += bytes;
      if (answer.size() > answer_bytes_max) {
        return Damaged(hex);
      }
    }
    const int status = QUORATE_TRY(child->Wait());
    if (status != 0) {
      const std::string said = QUORATE_TRY(child->ReadStderr(500));
      return Error(Code::kCorruption, "read object " + hex + ": git cat-file: " + said);
    }
    return answer;
  }

  const GitPlace place_;
  env::ChildLauncher& children_;
};

}  // namespace

std::unique_ptr<PackedObjects> NewCatFilePacks(GitPlace place, env::ChildLauncher& children) {
  return std::make_unique<CatFilePacks>(std::move(place), children);
}

}  // namespace quorate::git::internal
