// ApiClient: the admin API of a running server, as the command line uses it. Blocking; one request
// at a time; a connection per request.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.h"

namespace quorate::server {

class ApiClient {
 public:
  // `url` is http://HOST:PORT, with nothing behind it but perhaps a slash. kInvalidArgument
  // otherwise.
  static Result<ApiClient> Make(std::string_view url, std::chrono::milliseconds timeout);

  // `target` begins with a slash; `body` is JSON or empty. Returns the body of a 2xx answer.
  //   kUnavailable       no server there, or it did not answer in time;
  //   the server's code  with the message from its error document.
  Result<std::string> Request(std::string_view method, std::string_view target,
                              std::string_view body);

 private:
  ApiClient(std::string host, std::string port, std::chrono::milliseconds timeout);

  std::string host_;
  std::string port_;
  std::chrono::milliseconds timeout_;
};

// Any text as one segment of a path, or as the value of a query parameter. Slashes are escaped too,
// so that a repository's name that ends like a resource is not taken for one.
std::string PercentEncode(std::string_view text);

}  // namespace quorate::server
