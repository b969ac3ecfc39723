#include "env/posix/prometheus_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace quorate::env {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(PrometheusMetricsTest, SameNameAndLabelsGiveTheSameInstrument) {
  PrometheusMetrics metrics;
  Counter& ok = metrics.GetCounter("quorate_pushes_total", "Pushes.", {{"result", "ok"}});
  Counter& failed = metrics.GetCounter("quorate_pushes_total", "Pushes.", {{"result", "no"}});

  ok.Add();
  metrics.GetCounter("quorate_pushes_total", "Pushes.", {{"result", "ok"}}).Add(2);

  EXPECT_EQ(&ok, &metrics.GetCounter("quorate_pushes_total", "Pushes.", {{"result", "ok"}}));
  EXPECT_NE(&ok, &failed);
  EXPECT_THAT(metrics.Render(), HasSubstr("quorate_pushes_total{result=\"ok\"} 3"));
  EXPECT_THAT(metrics.Render(), HasSubstr("quorate_pushes_total{result=\"no\"} 0"));
}

TEST(PrometheusMetricsTest, RendersGaugesAndHistogramsWithHelpAndType) {
  PrometheusMetrics metrics;
  Gauge& gauge = metrics.GetGauge("quorate_open", "Open partitions.", {});
  Histogram& histogram = metrics.GetHistogram("quorate_wait_seconds", "Waits.", {}, {0.5, 2});

  gauge.Set(5);
  gauge.Add(-2);
  histogram.Observe(1);

  const std::string text = metrics.Render();
  EXPECT_THAT(text, HasSubstr("# HELP quorate_open Open partitions."));
  EXPECT_THAT(text, HasSubstr("# TYPE quorate_open gauge"));
  EXPECT_THAT(text, HasSubstr("quorate_open 3"));
  EXPECT_THAT(text, HasSubstr("quorate_wait_seconds_bucket{le=\"0.5\"} 0"));
  EXPECT_THAT(text, HasSubstr("quorate_wait_seconds_bucket{le=\"2\"} 1"));
  EXPECT_THAT(text, HasSubstr("quorate_wait_seconds_count 1"));
}

TEST(PrometheusMetricsTest, ARemovedGaugeIsNotRenderedAndCanComeBack) {
  PrometheusMetrics metrics;
  metrics.GetGauge("quorate_lsn", "LSN.", {{"partition", "7"}}).Set(12);

  metrics.RemoveGauge("quorate_lsn", {{"partition", "7"}});
  metrics.RemoveGauge("quorate_lsn", {{"partition", "8"}});
  EXPECT_THAT(metrics.Render(), Not(HasSubstr("quorate_lsn{")));

  metrics.GetGauge("quorate_lsn", "LSN.", {{"partition", "7"}}).Set(13);
  EXPECT_THAT(metrics.Render(), HasSubstr("quorate_lsn{partition=\"7\"} 13"));
}

TEST(PrometheusMetricsTest, CountsFromManyThreads) {
  PrometheusMetrics metrics;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      Counter& counter = metrics.GetCounter("quorate_n_total", "N.", {});
      for (int j = 0; j < 1000; ++j) {
        counter.Add();
      }
    });
  }

  for (std::thread& thread : threads) {
    thread.join();
  }

  EXPECT_THAT(metrics.Render(), HasSubstr("quorate_n_total 4000"));
}

}  // namespace
}  // namespace quorate::env
