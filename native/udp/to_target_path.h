// ToTargetPath: from the listeners' sockets to the targets. Each batch received is sorted by
// session (order within a session stays), and each session's part leaves in one system call.
#pragma once

#include <cstdint>
#include <span>

#include "shared/worker_links.h"
#include "udp/datagram_batch.h"
#include "udp/datagram_sender.h"
#include "udp/session_store.h"
#include "udp/to_client_path.h"

namespace sluice::udp {

class ToTargetPath {
 public:
  ToTargetPath(const shared::WorkerLinks& links, SessionStore& store, ToClientPath& to_client);

  // Takes what waits on the socket, up to a turn's worth. Listeners' sockets are level-triggered:
  // what is left comes back with the next turn.
  void receive(ListenerSocket& socket);

 private:
  struct Sink;
  // Pieces assigned to sessions and not yet sent. A received message becomes several pieces only
  // where a bound of requests cuts it.
  static constexpr uint32_t kAssignedMax = 4 * kDatagramBatchMax;
  static constexpr uint16_t kNone = 0xffff;
  struct Assigned {
    Piece piece;
    uint16_t next = kNone;
  };
  struct Touched {
    Session* session = nullptr;
    uint16_t first = kNone;
    uint16_t last = kNone;
  };
  enum class Retry : uint8_t { allowed, spent };

  [[nodiscard]] SessionKey key_of(const ListenerSocket& socket, uint32_t index) const;
  void assign(ListenerSocket& socket, uint32_t index, Session*& previous);
  [[nodiscard]] OpenOutcome session_for(ListenerSocket& socket, const SessionKey& key);
  [[nodiscard]] OpenOutcome open(const SessionRequest& request);
  // False when there is none.
  [[nodiscard]] bool evict(Session* session);
  void append(Session& session, const Piece& piece);
  void count_request(Session& session, uint32_t datagrams);
  void count_refusal(const UdpListener& listener, OpenRefusal refusal, uint32_t datagrams);
  void send_assigned();
  void send(Session& session, std::span<Piece> pieces, Retry retry);
  void send_elsewhere(Session& failed, std::span<Piece> rest, int error, Retry retry);

  const shared::WorkerLinks& links_;
  SessionStore& store_;
  ToClientPath& to_client_;
  DatagramBatch batch_;
  Assigned assigned_[kAssignedMax] = {};
  uint32_t assigned_count_ = 0;
  Touched touched_[kAssignedMax] = {};
  uint32_t touched_count_ = 0;
  Piece ordered_[kAssignedMax] = {};
  DatagramSender sender_;
};

}  // namespace sluice::udp
