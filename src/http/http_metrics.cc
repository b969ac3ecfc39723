#include "http/internal/http_metrics.h"

namespace quorate::http {
namespace {

env::Histogram& StageSeconds(env::Metrics& metrics, const char* stage) {
  return metrics.GetHistogram("quorate_push_stage_seconds", "Time that pushes spend in each stage",
                              {{"stage", stage}}, env::LatencyBounds());
}

env::Counter& Fetches(env::Metrics& metrics, const char* by) {
  return metrics.GetCounter("quorate_fetches_total", "Fetches by what answered them", {{"by", by}});
}

}  // namespace

HttpMetrics::HttpMetrics(env::Metrics& metrics)
    : connections(metrics.GetGauge("quorate_http_connections", "Open client connections", {})),
      connections_refused(metrics.GetCounter("quorate_http_connections_refused_total",
                                             "Connections refused at the limit", {})),
      bytes_in(metrics.GetCounter("quorate_http_received_bytes_total", "Body bytes received", {})),
      bytes_out(metrics.GetCounter("quorate_http_sent_bytes_total", "Response bytes sent", {})),
      ref_cache_hits(metrics.GetCounter("quorate_ref_cache_hits_total",
                                        "Reference answers served from the cache", {})),
      ref_cache_misses(metrics.GetCounter("quorate_ref_cache_misses_total",
                                          "Reference answers that were rendered", {})),
      view_cache_hits(
          metrics.GetCounter("quorate_view_cache_hits_total", "Fetches on a cached view", {})),
      view_cache_misses(
          metrics.GetCounter("quorate_view_cache_misses_total", "Views that were rendered", {})),
      children_running(metrics.GetGauge("quorate_git_children", "git processes running", {})),
      indexers_running(metrics.GetGauge("quorate_git_indexers",
                                        "Places for git index-pack taken by pushes.", {})),
      children_started(metrics.GetCounter("quorate_git_children_started_total",
                                          "git processes started for fetches", {})),
      fetches_by_process(Fetches(metrics, "process")),
      fetches_by_memory(Fetches(metrics, "memory")),
      push_parse_seconds(StageSeconds(metrics, "parse")),
      push_index_seconds(StageSeconds(metrics, "index")),
      push_commit_seconds(StageSeconds(metrics, "commit")),
      metrics_(metrics) {
}

void HttpMetrics::CountRequest(const std::string& service, unsigned status) {
  metrics_
      .GetCounter("quorate_http_requests_total", "Requests by service and status",
                  {{"service", service}, {"status", std::to_string(status)}})
      .Add();
}

void HttpMetrics::CountPush(const std::string& outcome) {
  metrics_.GetCounter("quorate_pushes_total", "Pushes by outcome", {{"outcome", outcome}}).Add();
}

}  // namespace quorate::http
