// Builds the table's own structures from a checked image. Nothing here can fail any more: what it
// relies on is what check_image() has seen.
#include "table/table_builder.h"

#include <string>
#include <utility>
#include <vector>

#include "os/address.h"

namespace sluice::table {

namespace {

template <typename Flag>
bool has(uint32_t flags, Flag flag) {
  return (flags & static_cast<uint32_t>(flag)) != 0;
}

// Of an AddressRecord or a TargetRecord.
template <typename Record>
os::Address address_of(const ImageView& image, const Record& record) {
  switch (AddressFamily{record.family}) {
    case AddressFamily::ipv4:
      return os::Address::ipv4(std::span(record.ip).template first<4>(), record.port);
    case AddressFamily::ipv6:
      return os::Address::ipv6(record.ip, record.port, record.scope_id);
    case AddressFamily::unix:
      return os::Address::unix_path(image.text(record.path_offset, record.path_bytes))
          .value_or(os::Address());
  }
  return {};
}

template <typename Record>
SocketOptions options_of(const Record& record, bool nodelay) {
  return {.nodelay = nodelay,
          .user_timeout_ms = record.user_timeout_ms,
          .keepalive_idle_s = record.keepalive_idle_s,
          .keepalive_interval_s = record.keepalive_interval_s,
          .keepalive_count = record.keepalive_count};
}

Target target_of(const ImageView& image, const TargetRecord& record) {
  return {.slot = record.slot,
          .address = address_of(image, record),
          .max_connections = record.max_connections,
          .serves_sessions = has(record.flags, TargetFlag::serves_sessions),
          .name = std::string(image.text(record.name_offset, record.name_bytes)),
          .pool_slot = record.pool_slot};
}

// The candidates' names are the targets' strings, which stay where they are from here on.
Tier tier_of(const ImageView& image, const std::vector<Target>& targets, const PoolRecord& pool,
             const TierRecord& tier) {
  std::vector<policy::Candidate> candidates;
  candidates.reserve(tier.candidates_count);
  for (uint32_t i = 0; i < tier.candidates_count; i++) {
    const CandidateRecord record = image.candidate(tier.candidates_first + i);
    const Target& target = targets[record.target_index];
    candidates.push_back({.slot = target.slot,
                          .weight = record.weight,
                          .max_connections = target.max_connections,
                          .name = target.name});
  }
  return {PolicyKind{pool.policy},
          std::move(candidates),
          {.settings = {.configured = tier.configured,
                        .weight_max = pool.weight_max,
                        .bounded_load = pool.bounded_load},
           .share = tier.share}};
}

// By pool slot, all its targets, whether they may be picked or not.
using StickyTargets = std::vector<std::vector<StickyTarget>>;

StickyTargets sticky_targets_of(const ImageView& image) {
  StickyTargets by_pool(shared::kPoolSlotsMax);
  for (uint32_t i = 0; i < image.header().targets_count; i++) {
    const TargetRecord record = image.target(i);
    if (record.pool_slot == shared::kNoSlot) continue;
    by_pool[record.pool_slot].push_back(
        {.identity = identity_of(image.text(record.name_offset, record.name_bytes)),
         .slot = record.slot,
         .max_connections = record.max_connections,
         .serves = has(record.flags, TargetFlag::serves_sticky),
         .renews = has(record.flags, TargetFlag::renews_sticky)});
  }
  return by_pool;
}

Stickiness stickiness_of(const PoolRecord& record, StickyTargets& targets) {
  if (record.sticky_key == 0) return {};
  Stickiness stickiness(std::move(targets[record.slot]));
  stickiness.capacity = record.sticky_capacity;
  stickiness.expire_ms = record.sticky_expire_ms;
  stickiness.prefix_v4 = record.sticky_prefix_v4;
  stickiness.prefix_v6 = record.sticky_prefix_v6;
  stickiness.refuse_when_down = StickyWhenDown{record.sticky_when_down} == StickyWhenDown::refuse;
  return stickiness;
}

Pool pool_of(const ImageView& image, const std::vector<Target>& targets,
             StickyTargets& sticky_targets, const PoolRecord& record) {
  Pool pool;
  pool.slot = record.slot;
  pool.retries = record.retries;
  pool.retry_same = has(record.flags, PoolFlag::retry_same);
  pool.backoff = {.base_ms = record.retry_backoff_base_ms, .max_ms = record.retry_backoff_max_ms};
  pool.retry_rules = {.percent = record.retry_percent,
                      .min_per_second = record.retry_min_per_second};
  pool.queue_max = record.queue_max;
  pool.queue_timeout_ms = record.queue_timeout_ms;
  pool.park_max = record.park_max;
  pool.park_timeout_ms = record.park_timeout_ms;
  pool.hash_prefix_v4 = record.hash_prefix_v4;
  pool.hash_prefix_v6 = record.hash_prefix_v6;
  pool.load_turns = has(record.flags, PoolFlag::load_turns);
  pool.target_options = options_of(record, has(record.flags, PoolFlag::nodelay));
  for (uint32_t i = 0; i < record.sources_count; i++) {
    pool.sources.push_back(address_of(image, image.source(record.sources_first + i)));
  }
  pool.stickiness = stickiness_of(record, sticky_targets);
  pool.key = PolicyKey{record.key};
  std::vector<Tier> tiers;
  tiers.reserve(record.tiers_count);
  for (uint32_t i = 0; i < record.tiers_count; i++) {
    tiers.push_back(tier_of(image, targets, record, image.tier(record.tiers_first + i)));
  }
  pool.set_tiers(PolicyKind{record.policy}, std::move(tiers));
  return pool;
}

Listener listener_of(const ImageView& image, const ListenerRecord& record) {
  Listener listener;
  listener.slot = record.slot;
  listener.protocol = Protocol{record.protocol};
  listener.pool_index = record.pool_index;
  listener.bulk = has(record.flags, ListenerFlag::bulk);
  listener.access_log = has(record.flags, ListenerFlag::access_log);
  listener.ipv6_only = has(record.flags, ListenerFlag::ipv6_only);
  listener.backlog = record.backlog;
  listener.max_connections = record.max_connections;
  listener.connect_timeout_ms = record.connect_timeout_ms;
  listener.idle_timeout_ms = record.idle_timeout_ms;
  listener.half_close_timeout_ms = record.half_close_timeout_ms;
  listener.lifetime_ms = record.lifetime_ms;
  listener.udp_requests = record.udp_requests;
  listener.udp_responses = record.udp_responses;
  listener.udp_sessions_max = record.udp_sessions_max;
  listener.unix_mode = record.unix_mode;
  listener.replay_kib = static_cast<uint8_t>(record.replay_kib);
  listener.client_options = options_of(record, has(record.flags, ListenerFlag::nodelay));
  listener.name = std::string(image.text(record.name_offset, record.name_bytes));
  for (uint32_t i = 0; i < record.binds_count; i++) {
    listener.binds.push_back(
        {.address = address_of(image, image.bind(record.binds_first + i)), .sockets = nullptr});
  }
  return listener;
}

}  // namespace

BuildResult build_table(std::span<const std::byte> image) {
  // The size is checked before the copy, so that a wild one costs no memory.
  if (image.size() > shared::kImageBytesMax) return {nullptr, {ImageCheck::size}};
  const std::vector<std::byte> copy(image.begin(), image.end());
  const ImageView view(copy);
  if (const ImageFault fault = check_image(view); fault.failed()) return {nullptr, fault};

  const ImageHeader header = view.header();
  auto table = std::make_unique<Table>();
  table->generation = header.generation;
  table->targets.reserve(header.targets_count);
  for (uint32_t i = 0; i < header.targets_count; i++) {
    table->targets.push_back(target_of(view, view.target(i)));
  }
  StickyTargets sticky_targets = sticky_targets_of(view);
  table->pools.reserve(header.pools_count);
  for (uint32_t i = 0; i < header.pools_count; i++) {
    table->pools.push_back(pool_of(view, table->targets, sticky_targets, view.pool(i)));
  }
  table->listeners.reserve(header.listeners_count);
  for (uint32_t i = 0; i < header.listeners_count; i++) {
    table->listeners.push_back(listener_of(view, view.listener(i)));
  }
  table->index_slots();
  return {std::move(table), {}};
}

}  // namespace sluice::table
