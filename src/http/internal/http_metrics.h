// The module's instruments; docs in their help texts.
#pragma once

#include <string>

#include "env/metrics.h"

namespace quorate::http {

class HttpMetrics {
 public:
  // `metrics` outlives it.
  explicit HttpMetrics(env::Metrics& metrics);

  env::Gauge& connections;
  env::Counter& connections_refused;
  env::Counter& bytes_in;
  env::Counter& bytes_out;
  env::Counter& ref_cache_hits;
  env::Counter& ref_cache_misses;
  env::Counter& view_cache_hits;
  env::Counter& view_cache_misses;
  env::Gauge& children_running;
  env::Gauge& indexers_running;
  env::Counter& children_started;
  env::Counter& fetches_by_process;
  env::Counter& fetches_by_memory;
  env::Histogram& push_parse_seconds;
  env::Histogram& push_index_seconds;
  env::Histogram& push_commit_seconds;

  void CountRequest(const std::string& service, unsigned status);
  // `outcome`: committed, partial, refused, conflict, unpack_error, aborted, unavailable, unknown.
  void CountPush(const std::string& outcome);

 private:
  env::Metrics& metrics_;
};

}  // namespace quorate::http
