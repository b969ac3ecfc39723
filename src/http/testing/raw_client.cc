#include "http/testing/raw_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <zlib.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "base/check.h"

namespace quorate::http {

RawClient::RawClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
  QUORATE_CHECK(socket_ >= 0);
  const timeval limit{.tv_sec = 20, .tv_usec = 0};
  QUORATE_CHECK(::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0);
  QUORATE_CHECK(::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  QUORATE_CHECK(::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) ==
                0);
}

RawClient::~RawClient() {
  Close();
}

void RawClient::Close() {
  if (socket_ >= 0) {
    ::close(std::exchange(socket_, -1));
  }
}

bool RawClient::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) {
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool RawClient::Fill() {
  std::array<char, 16384> piece{};
  ssize_t size = 0;
  do {
    size = ::recv(socket_, piece.data(), piece.size(), 0);
  } while (size < 0 && errno == EINTR);
  if (size < 0) {
    std::perror("receive from the server");
  }
  if (size <= 0) {
    return false;
  }
  held_.append(piece.data(), static_cast<std::size_t>(size));
  return true;
}

std::string RawClient::ReadUntil(std::string_view end) {
  std::size_t found = held_.find(end);
  while (found == std::string::npos && Fill()) {
    found = held_.find(end);
  }
  const std::size_t size = found == std::string::npos ? held_.size() : found + end.size();
  std::string taken = held_.substr(0, size);
  held_.erase(0, size);
  return taken;
}

std::string RawClient::ReadResponse() {
  constexpr std::string_view kLength = "Content-Length: ";
  std::string response = ReadUntil("\r\n\r\n");
  const std::size_t at = response.find(kLength);
  std::size_t left = at == std::string::npos
                         ? 0
                         : std::strtoul(response.c_str() + at + kLength.size(), nullptr, 10);
  while (left > held_.size() && Fill()) {
  }
  response += held_.substr(0, left);
  held_.erase(0, left);
  return response;
}

std::string RawClient::ReadToEnd() {
  while (Fill()) {
  }
  return std::exchange(held_, {});
}

std::string Gzip(std::string_view text) {
  z_stream z{};
  constexpr int kGzip = 15 + 16;
  QUORATE_CHECK(deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, kGzip, 8, Z_DEFAULT_STRATEGY) ==
                Z_OK);
  std::string packed(deflateBound(&z, text.size()), '\0');
  std::string copy(text);
  z.next_in = reinterpret_cast<Bytef*>(copy.data());
  z.avail_in = static_cast<uInt>(copy.size());
  z.next_out = reinterpret_cast<Bytef*>(packed.data());
  z.avail_out = static_cast<uInt>(packed.size());
  QUORATE_CHECK(deflate(&z, Z_FINISH) == Z_STREAM_END);
  packed.resize(packed.size() - z.avail_out);
  deflateEnd(&z);
  return packed;
}

}  // namespace quorate::http
