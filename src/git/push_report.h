// The answer to a push: report-status and report-status-v2, wrapped in side band 1 if there is one.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "git/object_id.h"
#include "git/push_request.h"

namespace quorate::git {

// Git's own words. Clients, people and test suites know them.
namespace reason {
inline constexpr std::string_view kAtomicPushFailure = "atomic push failure";
inline constexpr std::string_view kTransactionFailed = "transaction failed";
inline constexpr std::string_view kHiddenRef = "deny updating a hidden ref";
inline constexpr std::string_view kDeletingHiddenRef = "deny deleting a hidden ref";
inline constexpr std::string_view kFunnyRefName = "funny refname";
inline constexpr std::string_view kNonFastForward = "non-fast-forward";
inline constexpr std::string_view kFailedToUpdateRef = "failed to update ref";
inline constexpr std::string_view kFailedToDelete = "failed to delete";
inline constexpr std::string_view kFailedToLock = "failed to lock";
inline constexpr std::string_view kReferenceAlreadyExists = "reference already exists";
inline constexpr std::string_view kPreReceiveHookDeclined = "pre-receive hook declined";
inline constexpr std::string_view kHookDeclined = "hook declined";
inline constexpr std::string_view kMissingNecessaryObjects = "missing necessary objects";
inline constexpr std::string_view kBadPack = "bad pack";
inline constexpr std::string_view kShallowUpdateNotAllowed = "shallow update not allowed";
inline constexpr std::string_view kDeletionProhibited = "deletion prohibited";
inline constexpr std::string_view kDeletionOfCurrentBranchProhibited =
    "deletion of the current branch prohibited";
inline constexpr std::string_view kFetchFirst = "fetch first";
inline constexpr std::string_view kUnpackerError = "unpacker error";
inline constexpr std::string_view kMultipleUpdates = "multiple updates for ref not allowed";
inline constexpr std::string_view kInvalidNewValue = "bad new value";
}  // namespace reason

struct CommandReport {
  std::string ref{};
  std::string refusal{};  // Why not ("ng"); empty: done ("ok").

  // What was done, where it differs from what was asked. Told to v2 clients only, after "ok".
  std::optional<std::string> actual_ref{};
  std::optional<ObjectId> actual_old_id{};
  std::optional<ObjectId> actual_new_id{};
  bool forced_update = false;
};

struct PushReport {
  std::string unpack_error{};  // Empty: ok.
  std::vector<CommandReport> commands{};
};

// The end of the response body: the report (if asked for), in side band 1 with the outer flush (if
// asked for). Empty if neither was. Control bytes in reasons become spaces, and what does not fit a
// packet is cut.
std::string RenderPushReport(const PushCapabilities& capabilities, const PushReport& report);

// The end of the response of a push that failed as a whole in a way that no report can tell (above
// all: its outcome is unknown): side band 3 if the client speaks side bands, else an ERR packet.
std::string RenderPushFailure(const PushCapabilities& capabilities, std::string_view message);

}  // namespace quorate::git
