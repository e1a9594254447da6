// UdpWorker: listeners and sessions follow the table; events find their way.
#include "udp/udp_worker.h"

#include <algorithm>
#include <limits>
#include <span>
#include <utility>

#include "os/connect.h"
#include "os/random.h"
#include "os/socket.h"
#include "os/udp_offload.h"
#include "udp/udp_forecast.h"

namespace sluice::udp {

using shared::CloseReason;

namespace {

constexpr uint32_t kSocketsMax = std::numeric_limits<uint16_t>::max();

os::SipKey random_key() {
  os::SipKey key;
  os::fill_random(std::as_writable_bytes(std::span(&key, 1)));
  return key;
}

// The smallest that no socket of the listener has.
uint16_t free_socket_id(const UdpListener& listener) {
  std::vector<bool> taken(listener.sockets.size() + 1, false);
  for (const auto& socket : listener.sockets) {
    if (socket->id < taken.size()) taken[socket->id] = true;
  }
  return static_cast<uint16_t>(std::find(taken.begin(), taken.end(), false) - taken.begin());
}

bool has_bind(const table::Listener* config, const table::BoundSockets* sockets) {
  return config != nullptr && config->protocol == table::Protocol::udp &&
         std::any_of(config->binds.begin(), config->binds.end(),
                     [sockets](const auto& bind) { return bind.sockets.get() == sockets; });
}

// `visit` may end the session that it gets.
template <typename Visit>
void for_each_session(const UdpListener& listener, Visit&& visit) {
  for (const auto* list : {&listener.unproven, &listener.established}) {
    Session* next = nullptr;
    for (Session* session = list->oldest(); session != nullptr; session = next) {
      next = list->after(*session);
      visit(*session);
    }
  }
}

}  // namespace

UdpWorker::UdpWorker(const shared::WorkerLinks& links)
    : links_(links),
      sip_key_(random_key()),
      store_(links, listeners_),
      to_client_(links, store_),
      to_target_(links, store_, to_client_) {}

UdpWorker::~UdpWorker() {
  close_sessions(shared::CloseScope::all, 0, CloseReason::shutdown);
  end_turn();
  for (const auto& listener : listeners_) {
    for (const auto& socket : listener->sockets) {
      static_cast<void>(links_.epoll.remove(socket->fd));
    }
  }
}

// ---- Following the table ------------------------------------------------------------------------

void UdpWorker::adopt(const table::Table& table) {
  to_client_.flush();
  store_.use_table(table);
  // First all leave, then the others join: a bind may have moved to another listener.
  leave_missing(table);
  for (const table::Listener& config : table.listeners) {
    if (config.protocol == table::Protocol::udp) join(config, table);
  }
  end_stranded_sessions(table);
  end_turn();
}

UdpListener* UdpWorker::listener_at(uint32_t slot) const {
  for (const auto& listener : listeners_) {
    if (listener->slot == slot) return listener.get();
  }
  return nullptr;
}

void UdpWorker::leave_missing(const table::Table& table) {
  for (auto& listener : listeners_) {
    const table::Listener* config = table.listener_at(listener->slot);
    const auto stays = [config](const std::unique_ptr<ListenerSocket>& socket) {
      return has_bind(config, socket->sockets.get());
    };
    const auto gone =
        std::stable_partition(listener->sockets.begin(), listener->sockets.end(), stays);
    for (auto socket = gone; socket != listener->sockets.end(); ++socket) {
      close_socket(std::move(*socket));
    }
    listener->sockets.erase(gone, listener->sockets.end());
    if (config == nullptr || config->protocol != table::Protocol::udp) {
      left_listeners_.push_back(std::move(listener));
    }
  }
  std::erase(listeners_, nullptr);
}

void UdpWorker::join(const table::Listener& config, const table::Table& table) {
  UdpListener* listener = listener_at(config.slot);
  bool timeouts_changed = false;
  if (listener == nullptr) {
    listeners_.push_back(
        std::make_unique<UdpListener>(config.slot, sip_key_, config.udp_sessions_max));
    listener = listeners_.back().get();
  } else {
    timeouts_changed = listener->idle_timeout_ms != config.idle_timeout_ms ||
                       listener->lifetime_ms != config.lifetime_ms;
    listener->map.set_capacity(config.udp_sessions_max);
  }
  listener->config = &config;
  listener->pool = &table.pools[config.pool_index];
  listener->access_log = config.access_log;
  listener->idle_timeout_ms = config.idle_timeout_ms;
  listener->lifetime_ms = config.lifetime_ms;
  if (timeouts_changed) {
    for_each_session(*listener, [this](Session& session) { store_.rearm(session); });
  }
  for (const table::Bind& bind : config.binds) {
    const bool known =
        std::any_of(listener->sockets.begin(), listener->sockets.end(),
                    [&bind](const auto& socket) { return socket->sockets == bind.sockets; });
    if (!known) open_socket(*listener, bind);
  }
  if (!config.bulk || !links_.options.udp_gro) return;
  // Refused by an old kernel: datagrams come one by one.
  for (const auto& socket : listener->sockets) {
    if (!socket->gro) socket->gro = os::enable_udp_gro(socket->fd);
  }
}

void UdpWorker::open_socket(UdpListener& listener, const table::Bind& bind) {
  if (bind.sockets == nullptr || links_.worker_index >= bind.sockets->per_worker.size() ||
      listener.sockets.size() >= kSocketsMax) {
    return;
  }
  auto socket = std::make_unique<ListenerSocket>();
  socket->listener = &listener;
  socket->sockets = bind.sockets;
  socket->fd = bind.sockets->per_worker[links_.worker_index].get();
  socket->id = free_socket_id(listener);
  socket->family = bind.sockets->address.family();
  socket->wildcard = bind.sockets->address.is_wildcard();
  constexpr auto kToken = static_cast<uint8_t>(shared::TokenKind::udp_listener);
  // Level-triggered: what a turn leaves comes back by itself.
  if (links_.epoll.add(socket->fd, EPOLLIN, os::EpollToken::of(socket.get(), kToken)).failed()) {
    shared::add(links_.listeners[listener.slot].accept_errors, 1);
    return;
  }
  listener.sockets.push_back(std::move(socket));
}

void UdpWorker::close_socket(std::unique_ptr<ListenerSocket> socket) {
  const ListenerSocket* leaving = socket.get();
  end_sessions(*socket->listener, CloseReason::closed_by_operator,
               [leaving](const Session& session) { return session.socket == leaving; });
  // The descriptor lives on with its other owners.
  static_cast<void>(links_.epoll.remove(socket->fd));
  left_sockets_.push_back(std::move(socket));
}

// A target that is gone, has another address now, or no longer serves sessions. Only if there is
// one with sessions of this worker are they all looked at: most tables change no such thing.
void UdpWorker::end_stranded_sessions(const table::Table& table) {
  const auto serves = [&table](uint32_t slot) {
    const table::Target* target = table.target_at(slot);
    return target != nullptr && target->serves_sessions;
  };
  std::vector<bool> stranded(shared::kTargetSlotsMax, false);
  bool any = false;
  for (const KnownTarget& known : known_targets_) {
    const shared::TargetCounters& row = links_.targets[known.slot];
    const bool in_use = row.sessions_opened.load(std::memory_order_relaxed) !=
                        row.sessions_closed.load(std::memory_order_relaxed);
    if (in_use &&
        (!serves(known.slot) || !(table.target_at(known.slot)->address == known.address))) {
      stranded[known.slot] = true;
      any = true;
    }
  }
  known_targets_.clear();
  for (const table::Target& target : table.targets) {
    known_targets_.push_back({target.slot, target.address});
  }
  if (!any) return;
  for (const auto& listener : listeners_) {
    end_sessions(*listener, CloseReason::target_down,
                 [&stranded](const Session& session) { return stranded[session.target_slot]; });
  }
}

// ---- Events -------------------------------------------------------------------------------------

void UdpWorker::handle(os::EpollToken token, uint32_t events) {
  if (token.kind() == static_cast<uint8_t>(shared::TokenKind::udp_listener)) {
    to_target_.receive(*token.object<ListenerSocket>());
    return;
  }
  Session& session = *token.object<Session>();
  if (!session.ended) read_session(session, events);
}

void UdpWorker::read_session(Session& session, uint32_t events) {
  ReceiveOutcome outcome = to_client_.receive(session);
  if (session.ended) return;
  if (outcome.error == 0 && (events & EPOLLERR) != 0) {
    const int queued = os::drain_error_queue(session.fd.get());
    const int waiting = os::take_error(session.fd.get());
    if (is_target_fault(waiting)) outcome.error = waiting;
    if (is_target_fault(queued)) outcome.error = queued;
  }
  if (outcome.error != 0) {
    store_.end_unreachable(session, outcome.error);
  } else if (outcome.more && !session.in_ready) {
    session.in_ready = true;
    ready_.push_back(session);
  }
}

void UdpWorker::run_ready() {
  // Those that come back go behind the last of now.
  SessionList<&Session::ready> round = std::exchange(ready_, {});
  if (!round.empty()) shared::add(links_.counters.ready_turns, 1);
  while (Session* session = round.pop_front()) {
    session->in_ready = false;
    if (!session->ended) read_session(*session, 0);
  }
}

void UdpWorker::fire(os::TimerNode& node) {
  static_assert(offsetof(Session, timer) == 0);
  store_.fire(reinterpret_cast<Session&>(node));
}

void UdpWorker::end_turn() {
  to_client_.flush();
  // Freed sessions must not stay in the ready list.
  SessionList<&Session::ready> waiting = std::exchange(ready_, {});
  while (Session* session = waiting.pop_front()) {
    session->in_ready = !session->ended;
    if (session->in_ready) ready_.push_back(*session);
  }
  store_.free_ended();
  left_sockets_.clear();
  left_listeners_.clear();
}

template <typename Predicate>
void UdpWorker::end_sessions(UdpListener& listener, CloseReason reason, Predicate&& applies) {
  for_each_session(listener, [&](Session& session) {
    if (applies(session)) store_.end(session, reason);
  });
}

void UdpWorker::close_sessions(shared::CloseScope scope, uint32_t slot, CloseReason reason,
                               policy::Lot lot) {
  for (const auto& listener : listeners_) {
    if (scope == shared::CloseScope::listener && listener->slot != slot) continue;
    end_sessions(*listener, reason, [&](const Session& session) {
      return (scope != shared::CloseScope::target || session.target_slot == slot) && lot.falls();
    });
  }
}

table::Forecast UdpWorker::forecast(const table::Listener& listener,
                                    const os::ClientAddress& client) const {
  const UdpListener* ours = listener_at(listener.slot);
  return ours == nullptr ? table::Forecast{} : udp::forecast(store_, *ours, client);
}

}  // namespace sluice::udp
