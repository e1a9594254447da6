// Every check of a table image: one spoiled field at a time, and at random.
#include "table/image_checks.h"

#include <doctest/doctest.h>

#include <functional>
#include <limits>
#include <random>
#include <set>

#include "shared/layout.h"
#include "shared/region.h"
#include "support/image_writer.h"
#include "support/seed.h"
#include "table/table_builder.h"

namespace sluice::table {
namespace {

using test::Image;
using test::ImageWriter;

constexpr uint32_t kMax = std::numeric_limits<uint32_t>::max();

struct Spoiled {
  const char* what;
  ImageCheck check;
  uint32_t record;
  std::function<void(ImageWriter&)> spoil;
};

PoolRecord& make_sticky(PoolRecord& pool) {
  pool.sticky_key = static_cast<uint32_t>(StickyKeyKind::source);
  pool.sticky_when_down = static_cast<uint32_t>(StickyWhenDown::repick);
  pool.sticky_capacity = 1U << 24U;
  pool.sticky_expire_ms = 1;
  pool.sticky_prefix_v4 = 32;
  pool.sticky_prefix_v6 = 128;
  return pool;
}

// Before the image is laid out and sealed.
const Spoiled kSpoiledRecords[] = {
    {"magic", ImageCheck::magic, 0, [](auto& w) { w.header.magic++; }},
    {"older version", ImageCheck::version, 0, [](auto& w) { w.header.version--; }},
    {"newer version", ImageCheck::version, 0, [](auto& w) { w.header.version++; }},
    {"generation 0", ImageCheck::generation, 0, [](auto& w) { w.header.generation = 0; }},
    {"too many listeners", ImageCheck::count, 0,
     [](auto& w) { w.listeners.resize(shared::kListenerSlotsMax + 1); }},
    {"too many pools", ImageCheck::count, 0,
     [](auto& w) { w.pools.resize(shared::kPoolSlotsMax + 1); }},
    {"too many targets", ImageCheck::count, 0,
     [](auto& w) { w.targets.resize(shared::kTargetSlotsMax + 1); }},
    {"too many tiers", ImageCheck::count, 0,
     [](auto& w) { w.tiers.resize(shared::kPoolSlotsMax * policy::kTiersMax + 1); }},
    {"too many candidates", ImageCheck::count, 0,
     [](auto& w) { w.candidates.resize(shared::kTargetSlotsMax + 1); }},
    {"listener slot too high", ImageCheck::listener_slot, 0,
     [](auto& w) { w.listeners[0].slot = shared::kListenerSlotsMax; }},
    {"listener slot twice", ImageCheck::listener_slot, 1, [](auto& w) { w.listeners[1].slot = 0; }},
    {"protocol 0", ImageCheck::listener_protocol, 0, [](auto& w) { w.listeners[0].protocol = 0; }},
    {"protocol 3", ImageCheck::listener_protocol, 1, [](auto& w) { w.listeners[1].protocol = 3; }},
    {"no such pool", ImageCheck::listener_pool, 0, [](auto& w) { w.listeners[0].pool_index = 2; }},
    {"unknown listener flag", ImageCheck::listener_flags, 0,
     [](auto& w) { w.listeners[0].flags |= 0x80000000U; }},
    {"no binds", ImageCheck::listener_binds, 1, [](auto& w) { w.listeners[1].binds_count = 0; }},
    {"binds beyond the section", ImageCheck::listener_binds, 1,
     [](auto& w) { w.listeners[1].binds_count = 2; }},
    {"binds beyond 2^32", ImageCheck::listener_binds, 1,
     [](auto& w) { w.listeners[1].binds_count = kMax; }},
    {"first bind beyond the section", ImageCheck::listener_binds, 1,
     [](auto& w) { w.listeners[1].binds_first = 4; }},
    {"another listener's bind", ImageCheck::listener_binds, 1,
     [](auto& w) { w.listeners[1].binds_first = 1; }},
    {"backlog", ImageCheck::listener_backlog, 0,
     [](auto& w) { w.listeners[0].backlog = 0x80000000U; }},
    {"no connect timeout", ImageCheck::listener_connect_timeout, 0,
     [](auto& w) { w.listeners[0].connect_timeout_ms = 0; }},
    {"listener user timeout", ImageCheck::listener_tcp_options, 0,
     [](auto& w) { w.listeners[0].user_timeout_ms = 0x80000000U; }},
    {"listener keep-alive idle", ImageCheck::listener_tcp_options, 0,
     [](auto& w) { w.listeners[0].keepalive_idle_s = 32768; }},
    {"listener keep-alive interval", ImageCheck::listener_tcp_options, 0,
     [](auto& w) { w.listeners[0].keepalive_interval_s = 32768; }},
    {"listener keep-alive count", ImageCheck::listener_tcp_options, 0,
     [](auto& w) { w.listeners[0].keepalive_count = 128; }},
    {"no sessions", ImageCheck::listener_sessions_max, 1,
     [](auto& w) { w.listeners[1].udp_sessions_max = 0; }},
    {"too many sessions", ImageCheck::listener_sessions_max, 1,
     [](auto& w) { w.listeners[1].udp_sessions_max = kUdpSessionsMax + 1; }},
    {"listener without a name", ImageCheck::listener_name, 0,
     [](auto& w) { w.listeners[0].name_bytes = 0; }},
    {"listener name beyond the strings", ImageCheck::listener_name, 0,
     [](auto& w) { w.listeners[0].name_bytes = kMax; }},
    {"listener name behind the strings", ImageCheck::listener_name, 0,
     [](auto& w) { w.listeners[0].name_offset = kMax; }},
    {"unix mode", ImageCheck::listener_unix_mode, 0,
     [](auto& w) { w.listeners[0].unix_mode = 01000; }},
    {"a replay buffer beyond all", ImageCheck::listener_replay, 0,
     [](auto& w) { w.listeners[0].replay_kib = kReplayKibMax + 1; }},
    {"a replay buffer for datagrams", ImageCheck::listener_replay, 1,
     [](auto& w) { w.listeners[1].replay_kib = 1; }},
    {"a listener's reserved field", ImageCheck::listener_replay, 0,
     [](auto& w) { w.listeners[0].reserved = 1; }},
    {"bind family 0", ImageCheck::bind_address, 0, [](auto& w) { w.binds[0].family = 0; }},
    {"bind family 4", ImageCheck::bind_address, 2, [](auto& w) { w.binds[2].family = 4; }},
    {"bind path empty", ImageCheck::bind_address, 1, [](auto& w) { w.binds[1].path_bytes = 0; }},
    {"bind path a mere @", ImageCheck::bind_address, 1, [](auto& w) { w.binds[1].path_bytes = 1; }},
    {"bind path beyond the strings", ImageCheck::bind_address, 1,
     [](auto& w) { w.binds[1].path_offset = static_cast<uint32_t>(w.strings.size()); }},
    {"bind path too long", ImageCheck::bind_address, 1,
     [](auto& w) { w.set_unix(w.binds[1], "/" + std::string(107, 'x')); }},
    {"bind path with a zero byte", ImageCheck::bind_address, 1,
     [](auto& w) { w.set_unix(w.binds[1], std::string_view("/a\0b", 4)); }},
    {"udp on a unix path", ImageCheck::bind_unix_udp, 2,
     [](auto& w) { w.set_unix(w.binds[2], "/run/dns"); }},
    {"pool slot too high", ImageCheck::pool_slot, 1,
     [](auto& w) { w.pools[1].slot = shared::kPoolSlotsMax; }},
    {"pool slot twice", ImageCheck::pool_slot, 1, [](auto& w) { w.pools[1].slot = 0; }},
    {"policy 0", ImageCheck::pool_policy, 0, [](auto& w) { w.pools[0].policy = 0; }},
    {"policy 13", ImageCheck::pool_policy, 1, [](auto& w) { w.pools[1].policy = 13; }},
    {"unknown pool flag", ImageCheck::pool_flags, 0, [](auto& w) { w.pools[0].flags = 8; }},
    {"retries", ImageCheck::pool_retries, 0, [](auto& w) { w.pools[0].retries = 16; }},
    {"a pause without an end", ImageCheck::pool_retry, 1,
     [](auto& w) { w.pools[1].retry_backoff_base_ms = 1; }},
    {"a pause that begins with nothing", ImageCheck::pool_retry, 0,
     [](auto& w) { w.pools[0].retry_backoff_max_ms = 1; }},
    {"a pause beyond all", ImageCheck::pool_retry, 0,
     [](auto& w) {
       w.pools[0].retry_backoff_base_ms = 1;
       w.pools[0].retry_backoff_max_ms = kBackoffMsMax + 1;
     }},
    {"more retries than connections", ImageCheck::pool_retry, 1,
     [](auto& w) { w.pools[1].retry_percent = 101; }},
    {"tiers beyond the section", ImageCheck::pool_tiers, 1,
     [](auto& w) { w.pools[1].tiers_count = 2; }},
    {"another pool's tier", ImageCheck::pool_tiers, 1, [](auto& w) { w.pools[1].tiers_first = 1; }},
    {"more tiers than a cursor has places", ImageCheck::pool_tiers, 1,
     [](auto& w) {
       w.tiers.resize(w.tiers.size() + policy::kTiersMax, w.tiers.back());
       for (size_t i = 3; i < w.tiers.size(); i++) w.tiers[i].candidates_count = 0;
       for (size_t i = 3; i < w.tiers.size(); i++) w.tiers[i].candidates_first = 5;
       w.pools[1].tiers_count = policy::kTiersMax + 1;
     }},
    {"shares of more than the whole", ImageCheck::tier_share, 1,
     [](auto& w) { w.tiers[1].share = 1; }},
    {"a share that overflows", ImageCheck::tier_share, 0, [](auto& w) { w.tiers[0].share = kMax; }},
    {"candidates beyond the section", ImageCheck::tier_candidates, 0,
     [](auto& w) { w.tiers[0].candidates_count = kMax; }},
    {"a further candidate beyond the section", ImageCheck::tier_candidates, 2,
     [](auto& w) { w.tiers[2].candidates_count = 3; }},
    {"another tier's candidates", ImageCheck::tier_candidates, 1,
     [](auto& w) { w.tiers[1].candidates_first = 1; }},
    {"sources beyond the section", ImageCheck::pool_sources, 1,
     [](auto& w) { w.pools[1].sources_count = 2; }},
    {"another pool's source", ImageCheck::pool_sources, 1,
     [](auto& w) { w.pools[1].sources_first = 1; }},
    {"prefix 33", ImageCheck::pool_hash_prefix, 0, [](auto& w) { w.pools[0].hash_prefix_v4 = 33; }},
    {"prefix 129", ImageCheck::pool_hash_prefix, 1,
     [](auto& w) { w.pools[1].hash_prefix_v6 = 129; }},
    {"key 0", ImageCheck::pool_key, 0, [](auto& w) { w.pools[0].key = 0; }},
    {"key 4", ImageCheck::pool_key, 1, [](auto& w) { w.pools[1].key = 4; }},
    {"no more load than the mean", ImageCheck::pool_bounded_load, 0,
     [](auto& w) { w.pools[0].bounded_load = 100; }},
    {"a bound beyond all", ImageCheck::pool_bounded_load, 1,
     [](auto& w) { w.pools[1].bounded_load = 1001; }},
    {"weight_max", ImageCheck::pool_weight_max, 1, [](auto& w) { w.pools[1].weight_max = 65536; }},
    {"a pool's reserved field", ImageCheck::pool_weight_max, 0,
     [](auto& w) { w.pools[0].reserved = 1; }},
    {"pool keep-alive", ImageCheck::pool_tcp_options, 1,
     [](auto& w) { w.pools[1].keepalive_idle_s = 32768; }},
    {"fewer configured than eligible", ImageCheck::tier_configured, 0,
     [](auto& w) { w.tiers[0].configured = 1; }},
    {"more configured than slots", ImageCheck::tier_configured, 1,
     [](auto& w) { w.tiers[1].configured = shared::kTargetSlotsMax + 1; }},
    {"waiting without an end", ImageCheck::pool_waiting, 0,
     [](auto& w) { w.pools[0].queue_max = 1; }},
    {"a time limit for nobody", ImageCheck::pool_waiting, 1,
     [](auto& w) { w.pools[1].park_timeout_ms = 1; }},
    {"source at a unix path", ImageCheck::source_address, 1,
     [](auto& w) { w.set_unix(w.sources[1], "/run/x"); }},
    {"source with a port", ImageCheck::source_address, 2, [](auto& w) { w.sources[2].port = 1; }},
    {"target slot too high", ImageCheck::target_slot, 4,
     [](auto& w) { w.targets[4].slot = shared::kTargetSlotsMax; }},
    {"target slot twice", ImageCheck::target_slot, 3, [](auto& w) { w.targets[3].slot = 1; }},
    {"unknown target flag", ImageCheck::target_flags, 2, [](auto& w) { w.targets[2].flags = 8; }},
    {"target of a pool that is not there", ImageCheck::target_pool, 2,
     [](auto& w) { w.targets[2].pool_slot = 2; }},
    {"target of a pool beyond the slots", ImageCheck::target_pool, 4,
     [](auto& w) { w.targets[4].pool_slot = shared::kPoolSlotsMax; }},
    {"sticky fields without a key", ImageCheck::pool_sticky, 0,
     [](auto& w) { w.pools[0].sticky_capacity = 1; }},
    {"unknown sticky key", ImageCheck::pool_sticky, 1,
     [](auto& w) { make_sticky(w.pools[1]).sticky_key = 2; }},
    {"unknown choice of a sticky pool", ImageCheck::pool_sticky, 1,
     [](auto& w) { make_sticky(w.pools[1]).sticky_when_down = 0; }},
    {"sticky capacity 0", ImageCheck::pool_sticky, 1,
     [](auto& w) { make_sticky(w.pools[1]).sticky_capacity = 0; }},
    {"sticky capacity too large", ImageCheck::pool_sticky, 1,
     [](auto& w) { make_sticky(w.pools[1]).sticky_capacity = (1U << 24U) + 1; }},
    {"sticky entries that never live", ImageCheck::pool_sticky, 1,
     [](auto& w) { make_sticky(w.pools[1]).sticky_expire_ms = 0; }},
    {"sticky prefix 33", ImageCheck::pool_sticky, 1,
     [](auto& w) { make_sticky(w.pools[1]).sticky_prefix_v4 = 33; }},
    {"sticky prefix 129", ImageCheck::pool_sticky, 1,
     [](auto& w) { make_sticky(w.pools[1]).sticky_prefix_v6 = 129; }},
    {"target without a name", ImageCheck::target_name, 1,
     [](auto& w) { w.targets[1].name_bytes = 0; }},
    {"target name beyond the strings", ImageCheck::target_name, 1,
     [](auto& w) { w.targets[1].name_offset = static_cast<uint32_t>(w.strings.size()) - 1; }},
    {"target without a port", ImageCheck::target_address, 0,
     [](auto& w) { w.targets[0].port = 0; }},
    {"target family", ImageCheck::target_address, 0, [](auto& w) { w.targets[0].family = 9; }},
    {"target path", ImageCheck::target_address, 2, [](auto& w) { w.targets[2].path_bytes = kMax; }},
    {"candidate of no target", ImageCheck::candidate_target, 1,
     [](auto& w) { w.candidates[1].target_index = 5; }},
    {"candidate twice", ImageCheck::candidate_target, 2,
     [](auto& w) { w.candidates[2].target_index = 0; }},
    {"weight 0", ImageCheck::candidate_weight, 0, [](auto& w) { w.candidates[0].weight = 0; }},
    {"weight 65536", ImageCheck::candidate_weight, 4,
     [](auto& w) { w.candidates[4].weight = 65536; }},
    {"udp to a unix path", ImageCheck::candidate_unix_udp, 3,
     [](auto& w) { w.set_unix(w.targets[4], "/run/dns"); }},
    {"udp to a backup at a unix path", ImageCheck::candidate_unix_udp, 2,
     [](auto& w) { w.listeners[1].pool_index = 0; }},
};

// In the bytes of a finished image, sealed again.
struct SpoiledHeader {
  const char* what;
  ImageCheck check;
  uint32_t record;
  std::function<void(ImageHeader&)> spoil;
};

const SpoiledHeader kSpoiledHeaders[] = {
    {"total_bytes", ImageCheck::total_bytes, 0, [](auto& h) { h.total_bytes--; }},
    {"section in the header", ImageCheck::section_range, 0,
     [](auto& h) { h.listeners_offset = 72; }},
    {"section not aligned", ImageCheck::section_range, 1, [](auto& h) { h.binds_offset += 4; }},
    {"sections overlap", ImageCheck::section_range, 2, [](auto& h) { h.pools_offset -= 8; }},
    {"sections in another order", ImageCheck::section_range, 5,
     [](auto& h) { h.candidates_offset = h.targets_offset - 8; }},
    {"section beyond the image", ImageCheck::section_range, 6,
     [](auto& h) { h.sources_count = 1000; }},
    {"section beyond 2^32", ImageCheck::section_range, 1,
     [](auto& h) { h.binds_count = kMax / sizeof(AddressRecord) + 2; }},
    {"offset near 2^32", ImageCheck::section_range, 7,
     [](auto& h) { h.strings_offset = kMax - 7; }},
    {"strings beyond the image", ImageCheck::section_range, 7, [](auto& h) { h.strings_bytes++; }},
};

TEST_CASE("the unspoiled image passes") {
  const Image image = test::sample_image().finish();
  CHECK(check_image(ImageView(image)) == ImageFault{});
}

TEST_CASE("each spoiled field of a record fails its own check, at its record") {
  for (const Spoiled& spoiled : kSpoiledRecords) {
    CAPTURE(spoiled.what);
    ImageWriter writer = test::sample_image();
    spoiled.spoil(writer);
    const BuildResult result = build_table(writer.finish());
    CHECK(result.table == nullptr);
    CHECK(text_of(result.fault.check) == text_of(spoiled.check));
    CHECK(result.fault.record == spoiled.record);
  }
}

TEST_CASE("each spoiled field of the header fails its own check, at its section") {
  for (const SpoiledHeader& spoiled : kSpoiledHeaders) {
    CAPTURE(spoiled.what);
    Image image = test::sample_image().finish();
    ImageHeader header;
    std::memcpy(&header, image.data(), sizeof(header));
    spoiled.spoil(header);
    std::memcpy(image.data(), &header, sizeof(header));
    test::seal(image);
    const BuildResult result = build_table(image);
    CHECK(result.table == nullptr);
    CHECK(text_of(result.fault.check) == text_of(spoiled.check));
    CHECK(result.fault.record == spoiled.record);
  }
}

TEST_CASE("every check is met by a spoiled image") {
  std::set<ImageCheck> met{ImageCheck::none, ImageCheck::size, ImageCheck::checksum};
  for (const Spoiled& spoiled : kSpoiledRecords) met.insert(spoiled.check);
  for (const SpoiledHeader& spoiled : kSpoiledHeaders) met.insert(spoiled.check);
#define X(name, number, text) \
  CAPTURE(#name);             \
  CHECK(met.contains(ImageCheck::name));
  SLUICE_IMAGE_CHECKS(X)
#undef X
}

TEST_CASE("an image too short or too long is refused before it is read") {
  const Image image = test::sample_image().finish();
  for (size_t bytes = 0; bytes < image.size(); bytes++) {
    const BuildResult result = build_table(std::span(image).first(bytes));
    CHECK(result.table == nullptr);
    CHECK(result.fault.check ==
          (bytes < sizeof(ImageHeader) ? ImageCheck::size : ImageCheck::total_bytes));
  }
  const Image huge(shared::kImageBytesMax + 1);
  CHECK(build_table(huge).fault.check == ImageCheck::size);
}

TEST_CASE("any flipped bit breaks the checksum, if not something before it") {
  Image image = test::sample_image().finish();
  for (size_t bit = 0; bit < image.size() * 8; bit++) {
    const auto mask = static_cast<std::byte>(1U << (bit % 8));
    image[bit / 8] ^= mask;
    const BuildResult result = build_table(image);
    REQUIRE(result.table == nullptr);
    if (bit / 8 >= 12) REQUIRE(result.fault.check == ImageCheck::checksum);
    image[bit / 8] ^= mask;
  }
}

TEST_CASE("an image whose size is not a multiple of eight, at any address, is read alike") {
  ImageWriter writer = test::sample_image();
  writer.strings += "odd";
  const Image image = writer.finish();
  for (size_t shift = 0; shift < 8; shift++) {
    Image moved(shift + image.size());
    std::copy(image.begin(), image.end(), moved.begin() + static_cast<ptrdiff_t>(shift));
    CHECK(build_table(std::span(moved).subspan(shift)).table != nullptr);
  }
}

// What passes the checks must be safe to build and to pick from, whatever was changed.
TEST_CASE("an image changed at random is refused or works") {
  const uint64_t seed = test::fresh_seed();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  ImageWriter writer = test::sample_image();
  // The change of one number makes it source_hash again; most builds should be quicker than that.
  writer.pools[0].policy = static_cast<uint32_t>(PolicyKind::power_of_two);
  const Image original = writer.finish();
  const shared::Region region = shared::Region::create(1);
  const os::ClientAddress nobody;
  uint32_t built = 0;
  for (int round = 0; round < 2000; round++) {
    Image image = original;
    for (uint64_t change = 1 + random() % 3; change > 0; change--) {
      // Behind magic, version and size: those are met above. Numbers are mostly small.
      const size_t at = 16 + random() % (image.size() - 16);
      image[at] = static_cast<std::byte>(random() % 2 == 0 ? random() : random() % 8);
    }
    test::seal(image);
    const BuildResult result = build_table(image);
    REQUIRE((result.table == nullptr) == result.fault.failed());
    if (result.table == nullptr) continue;
    built++;
    for (const Listener& listener : result.table->listeners) {
      const Pool& pool = result.table->pools.at(listener.pool_index);
      policy::Cursor cursor = policy::seeded_cursor(random());
      const uint32_t slot = pool.pick({nobody, nobody}, cursor, region.signals(), {});
      if (slot != policy::kNoPick) REQUIRE(result.table->target_at(slot) != nullptr);
    }
  }
  CHECK(built > 0);
}

}  // namespace
}  // namespace sluice::table
