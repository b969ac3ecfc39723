// A client that sends the bytes it is told to, good or bad, over a socket to this machine.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace quorate::http {

// Nothing it waits for lasts longer than 20 s. It aborts when it cannot connect.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port);
  ~RawClient();

  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  // False if the server closed the connection.
  bool Send(std::string_view bytes);
  // Everything up to and with `end`; what is there if the connection ends before.
  std::string ReadUntil(std::string_view end);
  // A response head and as much body as its Content-Length says.
  std::string ReadResponse();
  std::string ReadToEnd();
  void Close();

 private:
  bool Fill();

  int socket_;
  std::string held_;  // Received, not yet handed out.
};

// `text` as one gzip stream.
std::string Gzip(std::string_view text);

}  // namespace quorate::http
