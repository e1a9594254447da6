// ToClientPath: from the targets' sockets to the clients. Datagrams wait in one batch of the worker
// until it is full or the turn ends, so that the answers to many clients leave in one system call.
#pragma once

#include <cstdint>

#include "shared/worker_links.h"
#include "udp/datagram_batch.h"
#include "udp/datagram_sender.h"
#include "udp/session_store.h"

namespace sluice::udp {

struct ReceiveOutcome {
  bool more = false;  // the turn is used up; the socket may hold further datagrams
  int error = 0;      // an ICMP error says that the target cannot be reached
};

class ToClientPath {
 public:
  ToClientPath(const shared::WorkerLinks& links, SessionStore& store);

  // Takes what the session's target has sent; ends the session when it is complete.
  [[nodiscard]] ReceiveOutcome receive(Session& session);
  // Sends what waits. Before the sockets or the sessions that it names may go.
  void flush();

 private:
  struct Sink;
  // As many datagrams as the session still waits for; at least one.
  [[nodiscard]] static uint64_t expected(const Session& session);
  // False once the session has got all that it waited for.
  [[nodiscard]] bool append(Session& session, uint32_t index, uint64_t& bytes);

  const shared::WorkerLinks& links_;
  SessionStore& store_;
  DatagramBatch batch_;
  uint32_t used_ = 0;  // places of the batch that wait or are given up for this round
  Piece pieces_[kDatagramBatchMax] = {};
  uint32_t pieces_count_ = 0;
  DatagramSender sender_;
};

}  // namespace sluice::udp
