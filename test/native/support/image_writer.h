// ImageWriter: table images for native tests, as src/engine/table-image.ts writes them. Records are
// public, so that a test can spoil any field before finish() lays them out and seals the image.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "table/crc32.h"
#include "table/table_image.h"

namespace sluice::test {

using Image = std::vector<std::byte>;

struct ImageCandidate {
  uint32_t target_index = 0;
  uint32_t weight = 1;
};

// Computes the checksum anew, for a test that has changed sealed bytes.
inline void seal(Image& image) {
  constexpr size_t kField = offsetof(table::ImageHeader, checksum);
  if (image.size() < sizeof(table::ImageHeader)) return;
  std::memset(image.data() + kField, 0, sizeof(uint32_t));
  const uint32_t checksum = table::crc32(image);
  std::memcpy(image.data() + kField, &checksum, sizeof(checksum));
}

class ImageWriter {
 public:
  table::ImageHeader header{};
  std::vector<table::ListenerRecord> listeners;
  std::vector<table::AddressRecord> binds;
  std::vector<table::PoolRecord> pools;
  std::vector<table::TierRecord> tiers;
  std::vector<table::TargetRecord> targets;
  std::vector<table::CandidateRecord> candidates;
  std::vector<table::AddressRecord> sources;
  std::string strings;

  explicit ImageWriter(uint64_t generation = 1) {
    header.magic = table::kImageMagic;
    header.version = table::kImageVersion;
    header.generation = generation;
  }

  // Returns the target's index. Its slot is its index, too.
  uint32_t add_target(std::string_view name, uint32_t ipv4, uint16_t port) {
    table::TargetRecord target{};
    target.slot = static_cast<uint32_t>(targets.size());
    target.pool_slot = shared::kNoSlot;
    target.flags = static_cast<uint32_t>(table::TargetFlag::serves_sessions);
    target.name_offset = add_string(name);
    target.name_bytes = static_cast<uint32_t>(name.size());
    set_ipv4(target, ipv4, port);
    targets.push_back(target);
    return target.slot;
  }

  // Returns the pool's index and slot. Its one tier is of all candidates.
  uint32_t add_pool(table::PolicyKind policy, std::span<const ImageCandidate> added) {
    table::PoolRecord pool{};
    pool.slot = static_cast<uint32_t>(pools.size());
    pool.policy = static_cast<uint32_t>(policy);
    pool.flags = static_cast<uint32_t>(table::PoolFlag::nodelay);
    pool.retries = 3;
    pool.tiers_first = static_cast<uint32_t>(tiers.size());
    pool.sources_first = static_cast<uint32_t>(sources.size());
    pool.hash_prefix_v4 = 32;
    pool.hash_prefix_v6 = 128;
    pool.key = static_cast<uint32_t>(table::PolicyKey::source);
    pools.push_back(pool);
    add_tier(added, table::kWholeShare);
    return pool.slot;
  }

  // To the pool added last.
  void add_tier(std::span<const ImageCandidate> added, uint32_t share) {
    tiers.push_back({.candidates_first = static_cast<uint32_t>(candidates.size()),
                     .candidates_count = static_cast<uint32_t>(added.size()),
                     .configured = 0,
                     .share = share});
    for (const ImageCandidate& candidate : added) {
      candidates.push_back({.target_index = candidate.target_index, .weight = candidate.weight});
      targets[candidate.target_index].pool_slot = pools.back().slot;
    }
    pools.back().tiers_count++;
  }

  // To the pool added last.
  void add_source(uint32_t ipv4) {
    table::AddressRecord source{};
    set_ipv4(source, ipv4, 0);
    sources.push_back(source);
    pools.back().sources_count++;
  }

  // Returns the listener's index and slot. It has no binds yet.
  uint32_t add_listener(std::string_view name, table::Protocol protocol, uint32_t pool_index) {
    table::ListenerRecord listener{};
    listener.slot = static_cast<uint32_t>(listeners.size());
    listener.protocol = static_cast<uint32_t>(protocol);
    listener.pool_index = pool_index;
    listener.flags = static_cast<uint32_t>(table::ListenerFlag::nodelay);
    listener.binds_first = static_cast<uint32_t>(binds.size());
    listener.backlog = 4096;
    listener.connect_timeout_ms = 5000;
    listener.idle_timeout_ms = 600'000;
    listener.half_close_timeout_ms = 30'000;
    listener.udp_sessions_max = protocol == table::Protocol::udp ? 65536 : 0;
    listener.name_offset = add_string(name);
    listener.name_bytes = static_cast<uint32_t>(name.size());
    listener.unix_mode = 0600;
    listeners.push_back(listener);
    return listener.slot;
  }

