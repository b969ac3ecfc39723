#include "env/posix/prometheus_metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <mutex>
#include <utility>

#include "base/check.h"

namespace quorate::env {
namespace {

class PrometheusCounter final : public Counter {
 public:
  explicit PrometheusCounter(prometheus::Counter& counter) : counter_(counter) {}
  void Add(double amount) override {
    QUORATE_CHECK(amount >= 0);
    counter_.Increment(amount);
  }

 private:
  prometheus::Counter& counter_;
};

class PrometheusGauge final : public Gauge {
 public:
  PrometheusGauge(prometheus::Family<prometheus::Gauge>& family, prometheus::Gauge& gauge)
      : family_(family), gauge_(gauge) {}
  void Set(double value) override { gauge_.Set(value); }
  void Add(double amount) override { gauge_.Increment(amount); }
  void RemoveFromFamily() { family_.Remove(&gauge_); }

 private:
  prometheus::Family<prometheus::Gauge>& family_;
  prometheus::Gauge& gauge_;
};

class PrometheusHistogram final : public Histogram {
 public:
  explicit PrometheusHistogram(prometheus::Histogram& histogram) : histogram_(histogram) {}
  void Observe(double value) override { histogram_.Observe(value); }

 private:
  prometheus::Histogram& histogram_;
};

template <class T>
using Instruments = std::map<std::pair<std::string, Labels>, std::unique_ptr<T>>;

// The instrument of that name and labels; `make` makes it the first time.
template <class T, class Make>
T& FindOrMake(Instruments<T>& all, const std::string& name, const Labels& labels, Make make) {
  std::unique_ptr<T>& instrument = all[{name, labels}];
  if (instrument == nullptr) {
    instrument = make();
  }
  return *instrument;
}

}  // namespace

struct PrometheusMetrics::Impl {
  mutable std::mutex mutex;  // Guards the maps; the registry has its own.
  prometheus::Registry registry;
  Instruments<PrometheusCounter> counters;
  Instruments<PrometheusGauge> gauges;
  Instruments<PrometheusHistogram> histograms;
};

PrometheusMetrics::PrometheusMetrics() : impl_(std::make_unique<Impl>()) {
}

PrometheusMetrics::~PrometheusMetrics() = default;

Counter& PrometheusMetrics::GetCounter(const std::string& name, const std::string& help,
                                       const Labels& labels) {
  const std::lock_guard lock(impl_->mutex);
  return FindOrMake(impl_->counters, name, labels, [&] {
    auto& family = prometheus::BuildCounter().Name(name).Help(help).Register(impl_->registry);
    return std::make_unique<PrometheusCounter>(family.Add(labels));
  });
}

Gauge& PrometheusMetrics::GetGauge(const std::string& name, const std::string& help,
                                   const Labels& labels) {
  const std::lock_guard lock(impl_->mutex);
  return FindOrMake(impl_->gauges, name, labels, [&] {
    auto& family = prometheus::BuildGauge().Name(name).Help(help).Register(impl_->registry);
    return std::make_unique<PrometheusGauge>(family, family.Add(labels));
  });
}

Histogram& PrometheusMetrics::GetHistogram(const std::string& name, const std::string& help,
                                           const Labels& labels,
                                           const std::vector<double>& bounds) {
  const std::lock_guard lock(impl_->mutex);
  return FindOrMake(impl_->histograms, name, labels, [&] {
    auto& family = prometheus::BuildHistogram().Name(name).Help(help).Register(impl_->registry);
    return std::make_unique<PrometheusHistogram>(family.Add(labels, bounds));
  });
}

void PrometheusMetrics::RemoveGauge(const std::string& name, const Labels& labels) {
  const std::lock_guard lock(impl_->mutex);
  const auto found = impl_->gauges.find({name, labels});
  if (found == impl_->gauges.end()) {
    return;
  }
  found->second->RemoveFromFamily();
  impl_->gauges.erase(found);
}

std::string PrometheusMetrics::Render() const {
  return prometheus::TextSerializer().Serialize(impl_->registry.Collect());
}

}  // namespace quorate::env
