// Commands that ask a running server: `quorate repo ...` and `quorate cluster ...`.
//
// Each prints its result on standard output and returns the error otherwise.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "server/api_client.h"

namespace quorate::server {

struct RepoCreateArguments {
  std::string name;
  std::string object_format;
  std::string default_branch;
  std::int64_t replicas = 0;  // 0: as many as the cluster wants.
};

Status RepoCreate(ApiClient& client, const RepoCreateArguments& arguments);
Status RepoList(ApiClient& client, bool json);
Status RepoInfo(ApiClient& client, const std::string& name, bool json);
Status RepoDelete(ApiClient& client, const std::string& name);

struct RepoLogArguments {
  std::string name;
  std::string ref;  // Empty: all references.
  std::int64_t limit = 50;
  bool json = false;
};
Status RepoLog(ApiClient& client, const RepoLogArguments& arguments);

struct RepoTransactionArguments {
  std::string name;
  std::string id;  // 32 hexadecimal digits.
  bool json = false;
};
// What became of it; that nobody knows is an answer, too.
Status RepoTransaction(ApiClient& client, const RepoTransactionArguments& arguments);

Status ClusterStatus(ApiClient& client, bool json);

}  // namespace quorate::server
