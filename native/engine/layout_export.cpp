// The tables behind layout(): expanded from the same lists that declare the structs.
#include "engine/layout_export.h"

#include <array>
#include <cstddef>

#include "policy/candidate.h"
#include "shared/layout.h"
#include "sticky/sticky_table.h"
#include "table/pick_record.h"
#include "table/pool.h"
#include "table/sticky_pick.h"
#include "table/table_image.h"

namespace sluice::engine {
namespace {

template <typename T>
constexpr std::string_view type_name();
template <>
constexpr std::string_view type_name<uint8_t>() {
  return "u8";
}
template <>
constexpr std::string_view type_name<uint16_t>() {
  return "u16";
}
template <>
constexpr std::string_view type_name<uint32_t>() {
  return "u32";
}
template <>
constexpr std::string_view type_name<uint64_t>() {
  return "u64";
}
template <>
constexpr std::string_view type_name<int32_t>() {
  return "i32";
}
template <>
constexpr std::string_view type_name<double>() {
  return "f64";
}

constexpr NamedNumber kConstants[] = {
    {"region_magic", shared::kRegionMagic},
    {"region_version", shared::kRegionVersion},
    {"workers_max", shared::kWorkersMax},
    {"listener_slots_max", shared::kListenerSlotsMax},
    {"target_slots_max", shared::kTargetSlotsMax},
    {"pool_slots_max", shared::kPoolSlotsMax},
    {"image_bytes_max", shared::kImageBytesMax},
    {"ring_records", shared::kRingRecords},
    {"record_bytes", shared::kRecordBytes},
    {"no_slot", shared::kNoSlot},
    {"image_magic", table::kImageMagic},
    {"image_version", table::kImageVersion},
    {"retries_max", table::kRetriesMax},
    {"tiers_max", policy::kTiersMax},
    {"whole_share", table::kWholeShare},
    {"histogram_buckets", shared::kHistogramBuckets},
    {"histogram_bytes", sizeof(shared::Histogram)},
    {"histogram_sum", offsetof(shared::Histogram, sum)},
    {"end_histograms_bytes", sizeof(shared::EndHistograms)},
    {"end_duration_ms", offsetof(shared::EndHistograms, duration_ms)},
    {"end_to_target_bytes", offsetof(shared::EndHistograms, to_target_bytes)},
    {"end_to_client_bytes", offsetof(shared::EndHistograms, to_client_bytes)},
    {"turn_signals_bytes", sizeof(shared::TurnSignals)},
    {"turn_signals_active_turns", offsetof(shared::TurnSignals, active_turns)},
    {"turn_signals_response_us", offsetof(shared::TurnSignals, response_us)},
    {"sticky_capacity_max", sticky::StickyTable::kCapacityMax},
    {"close_reason_rows", std::extent_v<decltype(shared::ListenerCounters::closed_by_reason)>},
};

#define SLUICE_FIELD(type, count, name) \
  FieldLayout{#name, type_name<type>(), static_cast<uint32_t>(offsetof(Owner, name)), count},

#define SLUICE_RECORD(constant, owner, FIELDS)      \
  constexpr auto constant = [] {                    \
    using Owner = owner;                            \
    return std::to_array<FieldLayout>({FIELDS(X)}); \
  }();
#define X SLUICE_FIELD
SLUICE_RECORD(kCommandFields, shared::Command, SLUICE_COMMAND_FIELDS)
SLUICE_RECORD(kEventFields, shared::Event, SLUICE_EVENT_FIELDS)
SLUICE_RECORD(kExplainAnswerFields, shared::ExplainAnswer, SLUICE_EXPLAIN_ANSWER_FIELDS)
SLUICE_RECORD(kExplainNoteFields, shared::ExplainNote, SLUICE_EXPLAIN_NOTE_FIELDS)
SLUICE_RECORD(kImageHeaderFields, table::ImageHeader, SLUICE_IMAGE_HEADER_FIELDS)
SLUICE_RECORD(kListenerFields, table::ListenerRecord, SLUICE_LISTENER_RECORD_FIELDS)
SLUICE_RECORD(kAddressFields, table::AddressRecord, SLUICE_ADDRESS_RECORD_FIELDS)
SLUICE_RECORD(kPoolFields, table::PoolRecord, SLUICE_POOL_RECORD_FIELDS)
SLUICE_RECORD(kTierFields, table::TierRecord, SLUICE_TIER_RECORD_FIELDS)
SLUICE_RECORD(kTargetFields, table::TargetRecord, SLUICE_TARGET_RECORD_FIELDS)
SLUICE_RECORD(kCandidateFields, table::CandidateRecord, SLUICE_CANDIDATE_RECORD_FIELDS)
#undef X

constexpr RecordLayout kRecords[] = {
    {"command", sizeof(shared::Command), kCommandFields},
    {"event", sizeof(shared::Event), kEventFields},
    {"explain_answer", sizeof(shared::ExplainAnswer), kExplainAnswerFields},
    {"explain_note", sizeof(shared::ExplainNote), kExplainNoteFields},
    {"image_header", sizeof(table::ImageHeader), kImageHeaderFields},
    {"listener", sizeof(table::ListenerRecord), kListenerFields},
    {"address", sizeof(table::AddressRecord), kAddressFields},
    {"pool", sizeof(table::PoolRecord), kPoolFields},
    {"tier", sizeof(table::TierRecord), kTierFields},
    {"target", sizeof(table::TargetRecord), kTargetFields},
    {"candidate", sizeof(table::CandidateRecord), kCandidateFields},
};

#define X(name, value) NamedNumber{#name, value},
constexpr NamedNumber kCommandTypes[] = {SLUICE_COMMAND_TYPES(X)};
constexpr NamedNumber kCloseScopes[] = {SLUICE_CLOSE_SCOPES(X)};
constexpr NamedNumber kEventTypes[] = {SLUICE_EVENT_TYPES(X)};
constexpr NamedNumber kCloseReasons[] = {SLUICE_CLOSE_REASONS(X)};
constexpr NamedNumber kConnectFailures[] = {SLUICE_CONNECT_FAILURES(X)};
constexpr NamedNumber kPingOutcomes[] = {SLUICE_PING_OUTCOMES(X)};
constexpr NamedNumber kExplainOutcomes[] = {SLUICE_EXPLAIN_OUTCOMES(X)};
constexpr NamedNumber kStandings[] = {SLUICE_STANDINGS(X)};
constexpr NamedNumber kStickySteps[] = {SLUICE_STICKY_STEPS(X)};
constexpr NamedNumber kTableErrors[] = {SLUICE_TABLE_ERRORS(X)};
constexpr NamedNumber kProtocols[] = {SLUICE_PROTOCOLS(X)};
constexpr NamedNumber kPolicyKeys[] = {SLUICE_POLICY_KEYS(X)};
constexpr NamedNumber kAddressFamilies[] = {SLUICE_ADDRESS_FAMILIES(X)};
constexpr NamedNumber kListenerFlags[] = {SLUICE_LISTENER_FLAGS(X)};
constexpr NamedNumber kPoolFlags[] = {SLUICE_POOL_FLAGS(X)};
constexpr NamedNumber kTargetFlags[] = {SLUICE_TARGET_FLAGS(X)};
constexpr NamedNumber kStickyKeys[] = {SLUICE_STICKY_KEYS(X)};
constexpr NamedNumber kStickyWhenDown[] = {SLUICE_STICKY_WHEN_DOWN(X)};
#undef X
#define X(name, value, Class) NamedNumber{#name, value},
constexpr NamedNumber kPolicies[] = {SLUICE_POLICIES(X)};
#undef X

constexpr EnumLayout kEnums[] = {
    {"command_type", kCommandTypes},
    {"close_scope", kCloseScopes},
    {"event_type", kEventTypes},
    {"close_reason", kCloseReasons},
    {"connect_failure", kConnectFailures},
    {"ping_outcome", kPingOutcomes},
    {"explain_outcome", kExplainOutcomes},
    {"standing", kStandings},
    {"sticky_step", kStickySteps},
    {"table_error", kTableErrors},
    {"protocol", kProtocols},
    {"policy", kPolicies},
    {"policy_key", kPolicyKeys},
    {"address_family", kAddressFamilies},
    {"listener_flag", kListenerFlags},
    {"pool_flag", kPoolFlags},
    {"target_flag", kTargetFlags},
    {"sticky_key", kStickyKeys},
    {"sticky_when_down", kStickyWhenDown},
};

#define X(name, unit, help) \
  CounterLayout{#name, #unit, help, static_cast<uint32_t>(offsetof(Owner, name))},
#define SLUICE_COUNTER_ROW(constant, owner, COUNTERS)   \
  constexpr auto constant = [] {                        \
    using Owner = owner;                                \
    return std::to_array<CounterLayout>({COUNTERS(X)}); \
  }();
SLUICE_COUNTER_ROW(kWorkerCounters, shared::WorkerCounters, SLUICE_WORKER_COUNTERS)
SLUICE_COUNTER_ROW(kListenerCounters, shared::ListenerCounters, SLUICE_LISTENER_COUNTERS)
SLUICE_COUNTER_ROW(kTargetCounters, shared::TargetCounters, SLUICE_TARGET_COUNTERS)
SLUICE_COUNTER_ROW(kPoolCounters, shared::PoolCounters, SLUICE_POOL_COUNTERS)
#undef X

constexpr CounterRowLayout kCounterRows[] = {
    {"worker", sizeof(shared::WorkerCounters), kWorkerCounters},
    {"listener", sizeof(shared::ListenerCounters), kListenerCounters},
    {"target", sizeof(shared::TargetCounters), kTargetCounters},
    {"pool", sizeof(shared::PoolCounters), kPoolCounters},
};

constexpr Layout kLayout = {kConstants, kEnums, kRecords, kCounterRows};

}  // namespace

const Layout& layout() {
  return kLayout;
}

std::vector<NamedNumber> region_layout(uint32_t workers) {
  const shared::RegionOffsets o = shared::region_offsets(workers);
  return {
      {"total_bytes", o.total_bytes},
      {"doorbell_pending", offsetof(shared::RegionHeader, doorbell_pending)},
      {"image_area_0", o.image_area[0]},
      {"image_area_1", o.image_area[1]},
      {"first_ring", o.first_ring},
      {"ring_bytes", o.ring_bytes},
      {"ring_head", offsetof(shared::RingHeader, head)},
      {"ring_tail", offsetof(shared::RingHeader, tail)},
      {"ring_dropped", offsetof(shared::RingHeader, dropped)},
      {"ring_first_record", sizeof(shared::RingHeader)},
      {"active", o.active},
      {"listener_active", o.listener_active},
      {"turn_signals", o.turn_signals},
      {"bandwidth", o.bandwidth},
      {"sticky_entries", o.sticky_entries},
      {"first_worker", o.first_worker},
      {"worker_bytes", o.worker_bytes},
      {"listener_rows", o.listener_rows},
      {"target_rows", o.target_rows},
      {"response_rows", o.response_rows},
      {"connect_rows", o.connect_rows},
      {"end_rows", o.end_rows},
      {"pool_rows", o.pool_rows},
      {"first_explain", o.first_explain},
      {"explain_bytes", o.explain_bytes},
      {"closed_by_reason", offsetof(shared::ListenerCounters, closed_by_reason)},
  };
}

}  // namespace sluice::engine
