// The worker's loop.
#include "engine/worker.h"

#include <array>
#include <cstdio>
#include <span>

#include "os/clock.h"
#include "os/random.h"
#include "policy/prng.h"

namespace sluice::engine {
namespace {

using shared::CloseReason;
using shared::CloseScope;
using shared::TokenKind;

// As many as one wait brings; more only wait for the next turn. HAProxy's tune.maxpollevents is
// 200.
constexpr size_t kEventsPerTurn = 256;

uint64_t random_seed() {
  uint64_t seed = 0;
  os::fill_random(std::as_writable_bytes(std::span(&seed, 1)));
  return seed;
}

}  // namespace

Worker::Worker(const Links& links)
    : index_(links.index),
      exchange_(links.exchange),
      coordinator_(links.coordinator),
      epoll_(os::Epoll::create()),
      doorbell_(os::Doorbell::create()),
      now_ns_(os::monotonic_ns()),
      wheel_(now_ns_),
      commands_(links.region.command_header(shared::RingIndex::worker(index_)),
                links.region.command_records(shared::RingIndex::worker(index_)),
                shared::CommandReader::worker),
      events_(links.region.event_header(shared::RingIndex::worker(index_)),
              links.region.event_records(shared::RingIndex::worker(index_)), links.region.header(),
              links.wake, links.wake_context),
      links_{.worker_index = index_,
             .options = links.options,
             .epoll = epoll_,
             .wheel = wheel_,
             .now_ns = now_ns_,
             .events = events_,
             .counters = links.region.worker_counters(index_),
             .listeners = links.region.listener_counters(index_),
             .targets = links.region.target_counters(index_),
             .pools = links.region.pool_counters(index_),
             .active = links.region.active(),
             .listener_active = links.region.listener_active(),
             .sticky_entries = links.region.sticky_entries(),
             .turns = links.region.turn_signals(),
             .responses = links.region.response_histograms(index_),
             .connects = links.region.connect_histograms(index_),
             .ends = links.region.end_histograms(index_),
             .signals = links.region.signals(),
             .waiting = links.waiting,
             .retries = links.retries},
      tcp_(links_),
      udp_(links_),
      explains_(links.region, links_),
      lots_(policy::seeded_cursor(random_seed())) {
  links.waiting.connect(index_, doorbell_);
}

Worker::~Worker() {
  join();
  // Not by the thread itself: the parts look at their table until they are destroyed.
  exchange_.stop(index_);
}

int Worker::start() {
  const auto token = os::EpollToken::of(&doorbell_, static_cast<uint8_t>(TokenKind::doorbell));
  if (const os::IoResult added = epoll_.add(doorbell_.fd(), EPOLLIN, token); added.failed()) {
    return added.error;
  }
  std::array<char, 16> name{};
  std::snprintf(name.data(), name.size(), "sluice-w%u", index_);
  return thread_.start(name.data(), [](void* self) { static_cast<Worker*>(self)->run(); }, this);
}

void Worker::request_stop() {
  stop_.store(true, std::memory_order_relaxed);
  doorbell_.ring();
}

void Worker::run() {
  std::array<epoll_event, kEventsPerTurn> buffer;
  while (!stop_.load(std::memory_order_relaxed)) {
    // Before the wait, never between it and the dispatch: they may end objects that the events of
    // one wait name.
    adopt_table();
    take_commands();
    end_turn();
    const std::span<const epoll_event> events = epoll_.wait(buffer, timeout_ms());
    now_ns_ = os::monotonic_ns();
    shared::add(links_.counters.loops, 1);
    for (const epoll_event& event : events) dispatch(event);
    tcp_.run_ready();
    udp_.run_ready();
    wheel_.advance(now_ns_, [this](os::TimerNode& node) { fire(node); });
    end_turn();
  }
  close_all();
}

int Worker::timeout_ms() const {
  return tcp_.has_ready() || udp_.has_ready() ? 0 : wheel_.timeout_ms(os::monotonic_ns());
}

void Worker::adopt_table() {
  const table::Table* newest = exchange_.adopt(index_);
  if (newest == table_) return;
  tcp_.adopt(*newest);
  udp_.adopt(*newest);
  // Lets go of the sockets that have left the table: applied means that their clients are refused,
  // not left waiting in the queue of a worker that sleeps.
  end_turn();
  table_ = newest;
  applied_generation_.store(newest->generation, std::memory_order_release);
  coordinator_.ring();
}

void Worker::take_commands() {
  while (const std::optional<shared::Command> command = commands_.pop()) {
    switch (shared::CommandType{command->type}) {
      case shared::CommandType::close_connections:
        close_named(*command);
        break;
      case shared::CommandType::explain:
        explains_.answer(*command, table_, tcp_, udp_);
        break;
      case shared::CommandType::load_table:
      case shared::CommandType::ping:
        break;  // the coordinator's; CommandRing does not let them through
    }
  }
}

void Worker::close_named(const shared::Command& command) {
  const CloseScope scope{command.scope};
  const policy::Lot lot(lots_, command.one_in);
  tcp_.close_connections(scope, command.slot, CloseReason::closed_by_operator, lot);
  udp_.close_sessions(scope, command.slot, CloseReason::closed_by_operator, lot);
}

void Worker::dispatch(const epoll_event& event) {
  const os::EpollToken token = os::Epoll::token(event);
  switch (TokenKind{token.kind()}) {
    case TokenKind::doorbell:
      // What it was about is looked at before the next wait.
      doorbell_.answer();
      return;
    case TokenKind::tcp_listener:
    case TokenKind::tcp_client:
    case TokenKind::tcp_target:
      tcp_.handle(token, event.events);
      return;
    case TokenKind::udp_listener:
    case TokenKind::udp_session:
      udp_.handle(token, event.events);
      return;
    case TokenKind::icmp:
      return;  // the coordinator's
  }
}

void Worker::fire(os::TimerNode& node) {
  switch (shared::TimerKind{node.kind}) {
    case shared::TimerKind::tcp_connection:
    case shared::TimerKind::tcp_accept_resume:
    case shared::TimerKind::tcp_wait_look:
      tcp_.fire(node);
      return;
    case shared::TimerKind::udp_session:
      udp_.fire(node);
      return;
  }
}

void Worker::close_all() {
  tcp_.close_connections(CloseScope::all, shared::kNoSlot, CloseReason::shutdown);
  udp_.close_sessions(CloseScope::all, shared::kNoSlot, CloseReason::shutdown);
  end_turn();
}

void Worker::end_turn() {
  tcp_.end_turn();
  udp_.end_turn();
}

}  // namespace sluice::engine
