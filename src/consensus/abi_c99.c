/* The header is C99, and C sees the same sizes as Rust and C++ (abi_test.cc). */
#include <quorate_raft.h>

size_t QuorateAbiSizeInC(int which);

size_t QuorateAbiSizeInC(int which) {
  const size_t sizes[] = {sizeof(qr_slice),      sizeof(qr_sink),      sizeof(qr_hard_state),
                          sizeof(qr_entry),      sizeof(qr_msg),       sizeof(qr_read),
                          sizeof(qr_ready_view), sizeof(qr_config),    sizeof(qr_storage),
                          sizeof(qr_status_t),   sizeof(qr_progress_t)};
  return sizes[which];
}
