#include "load/workload.h"

#include <fmt/format.h>

#include <algorithm>
#include <latch>
#include <mutex>
#include <thread>
#include <vector>

#include "load/push_pack.h"

namespace quorate::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::string_view kReceivePack = "git-receive-pack";
constexpr std::string_view kUploadPack = "git-upload-pack";

std::string RepositoryOf(const LoadOptions& options, int connection) {
  return fmt::format("{}{}", options.prefix, connection % options.repositories);
}

Request ServiceRequest(const std::string& repository, std::string_view service,
                       std::string_view body) {
  return {.target = fmt::format("/{}.git/{}", repository, service),
          .content_type = fmt::format("application/x-{}-request", service),
          .git_protocol = service == kUploadPack ? "version=2" : "",
          .body = body};
}

// One connection's part: whatever it needs is prepared first; Next() then makes one operation's
// request.
struct Lane {
  Request request;
  std::string body;
  // Fills `request` for operation `n`; false when there is nothing more to do.
  std::function<bool(std::int64_t n)> next;
  // Whether the answer means success.
  std::function<bool(const Response&)> succeeded;
  bool keep_body = true;
};

void RunLane(const LoadOptions& options, Lane& lane, SteadyClock::time_point end, Report& report) {
  Connection connection(options.endpoint);
  for (std::int64_t n = 0; options.operations_max == 0 || n < options.operations_max; ++n) {
    const SteadyClock::time_point begin = SteadyClock::now();
    if (begin >= end || !lane.next(n)) {
      return;
    }
    const Result<Response> response = connection.Send(lane.request, lane.keep_body);
    if (!response) {
      ++report.failed;
      report.first_failure = response.error().message();
      return;  // What became of it is unknown: the lane cannot go on.
    }
    if (!lane.succeeded(*response)) {
      ++report.refused;
      report.first_failure =
          fmt::format("status {}: {}", response->status, response->body.substr(0, 200));
      return;
    }
    report.latencies.Add(SteadyClock::now() - begin);
    ++report.operations;
    report.bytes += response->body_bytes;
  }
}

// Prepares all lanes, then runs them together.
Report RunLanes(const LoadOptions& options, std::string work,
                const std::function<void(int connection, Lane&)>& prepare) {
  std::vector<Lane> lanes(static_cast<std::size_t>(options.connections));
  std::vector<Report> reports(lanes.size());
  std::latch prepared(options.connections + 1);
  std::latch go(1);
  SteadyClock::time_point end;
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    threads.emplace_back([&, i] {
      prepare(static_cast<int>(i), lanes[i]);
      prepared.count_down();
      go.wait();
      RunLane(options, lanes[i], end, reports[i]);
    });
  }
  prepared.arrive_and_wait();
  const SteadyClock::time_point begin = SteadyClock::now();
  end = begin + std::chrono::duration_cast<SteadyClock::duration>(
                    std::chrono::duration<double>(options.seconds));
  go.count_down();
  for (std::thread& thread : threads) {
    thread.join();
  }
  Report total;
  total.work = std::move(work);
  total.seconds = std::chrono::duration<double>(SteadyClock::now() - begin).count();
  for (Report& report : reports) {
    total.operations += report.operations;
    total.refused += report.refused;
    total.failed += report.failed;
    total.bytes += report.bytes;
    total.latencies.Append(report.latencies);
    if (total.first_failure.empty()) {
      total.first_failure = report.first_failure;
    }
  }
  return total;
}

bool PushSucceeded(const Response& response) {
  return response.status == 200 && response.body.find("unpack ok") != std::string::npos &&
         response.body.find("ng ") == std::string::npos;
}

}  // namespace

