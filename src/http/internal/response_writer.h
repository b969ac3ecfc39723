// ResponseWriter: the answer to one request: whole with a length, or streamed in chunks that leave
// at once.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "http/internal/asio.h"
#include "http/internal/pace.h"
#include "http/internal/transport.h"

namespace quorate::http {

struct ResponseHead {
  unsigned status = 200;
  std::string content_type;                                  // Empty: none.
  std::vector<std::pair<std::string, std::string>> headers;  // Ours only, never a client's bytes.
};

ResponseHead PlainTextHead(unsigned status);

// What of the request shapes the answer.
struct ResponseForm {
  bool http_1_0 = false;  // No chunks: the end of the connection ends the body.
  bool head = false;      // HEAD: no body.
  bool keep_alive = false;
};

// Belongs to its connection's coroutine. Every call fails with kCancelled once the client is gone,
// took nothing for the write timeout, or reads too slowly (internal/pace.h).
class ResponseWriter {
 public:
  ResponseWriter(Stream& stream, ResponseForm form, const TransportOptions& options,
                 const TransportDeps& deps);

  ResponseWriter(const ResponseWriter&) = delete;
  ResponseWriter& operator=(const ResponseWriter&) = delete;

  // Goes with whichever head is sent. REQUIRES: nothing was started; ours, never a client's bytes.
  void AddHeader(std::string_view name, std::string value);

  // The whole answer. REQUIRES: nothing was started.
  Awaitable<Status> Send(ResponseHead head, std::string_view body);

  // A streamed answer. The head leaves with the first piece. Not calling Finish() tells the client
  // that the answer is incomplete.
  void Start(const ResponseHead& head);
  Awaitable<Status> Write(std::string_view piece);
  Awaitable<Status> Finish();

  // The connection ends after this answer.
  void CloseAfterwards() { form_.keep_alive = false; }

  bool started() const { return status_ != 0; }
  bool finished() const { return finished_; }
  bool keep_alive() const { return form_.keep_alive; }
  unsigned status() const { return status_; }
  std::uint64_t bytes() const { return bytes_; }

 private:
  std::string RenderHead(const ResponseHead& head) const;
  template <class Buffers>
  Awaitable<Status> WriteAll(const Buffers& buffers);

  Stream& stream_;
  ResponseForm form_;
  const TransportOptions& options_;
  const TransportDeps& deps_;

  std::vector<std::pair<std::string, std::string>> headers_;  // By AddHeader().
  unsigned status_ = 0;
  bool chunked_ = false;
  bool finished_ = false;
  std::string pending_head_;  // Rendered, not yet sent.
  std::uint64_t bytes_ = 0;
  Pace pace_;
};

// "Not Found"
std::string_view ReasonPhrase(unsigned status);

}  // namespace quorate::http
