// One kept HTTP/1.1 connection, blocking, with as little overhead as a load driver needs: it shares
// the processors with the server that it measures.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace quorate::bench {

struct Endpoint {
  std::string host;
  std::uint16_t port = 0;
};

// "http://HOST:PORT"
Result<Endpoint> ParseEndpoint(std::string_view url);

struct Request {
  std::string method = "POST";
  std::string target;
  std::string content_type;
  std::string git_protocol;  // Empty: no Git-Protocol header.
  std::string_view body;
};

struct Response {
  int status = 0;
  std::string body;  // Only if it was asked for.
  std::uint64_t body_bytes = 0;
};

class Connection {
 public:
  explicit Connection(Endpoint endpoint);
  ~Connection();

  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Connects if need be; connects again when the server closed a kept connection before it
  // answered. With `keep_body` false the body is read and counted only.
  Result<Response> Send(const Request& request, bool keep_body);

  // How often it connected.
  std::uint64_t connects() const { return connects_; }

 private:
  Status Connect();
  void Close();
  Status WriteAll(std::string_view bytes);
  // Reads more into buffer_; false at the end of the stream.
  Result<bool> Fill();
  Result<std::string> ReadLine();
  Status ReadBytes(std::uint64_t count, bool keep, Response& response);
  Result<Response> ReadResponse(bool keep_body);

  Endpoint endpoint_;
  int socket_ = -1;
  std::uint64_t connects_ = 0;
  std::string buffer_;  // Read and not used yet, from buffer_at_ on.
  std::size_t buffer_at_ = 0;
};

}  // namespace quorate::bench
