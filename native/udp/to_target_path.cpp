// ToTargetPath: receives from clients, finds or opens their sessions, sends to targets.
#include "udp/to_target_path.h"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <utility>

#include "os/connect.h"
#include "os/sys.h"

namespace sluice::udp {

using shared::add;
using shared::CloseReason;

namespace {

// One event handles at most so many batches, then others get their turn.
constexpr uint32_t kReceivesMax = 4;

// Cuts the first `datagrams` off `rest`. A datagram of no bytes is one all the same.
Piece cut(Piece& rest, uint32_t datagrams) {
  Piece head = rest;
  if (rest.datagrams() > datagrams) head.bytes = datagrams * rest.segment_bytes;
  rest.data += head.bytes;
  rest.bytes -= head.bytes;
  return head;
}

uint32_t requests_left(const Session& session) {
  const uint32_t bound = session.socket->listener->config->udp_requests;
  if (bound == 0) return std::numeric_limits<uint32_t>::max();
  return bound > session.requests ? bound - session.requests : 1;
}

}  // namespace

struct ToTargetPath::Sink {
  const shared::WorkerLinks& links;
  int fd;
  int target_error = 0;
  bool asked_again = false;

  shared::ListenerCounters& row(const Session& session) const {
    return links.listeners[session.socket->listener->slot];
  }
  void sent(Session& session, uint32_t datagrams, uint32_t bytes) {
    asked_again = false;
    session.to_target_bytes += bytes;
    add(row(session).to_target_datagrams, datagrams);
    add(row(session).to_target_bytes, bytes);
    add(links.targets[session.target_slot].to_target_datagrams, datagrams);
    add(links.targets[session.target_slot].to_target_bytes, bytes);
  }
  void blocked(Session& session, uint32_t datagrams) const {
    add(row(session).datagrams_dropped_would_block, datagrams);
  }
  SendVerdict failed(Session& session, uint32_t datagrams, int error) {
    if (is_target_fault(error)) {
      target_error = error;
      return SendVerdict::stop;
    }
    if (error == ENOBUFS) {
      blocked(session, datagrams);
      return SendVerdict::skip;
    }
    // "Too large" may be news from the way of an earlier datagram, after which the kernel will cut
    // larger ones into fragments; or it is about this one, and comes again.
    if (error == EMSGSIZE && !asked_again) {
      asked_again = true;
      static_cast<void>(os::drain_error_queue(fd));
      return SendVerdict::again;
    }
    asked_again = false;
    add(row(session).datagrams_dropped_send_error, datagrams);
    return SendVerdict::skip;
  }
  static void gso_refused(Session& session) { session.gso_to_target = false; }
  [[nodiscard]] int hidden_error() const { return os::drain_error_queue(fd); }
};

ToTargetPath::ToTargetPath(const shared::WorkerLinks& links, SessionStore& store,
                           ToClientPath& to_client)
    : links_(links),
      store_(store),
      to_client_(to_client),
      batch_(links.options.datagram_batch, DatagramBatch::Names::senders) {}

void ToTargetPath::receive(ListenerSocket& socket) {
  const uint64_t before =
      links_.listeners[socket.listener->slot].to_target_bytes.load(std::memory_order_relaxed);
  for (uint32_t i = 0; i < kReceivesMax; i++) {
    const std::span<mmsghdr> places = batch_.prepare(0);
    const os::IoResult result = os::RealSys::recvmmsg(socket.fd, places);
    // An error (it has been taken off the socket now) concerns a reply sent earlier at most.
    if (!result.done()) return;
    Session* previous = nullptr;
    for (uint32_t index = 0; index < result.bytes; index++) assign(socket, index, previous);
    send_assigned();
    if (result.bytes < places.size()) return;
    const uint64_t after =
        links_.listeners[socket.listener->slot].to_target_bytes.load(std::memory_order_relaxed);
    if (after - before >= links_.options.turn_bytes) return;
  }
}

SessionKey ToTargetPath::key_of(const ListenerSocket& socket, uint32_t index) const {
  const os::ClientAddress client = batch_.sender(index);
  SessionKey key;
  std::memcpy(key.client_ip, client.ip, sizeof(key.client_ip));
  key.scope_id = client.scope_id;
  key.client_port = client.port;
  key.socket_id = socket.id;
  // Not said: the kernel chooses the source of the replies.
  if (socket.wildcard) static_cast<void>(batch_.read_local_ip(index, key.local_ip));
  return key;
}

// Datagrams of one client mostly come in runs: `previous` spares them the map.
void ToTargetPath::assign(ListenerSocket& socket, uint32_t index, Session*& previous) {
  const Received received = batch_.received(index);
  Piece rest{nullptr, received.data, received.bytes, received.segment_bytes};
  if (received.truncated) {
    add(links_.listeners[socket.listener->slot].datagrams_dropped_truncated, rest.datagrams());
    return;
  }
  const SessionKey key = key_of(socket, index);
  do {
    // Before the session is looked up: sending may end it.
    if (assigned_count_ == kAssignedMax) send_assigned();
    const bool same = previous != nullptr && previous->mapped && previous->key == key;
    const OpenOutcome found = same ? OpenOutcome{previous} : session_for(socket, key);
    previous = found.session;
    if (previous == nullptr) {
      return count_refusal(*socket.listener, found.refusal, rest.datagrams());
    }
    const Piece head = cut(rest, requests_left(*previous));
    append(*previous, head);
    count_request(*previous, head.datagrams());
  } while (rest.bytes > 0);
}

OpenOutcome ToTargetPath::session_for(ListenerSocket& socket, const SessionKey& key) {
  const SessionMap& map = socket.listener->map;
  const uint32_t hash = map.hash(key);
  Session* session = map.find(key, hash);
  if (session != nullptr) return {session};
  return open({socket, key, hash});
}

OpenOutcome ToTargetPath::open(const SessionRequest& request) {
  const UdpListener& listener = *request.socket.listener;
  const Room room = store_.room(listener);
  if (room == Room::listener_full && !evict(store_.next_to_evict(listener))) {
    return {nullptr, OpenRefusal::full};
  }
  if (room == Room::worker_full) {
    if (!evict(store_.next_to_evict())) return {nullptr, OpenRefusal::full};
    // Two for one, until a bound that was lowered is met.
    if (store_.room(listener) == Room::worker_full) {
      static_cast<void>(evict(store_.next_to_evict()));
    }
  }
  const OpenOutcome opened = store_.open(request);
  if (opened.refusal != OpenRefusal::shortage) return opened;
  // Others have taken what the bounds had promised.
  store_.note_shortage();
  if (!evict(store_.next_to_evict())) return opened;
  return store_.open(request);
}

bool ToTargetPath::evict(Session* session) {
  if (session == nullptr) return false;
  // Its datagram may be in this very batch.
  if (session->touched != Session::kNotTouched) send_assigned();
  store_.end(*session, CloseReason::limit);
  return true;
}

void ToTargetPath::append(Session& session, const Piece& piece) {
  const auto place = static_cast<uint16_t>(assigned_count_++);
  assigned_[place] = {piece, kNone};
  assigned_[place].piece.session = &session;
  if (session.touched == Session::kNotTouched) {
    session.touched = static_cast<uint16_t>(touched_count_++);
    touched_[session.touched] = {&session, place, place};
    return;
  }
  Touched& touched = touched_[session.touched];
  assigned_[touched.last].next = place;
  touched.last = place;
}

void ToTargetPath::count_request(Session& session, uint32_t datagrams) {
  session.requests += datagrams;
  store_.touch(session);
  const uint32_t bound = session.socket->listener->config->udp_requests;
  if (bound != 0 && session.requests >= bound) store_.unmap(session);
}

void ToTargetPath::count_refusal(const UdpListener& listener, OpenRefusal refusal,
                                 uint32_t datagrams) {
  shared::ListenerCounters& row = links_.listeners[listener.slot];
  switch (refusal) {
    case OpenRefusal::none:
      return;
    case OpenRefusal::full:
      return add(row.datagrams_dropped_sessions_full, datagrams);
    case OpenRefusal::no_target:
      return add(row.datagrams_dropped_no_target, datagrams);
    case OpenRefusal::shortage:
    case OpenRefusal::local_error:
      return add(row.datagrams_dropped_local_error, datagrams);
  }
}

void ToTargetPath::send_assigned() {
  const uint32_t count = std::exchange(touched_count_, 0);
  for (uint32_t i = 0; i < count; i++) {
    const Touched touched = touched_[i];
    uint32_t pieces = 0;
    for (uint16_t at = touched.first; at != kNone; at = assigned_[at].next) {
      ordered_[pieces++] = assigned_[at].piece;
    }
    touched.session->touched = Session::kNotTouched;
    send(*touched.session, std::span(ordered_, pieces), Retry::allowed);
  }
  assigned_count_ = 0;
}

void ToTargetPath::send(Session& session, std::span<Piece> pieces, Retry retry) {
  Sink sink{links_, session.fd.get()};
  const PiecePosition stopped =
      sender_.send<os::RealSys>(session.fd.get(), Direction::to_target, pieces, sink);
  if (stopped.piece == pieces.size()) return;
  const std::span<Piece> rest = pieces.subspan(stopped.piece);
  rest.front().data += stopped.offset;
  rest.front().bytes -= stopped.offset;
  send_elsewhere(session, rest, sink.target_error, retry);
}

// The target cannot be reached. What had not left goes to another one, once, so that a dead target
// costs no more than what was on its way.
void ToTargetPath::send_elsewhere(Session& failed, std::span<Piece> rest, int error, Retry retry) {
  UdpListener& listener = *failed.socket->listener;
  uint32_t datagrams = 0;
  for (const Piece& piece : rest) datagrams += piece.datagrams();
  // Answers that came before the error.
  static_cast<void>(to_client_.receive(failed));
  store_.end_unreachable(failed, error);
  if (retry == Retry::spent) {
    return add(links_.listeners[listener.slot].datagrams_dropped_send_error, datagrams);
  }
  const OpenOutcome opened =
      store_.open({*failed.socket, failed.key, failed.hash, failed.target_slot});
  if (opened.session == nullptr) return count_refusal(listener, opened.refusal, datagrams);
  for (Piece& piece : rest) piece.session = opened.session;
  count_request(*opened.session, datagrams);
  send(*opened.session, rest, Retry::spent);
}

}  // namespace sluice::udp
