// The coordinator's turn: commands in, a table under way, pings, answers out.
#include "engine/coordinator.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "engine/worker.h"
#include "os/clock.h"
#include "shared/worker_links.h"
#include "table/table_builder.h"

namespace sluice::engine {
namespace {

using shared::Event;
using shared::EventType;
using shared::TableError;

constexpr uint32_t kRing = shared::RingIndex::coordinator;
// The control plane does not ring when it has read its events: look whether there is room again.
constexpr int kOutboxRetryMs = 10;

Event event_of(EventType type) {
  Event event{};
  event.type = static_cast<uint16_t>(type);
  return event;
}

}  // namespace

Coordinator::Coordinator(const Links& links)
    : region_(links.region),
      exchange_(links.exchange),
      epoll_(os::Epoll::create()),
      doorbell_(os::Doorbell::create()),
      commands_(region_.command_header(kRing), region_.command_records(kRing),
                shared::CommandReader::coordinator),
      events_(region_.event_header(kRing), region_.event_records(kRing), region_.header(),
              links.wake, links.wake_context),
      pings_(epoll_),
      signals_(region_) {}

int Coordinator::start(std::span<const std::unique_ptr<Worker>> workers) {
  workers_ = workers;
  const auto token =
      os::EpollToken::of(&doorbell_, static_cast<uint8_t>(shared::TokenKind::doorbell));
  if (const os::IoResult added = epoll_.add(doorbell_.fd(), EPOLLIN, token); added.failed()) {
    return added.error;
  }
  return thread_.start(
      "sluice-coord", [](void* self) { static_cast<Coordinator*>(self)->run(); }, this);
}

void Coordinator::request_stop() {
  stop_.store(true, std::memory_order_relaxed);
  doorbell_.ring();
}

void Coordinator::run() {
  std::array<epoll_event, 64> buffer;
  while (!stop_.load(std::memory_order_relaxed)) {
    for (const epoll_event& event : epoll_.wait(buffer, timeout_ms())) {
      const os::EpollToken token = os::Epoll::token(event);
      if (token.kind() == static_cast<uint8_t>(shared::TokenKind::doorbell)) {
        doorbell_.answer();
      } else {
        pings_.receive(token, os::monotonic_ns());
      }
    }
    settle_in_flight();
    take_commands();
    start_next_load();
    pings_.take_answers([this](const Event& answer) { post(answer); });
    flush_outbox();
    signals_.turn(exchange_.published(), os::monotonic_ns());
  }
}

int Coordinator::timeout_ms() const {
  const int signals_ms = signals_.due_in_ms(os::monotonic_ns());
  if (outbox_.empty()) return signals_ms;
  return signals_ms < 0 ? kOutboxRetryMs : std::min(signals_ms, kOutboxRetryMs);
}

void Coordinator::take_commands() {
  while (const std::optional<shared::Command> command = commands_.pop()) {
    switch (shared::CommandType{command->type}) {
      case shared::CommandType::load_table:
        take_load(*command);
        break;
      case shared::CommandType::ping:
        pings_.send(*command, os::monotonic_ns());
        break;
      case shared::CommandType::close_connections:
      case shared::CommandType::explain:
        break;  // a worker's; CommandRing does not let them through
    }
  }
}

void Coordinator::take_load(const shared::Command& command) {
  constexpr size_t kAreas = 2;
  if (waiting_.size() + (in_flight_ ? 1 : 0) >= kAreas) {
    reject_malformed(command.generation, static_cast<uint16_t>(LoadCheck::loads_in_flight));
    return;
  }
  const std::span<const std::byte> area = region_.image_area(command.area).first(command.bytes);
  waiting_.push_back({command.generation, {area.begin(), area.end()}});
}

void Coordinator::start_next_load() {
  while (!in_flight_ && !waiting_.empty()) {
    const Load next = std::move(waiting_.front());
    waiting_.pop_front();
    load(next);
  }
}

void Coordinator::load(const Load& load) {
  table::BuildResult built = table::build_table(load.image);
  if (!built.table) {
    reject_malformed(load.generation, static_cast<uint16_t>(built.fault.check));
    return;
  }
  const table::Table* current = exchange_.published();
  const uint64_t generation = built.table->generation;
  if (generation != load.generation || (current != nullptr && generation <= current->generation)) {
    reject_malformed(load.generation, static_cast<uint16_t>(LoadCheck::generation));
    return;
  }
  std::vector<StickyMove> moves;
  if (!carry_sticky_tables(*built.table, current, os::monotonic_ns() / 1'000'000, moves)) {
    reject(generation, TableError::no_memory, {TableError::no_memory, shared::kNoSlot, 0, 0});
    return;
  }
  BindPlan plan = bind_sockets(*built.table, current, region_.workers());
  if (plan.failure) {
    reject(generation, plan.failure->reason, *plan.failure);
    return;
  }
  update_backlogs(*built.table, current);
  signals_.begin_anew(*built.table, current);
  publish(std::move(built.table), {generation, std::move(plan.opened), std::move(moves)});
}

void Coordinator::publish(std::unique_ptr<table::Table> table, InFlight in_flight) {
  in_flight_ = std::move(in_flight);
  exchange_.publish(std::move(table));
  for (const std::unique_ptr<Worker>& worker : workers_) worker->doorbell().ring();
}

void Coordinator::settle_in_flight() {
  if (!in_flight_) return;
  for (const std::unique_ptr<Worker>& worker : workers_) {
    if (worker->applied_generation() < in_flight_->generation) return;
  }
  settle_sticky_tables(*exchange_.published(), in_flight_->moves, region_.sticky_entries());
  // Closes the sockets of binds that are gone.
  exchange_.reclaim();
  for (const OpenedBind& bind : in_flight_->opened) {
    Event event = event_of(EventType::listener_bound);
    event.slot = bind.listener_slot;
    event.index = bind.bind_index;
    event.client_port = bind.port;
    post(event);
  }
  Event event = event_of(EventType::table_applied);
  event.id = static_cast<uint32_t>(in_flight_->generation);
  post(event);
  in_flight_.reset();
}

void Coordinator::reject(uint64_t generation, TableError reason, const BindFailure& where) {
  Event event = event_of(EventType::table_rejected);
  event.id = static_cast<uint32_t>(generation);
  event.code = static_cast<uint16_t>(reason);
  event.slot = where.listener_slot;
  event.index = where.bind_index;
  event.error = where.error;
  post(event);
}

void Coordinator::reject_malformed(uint64_t generation, uint16_t check) {
  reject(generation, TableError::malformed, {TableError::malformed, shared::kNoSlot, check, 0});
}

void Coordinator::post(const Event& event) {
  outbox_.push_back(event);
  flush_outbox();
}

void Coordinator::flush_outbox() {
  while (!outbox_.empty() && events_.has_room()) {
    events_.push(outbox_.front());
    outbox_.pop_front();
  }
}

}  // namespace sluice::engine
