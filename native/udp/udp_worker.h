// UdpWorker: a worker's UDP part. Keeps its listeners in step with the table and hands events to
// the two paths that carry datagrams. One thread; nothing here is shared with another worker but
// the counts that WorkerLinks says are.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "os/address.h"
#include "os/siphash.h"
#include "policy/lot.h"
#include "shared/worker_links.h"
#include "table/forecast.h"
#include "table/table.h"
#include "udp/session_store.h"
#include "udp/to_client_path.h"
#include "udp/to_target_path.h"
#include "udp/udp_listener.h"

namespace sluice::udp {

class UdpWorker {
 public:
  explicit UdpWorker(const shared::WorkerLinks& links);
  // Ends what is still open (CloseReason::shutdown).
  ~UdpWorker();
  UdpWorker(const UdpWorker&) = delete;
  UdpWorker& operator=(const UdpWorker&) = delete;

  // Between turns. The table stays alive until the next one is adopted. Binds that stay keep their
  // sockets and sessions; sessions on targets that no longer serve them end, so that the client's
  // next datagram goes elsewhere.
  void adopt(const table::Table& table);

  // Kinds udp_listener and udp_session.
  void handle(os::EpollToken token, uint32_t events);
  // Kind udp_session.
  void fire(os::TimerNode& node);

  // Sessions whose socket still held datagrams when their turn was used up. Not to wait in epoll
  // while there are any: no event would come for them.
  [[nodiscard]] bool has_ready() const { return !ready_.empty(); }
  void run_ready();

  // Sends what the turn has queued and frees what it has ended. After every turn, run_ready and
  // fire included.
  void end_turn();

  // Those on whom the lot falls.
  void close_sessions(shared::CloseScope scope, uint32_t slot, shared::CloseReason reason,
                      policy::Lot lot = {});
  [[nodiscard]] uint32_t open_sessions() const { return store_.open_sessions(); }
  // What would become of such a client of a UDP listener of the adopted table. Changes nothing.
  [[nodiscard]] table::Forecast forecast(const table::Listener& listener,
                                         const os::ClientAddress& client) const;

 private:
  struct KnownTarget {
    uint32_t slot = 0;
    os::Address address;
  };

  [[nodiscard]] UdpListener* listener_at(uint32_t slot) const;
  void leave_missing(const table::Table& table);
  void join(const table::Listener& config, const table::Table& table);
  void open_socket(UdpListener& listener, const table::Bind& bind);
  void close_socket(std::unique_ptr<ListenerSocket> socket);
  void end_stranded_sessions(const table::Table& table);
  void read_session(Session& session, uint32_t events);
  template <typename Predicate>
  void end_sessions(UdpListener& listener, shared::CloseReason reason, Predicate&& applies);

  const shared::WorkerLinks& links_;
  os::SipKey sip_key_;
  std::vector<std::unique_ptr<UdpListener>> listeners_;
  SessionStore store_;
  ToClientPath to_client_;
  ToTargetPath to_target_;
  // Gone from the table; freed with the last of their sessions, at the end of the turn.
  std::vector<std::unique_ptr<UdpListener>> left_listeners_;
  std::vector<std::unique_ptr<ListenerSocket>> left_sockets_;
  // Targets of the adopted table: where this worker's sessions may be.
  std::vector<KnownTarget> known_targets_;
  SessionList<&Session::ready> ready_;
};

}  // namespace sluice::udp