Result<Report> RunPush(const LoadOptions& options) {
  std::vector<std::vector<std::string>> bodies(static_cast<std::size_t>(options.connections));
  return RunLanes(options, "push", [&](int connection, Lane& lane) {
    auto& requests = bodies[static_cast<std::size_t>(connection)];
    const std::string ref = fmt::format("refs/heads/{}-{}", options.tag, connection);
    std::string parent;
    for (std::int64_t n = 0; n < options.prebuilt; ++n) {
      const std::string unique = fmt::format("{} {} {}", options.tag, connection, n);
      const SmallCommit commit = MakeSmallCommit(parent, unique, options.file_bytes);
      requests.push_back(MakePushRequest(parent.empty() ? ZeroId() : std::string_view(parent),
                                         commit.id, ref, commit.pack));
      parent = commit.id;
    }
    lane.request = ServiceRequest(RepositoryOf(options, connection), kReceivePack, "");
    lane.succeeded = PushSucceeded;
    lane.next = [&lane, &requests](std::int64_t n) {
      if (static_cast<std::size_t>(n) >= requests.size()) {
        return false;
      }
      lane.request.body = requests[static_cast<std::size_t>(n)];
      return true;
    };
  });
}

Result<Report> RunLsRefs(const LoadOptions& options) {
  const std::string body = PktLine("command=ls-refs\n") + PktLine("object-format=sha1") + "0001" +
                           PktLine("peel\n") + PktLine("symrefs\n") + PktLine("ref-prefix HEAD\n") +
                           PktLine("ref-prefix refs/heads/\n") +
                           PktLine("ref-prefix refs/tags/\n") + "0000";
  const auto least_bytes = static_cast<std::uint64_t>(options.refs) * 50;
  return RunLanes(options, "ls-refs", [&](int connection, Lane& lane) {
    lane.request = ServiceRequest(RepositoryOf(options, connection), kUploadPack, body);
    lane.keep_body = false;
    lane.next = [](std::int64_t) { return true; };
    lane.succeeded = [least_bytes](const Response& response) {
      return response.status == 200 && response.body_bytes >= least_bytes;
    };
  });
}

Result<Report> RunFetch(const LoadOptions& options) {
  std::string body = PktLine("command=fetch") + PktLine("object-format=sha1") + "0001" +
                     PktLine("thin-pack") + PktLine("no-progress") + PktLine("ofs-delta") +
                     PktLine(fmt::format("want {}\n", options.want));
  if (!options.have.empty()) {
    body += PktLine(fmt::format("have {}\n", options.have));
  }
  body += PktLine("done\n") + "0000";
  const bool clone = options.have.empty();
  return RunLanes(options, clone ? "clone" : "fetch", [&](int connection, Lane& lane) {
    lane.request = ServiceRequest(RepositoryOf(options, connection), kUploadPack, body);
    lane.keep_body = false;
    lane.next = [](std::int64_t) { return true; };
    lane.succeeded = [](const Response& response) {
      return response.status == 200 && response.body_bytes > 100;
    };
  });
}

Result<Report> RunCreate(const LoadOptions& options) {
  return RunLanes(options, "create", [&](int connection, Lane& lane) {
    lane.request = {.target = "/api/v1/repositories",
                    .content_type = "application/json",
                    .git_protocol = "",
                    .body = ""};
    lane.next = [&, connection](std::int64_t n) {
      lane.body = fmt::format(R"({{"name":"{}{}-{}"}})", options.prefix, connection, n);
      lane.request.body = lane.body;
      return true;
    };
    lane.succeeded = [](const Response& response) { return response.status / 100 == 2; };
  });
}

Result<Report> PrepareRefs(const LoadOptions& options) {
  Report report;
  report.work = "refs";
  Connection connection(options.endpoint);
  const SmallCommit commit = MakeSmallCommit("", "tip of all", options.file_bytes);
  for (int repository = 0; repository < options.repositories; ++repository) {
    constexpr int kPerPush = 50'000;  // A server may bound the commands of one push.
    for (int first = 0; first < options.refs; first += kPerPush) {
      std::string body;
      const int last = std::min(options.refs, first + kPerPush);
      for (int i = first; i < last; ++i) {
        std::string command = fmt::format("{} {} refs/heads/b{:07}", ZeroId(), commit.id, i);
        if (i == first) {
          command.push_back('\0');
          command += " report-status";
        }
        body += PktLine(command);
      }
      body += "0000" + commit.pack;
      const Response response = QUORATE_TRY(connection.Send(
          ServiceRequest(RepositoryOf(options, repository), kReceivePack, body), true));
      if (!PushSucceeded(response)) {
        return Error(Code::kInternal,
                     fmt::format("status {}: {}", response.status, response.body.substr(0, 300)));
      }
      ++report.operations;
    }
  }
  return report;
}

}  // namespace quorate::bench
