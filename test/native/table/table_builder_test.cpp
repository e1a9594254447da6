// The table that comes out of an image: every field where it belongs, and quickly.
#include "table/table_builder.h"

#include <doctest/doctest.h>

#include <chrono>
#include <string>

#include "shared/layout.h"
#include "support/image_writer.h"

namespace sluice::table {
namespace {

using test::ImageCandidate;
using test::ImageWriter;

TEST_CASE("an image of nothing builds a table of nothing") {
  const BuildResult result = build_table(ImageWriter(7).finish());
  REQUIRE(result.table != nullptr);
  CHECK(result.table->generation == 7);
  CHECK(result.table->listeners.empty());
  CHECK(result.table->listener_at(0) == nullptr);
  CHECK(result.table->target_at(shared::kTargetSlotsMax) == nullptr);
}

TEST_CASE("the targets of an image become the table's") {
  const BuildResult result = build_table(test::sample_image(42).finish());
  REQUIRE(result.table != nullptr);
  const Table& table = *result.table;
  CHECK(table.generation == 42);
  REQUIRE(table.targets.size() == 5);
  CHECK(table.targets[0].name == "redis-a");
  CHECK(table.targets[0].address.text() == "10.0.0.1:6379");
  CHECK(table.targets[0].max_connections == 0);
  CHECK(table.targets[1].max_connections == 100);
  CHECK(table.targets[2].address.text() == "unix:/run/redis.sock");
  CHECK(table.targets[4].address.text() == "[2001:db8::5%2]:53");
  CHECK(table.targets[4].serves_sessions);
  CHECK(table.target_at(3) == &table.targets[3]);
  CHECK(table.target_at(5) == nullptr);
}

TEST_CASE("the pools of an image become the table's") {
  ImageWriter writer = test::sample_image();
  writer.pools[0].hash_prefix_v4 = 24;
  writer.pools[0].hash_prefix_v6 = 56;
  writer.pools[1].slot = 9;
  writer.targets[3].pool_slot = writer.targets[4].pool_slot = 9;
  writer.pools[1].flags = static_cast<uint32_t>(PoolFlag::retry_same);
  writer.pools[1].retries = 15;
  writer.pools[1].retry_backoff_base_ms = 10;
  writer.pools[1].retry_backoff_max_ms = 20;
  writer.pools[1].retry_percent = 30;
  writer.pools[1].retry_min_per_second = 40;
  writer.pools[1].user_timeout_ms = 1;
  writer.pools[1].keepalive_idle_s = 2;
  writer.pools[1].keepalive_interval_s = 3;
  writer.pools[1].keepalive_count = 4;
  const BuildResult result = build_table(writer.finish());
  REQUIRE(result.table != nullptr);
  const Pool& redis = result.table->pools[0];
  CHECK(redis.hash_prefix_v4 == 24);
  CHECK(redis.hash_prefix_v6 == 56);
  CHECK(redis.retries == 3);
  CHECK_FALSE(redis.retry_same);
  CHECK(redis.backoff.max_ms == 0);
  CHECK_FALSE(redis.retry_rules.bounded());
  CHECK(redis.target_options.nodelay);
  REQUIRE(redis.sources.size() == 2);
  CHECK(redis.sources[1].text() == "10.0.0.253:0");
  REQUIRE(redis.tiers().size() == 2);
  REQUIRE(redis.tiers()[0].candidates().size() == 2);
  CHECK(redis.tiers()[0].share() == kWholeShare);
  CHECK(redis.tiers()[0].candidates()[1].slot == 1);
  CHECK(redis.tiers()[0].candidates()[1].weight == 3);
  CHECK(redis.tiers()[0].candidates()[1].max_connections == 100);
  CHECK(redis.tiers()[0].candidates()[1].name == "redis-b");
  REQUIRE(redis.tiers()[1].candidates().size() == 1);
  CHECK(redis.tiers()[1].share() == 0);
  CHECK(redis.tiers()[1].candidates()[0].slot == 2);
  const Pool& dns = result.table->pools[1];
  CHECK(dns.slot == 9);
  CHECK(dns.retries == 15);
  CHECK(dns.retry_same);
  CHECK(dns.backoff.base_ms == 10);
  CHECK(dns.backoff.max_ms == 20);
  CHECK(dns.retry_rules.percent == 30);
  CHECK(dns.retry_rules.min_per_second == 40);
  CHECK_FALSE(dns.target_options.nodelay);
  CHECK(dns.target_options.user_timeout_ms == 1);
  CHECK(dns.target_options.keepalive_idle_s == 2);
  CHECK(dns.target_options.keepalive_interval_s == 3);
  CHECK(dns.target_options.keepalive_count == 4);
  CHECK(dns.sources.size() == 1);
  REQUIRE(dns.tiers().size() == 1);
  CHECK(dns.tiers()[0].candidates()[1].weight == 65535);
}

TEST_CASE("the listeners of an image become the table's") {
  ImageWriter writer = test::sample_image();
  ListenerRecord& record = writer.listeners[0];
  record.slot = 1023;
  record.flags = 1 | 2 | 8;
  record.backlog = 11;
  record.max_connections = 12;
  record.connect_timeout_ms = 13;
  record.idle_timeout_ms = 14;
  record.half_close_timeout_ms = 15;
  record.lifetime_ms = 16;
  record.user_timeout_ms = 17;
  record.keepalive_idle_s = 18;
  record.keepalive_interval_s = 19;
  record.keepalive_count = 20;
  record.udp_requests = 21;
  record.udp_responses = 22;
  record.udp_sessions_max = 23;
  record.unix_mode = 0660;
  record.replay_kib = 32;
  const BuildResult result = build_table(writer.finish());
  REQUIRE(result.table != nullptr);
  const Listener* listener = result.table->listener_at(1023);
  REQUIRE(listener == &result.table->listeners[0]);
  CHECK(result.table->listener_at(0) == nullptr);
  CHECK(listener->name == "cache");
  CHECK(listener->protocol == Protocol::tcp);
  CHECK(listener->pool_index == 0);
  CHECK(listener->bulk);
  CHECK(listener->access_log);
  CHECK(listener->ipv6_only);
  CHECK_FALSE(listener->client_options.nodelay);
  CHECK(listener->backlog == 11);
  CHECK(listener->max_connections == 12);
  CHECK(listener->connect_timeout_ms == 13);
  CHECK(listener->idle_timeout_ms == 14);
  CHECK(listener->half_close_timeout_ms == 15);
  CHECK(listener->lifetime_ms == 16);
  CHECK(listener->client_options.user_timeout_ms == 17);
  CHECK(listener->client_options.keepalive_idle_s == 18);
  CHECK(listener->client_options.keepalive_interval_s == 19);
  CHECK(listener->client_options.keepalive_count == 20);
  CHECK(listener->udp_requests == 21);
  CHECK(listener->udp_responses == 22);
  CHECK(listener->udp_sessions_max == 23);
  CHECK(listener->unix_mode == 0660);
  CHECK(listener->replay_kib == 32);
  REQUIRE(listener->binds.size() == 2);
  CHECK(listener->binds[0].address.text() == "127.0.0.1:6379");
  CHECK(listener->binds[0].sockets == nullptr);
  CHECK(listener->binds[1].address.text() == "unix:@cache");
  const Listener& names = result.table->listeners[1];
  CHECK(names.protocol == Protocol::udp);
  CHECK(names.pool_index == 1);
  CHECK(names.client_options.nodelay);
  CHECK_FALSE(names.bulk);
  CHECK(names.binds[0].address.text() == "0.0.0.0:53");
}

TEST_CASE("a table outlives the bytes that it was built from") {
  test::Image image = test::sample_image().finish();
  const BuildResult result = build_table(image);
  std::fill(image.begin(), image.end(), std::byte{0xff});
  REQUIRE(result.table != nullptr);
  CHECK(result.table->targets[0].name == "redis-a");
  CHECK(result.table->pools[0].tiers()[0].candidates()[0].name == "redis-a");
}

TEST_CASE("a table of 5000 targets in one source_hash pool is built quickly") {
  ImageWriter writer;
  std::vector<ImageCandidate> candidates;
  for (uint32_t i = 0; i < 5000; i++) {
    candidates.push_back({writer.add_target("target-" + std::to_string(i), 0x0a000000 + i, 80), 1});
  }
  writer.add_pool(PolicyKind::source_hash, candidates);
  writer.add_listener("all", Protocol::tcp, 0);
  writer.add_bind(0, 80);
  const test::Image image = writer.finish();
  const auto start = std::chrono::steady_clock::now();
  const BuildResult result = build_table(image);
  const std::chrono::duration<double, std::milli> taken = std::chrono::steady_clock::now() - start;
  REQUIRE(result.table != nullptr);
  MESSAGE("5000 targets, source_hash, " << image.size() << " bytes: " << taken.count() << " ms");
}

TEST_CASE("a sticky pool knows its targets by what outlives their slots") {
  ImageWriter writer = test::sample_image();
  PoolRecord& record = writer.pools[0];
  record.sticky_key = static_cast<uint32_t>(StickyKeyKind::source);
  record.sticky_when_down = static_cast<uint32_t>(StickyWhenDown::refuse);
  record.sticky_capacity = 5000;
  record.sticky_expire_ms = 60'000;
  record.sticky_prefix_v4 = 24;
  record.sticky_prefix_v6 = 56;
  constexpr auto kServes = static_cast<uint32_t>(TargetFlag::serves_sticky);
  constexpr auto kRenews = static_cast<uint32_t>(TargetFlag::renews_sticky);
  writer.targets[0].flags |= kServes;
  writer.targets[1].flags |= kServes | kRenews;
  writer.targets[2].pool_slot = shared::kNoSlot;
  const BuildResult result = build_table(writer.finish());
  REQUIRE(result.table != nullptr);
  const Stickiness& sticky = result.table->pools[0].stickiness;
  CHECK(sticky.capacity == 5000);
  CHECK(sticky.expire_ms == 60'000);
  CHECK(sticky.prefix_v4 == 24);
  CHECK(sticky.prefix_v6 == 56);
  CHECK(sticky.refuse_when_down);
  CHECK(sticky.entries == nullptr);
  const StickyTarget* drains = sticky.find(identity_of("redis-a"));
  REQUIRE(drains != nullptr);
  CHECK(drains->slot == 0);
  CHECK(drains->serves);
  CHECK_FALSE(drains->renews);
  const StickyTarget* serves = sticky.find(identity_of("redis-b"));
  REQUIRE(serves != nullptr);
  CHECK(serves->max_connections == 100);
  CHECK(serves->renews);
  CHECK(sticky.find(identity_of("redis-c")) == nullptr);
  CHECK(sticky.find(identity_of("dns-a")) == nullptr);
  CHECK(result.table->pools[1].stickiness.capacity == 0);
}

}  // namespace
}  // namespace sluice::table
