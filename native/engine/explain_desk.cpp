// From a command to a forecast, and from a forecast to shared memory.
#include "engine/explain_desk.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstring>

#include "table/forecast.h"

namespace sluice::engine {

namespace {

static_assert(policy::kNoPick == shared::kNoSlot);

// A command says no family: what is not v4-mapped is IPv6, and without an address it is a client of
// a unix socket.
os::ClientAddress client_of(const shared::Command& command) {
  constexpr uint8_t kMappedPrefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  os::ClientAddress client;
  std::memcpy(client.ip, command.ip, sizeof(client.ip));
  client.scope_id = command.scope_id;
  client.port = static_cast<uint16_t>(command.port);
  const bool mapped = std::memcmp(client.ip, kMappedPrefix, sizeof(kMappedPrefix)) == 0;
  const bool none = std::ranges::all_of(client.ip, [](uint8_t byte) { return byte == 0; });
  client.family = mapped ? AF_INET : none ? AF_UNIX : AF_INET6;
  return client;
}

}  // namespace

ExplainDesk::ExplainDesk(const shared::Region& region, const shared::WorkerLinks& links)
    : links_(links),
      answer_(region.explain_answer(links.worker_index)),
      notes_(region.explain_notes(links.worker_index)) {}

void ExplainDesk::answer(const shared::Command& command, const table::Table* table,
                         const tcp::TcpWorker& tcp, const udp::UdpWorker& udp) {
  const table::Listener* listener = table == nullptr ? nullptr : table->listener_at(command.slot);
  const os::ClientAddress client = client_of(command);
  table::Forecast forecast;
  if (listener != nullptr) {
    forecast = listener->protocol == table::Protocol::tcp ? tcp.forecast(*listener, client)
                                                          : udp.forecast(*listener, client);
  }
  shared::ExplainAnswer answer{};
  answer.generation = table == nullptr ? 0 : table->generation;
  answer.listener_active = links_.listener_active[command.slot].load(std::memory_order_relaxed);
  describe(forecast, answer);
  publish(answer, command.id);
  shared::Event event{};
  event.type = static_cast<uint16_t>(shared::EventType::explain_answered);
  event.id = command.id;
  // Only the bell: with no room for it the answer is found when the time for it is over.
  if (!links_.events.push(event)) shared::add(links_.counters.events_dropped, 1);
}

// All but the id, then the id. Its writer: this worker. Its reader: the control plane, acquire,
// which waits for this very number; with release, all of the answer is there when the id is.
void ExplainDesk::publish(const shared::ExplainAnswer& answer, uint32_t id) {
  static_assert(offsetof(shared::ExplainAnswer, id) == 0);
  constexpr size_t kIdBytes = sizeof(answer.id);
  std::memcpy(reinterpret_cast<std::byte*>(&answer_) + kIdBytes,
              reinterpret_cast<const std::byte*>(&answer) + kIdBytes, sizeof(answer) - kIdBytes);
  std::atomic_ref(answer_.id).store(id, std::memory_order_release);
}

void ExplainDesk::describe(const table::Forecast& forecast, shared::ExplainAnswer& answer) {
  const table::PickExplanation& pick = forecast.pick;
  answer.outcome = static_cast<uint32_t>(forecast.outcome);
  answer.pool_slot = forecast.pool == nullptr ? shared::kNoSlot : forecast.pool->slot;
  answer.target_slot = forecast.target_slot;
  answer.sticky_step = static_cast<uint32_t>(pick.sticky);
  answer.sticky_slot = pick.sticky_slot;
  answer.first_tier = pick.by_policy.first_tier;
  answer.tier = pick.by_policy.tier;
  answer.waiting = forecast.waiting;
  answer.sessions_unseen = forecast.sessions_unseen ? 1 : 0;
  answer.notes_count = write_notes(pick.by_policy);
}

uint32_t ExplainDesk::write_notes(const table::PickRecord& record) {
  // No pool has more candidates than there are slots of targets.
  const size_t count = std::min(record.candidates.size(), notes_.size());
  for (size_t i = 0; i < count; i++) {
    const table::CandidateNote& note = record.candidates[i];
    notes_[i] = {.slot = note.slot,
                 .tier = note.tier,
                 .weight = note.weight,
                 .max_connections = note.max_connections,
                 .active = note.active,
                 .load = note.load,
                 .standing = static_cast<uint32_t>(note.standing),
                 .scored = note.score.has_value() ? 1U : 0U,
                 .score = note.score.value_or(0)};
  }
  return static_cast<uint32_t>(count);
}

}  // namespace sluice::engine
