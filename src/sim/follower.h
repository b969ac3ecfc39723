// Follower: a consumer of a repository's changes, and whoever makes it, reads for it and removes
// it.
//
// It reads at whichever node it likes what is committed behind its position, sometimes all, often
// less, lets the oracle compare it, and acknowledges by transactions of its own; now and then it
// sleeps for so long that it is cut off. What it does follows from its seed.
#pragma once

#include <cstdint>
#include <string>

#include "base/ids.h"
#include "base/prng.h"
#include "sim/client.h"
#include "sim/group.h"
#include "sim/oracle.h"
#include "sim/spec.h"

namespace quorate::sim {

class Follower {
 public:
  // Its name is also that of the consumer. All outlive it.
  Follower(std::string name, const Workload& workload, Group& group, Oracle& oracle,
           std::uint64_t seed);

  // One turn. While `finishing`, nothing new is wanted.
  void Step(bool finishing);
  const Client& client() const { return client_; }

 private:
  void Look();
  void Want(ConsumerWrite::What what, Lsn acknowledged);

  const std::string name_;
  const RepositoryId repository_;
  Group& group_;
  Oracle& oracle_;
  Prng prng_;
  Client client_;
  int asleep_ = 0;  // Turns.
};

}  // namespace quorate::sim
