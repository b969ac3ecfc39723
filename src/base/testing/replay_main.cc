// main() for fuzz targets built without libFuzzer: runs every file of the folders it is given, and
// each with a byte cut, flipped and doubled, through LLVMFuzzerTestOneInput.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

void Run(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

void RunVariants(const std::string& input) {
  constexpr std::size_t kVariantsMax = 512;  // Large seeds are sampled.
  Run(input);
  const std::size_t step = input.size() / kVariantsMax + 1;
  for (std::size_t i = 0; i < input.size(); i += step) {
    Run(input.substr(0, i));
    std::string flipped = input;
    flipped[i] = static_cast<char>(flipped[i] ^ (1 << (i % 8)));
    Run(flipped);
    std::string doubled = input;
    doubled.insert(i, 1, input[i]);
    Run(doubled);
  }
}

}  // namespace

int main(int argc, char** argv) {
  int files = 0;
  for (int i = 1; i < argc; ++i) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(argv[i])) {
      if (entry.is_regular_file()) {
        std::ifstream file(entry.path(), std::ios::binary);
        RunVariants({std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()});
        ++files;
      }
    }
  }
  std::printf("replayed %d files\n", files);
  return files > 0 ? 0 : 1;
}
