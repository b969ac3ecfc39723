// Every planted bug is noticed within its number of seeds.
#include "sim/planted_bugs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>
#include <string>

namespace quorate::sim {

// How GoogleTest shows one.
static void PrintTo(const PlantedBug& bug, std::ostream* out) {
  *out << bug.name;
}

namespace {

class PlantedBugTest : public testing::TestWithParam<PlantedBug> {};

TEST_P(PlantedBugTest, IsNoticed) {
  const PlantedBug& bug = GetParam();
  const SeedsDone hunt = Hunt(bug, bug.seeds, 1);

  ASSERT_TRUE(hunt.failed) << bug.name << " (" << bug.what << ") is not noticed in " << bug.seeds
                           << " seeds";
  RecordProperty("noticed_at_seed", static_cast<int>(hunt.failed->seed));
  RecordProperty("noticed_as", hunt.failed->what);
}

std::string NameOf(const testing::TestParamInfo<PlantedBug>& info) {
  std::string name(info.param.name);
  std::ranges::replace(name, '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Bugs, PlantedBugTest,
                         testing::ValuesIn(PlantedBugs().begin(), PlantedBugs().end()), NameOf);

}  // namespace
}  // namespace quorate::sim
