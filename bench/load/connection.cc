#include "load/connection.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

namespace quorate::bench {
namespace {

constexpr std::size_t kReadBytes = 256 << 10;

Error SystemError(std::string_view doing) {
  return Error(Code::kUnavailable, fmt::format("{}: {}", doing, std::strerror(errno)));
}

bool HasHeader(std::string_view line, std::string_view lower_name) {
  if (line.size() < lower_name.size() + 1 || line[lower_name.size()] != ':') {
    return false;
  }
  for (std::size_t i = 0; i < lower_name.size(); ++i) {
    if ((line[i] | 0x20) != lower_name[i] && line[i] != lower_name[i]) {
      return false;
    }
  }
  return true;
}

}  // namespace

Result<Endpoint> ParseEndpoint(std::string_view url) {
  constexpr std::string_view kScheme = "http://";
  const std::size_t colon = url.rfind(':');
  Endpoint endpoint;
  if (url.starts_with(kScheme) && colon > kScheme.size()) {
    endpoint.host = url.substr(kScheme.size(), colon - kScheme.size());
    const std::string_view port = url.substr(colon + 1);
    const auto [end, error] =
        std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
    if (error == std::errc() && end == port.data() + port.size()) {
      return endpoint;
    }
  }
  return Error(Code::kInvalidArgument, fmt::format("'{}' is not http://ADDRESS:PORT", url));
}

Connection::Connection(Endpoint endpoint) : endpoint_(std::move(endpoint)) {
}

Connection::~Connection() {
  Close();
}

void Connection::Close() {
  if (socket_ >= 0) {
    ::close(std::exchange(socket_, -1));
  }
  buffer_.clear();
  buffer_at_ = 0;
}

Status Connection::Connect() {
  socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket_ < 0) {
    return SystemError("socket");
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(endpoint_.port);
  if (::inet_pton(AF_INET, endpoint_.host.c_str(), &address.sin_addr) != 1) {
    return Error(Code::kInvalidArgument,
                 fmt::format("'{}' is not an IPv4 address", endpoint_.host));
  }
  const int on = 1;
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    const Error error = SystemError("connect");
    Close();
    return error;
  }
  ++connects_;
  return Ok();
}

Status Connection::WriteAll(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (written < 0) {
      if (errno == EINTR) {
        continue;
      }
      return SystemError("send");
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return Ok();
}

Result<bool> Connection::Fill() {
  buffer_.erase(0, buffer_at_);
  buffer_at_ = 0;
  const std::size_t old = buffer_.size();
  buffer_.resize(old + kReadBytes);
  ssize_t count = 0;
  do {
    count = ::recv(socket_, buffer_.data() + old, kReadBytes, 0);
  } while (count < 0 && errno == EINTR);
  buffer_.resize(old + static_cast<std::size_t>(count < 0 ? 0 : count));
  if (count < 0) {
    return SystemError("receive");
  }
  return count > 0;
}

Result<std::string> Connection::ReadLine() {
  while (true) {
    const std::size_t end = buffer_.find("\r\n", buffer_at_);
    if (end != std::string::npos) {
      std::string line = buffer_.substr(buffer_at_, end - buffer_at_);
      buffer_at_ = end + 2;
      return line;
    }
    if (!QUORATE_TRY(Fill())) {
      return Error(Code::kUnavailable, "the server closed the connection");
    }
  }
}

Status Connection::ReadBytes(std::uint64_t count, bool keep, Response& response) {
  response.body_bytes += count;
  while (count > 0) {
    if (buffer_at_ == buffer_.size() && !QUORATE_TRY(Fill())) {
      return Error(Code::kUnavailable, "the server closed the connection inside a body");
    }
    const std::size_t take =
        static_cast<std::size_t>(std::min<std::uint64_t>(count, buffer_.size() - buffer_at_));
    if (keep) {
      response.body.append(buffer_, buffer_at_, take);
    }
    buffer_at_ += take;
    count -= take;
  }
  return Ok();
}

Result<Response> Connection::ReadResponse(bool keep_body) {
  Response response;
  const std::string status_line = QUORATE_TRY(ReadLine());
  if (status_line.size() < 12 ||
      std::from_chars(status_line.data() + 9, status_line.data() + 12, response.status).ec !=
          std::errc()) {
    return Error(Code::kInternal, "not an HTTP answer: " + status_line);
  }
  std::uint64_t length = 0;
  bool has_length = false;
  bool chunked = false;
  bool close = false;
  for (std::string line = QUORATE_TRY(ReadLine()); !line.empty(); line = QUORATE_TRY(ReadLine())) {
    if (HasHeader(line, "content-length")) {
      std::string_view value = std::string_view(line).substr(15);
      value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
      std::from_chars(value.data(), value.data() + value.size(), length);
      has_length = true;
    } else if (HasHeader(line, "transfer-encoding")) {
      chunked = true;
    } else if (HasHeader(line, "connection")) {
      close = line.find("lose") != std::string::npos;
    }
  }
  if (chunked) {
    while (true) {
      const std::string size_line = QUORATE_TRY(ReadLine());
      std::uint64_t size = 0;
      std::from_chars(size_line.data(), size_line.data() + size_line.size(), size, 16);
      QUORATE_TRY(ReadBytes(size, keep_body, response));
      QUORATE_TRY(ReadLine());
      if (size == 0) {
        break;
      }
    }
  } else if (has_length) {
    QUORATE_TRY(ReadBytes(length, keep_body, response));
  } else {
    do {
      QUORATE_TRY(ReadBytes(buffer_.size() - buffer_at_, keep_body, response));
    } while (QUORATE_TRY(Fill()));
    close = true;
  }
  if (close) {
    Close();
  }
  return response;
}

Result<Response> Connection::Send(const Request& request, bool keep_body) {
  std::string head =
      fmt::format("{} {} HTTP/1.1\r\nHost: {}:{}\r\nContent-Length: {}\r\n", request.method,
                  request.target, endpoint_.host, endpoint_.port, request.body.size());
  if (!request.content_type.empty()) {
    head += fmt::format("Content-Type: {}\r\n", request.content_type);
  }
  if (!request.git_protocol.empty()) {
    head += fmt::format("Git-Protocol: {}\r\n", request.git_protocol);
  }
  head += "\r\n";
  head += request.body;
  const bool kept = socket_ >= 0;
  if (!kept) {
    QUORATE_TRY(Connect());
  }
  const Status written = WriteAll(head);
  if (written) {
    Result<Response> response = ReadResponse(keep_body);
    if (response || !kept) {
      return response;
    }
  } else if (!kept) {
    return written.error();
  }
  // A kept connection that the server had closed in the meantime.
  Close();
  QUORATE_TRY(Connect());
  QUORATE_TRY(WriteAll(head));
  return ReadResponse(keep_body);
}

}  // namespace quorate::bench
