// `quorate repo config ...`: a repository's configuration, through a running server.
//
// Each prints its result on standard output and returns the error otherwise.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "server/api_client.h"

namespace quorate::server {

struct RepoConfigArguments {
  std::string name;
  std::string variable;
  std::vector<std::string> values;
  std::vector<std::string> expected;
  bool expected_given = false;
  bool expected_unset = false;
  bool json = false;
};

// One `variable=value` a line, as `git config --list` prints it.
Status RepoConfigList(ApiClient& client, const RepoConfigArguments& arguments);
// The values, one a line. kNotFound if there is none.
Status RepoConfigGet(ApiClient& client, const RepoConfigArguments& arguments);
// kConflict if the variable has not the expected values.
Status RepoConfigSet(ApiClient& client, const RepoConfigArguments& arguments);
Status RepoConfigUnset(ApiClient& client, const RepoConfigArguments& arguments);

}  // namespace quorate::server
