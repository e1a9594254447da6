// Which event goes where, by the phase a connection is in.
#include "tcp/tcp_worker.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "tcp/admission.h"
#include "tcp/connection_end.h"
#include "tcp/connector.h"
#include "tcp/tcp_forecast.h"

namespace sluice::tcp {

using shared::CloseReason;
using shared::CloseScope;

namespace {

// Times two directions times turn_bytes: about a millisecond before new events are looked at.
constexpr uint32_t kReadyPerTurn = 8;

struct WantedSockets {
  const std::shared_ptr<const table::BoundSockets>* sockets;
  const table::Listener* config;
  bool served = false;  // by a listener that was there before
};

// Sorted, because a port range can make thousands.
std::vector<WantedSockets> wanted_sockets(const table::Table& table) {
  std::vector<WantedSockets> wanted;
  for (const table::Listener& listener : table.listeners) {
    if (listener.protocol != table::Protocol::tcp) continue;
    for (const table::Bind& bind : listener.binds) wanted.push_back({&bind.sockets, &listener});
  }
  std::sort(wanted.begin(), wanted.end(), [](const WantedSockets& a, const WantedSockets& b) {
    return std::less<>()(a.sockets->get(), b.sockets->get());
  });
  return wanted;
}

WantedSockets* find_wanted(std::vector<WantedSockets>& wanted, const table::BoundSockets* sockets) {
  const auto at = std::lower_bound(wanted.begin(), wanted.end(), sockets,
                                   [](const WantedSockets& entry, const table::BoundSockets* key) {
                                     return std::less<>()(entry.sockets->get(), key);
                                   });
  return at != wanted.end() && at->sockets->get() == sockets ? &*at : nullptr;
}

bool is_named(const TcpConnection& connection, CloseScope scope, uint32_t slot) {
  switch (scope) {
    case CloseScope::all:
      return true;
    case CloseScope::listener:
      return connection.listener_slot == slot;
    case CloseScope::target:
      return connection.target_claimed && connection.target_slot == slot;
  }
  return false;
}

}  // namespace

TcpWorker::TcpWorker(const shared::WorkerLinks& links) : context_(links) {}

TcpWorker::~TcpWorker() {
  close_connections(CloseScope::all, shared::kNoSlot, CloseReason::shutdown);
  end_turn();
}

void TcpWorker::adopt(const table::Table& table) {
  std::vector<WantedSockets> wanted = wanted_sockets(table);
  // The retired serve their queues by the table they were in: that is still the adopted one.
  const auto stays = [&wanted](const std::unique_ptr<TcpListener>& listener) {
    return find_wanted(wanted, listener->sockets()) != nullptr;
  };
  const auto gone = std::stable_partition(listeners_.begin(), listeners_.end(), stays);
  for (auto it = gone; it != listeners_.end(); ++it) {
    (*it)->retire();
    retired_.push_back(std::move(*it));
  }
  listeners_.erase(gone, listeners_.end());

  context_.table = &table;
  context_.index_pools();
  context_.waiting.adopt();
  for (const std::unique_ptr<TcpListener>& listener : listeners_) {
    WantedSockets* const entry = find_wanted(wanted, listener->sockets());
    entry->served = true;
    listener->configure(*entry->config);
    listener->look_again();
  }
  for (const WantedSockets& entry : wanted) {
    if (entry.served) continue;
    auto listener = std::make_unique<TcpListener>(context_, *entry.sockets);
    listener->configure(*entry.config);
    listeners_.push_back(std::move(listener));
  }
}

void TcpWorker::handle(os::EpollToken token, uint32_t events) {
  switch (shared::TokenKind{token.kind()}) {
    case shared::TokenKind::tcp_listener:
      token.object<TcpListener>()->accept_batch();
      return;
    case shared::TokenKind::tcp_client:
      handle_client(*token.object<TcpConnection>(), events);
      return;
    case shared::TokenKind::tcp_target:
      handle_target(*token.object<TcpConnection>(), events);
      return;
    case shared::TokenKind::doorbell:
    case shared::TokenKind::udp_listener:
    case shared::TokenKind::udp_session:
    case shared::TokenKind::icmp:
      return;  // not ours
  }
}

void TcpWorker::handle_client(TcpConnection& connection, uint32_t events) {
  switch (connection.phase) {
    case ConnectionPhase::waiting:
    case ConnectionPhase::backing_off:
      client_event_while_waiting(context_, connection, events);
      return;
    case ConnectionPhase::connecting:
      client_event_while_connecting(context_, connection, events);
      return;
    case ConnectionPhase::forwarding:
      connection.client.note(events);
      // One that waits for its next turn does not get it earlier by being sent more.
      if (!connection.in_ready_list) forward(context_, connection);
      return;
    case ConnectionPhase::resetting:
    case ConnectionPhase::lingering:
      // Else it was fetched before that side was closed.
      if (connection.survivor_is_client) survivor_event(context_, connection, events);
      return;
    case ConnectionPhase::closed:
      return;
  }
}

void TcpWorker::handle_target(TcpConnection& connection, uint32_t events) {
  switch (connection.phase) {
    case ConnectionPhase::waiting:
    case ConnectionPhase::backing_off:
      return;  // fetched before the try failed
    case ConnectionPhase::connecting:
      if (!connection.target.fd.valid()) return;
      after_connect(context_, connection, connect_event(context_, connection, events));
      return;
    case ConnectionPhase::forwarding:
      connection.target.note(events);
      if (!connection.in_ready_list) forward(context_, connection);
      return;
    case ConnectionPhase::resetting:
    case ConnectionPhase::lingering:
      if (!connection.survivor_is_client) survivor_event(context_, connection, events);
      return;
    case ConnectionPhase::closed:
      return;
  }
}

void TcpWorker::fire(os::TimerNode& node) {
  if (shared::TimerKind{node.kind} == shared::TimerKind::tcp_accept_resume) {
    static_cast<TcpListener&>(node).look_again();
    return;
  }
  if (shared::TimerKind{node.kind} == shared::TimerKind::tcp_wait_look) {
    context_.waiting.look();
    return;
  }
  auto& connection = static_cast<TcpConnection&>(node);
  switch (connection.phase) {
    case ConnectionPhase::waiting:
      context_.waiting.time_out(connection);
      return;
    case ConnectionPhase::backing_off:
      after_connect(context_, connection, connect_after_pause(context_, connection));
      return;
    case ConnectionPhase::connecting:
      after_connect(context_, connection, connect_deadline(context_, connection));
      return;
    case ConnectionPhase::forwarding:
      check_deadlines(context_, connection);
      return;
    case ConnectionPhase::resetting:
    case ConnectionPhase::lingering:
      check_delivery(context_, connection);
      return;
    case ConnectionPhase::closed:
      return;
  }
}

void TcpWorker::run_ready() {
  // Those who come back in this call have to wait for the next one.
  const uint32_t count = std::min(context_.ready_count, kReadyPerTurn);
  for (uint32_t i = 0; i < count; i++) {
    TcpConnection* connection = context_.ready.pop_front();
    if (connection == nullptr) return;  // ended by an earlier one's turn
    connection->in_ready_list = false;
    context_.ready_count--;
    shared::add(context_.links.counters.ready_turns, 1);
    if (connection->phase == ConnectionPhase::forwarding) {
      forward(context_, *connection);
    } else if (connection->phase == ConnectionPhase::lingering) {
      survivor_event(context_, *connection, 0);
    }
  }
}

void TcpWorker::end_turn() {
  // Before the listeners look again: who waits has come earlier than whom they would accept.
  context_.waiting.serve();
  if (context_.out_of_descriptors) {
    pause_for_descriptors();
  } else if (context_.place_freed && context_.paused_listeners > 0) {
    for (const std::unique_ptr<TcpListener>& listener : listeners_) listener->look_again();
  }
  context_.out_of_descriptors = false;
  context_.place_freed = false;
  while (TcpConnection* connection = context_.closed.pop_front()) {
    context_.connections.give(connection);
  }
  retired_.clear();
}

void TcpWorker::pause_for_descriptors() {
  // The ends of this turn are no reason to look again: they may be the refusals themselves.
  for (const std::unique_ptr<TcpListener>& listener : listeners_) {
    if (listener->paused() == Pause::none) listener->pause(Pause::descriptors);
  }
  if (context_.descriptor_episode) return;
  context_.descriptor_episode = true;
  shared::add(context_.links.counters.accept_paused, 1);
  shared::Event event{};
  event.type = static_cast<uint16_t>(shared::EventType::accept_paused);
  event.slot = shared::kNoSlot;
  event.target_slot = shared::kNoSlot;
  event.index = static_cast<uint16_t>(context_.links.worker_index);
  context_.push_event(event);
}

void TcpWorker::close_connections(CloseScope scope, uint32_t slot, CloseReason reason,
                                  policy::Lot lot) {
  TcpConnection* connection = context_.open.first();
  while (connection != nullptr) {
    // Ending one takes it out of the list.
    TcpConnection* const next = decltype(context_.open)::next(*connection);
    if (is_named(*connection, scope, slot) && lot.falls()) {
      cut_connection(context_, *connection, reason);
    }
    connection = next;
  }
}

table::Forecast TcpWorker::forecast(const table::Listener& listener,
                                    const os::ClientAddress& client) const {
  const bool paused = std::ranges::any_of(listeners_, [&](const auto& one) {
    const bool short_of_something =
        one->paused() == Pause::descriptors || one->paused() == Pause::broken;
    return short_of_something && one->sockets()->listener_slot == listener.slot;
  });
  return tcp::forecast(context_, listener, client, paused);
}

}  // namespace sluice::tcp
