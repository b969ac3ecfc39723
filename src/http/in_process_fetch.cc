#include "http/internal/in_process_fetch.h"

#include <utility>
#include <vector>

#include "git/fetch_arguments.h"
#include "git/object_store.h"
#include "git/small_fetch.h"

namespace quorate::http {
namespace {

// With more of them a look at each costs more than a process.
constexpr std::size_t kTagsMax = 2000;

// Symbolic references are left out: their tags are found under their own names.
Result<std::vector<git::AnnotatedTag>> ListTags(const RepositoryView& view) {
  std::vector<git::AnnotatedTag> tags;
  std::size_t seen = 0;
  QUORATE_TRY(view.snapshot.ForEachRef(view.info.id, "refs/tags/", [&](const txn::Ref& ref) {
    seen += 1;
    if (ref.value.peeled.has_value()) {
      tags.push_back({ref.value.id, *ref.value.peeled});
    }
    return seen <= kTagsMax;
  }));
  if (seen > kTagsMax) {
    return Error(Code::kResourceExhausted, "more tags than are looked at in process");
  }
  return tags;
}

}  // namespace

Awaitable<std::optional<std::string>> AnswerInProcess(const Services& services,
                                                      cluster::Repository& repository,
                                                      std::string_view arguments) {
  git::SmallFetchLimits limits;
  limits.objects_max = services.options.in_process_fetch_objects_max;
  limits.clone_objects_max = limits.objects_max / 4;
  // Of SHA-256, each look-up in a pack would be a process of its own.
  if (limits.objects_max == 0 || repository.format() != git::ObjectFormat::kSha1) {
    co_return std::nullopt;
  }
  const std::optional<git::FetchArguments> parsed =
      git::ParseFetchArguments(repository.format(), arguments);
  if (!parsed) {
    co_return std::nullopt;
  }
  auto read = [&](const RepositoryView& view) -> Result<std::string> {
    git::ObjectStore& objects = repository.objects();
    const git::FindObject find = [&objects](const git::ObjectId& id, std::uint64_t size_max) {
      return objects.Find(id, size_max);
    };
    const git::ListTags list_tags = [&view] { return ListTags(view); };
    return git::AnswerSmallFetch(view.info.format, *parsed, find, list_tags, limits);
  };
  Result<std::string> answer = co_await ReadRepository(services, repository, std::move(read));
  if (!answer) {
    co_return std::nullopt;  // Whatever is wrong, git says it better.
  }
  co_return *std::move(answer);
}

}  // namespace quorate::http
