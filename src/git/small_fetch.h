// Answers a small v2 fetch without a process: acknowledgements, and a pack of whole objects.
//
// What is acknowledged, and when the pack follows, is what git 2.39 says to the same request, byte
// by byte. The pack holds at least what the client lacks: where dates are skewed it may hold more,
// never less.
//
// Pure but for the caller's look-ups, which are bounded by the limits: a fetch that needs more is
// refused, having cost that much, and `git upload-pack` is to answer it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "git/fetch_arguments.h"
#include "git/object.h"
#include "git/object_id.h"

namespace quorate::git {

// Finds an object of at most `size_max` bytes. Nothing: there is none; kResourceExhausted: it is
// larger.
using FindObject =
    std::function<Result<std::optional<Object>>(const ObjectId& id, std::uint64_t size_max)>;

struct AnnotatedTag {
  ObjectId id;
  ObjectId peeled;  // What it finally points at.
};
// All that references below refs/tags/ point at. kResourceExhausted: too many.
using ListTags = std::function<Result<std::vector<AnnotatedTag>>()>;

struct SmallFetchLimits {
  // Looked up, whether they are sent or only compared with.
  std::uint32_t objects_max = 256;
  // Without a commit in common a whole history is to be sent, which is seldom small: giving up must
  // cost less.
  std::uint32_t clone_objects_max = 64;
  std::size_t bytes_max = 256 << 10;  // Of all these objects' contents.
};

// The body of the answer.
//   kResourceExhausted   beyond the limits, or what `find` or `list_tags` said;
//   kInvalidArgument     something is asked for that is answered by git only: an object that is
//                        neither a commit nor a tag of one, or nothing;
//   kNotFound            an object does not exist;
//   otherwise            what `find` or `list_tags` said.
// `list_tags` is called only if tags may be part of the answer.
Result<std::string> AnswerSmallFetch(ObjectFormat format, const FetchArguments& arguments,
                                     const FindObject& find, const ListTags& list_tags,
                                     const SmallFetchLimits& limits);

}  // namespace quorate::git
