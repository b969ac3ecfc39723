// SerialGraph: who must come before whom, if a history is to be equal to some serial order.
//
// Edges are found from what transactions read and wrote: a writer comes before whoever reads its
// version or writes the next one, a reader before whoever writes next what it read (also what it
// found missing under a prefix), and one that was answered before another began comes before it.
// A cycle is a history that no serial order explains.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "sim/model.h"
#include "sim/spec.h"

namespace quorate::sim {

// A committed transaction.
struct Happened {
  std::string name;
  const Spec* spec = nullptr;
  Lsn snapshot;
  Lsn lsn;
  std::uint64_t began = 0;     // Steps of the run.
  std::uint64_t answered = 0;  // 0: never told.
};

// A cycle as text, "t3 -reads before the write of-> t5 -...-> t3", or nothing. `all` ascends by
// LSN; `model` contains them. Only serializable transactions are bound by what they read.
std::optional<std::string> FindCycle(const std::vector<Happened>& all, const Model& model);

}  // namespace quorate::sim
