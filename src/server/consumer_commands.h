// `quorate repo follow` and `quorate repo consumer ...`: readers of a repository's changes.
#pragma once

#include <string>

#include "base/result.h"
#include "server/api_client.h"

namespace quorate::server {

struct FollowArguments {
  std::string name;
  std::string consumer;
  bool once = false;  // End when there is nothing more to read.
};
// Prints each change as a line of JSON, and acknowledges what was written to standard output:
// whoever reads it sees each change at least once, also after a crash. kNotFound: no such consumer,
// or it was cut off.
Status RepoFollow(ApiClient& client, const FollowArguments& arguments);

Status ConsumerList(ApiClient& client, const std::string& name, bool json);
Status ConsumerCreate(ApiClient& client, const std::string& name, const std::string& consumer);
Status ConsumerRemove(ApiClient& client, const std::string& name, const std::string& consumer);

}  // namespace quorate::server
