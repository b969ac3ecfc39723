// Counters, gauges and histograms in the Prometheus model, held by one registry per process.
//
// Instruments live as long as the registry (but see RemoveGauge()); asking twice for the same name
// and labels gives the same instrument. All calls are safe from any thread; Add, Set and Observe
// take no lock that is held for long.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace quorate::env {

class Counter {
 public:
  virtual ~Counter() = default;
  virtual void Add(double amount = 1) = 0;  // REQUIRES: amount >= 0.
};

class Gauge {
 public:
  virtual ~Gauge() = default;
  virtual void Set(double value) = 0;
  virtual void Add(double amount) = 0;
};

class Histogram {
 public:
  virtual ~Histogram() = default;
  virtual void Observe(double value) = 0;
};

using Labels = std::map<std::string, std::string>;

class Metrics {
 public:
  virtual ~Metrics() = default;

  // Names follow Prometheus: quorate_<what>_<unit>, counters end in _total.
  virtual Counter& GetCounter(const std::string& name, const std::string& help,
                              const Labels& labels) = 0;
  virtual Gauge& GetGauge(const std::string& name, const std::string& help,
                          const Labels& labels) = 0;
  // `bounds` are the upper bounds of the buckets, ascending; the same for all labels of a name.
  virtual Histogram& GetHistogram(const std::string& name, const std::string& help,
                                  const Labels& labels, const std::vector<double>& bounds) = 0;

  // Takes a gauge out of the registry; references to it are dead. For gauges whose labels come and
  // go (a partition's). Without effect on what is not there.
  virtual void RemoveGauge(const std::string& name, const Labels& labels) = 0;

  // The text exposition format.
  virtual std::string Render() const = 0;
};

// Buckets for latencies in seconds: 50 us to 30 s.
inline const std::vector<double>& LatencyBounds() {
  static const std::vector<double> bounds = {0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025,
                                             0.005,   0.01,   0.025,   0.05,   0.1,   0.25,
                                             0.5,     1,      2.5,     5,      10,    30};
  return bounds;
}

}  // namespace quorate::env
