// SIGKILL of a real process on a real disk: what it acknowledged is there afterwards.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <map>
#include <string>

#include "env/testing/fake_metrics.h"
#include "env/testing/loggers.h"
#include "env/testing/manual_env.h"
#include "env/testing/temporary_folder.h"
#include "kv/rocksdb_store.h"
#include "log/log_store.h"
#include "log/testing/kill_writer.h"

namespace quorate::log {
namespace {

using Acknowledged = std::map<std::uint64_t, std::uint64_t>;  // Partition -> newest LSN.

// Runs the writer until it acknowledged `lines_min` entries, and kills it.
void RunAndKill(const std::string& folder, int lines_min, Acknowledged& acknowledged) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::dup2(ends[1], STDOUT_FILENO);
    ::close(ends[0]);
    ::close(ends[1]);
    ::execl(QUORATE_KILL_WRITER, QUORATE_KILL_WRITER, folder.c_str(), nullptr);
    ::_exit(127);
  }
  ::close(ends[1]);
  std::FILE* const pipe = ::fdopen(ends[0], "r");
  unsigned long partition = 0;
  unsigned long lsn = 0;
  int lines = 0;
  while (std::fscanf(pipe, "%lu %lu", &partition, &lsn) == 2) {
    EXPECT_TRUE(!acknowledged.contains(partition) || lsn > acknowledged[partition]);
    acknowledged[partition] = lsn;
    if (++lines == lines_min) {
      ::kill(child, SIGKILL);  // What it wrote into the pipe until then is read too.
    }
  }
  std::fclose(pipe);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status)) << "the writer ended by itself after " << lines << " lines";
}

void Check(const std::string& folder, const Acknowledged& acknowledged) {
  env::NullLogger logger;
  env::FakeMetrics metrics;
  env::ManualEnv env;
  const auto disk = kv::RocksDbStore::Open(folder, {}, logger).value();
  const LogStore store(*disk, env.NewStrand(), {}, logger, metrics);
  for (const auto& [id, newest] : acknowledged) {
    const PartitionId partition{id};
    const StoredLog stored = store.Load(partition).value();
    EXPECT_GE(stored.last.value, newest) << "partition " << id;
    const auto entries =
        store.Read(partition, Lsn{6}, stored.last.Next(), std::size_t{1} << 40).value();
    EXPECT_EQ(entries.size(), stored.last.value - 5);
    for (const consensus::Entry& entry : entries) {
      ASSERT_EQ(entry.data, KillPayload(partition, entry.lsn));
    }
  }
}

TEST(KillTest, AcknowledgedEntriesSurviveSigkill) {
  const env::TemporaryFolder folder;
  Acknowledged acknowledged;
  for (const int lines : {1, 50, 300, 7}) {
    SCOPED_TRACE(lines);
    RunAndKill(folder.path() + "/db", lines, acknowledged);
    ASSERT_FALSE(HasFatalFailure());
    Check(folder.path() + "/db", acknowledged);
  }
  EXPECT_EQ(acknowledged.size(), kKillPartitions);
}

}  // namespace
}  // namespace quorate::log
