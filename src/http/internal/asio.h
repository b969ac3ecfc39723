// The Asio and Beast names that this module uses. Only internal headers and .cc files include it.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>

namespace quorate::http {

namespace asio = boost::asio;
namespace beast = boost::beast;

using boost::system::error_code;

template <class T = void>
using Awaitable = asio::awaitable<T>;

using Stream = beast::tcp_stream;
using RequestParser = beast::http::request_parser<beast::http::buffer_body>;

}  // namespace quorate::http
