#include "cluster/maintenance.h"

#include <cstdlib>
#include <latch>
#include <utility>

namespace quorate::cluster {

Maintenance::Maintenance(MaintenanceOptions options, const NodeEnv& env, Partitions partitions,
                         Housekeeping housekeeping)
    : options_(std::move(options)),
      env_(env),
      partitions_(std::move(partitions)),
      housekeeping_(std::move(housekeeping)),
      rounds_(env_.metrics.GetCounter("quorate_object_syncs_total",
                                      "Syncs of the file system that holds the objects.", {})),
      strand_(env_.storage.NewStrand()) {
}

Maintenance::~Maintenance() = default;

void Maintenance::Start() {
  strand_->Post([this] {
    strand_->AssertCurrent();
    ArmTimer();
  });
}

void Maintenance::ArmTimer() {
  if (!stopping_) {
    timer_ = env_.timers.After(options_.interval, *strand_, [this] { RunTimed(); });
  }
}

void Maintenance::RunTimed() {
  strand_->AssertCurrent();
  Sync();
  housekeeping_();
  ArmTimer();
}

void Maintenance::NoteAppended(std::size_t bytes) {
  if (appended_bytes_.fetch_add(bytes) + bytes < options_.bytes || round_posted_.exchange(true)) {
    return;
  }
  strand_->Post([this] {
    strand_->AssertCurrent();
    round_posted_ = false;
    if (!stopping_) {
      Sync();
    }
  });
}

void Maintenance::Sync() {
  appended_bytes_ = 0;
  struct Behind {
    std::shared_ptr<Partition> partition;
    Lsn applied;  // Before the sync: what is applied while it runs may not be covered.
  };
  std::vector<Behind> behind;
  for (std::shared_ptr<Partition>& partition : partitions_()) {
    const auto status = partition->transactions().status();
    if (status.applied > status.objects_durable && !status.fenced) {
      behind.push_back({std::move(partition), status.applied});
    } else {
      partition->transactions().RetryApply();
    }
  }
  if (behind.empty()) {
    return;
  }
  if (const Status synced = env_.files.SyncFileSystem(options_.path); !synced) {
    // The kernel may have dropped what it could not write, and will not say so twice. The next
    // start finds what is missing in the log.
    env_.logger.Fail("sync of objects failed, ending",
                     {{"path", options_.path}, {"reason", synced.error().ToString()}});
    std::abort();
  }
  rounds_.Add();
  for (const Behind& one : behind) {
    const Status noted = one.partition->transactions().ObjectsDurable(one.applied);
    if (!noted && noted.error().code() != Code::kUnavailable) {  // Unless it was closed meanwhile.
      env_.logger.Warn("durable objects not noted", {{"partition", one.partition->id().value},
                                                     {"lsn", one.applied.value},
                                                     {"reason", noted.error().ToString()}});
    }
  }
}

void Maintenance::SyncNow() {
  Run([this] {
    strand_->AssertCurrent();
    Sync();
  });
}

void Maintenance::Stop() {
  Run([this] {
    strand_->AssertCurrent();
    stopping_ = true;
    timer_.reset();
  });
}

// On the strand, and waits for it.
void Maintenance::Run(Callback<> task) {
  std::latch done(1);
  strand_->Post([&] {
    std::move(task)();
    done.count_down();
  });
  done.wait();
}

}  // namespace quorate::cluster