  // To the listener added last. Return the bind's index in the image.
  uint32_t add_bind(uint32_t ipv4, uint16_t port) {
    table::AddressRecord bind{};
    set_ipv4(bind, ipv4, port);
    return add_bind(bind);
  }
  uint32_t add_unix_bind(std::string_view path) {
    table::AddressRecord bind{};
    set_unix(bind, path);
    return add_bind(bind);
  }

  // Of an AddressRecord or a TargetRecord.
  template <typename Record>
  static void set_ipv4(Record& record, uint32_t ip, uint16_t port) {
    record.family = static_cast<uint16_t>(table::AddressFamily::ipv4);
    record.port = port;
    for (size_t i = 0; i < 4; i++) record.ip[i] = static_cast<uint8_t>(ip >> (24 - 8 * i));
  }
  template <typename Record>
  static void set_ipv6(Record& record, std::span<const uint8_t, 16> ip, uint16_t port) {
    record.family = static_cast<uint16_t>(table::AddressFamily::ipv6);
    record.port = port;
    std::copy(ip.begin(), ip.end(), record.ip);
  }
  template <typename Record>
  void set_unix(Record& record, std::string_view path) {
    record.family = static_cast<uint16_t>(table::AddressFamily::unix);
    record.port = 0;
    record.path_offset = add_string(path);
    record.path_bytes = static_cast<uint32_t>(path.size());
  }

  uint32_t add_string(std::string_view text) {
    const auto offset = static_cast<uint32_t>(strings.size());
    strings += text;
    return offset;
  }

  // Sections behind one another, header and checksum filled in.
  [[nodiscard]] Image finish() const {
    table::ImageHeader h = header;
    Image image(sizeof(h));
    const auto append = [&image](const auto& items, uint32_t& offset, uint32_t& count) {
      offset = static_cast<uint32_t>(image.size());
      count = static_cast<uint32_t>(items.size());
      const auto bytes = std::as_bytes(std::span(items));
      image.insert(image.end(), bytes.begin(), bytes.end());
    };
    append(listeners, h.listeners_offset, h.listeners_count);
    append(binds, h.binds_offset, h.binds_count);
    append(pools, h.pools_offset, h.pools_count);
    append(tiers, h.tiers_offset, h.tiers_count);
    append(targets, h.targets_offset, h.targets_count);
    append(candidates, h.candidates_offset, h.candidates_count);
    append(sources, h.sources_offset, h.sources_count);
    append(strings, h.strings_offset, h.strings_bytes);
    h.total_bytes = static_cast<uint32_t>(image.size());
    std::memcpy(image.data(), &h, sizeof(h));
    seal(image);
    return image;
  }

 private:
  uint32_t add_bind(const table::AddressRecord& bind) {
    binds.push_back(bind);
    listeners.back().binds_count++;
    return static_cast<uint32_t>(binds.size() - 1);
  }
};

// Two listeners, two pools, five targets: every kind of record at least twice, every family.
inline ImageWriter sample_image(uint64_t generation = 1) {
  ImageWriter writer(generation);
  writer.header.generation = generation;
  const uint32_t a = writer.add_target("redis-a", 0x0a000001, 6379);
  const uint32_t b = writer.add_target("redis-b", 0x0a000002, 6379);
  const uint32_t c = writer.add_target("redis-c", 0, 0);
  writer.set_unix(writer.targets[c], "/run/redis.sock");
  const uint32_t d = writer.add_target("dns-a", 0x0a000003, 53);
  const uint32_t e = writer.add_target("dns-b", 0, 0);
  constexpr uint8_t kIpv6[16] = {0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5};
  ImageWriter::set_ipv6(writer.targets[e], kIpv6, 53);
  writer.targets[e].scope_id = 2;
  writer.targets[b].max_connections = 100;
  const uint32_t redis =
      writer.add_pool(table::PolicyKind::source_hash, std::vector<ImageCandidate>{{a, 1}, {b, 3}});
  writer.add_tier(std::vector<ImageCandidate>{{c, 1}}, 0);
  writer.add_source(0x0a0000fe);
  writer.add_source(0x0a0000fd);
  const uint32_t dns = writer.add_pool(table::PolicyKind::least_connections,
                                       std::vector<ImageCandidate>{{e, 1}, {d, 65535}});
  writer.add_source(0x0a0000fc);
  writer.add_listener("cache", table::Protocol::tcp, redis);
  writer.add_bind(0x7f000001, 6379);
  writer.add_unix_bind("@cache");
  writer.add_listener("names", table::Protocol::udp, dns);
  writer.add_bind(0, 53);
  return writer;
}

}  // namespace sluice::test
