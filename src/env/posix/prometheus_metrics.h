// Metrics kept by prometheus-cpp.
#pragma once

#include <memory>

#include "env/metrics.h"

namespace quorate::env {

// Get...() looks up maps under a mutex: callers do it once and keep the reference. What the
// instruments then do is atomic (histograms: a short mutex of their own). A name that Prometheus
// does not allow, or that is asked for as two kinds, ends the process: it is our own bug.
class PrometheusMetrics final : public Metrics {
 public:
  PrometheusMetrics();
  ~PrometheusMetrics() override;

  PrometheusMetrics(const PrometheusMetrics&) = delete;
  PrometheusMetrics& operator=(const PrometheusMetrics&) = delete;

  Counter& GetCounter(const std::string& name, const std::string& help,
                      const Labels& labels) override;
  Gauge& GetGauge(const std::string& name, const std::string& help, const Labels& labels) override;
  Histogram& GetHistogram(const std::string& name, const std::string& help, const Labels& labels,
                          const std::vector<double>& bounds) override;
  void RemoveGauge(const std::string& name, const Labels& labels) override;
  std::string Render() const override;

 private:
  struct Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace quorate::env
