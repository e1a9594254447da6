// ToClientPath: receives from targets, sends to clients.
#include "udp/to_client_path.h"

#include <cerrno>
#include <limits>

#include "os/connect.h"
#include "os/sys.h"

namespace sluice::udp {

using shared::add;

namespace {

// One event handles at most so many batches, then others get their turn.
constexpr uint32_t kReceivesMax = 4;

}  // namespace

// Every drop on the way to a client is counted at the listener: the target has done its part.
struct ToClientPath::Sink {
  const shared::WorkerLinks& links;

  shared::ListenerCounters& row(const Session& session) const {
    return links.listeners[session.socket->listener->slot];
  }
  void sent(Session& session, uint32_t datagrams, uint32_t bytes) const {
    session.to_client_bytes += bytes;
    add(row(session).to_client_datagrams, datagrams);
    add(row(session).to_client_bytes, bytes);
    add(links.targets[session.target_slot].to_client_datagrams, datagrams);
    add(links.targets[session.target_slot].to_client_bytes, bytes);
  }
  void blocked(Session& session, uint32_t datagrams) const {
    add(row(session).datagrams_dropped_would_block, datagrams);
  }
  // A listener's socket serves all clients: what one of them meets (no route, too large for the
  // address family) says nothing about the next.
  SendVerdict failed(Session& session, uint32_t datagrams, int error) const {
    if (error == ENOBUFS) {
      blocked(session, datagrams);
    } else {
      add(row(session).datagrams_dropped_send_error, datagrams);
    }
    return SendVerdict::skip;
  }
  static void gso_refused(Session& session) { session.gso_to_client = false; }
  // Nobody's errors are kept on a socket that serves all.
  [[nodiscard]] static int hidden_error() { return 0; }
};

ToClientPath::ToClientPath(const shared::WorkerLinks& links, SessionStore& store)
    : links_(links),
      store_(store),
      batch_(links.options.datagram_batch, DatagramBatch::Names::none) {}

// The bound of answers is per request, as nginx's proxy_responses: a client with several questions
// on their way gets all answers before its session ends.
uint64_t ToClientPath::expected(const Session& session) {
  const uint64_t per_request = session.socket->listener->config->udp_responses;
  if (per_request == 0) return std::numeric_limits<uint64_t>::max();
  const uint64_t all = per_request * session.requests;
  return all > session.responses ? all - session.responses : 1;
}

bool ToClientPath::append(Session& session, uint32_t index, uint64_t& bytes) {
  const Received received = batch_.received(index);
  Piece piece{&session, received.data, received.bytes, received.segment_bytes};
  if (received.truncated) {
    add(links_.listeners[session.socket->listener->slot].datagrams_dropped_truncated,
        piece.datagrams());
    return true;
  }
  const uint64_t wanted = expected(session);
  if (piece.datagrams() > wanted) {
    piece.bytes = static_cast<uint32_t>(wanted) * piece.segment_bytes;
  }
  pieces_[pieces_count_++] = piece;
  session.responses += piece.datagrams();
  bytes += piece.bytes;
  return wanted > piece.datagrams();
}

ReceiveOutcome ToClientPath::receive(Session& session) {
  ReceiveOutcome outcome;
  uint64_t bytes = 0;
  for (uint32_t i = 0; i < kReceivesMax && bytes < links_.options.turn_bytes; i++) {
    if (used_ == batch_.size()) flush();
    const std::span<mmsghdr> places = batch_.prepare(used_);
    const os::IoResult result = os::RealSys::recvmmsg(session.fd.get(), places);
    if (result.would_block()) return outcome;
    if (!result.done()) {
      if (is_target_fault(result.error)) {
        outcome.error = result.error;
      } else if (result.error != EMSGSIZE) {
        return outcome;
      }
      // Told once, and before the datagrams that had come earlier: those are taken next.
      static_cast<void>(os::drain_error_queue(session.fd.get()));
      continue;
    }
    const uint32_t first = used_;
    used_ += static_cast<uint32_t>(result.bytes);
    bool open = true;
    for (uint32_t index = first; index < used_ && open; index++) {
      open = append(session, index, bytes);
    }
    store_.touch(session);
    if (!open) {
      store_.end(session, shared::CloseReason::completed);
      return {};
    }
    // A short batch means that the kernel found the queue empty: what comes later is a new edge.
    if (result.bytes < places.size()) return outcome;
  }
  outcome.more = true;
  return outcome;
}

void ToClientPath::flush() {
  Sink sink{links_};
  const std::span<const Piece> pieces(pieces_, pieces_count_);
  uint32_t first = 0;
  while (first < pieces.size()) {
    const int fd = pieces[first].session->socket->fd;
    uint32_t end = first + 1;
    while (end < pieces.size() && pieces[end].session->socket->fd == fd) end++;
    static_cast<void>(sender_.send<os::RealSys>(fd, Direction::to_client,
                                                pieces.subspan(first, end - first), sink));
    first = end;
  }
  pieces_count_ = 0;
  used_ = 0;
}

}  // namespace sluice::udp
