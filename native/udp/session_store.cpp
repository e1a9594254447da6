// SessionStore: the life of a session, from the choice of its target to its record.
#include "udp/session_store.h"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <span>
#include <utility>

#include "os/connect.h"
#include "os/random.h"
#include "os/sys.h"
#include "os/udp_offload.h"
#include "table/sticky_pick.h"
#include "udp/session_ends.h"

namespace sluice::udp {

using shared::add;
using shared::CloseReason;

namespace {

constexpr uint64_t kMsNs = 1'000'000;
// How coarse the order of `established` is: a busy session moves in it at most this often.
constexpr uint64_t kListGrainNs = 128 * kMsNs;
constexpr uint32_t kShortageSessionsMin = 64;
constexpr uint32_t kShortageShare = 32;
constexpr uint64_t kShortageNs = 1'000'000'000;
// Bulk targets answer in bursts of 64 KiB pieces; the default buffer (208 KiB) takes three.
constexpr uint32_t kBulkReceiveBytes = 1U << 20U;

// Between taking its port and being connected a socket accepts datagrams from anyone. Nothing that
// waits there now can be an answer: nothing has been sent.
void discard_strays(int fd) {
  mmsghdr messages[8] = {};
  while (os::RealSys::recvmmsg(fd, messages).done()) {
  }
}

OpenRefusal refusal_of(int error) {
  switch (error) {
    case EMFILE:
    case ENFILE:
    case EAGAIN:      // no source port
    case EADDRINUSE:  // the same, before Linux 4.2 and with a source address
    case ENOBUFS:
    case ENOMEM:
    case ENOSPC:  // fs.epoll.max_user_watches
      return OpenRefusal::shortage;
    default:
      return OpenRefusal::local_error;
  }
}

// The kernel chooses the source address where the pool names none of the target's family.
const os::Address* next_source(const table::Pool& pool, sa_family_t family, uint32_t& position) {
  for (size_t i = 0; i < pool.sources.size(); i++) {
    const os::Address& source = pool.sources[position++ % pool.sources.size()];
    if (source.family() == family) return &source;
  }
  return nullptr;
}

}  // namespace

bool is_target_fault(int error) {
  switch (os::classify_connect_error(error)) {
    case os::ConnectFault::refused:
    case os::ConnectFault::timed_out:
    case os::ConnectFault::unreachable:
    case os::ConnectFault::reset:
      return true;
    case os::ConnectFault::none:
    case os::ConnectFault::local:
    case os::ConnectFault::other:
      return false;
  }
  return false;
}

SessionStore::SessionStore(const shared::WorkerLinks& links, const Listeners& listeners)
    : links_(links),
      listeners_(listeners),
      gso_(links.options.udp_gso && os::knows_udp_gso()),
      open_max_(links.options.sessions_max == 0
                    ? kSessionsMax
                    : std::min(links.options.sessions_max, kSessionsMax)),
      cursors_(shared::kPoolSlotsMax),
      sessions_(kSessionsMax) {
  os::fill_random(std::as_writable_bytes(std::span(cursors_)));
  // The generator's one state that it could never leave is all zero.
  for (policy::Cursor& cursor : cursors_) cursor.random[0] |= 1U;
}

bool SessionStore::is_full(const UdpListener& listener) const {
  const table::Listener& config = *listener.config;
  if (listener.sessions >= config.udp_sessions_max) return true;
  // Relaxed: a count that is a moment old lets in at most what admit() then turns away.
  return config.max_connections != 0 && links_.listener_active[listener.slot].load(
                                            std::memory_order_relaxed) >= config.max_connections;
}

// Those that have ended hold their places until the turn ends.
bool SessionStore::is_full() const {
  return open_ >= open_max_ || sessions_.in_use() >= sessions_.capacity();
}

Room SessionStore::room(const UdpListener& listener) const {
  if (is_full(listener)) return Room::listener_full;
  const bool lowered = links_.now_ns < shortage_until_ns_ && open_ >= shortage_max_;
  return lowered || is_full() ? Room::worker_full : Room::enough;
}

bool SessionStore::admit(const UdpListener& listener) {
  if (is_full(listener) || is_full()) return false;
  const uint32_t limit = listener.config->max_connections;
  // Relaxed: only the number matters. Adding first makes the limit exact over all workers.
  auto& active = links_.listener_active[listener.slot];
  if (active.fetch_add(1, std::memory_order_relaxed) < limit || limit == 0) return true;
  active.fetch_sub(1, std::memory_order_relaxed);
  return false;
}

Session* SessionStore::next_to_evict(const UdpListener& listener) const {
  if (!listener.unproven.empty()) return listener.unproven.oldest();
  Session* oldest = listener.established.oldest();
  if (oldest == nullptr) return nullptr;
  return links_.now_ns - oldest->last_active_ns >= kEvictionIdleNs ? oldest : nullptr;
}

Session* SessionStore::next_to_evict() const {
  Session* next = nullptr;
  for (const auto& listener : listeners_) {
    Session* session = next_to_evict(*listener);
    if (session == nullptr) continue;
    if (next == nullptr || listener->sessions > next->socket->listener->sessions) next = session;
  }
  return next;
}

OpenOutcome SessionStore::open(const SessionRequest& request) {
  UdpListener& listener = *request.socket.listener;
  if (!admit(listener)) return {nullptr, OpenRefusal::full};
  Connected connected = connect(request);
  Session* session = nullptr;
  if (connected.refusal == OpenRefusal::none) {
    session = sessions_.take();
    // For ever and edge-triggered: receiving goes on until the socket is dry or the session waits
    // in the ready list, and a session never waits to send.
    constexpr auto kToken = static_cast<uint8_t>(shared::TokenKind::udp_session);
    const os::IoResult added = links_.epoll.add(connected.fd.get(), EPOLLIN | EPOLLET,
                                                os::EpollToken::of(session, kToken));
    if (added.failed()) {
      sessions_.give(session);
      links_.active[connected.target_slot].fetch_sub(1, std::memory_order_relaxed);
      connected.refusal = refusal_of(added.error);
    }
  }
  if (connected.refusal != OpenRefusal::none) {
    links_.listener_active[listener.slot].fetch_sub(1, std::memory_order_relaxed);
    return {nullptr, connected.refusal};
  }
  session->timer.kind = static_cast<uint8_t>(shared::TimerKind::udp_session);
  session->key = request.key;
  session->hash = request.hash;
  session->fd = std::move(connected.fd);
  session->socket = &request.socket;
  session->target_slot = connected.target_slot;
  // On every listener, bulk or not: joining what is there anyway delays nothing, changes nothing on
  // the wire, and saves a third of the worker's time with bursts of 16 (2.8 against 4.5 us per
  // round trip on loopback). GRO is for bulk alone: small
  // requests gain nothing by it (techniques.md, section 3).
  session->gso_to_target = gso_;
  session->gso_to_client = gso_;
  session->opened_ns = links_.now_ns;
  session->last_active_ns = links_.now_ns;
  // A session that its client has outgrown (bound of requests) may be replaced after the client has
  // got its next one: then that one keeps the client.
  if (listener.map.find(request.key, request.hash) == nullptr) {
    session->mapped = listener.map.insert(*session);
  }
  listener.unproven.push_back(*session);
  listener.sessions++;
  open_++;
  links_.counters.sessions_open.store(open_, std::memory_order_relaxed);
  add(links_.listeners[listener.slot].sessions_opened, 1);
  add(links_.targets[session->target_slot].sessions_opened, 1);
  rearm(*session);
  return {session, OpenRefusal::none};
}

// Targets that cannot be reached at all (no route) are passed over at once, as often as the pool
// allows retries.
SessionStore::Connected SessionStore::connect(const SessionRequest& request) {
  const UdpListener& listener = *request.socket.listener;
  const table::Pool& pool = *listener.pool;
  os::UdpConnectOptions options;
  options.receive_buffer_bytes = listener.config->bulk ? kBulkReceiveBytes : 0;
  // A dead machine answers nothing; "host unreachable" from the last hop is all there is.
  options.all_icmp_errors = true;
  table::TriedTargets tried;
  if (request.avoid_slot != shared::kNoSlot) tried.push(request.avoid_slot);
  for (uint32_t attempt = 0; attempt <= pool.retries; attempt++) {
    uint32_t slot = reserve_target(pool, request, tried);
    if (slot == policy::kNoPick && attempt == 0 && request.avoid_slot != shared::kNoSlot) {
      // No other target: the one to avoid may have come back, and dropping is certain loss.
      tried = {};
      slot = reserve_target(pool, request, tried);
    }
    if (slot == policy::kNoPick) return {os::Fd(), slot, OpenRefusal::no_target};
    const os::Address& address = table_->target_at(slot)->address;
    os::ConnectStart start;
    for (size_t i = 0; i < std::max<size_t>(1, pool.sources.size()); i++) {
      // The next source address may still have a port when this one has none.
      const os::Address* source = next_source(pool, address.family(), source_position_);
      start = os::connect_udp(address, source, options);
      if (start.outcome.fault != os::ConnectFault::local) break;
    }
    if (start.outcome.state == os::ConnectState::connected) {
      if (listener.config->bulk && links_.options.udp_gro) {
        // Without it datagrams come one by one.
        static_cast<void>(os::enable_udp_gro(start.fd.get()));
      }
      discard_strays(start.fd.get());
      return {std::move(start.fd), slot, OpenRefusal::none};
    }
    links_.active[slot].fetch_sub(1, std::memory_order_relaxed);
    if (!is_target_fault(start.outcome.error)) {
      return {os::Fd(), slot, refusal_of(start.outcome.error)};
    }
    note_unreachable(&pool, slot, request.key, start.outcome.error);
    tried.push(slot);
  }
  return {os::Fd(), policy::kNoPick, OpenRefusal::no_target};
}

// Picks a target and counts the session on it, so that its limit holds over all workers.
uint32_t SessionStore::reserve_target(const table::Pool& pool, const SessionRequest& request,
                                      table::TriedTargets& tried) {
  const os::ClientAddress client = client_of(request.key);
  os::ClientAddress destination;
  if (pool.asks_for_destination()) destination = destination_of(request.key, request.socket);
  const table::Arrival arrival{.client = client, .destination = destination};
  while (tried.count <= table::kRetriesMax) {
    const uint32_t slot =
        table::pick_or_stick(links_, {*table_, pool, arrival, tried}, cursors_[pool.slot]);
    const table::Target* target = slot == policy::kNoPick ? nullptr : table_->target_at(slot);
    if (target == nullptr) return policy::kNoPick;
    // Relaxed: policies and limits need the number, nothing is published by it.
    const uint32_t before = links_.active[slot].fetch_add(1, std::memory_order_relaxed);
    if (target->max_connections == 0 || before < target->max_connections) return slot;
    links_.active[slot].fetch_sub(1, std::memory_order_relaxed);
    tried.push(slot);  // another worker took the last place
  }
  return policy::kNoPick;
}

// The last free source ports are the dear ones: the kernel searches its whole table for them, a
// millisecond each, and as long again to find that there is none. So a share is kept free. Few
// sessions are not what a shortage comes from.
void SessionStore::note_shortage() {
  if (open_ < kShortageSessionsMin) return;
  shortage_max_ = open_ - open_ / kShortageShare;
  shortage_until_ns_ = links_.now_ns + kShortageNs;
}

void SessionStore::touch(Session& session) {
  session.last_active_ns = links_.now_ns;
  UdpListener& listener = *session.socket->listener;
  if (!session.established) {
    if (session.requests < 2 && session.responses == 0) return;
    listener.unproven.remove(session);
    session.established = true;
  } else {
    if (links_.now_ns - session.listed_ns < kListGrainNs) return;
    listener.established.remove(session);
  }
  listener.established.push_back(session);
  session.listed_ns = links_.now_ns;
}

void SessionStore::unmap(Session& session) {
  if (!session.mapped) return;
  session.socket->listener->map.remove(session);
  session.mapped = false;
}

void SessionStore::end(Session& session, CloseReason reason) {
  if (session.ended) return;
  UdpListener& listener = *session.socket->listener;
  unmap(session);
  (session.established ? listener.established : listener.unproven).remove(session);
  links_.wheel.cancel(session.timer);
  // Closing alone would leave the registration behind while a child process that is about to exec
  // still holds a copy of the descriptor.
  static_cast<void>(links_.epoll.remove(session.fd.get()));
  session.fd.reset();
  session.ended = true;
  session.close_reason = reason;
  ended_.push_back(session);
  listener.sessions--;
  links_.counters.sessions_open.store(--open_, std::memory_order_relaxed);
  links_.listener_active[listener.slot].fetch_sub(1, std::memory_order_relaxed);
  links_.active[session.target_slot].fetch_sub(1, std::memory_order_relaxed);
  auto& row = links_.listeners[listener.slot];
  auto& target = links_.targets[session.target_slot];
  add(row.sessions_closed, 1);
  add(row.closed_by_reason[static_cast<size_t>(reason)], 1);
  shared::count_end(links_.ends[listener.slot], (links_.now_ns - session.opened_ns) / kMsNs,
                    session.to_target_bytes, session.to_client_bytes);
  add(target.sessions_closed, 1);
  if (reason == CloseReason::closed_by_operator) add(target.closed_by_operator, 1);
}

void SessionStore::end_unreachable(Session& session, int error) {
  note_unreachable(session.socket->listener->pool, session.target_slot, session.key, error);
  end(session, CloseReason::target_down);
}

void SessionStore::note_unreachable(const table::Pool* pool, uint32_t target_slot,
                                    const SessionKey& key, int error) {
  const table::Target* target = table_->target_at(target_slot);
  if (pool != nullptr && target != nullptr) {
    table::forget_sticky(links_, *pool, client_of(key), *target);
  }
  add(links_.targets[target_slot].icmp_errors, 1);
  shared::Event event{};
  event.type = static_cast<uint16_t>(shared::EventType::target_unreachable);
  event.slot = target_slot;
  event.target_slot = target_slot;
  event.error = error;
  std::memcpy(event.client_ip, key.client_ip, sizeof(event.client_ip));
  event.client_port = key.client_port;
  if (!links_.events.push(event)) add(links_.counters.events_dropped, 1);
}

// 0: never.
uint64_t SessionStore::deadline_ns(const Session& session) const {
  const table::Listener& config = *session.socket->listener->config;
  constexpr uint64_t kNever = std::numeric_limits<uint64_t>::max();
  const uint64_t idle = config.idle_timeout_ms == 0
                            ? kNever
                            : session.last_active_ns + config.idle_timeout_ms * kMsNs;
  const uint64_t lifetime =
      config.lifetime_ms == 0 ? kNever : session.opened_ns + config.lifetime_ms * kMsNs;
  const uint64_t earlier = std::min(idle, lifetime);
  return earlier == kNever ? 0 : earlier;
}

void SessionStore::rearm(Session& session) {
  const uint64_t deadline = deadline_ns(session);
  if (deadline == 0) {
    links_.wheel.cancel(session.timer);
  } else {
    links_.wheel.arm(session.timer, deadline);
  }
}

void SessionStore::fire(Session& session) {
  const uint64_t deadline = deadline_ns(session);
  if (deadline == 0 || deadline > links_.now_ns) return rearm(session);
  const table::Listener& config = *session.socket->listener->config;
  if (config.lifetime_ms != 0 && session.opened_ns + config.lifetime_ms * kMsNs <= links_.now_ns) {
    return end(session, CloseReason::lifetime);
  }
  // All requests that it was good for, and no count of answers to wait for: that was it.
  const bool complete = !session.mapped && config.udp_requests != 0 && config.udp_responses == 0;
  end(session, complete ? CloseReason::completed : CloseReason::idle_timeout);
}

void SessionStore::record(const Session& session) {
  shared::Event event{};
  event.type = static_cast<uint16_t>(shared::EventType::session_ended);
  event.code = static_cast<uint16_t>(session.close_reason);
  event.slot = session.socket->listener->slot;
  event.target_slot = session.target_slot;
  std::memcpy(event.client_ip, session.key.client_ip, sizeof(event.client_ip));
  event.client_port = session.key.client_port;
  const uint64_t duration_ms = (links_.now_ns - session.opened_ns) / kMsNs;
  event.duration_ms =
      static_cast<uint32_t>(std::min<uint64_t>(duration_ms, std::numeric_limits<uint32_t>::max()));
  event.to_target_bytes = session.to_target_bytes;
  event.to_client_bytes = session.to_client_bytes;
  if (!links_.events.push(event)) add(links_.counters.events_dropped, 1);
}

void SessionStore::free_ended() {
  while (Session* session = ended_.pop_front()) {
    if (session->socket->listener->access_log) record(*session);
    sessions_.give(session);
  }
}

}  // namespace sluice::udp
