// What a pool's and a listener's fields may say.
#include "table/record_checks.h"

#include "sticky/sticky_table.h"
#include "table/pool.h"

namespace sluice::table {

namespace {

// The kernel's own limits (net/tcp.h: MAX_TCP_KEEPIDLE, MAX_TCP_KEEPINTVL, MAX_TCP_KEEPCNT); a
// larger value would make every setsockopt fail.
constexpr uint32_t kKeepaliveSecondsMax = 32767;
constexpr uint32_t kKeepaliveCountMax = 127;

#define SLUICE_OR_VALUE(name, value) | (value)
constexpr uint32_t kListenerFlags = 0 SLUICE_LISTENER_FLAGS(SLUICE_OR_VALUE);
constexpr uint32_t kPoolFlags = 0 SLUICE_POOL_FLAGS(SLUICE_OR_VALUE);
#undef SLUICE_OR_VALUE

#define SLUICE_CASE_KNOWN(name, number) \
  case number:                          \
    return true;
bool protocol_known(uint32_t value) {
  switch (value) { SLUICE_PROTOCOLS(SLUICE_CASE_KNOWN) }
  return false;
}
bool key_known(uint32_t value) {
  switch (value) { SLUICE_POLICY_KEYS(SLUICE_CASE_KNOWN) }
  return false;
}
bool sticky_key_known(uint32_t value) {
  switch (value) { SLUICE_STICKY_KEYS(SLUICE_CASE_KNOWN) }
  return false;
}
bool sticky_when_down_known(uint32_t value) {
  switch (value) { SLUICE_STICKY_WHEN_DOWN(SLUICE_CASE_KNOWN) }
  return false;
}
#undef SLUICE_CASE_KNOWN
#define SLUICE_CASE_KNOWN(name, number, Class) \
  case number:                                 \
    return true;
bool policy_known(uint32_t value) {
  switch (value) { SLUICE_POLICIES(SLUICE_CASE_KNOWN) }
  return false;
}
#undef SLUICE_CASE_KNOWN

bool bounded_load_allowed(uint32_t percent) {
  return percent == 0 || (percent > 100 && percent <= policy::BoundedLoad::kPercentMax);
}

template <typename Record>
bool tcp_options_allowed(const Record& record) {
  return record.user_timeout_ms <= kSignedMax && record.keepalive_idle_s <= kKeepaliveSecondsMax &&
         record.keepalive_interval_s <= kKeepaliveSecondsMax &&
         record.keepalive_count <= kKeepaliveCountMax;
}

bool sticky_allowed(const PoolRecord& pool) {
  if (pool.sticky_key == 0) {
    return (pool.sticky_when_down | pool.sticky_capacity | pool.sticky_expire_ms |
            pool.sticky_prefix_v4 | pool.sticky_prefix_v6) == 0;
  }
  return sticky_key_known(pool.sticky_key) && sticky_when_down_known(pool.sticky_when_down) &&
         pool.sticky_capacity >= 1 && pool.sticky_capacity <= sticky::StickyTable::kCapacityMax &&
         pool.sticky_expire_ms >= 1 && pool.sticky_prefix_v4 <= 32 && pool.sticky_prefix_v6 <= 128;
}

// Whoever waits does so for a time that ends.
bool wait_allowed(uint32_t max, uint32_t timeout_ms) {
  return max <= kSignedMax && (max == 0) == (timeout_ms == 0);
}

// A pause that ends, and a share of the connections that come.
bool retry_allowed(const PoolRecord& pool) {
  const bool backs_off = pool.retry_backoff_max_ms > 0;
  return pool.retry_backoff_base_ms <= pool.retry_backoff_max_ms &&
         pool.retry_backoff_max_ms <= kBackoffMsMax &&
         backs_off == (pool.retry_backoff_base_ms > 0) && pool.retry_percent <= 100;
}

}  // namespace

ImageCheck check_pool_fields(const PoolRecord& pool) {
  if (!policy_known(pool.policy)) return ImageCheck::pool_policy;
  if ((pool.flags & ~kPoolFlags) != 0) return ImageCheck::pool_flags;
  if (pool.retries > kRetriesMax) return ImageCheck::pool_retries;
  if (!retry_allowed(pool)) return ImageCheck::pool_retry;
  if (pool.hash_prefix_v4 > 32 || pool.hash_prefix_v6 > 128) return ImageCheck::pool_hash_prefix;
  if (!key_known(pool.key)) return ImageCheck::pool_key;
  if (!bounded_load_allowed(pool.bounded_load)) return ImageCheck::pool_bounded_load;
  if (pool.weight_max > kWeightMax || pool.reserved != 0) return ImageCheck::pool_weight_max;
  if (!tcp_options_allowed(pool)) return ImageCheck::pool_tcp_options;
  if (!wait_allowed(pool.queue_max, pool.queue_timeout_ms) ||
      !wait_allowed(pool.park_max, pool.park_timeout_ms)) {
    return ImageCheck::pool_waiting;
  }
  return sticky_allowed(pool) ? ImageCheck::none : ImageCheck::pool_sticky;
}

ImageCheck check_listener_fields(const ListenerRecord& listener) {
  if (!protocol_known(listener.protocol)) return ImageCheck::listener_protocol;
  if ((listener.flags & ~kListenerFlags) != 0) return ImageCheck::listener_flags;
  if (listener.backlog > kSignedMax) return ImageCheck::listener_backlog;
  if (listener.connect_timeout_ms == 0) return ImageCheck::listener_connect_timeout;
  if (!tcp_options_allowed(listener)) return ImageCheck::listener_tcp_options;
  const bool udp = listener.protocol == static_cast<uint32_t>(Protocol::udp);
  if (udp && (listener.udp_sessions_max == 0 || listener.udp_sessions_max > kUdpSessionsMax)) {
    return ImageCheck::listener_sessions_max;
  }
  if (listener.replay_kib > (udp ? 0 : kReplayKibMax) || listener.reserved != 0) {
    return ImageCheck::listener_replay;
  }
  return listener.unix_mode > 0777 ? ImageCheck::listener_unix_mode : ImageCheck::none;
}

}  // namespace sluice::table
