#include "sim/seed_runner.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "base/check.h"

namespace quorate::sim {
namespace {

// A child that runs every jobs-th seed and tells each result in a line: "seed note failure".
struct Worker {
  pid_t pid = -1;
  int results = -1;
  int words = -1;          // Its standard error.
  std::uint64_t next = 0;  // The seed it is at.
  std::string line;
  std::string last_words;
};

void WriteAll(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(file, text.data(), text.size());
    if (written <= 0) {
      ::_exit(2);
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

[[noreturn]] void Work(int results, std::uint64_t first, std::uint64_t end, unsigned jobs,
                       const std::function<SeedReport(std::uint64_t)>& run) {
  for (std::uint64_t seed = first; seed < end; seed += jobs) {
    SeedReport report = run(seed);
    std::string what = report.failure.value_or("");
    std::ranges::replace(what, '\n', ' ');
    WriteAll(results, fmt::format("{} {} {}\n", seed, report.note, what));
    if (report.failure) {
      break;
    }
  }
  ::_exit(0);  // Nothing of the parent's is torn down here.
}

Worker StartWorker(std::uint64_t first, std::uint64_t end, unsigned jobs,
                   const std::function<SeedReport(std::uint64_t)>& run) {
  std::array<int, 2> results{};
  std::array<int, 2> words{};
  QUORATE_CHECK(::pipe(results.data()) == 0 && ::pipe(words.data()) == 0);
  std::fflush(nullptr);
  const pid_t pid = ::fork();
  QUORATE_CHECK(pid >= 0);
  if (pid == 0) {
    ::dup2(words[1], STDERR_FILENO);
    Work(results[1], first, end, jobs, run);
  }
  ::close(results[1]);
  ::close(words[1]);
  return {.pid = pid,
          .results = results[0],
          .words = words[0],
          .next = first,
          .line = {},
          .last_words = {}};
}

class Runner {
 public:
  Runner(std::uint64_t first, std::uint64_t count, unsigned jobs,
         const std::function<SeedReport(std::uint64_t)>& run)
      : jobs_(jobs) {
    for (unsigned job = 0; job < jobs; ++job) {
      workers_.push_back(StartWorker(first + job, first + count, jobs, run));
    }
  }

  SeedsDone Run(const std::function<void(const SeedsDone&)>& progress) {
    while (!workers_.empty()) {
      Wait();
      std::erase_if(workers_, [this](Worker& worker) { return !Serve(worker); });
      if (progress) {
        progress(done_);
      }
    }
    return done_;
  }

 private:
  void Wait() {
    std::vector<pollfd> files;
    for (const Worker& worker : workers_) {
      files.push_back({.fd = worker.results, .events = POLLIN, .revents = 0});
      files.push_back({.fd = worker.words, .events = POLLIN, .revents = 0});
    }
    ::poll(files.data(), files.size(), 500);
  }

  // Takes what there is; false if that was the end of it.
  bool Serve(Worker& worker) {
    pollfd words{.fd = worker.words, .events = POLLIN, .revents = 0};
    if (::poll(&words, 1, 0) > 0 && (words.revents & POLLIN) != 0) {
      Read(worker.words, worker.last_words);
      return true;
    }
    pollfd results{.fd = worker.results, .events = POLLIN, .revents = 0};
    if (::poll(&results, 1, 0) == 0) {
      return true;
    }
    const bool more = Read(worker.results, worker.line);
    for (std::size_t end; (end = worker.line.find('\n')) != std::string::npos;) {
      TakeResult(worker, worker.line.substr(0, end));
      worker.line.erase(0, end + 1);
    }
    const bool enough = done_.failed && worker.next > done_.failed->seed;
    if (more && !enough) {
      return true;
    }
    Finish(worker, enough);
    return false;
  }

  static bool Read(int file, std::string& into) {
    std::array<char, 4096> buffer;
    const ssize_t got = ::read(file, buffer.data(), buffer.size());
    into.append(buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    return got > 0;
  }

  void TakeResult(Worker& worker, const std::string& line) {
    char* at = nullptr;
    const std::uint64_t seed = std::strtoull(line.c_str(), &at, 10);
    done_.note += std::strtoull(at, &at, 10);
    ++done_.count;
    worker.next = seed + jobs_;
    if (const std::string what(at + 1); !what.empty()) {
      Fail(seed, what);
    }
  }

  void Fail(std::uint64_t seed, const std::string& what) {
    if (!done_.failed || seed < done_.failed->seed) {
      done_.failed = FailedSeed{.seed = seed, .what = what};
    }
  }

  void Finish(Worker& worker, bool enough) {
    if (enough) {
      ::kill(worker.pid, SIGKILL);
    }
    int status = 0;
    ::waitpid(worker.pid, &status, 0);
    if (!enough && !(WIFEXITED(status) && WEXITSTATUS(status) == 0)) {
      while (Read(worker.words, worker.last_words)) {
      }
      std::string words = worker.last_words;
      std::ranges::replace(words, '\n', ' ');
      ++done_.count;
      Fail(worker.next, "aborted: " + words.substr(0, 300));
    }
    ::close(worker.results);
    ::close(worker.words);
  }

  const unsigned jobs_;
  std::vector<Worker> workers_;
  SeedsDone done_;
};

}  // namespace

SeedsDone RunSeeds(std::uint64_t first, std::uint64_t count, unsigned jobs,
                   const std::function<SeedReport(std::uint64_t seed)>& run,
                   const std::function<void(const SeedsDone&)>& progress) {
  return Runner(first, count, jobs, run).Run(progress);
}

}  // namespace quorate::sim
