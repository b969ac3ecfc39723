#include "server/config.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>

namespace quorate::server {
namespace {

std::string Complaint(std::string_view toml) {
  Config config;
  const Status status = ReadConfig(toml, "test.toml", config);
  return status ? "" : status.error().message();
}

std::string ShippedFile() {
  std::ifstream file("packaging/quorate.toml");  // Tests run in the source folder.
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

TEST(ConfigTest, TheShippedFileNamesEveryKeyAndChangesNoDefault) {
  const std::string shipped = ShippedFile();
  Config config;
  ASSERT_TRUE(ReadConfig(shipped, "quorate.toml", config));
  const Config defaults;

  for (const std::string& key : ConfigKeys()) {
    const std::string leaf = key.substr(key.find('.') + 1);
    const bool set = shipped.find("\n" + leaf + " = ") != std::string::npos;
    // The default of this one depends on another key, so that the file may not set it.
    const bool commented = shipped.find("\n# " + leaf + " = ") != std::string::npos;
    EXPECT_TRUE(key == "repositories.create_on_push" ? commented : set) << key;
  }
  EXPECT_EQ(config.http, defaults.http);
  EXPECT_EQ(config.peer, defaults.peer);
  EXPECT_EQ(config.data, defaults.data);
  EXPECT_EQ(config.log_mode, defaults.log_mode);
  EXPECT_EQ(config.create_on_push, defaults.create_on_push);
  EXPECT_EQ(config.inline_pack_bytes, defaults.inline_pack_bytes);
  EXPECT_EQ(config.unpack_objects, defaults.unpack_objects);
  EXPECT_EQ(config.pack_bytes, defaults.pack_bytes);
  EXPECT_EQ(config.object_bytes, defaults.object_bytes);
  EXPECT_EQ(config.free_disk_bytes, defaults.free_disk_bytes);
  EXPECT_EQ(config.connections, defaults.connections);
  EXPECT_EQ(config.children, defaults.children);
  EXPECT_EQ(config.in_process_fetch_objects, defaults.in_process_fetch_objects);
  EXPECT_EQ(config.open_partitions, defaults.open_partitions);
  EXPECT_EQ(config.header_ms, defaults.header_ms);
  EXPECT_EQ(config.idle_ms, defaults.idle_ms);
  EXPECT_EQ(config.body_ms, defaults.body_ms);
  EXPECT_EQ(config.slow_client_ms, defaults.slow_client_ms);
  EXPECT_EQ(config.drain_ms, defaults.drain_ms);
  EXPECT_EQ(config.advertisement_bytes, defaults.advertisement_bytes);
  EXPECT_EQ(config.views, defaults.views);
  EXPECT_EQ(config.log_level, defaults.log_level);
  EXPECT_EQ(config.log_format, defaults.log_format);
  EXPECT_EQ(config.fault_points, defaults.fault_points);
}

TEST(ConfigTest, UnknownKeysNameTheNearestKnownOne) {
  EXPECT_EQ(Complaint("[limits]\nconections = 5\n"),
            "test.toml:2: unknown key 'limits.conections'; the nearest known one is "
            "'limits.connections'");
  EXPECT_EQ(Complaint("htp = \"127.0.0.1:1\"\n"),
            "test.toml:1: unknown key 'htp'; the nearest known one is 'server.http'");
}

TEST(ConfigTest, WrongTypesAndRangesSayWhere) {
  EXPECT_EQ(Complaint("[server]\nthreads = \"two\"\n"),
            "test.toml:2: server.threads must be a whole number");
  EXPECT_EQ(Complaint("[server]\ninsecure = 1\n"),
            "test.toml:2: server.insecure must be true or false");
  EXPECT_EQ(Complaint("[server]\nthreads = 5000\n"),
            "test.toml:2: server.threads is 5000; it must be from 0 to 1024");
  EXPECT_TRUE(Complaint("[server\n").starts_with("test.toml:1: "));
}

TEST(ConfigTest, RefusesToListenOpenlyUnlessInsecure) {
  Config config;
  config.data = "d";
  config.http = "0.0.0.0:7080";

  EXPECT_FALSE(CheckConfig(config));
  config.insecure = true;
  EXPECT_TRUE(CheckConfig(config));
}

TEST(ConfigTest, HostsAndPorts) {
  EXPECT_EQ(ParseHostPort("[::1]:80").value().host, "::1");
  EXPECT_EQ(ParseHostPort("localhost:0").value().port, 0);
  for (const char* bad : {"", "host", "host:", ":80", "::1:80", "host:70000", "host:8x"}) {
    EXPECT_FALSE(ParseHostPort(bad)) << bad;
  }
}

}  // namespace
}  // namespace quorate::server
