// Metrics whose values a test can read back.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "env/metrics.h"

namespace quorate::env {

// Safe from any thread. Render() prints "name{label=value} number" lines, sorted.
class FakeMetrics final : public Metrics {
 public:
  FakeMetrics();
  ~FakeMetrics() override;

  Counter& GetCounter(const std::string& name, const std::string& help,
                      const Labels& labels) override;
  Gauge& GetGauge(const std::string& name, const std::string& help, const Labels& labels) override;
  Histogram& GetHistogram(const std::string& name, const std::string& help, const Labels& labels,
                          const std::vector<double>& bounds) override;
  void RemoveGauge(const std::string& name, const Labels& labels) override;
  std::string Render() const override;

  // Of a counter or gauge its value, of a histogram the sum of what it observed; nothing if nobody
  // asked for such an instrument.
  std::optional<double> Value(const std::string& name, const Labels& labels = {}) const;
  // How often a histogram observed; 0 if there is none.
  int Observations(const std::string& name, const Labels& labels = {}) const;

 private:
  class Instrument;

  Instrument& Find(const std::string& name, const Labels& labels);

  mutable std::mutex mutex_;
  std::map<std::pair<std::string, Labels>, std::unique_ptr<Instrument>> instruments_;
};

}  // namespace quorate::env
