#include "server/command_line.h"

int main(int argc, char** argv) {
  return quorate::server::Main(argc, argv);
}
