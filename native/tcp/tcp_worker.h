// TcpWorker: everything TCP on one worker. The worker owns the loop, the epoll and the wheel; this
// tells listeners, the connector and the pumps what has happened to their sockets.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "os/epoll.h"
#include "os/timer_wheel.h"
#include "policy/lot.h"
#include "shared/layout.h"
#include "shared/worker_links.h"
#include "table/forecast.h"
#include "table/table.h"
#include "tcp/tcp_context.h"
#include "tcp/tcp_listener.h"

namespace sluice::tcp {

class TcpWorker {
 public:
  // `links` outlives it, and so do the counters and the wheel in it.
  explicit TcpWorker(const shared::WorkerLinks& links);
  ~TcpWorker();
  TcpWorker(const TcpWorker&) = delete;
  TcpWorker& operator=(const TcpWorker&) = delete;

  // At the top of the loop, before the wait. `table` stays alive until the next adopt() has
  // returned: a listener that has left it serves its queue by the old one first.
  void adopt(const table::Table& table);
  // Kinds tcp_listener, tcp_client and tcp_target.
  void handle(os::EpollToken token, uint32_t events);
  // Kinds tcp_connection, tcp_accept_resume and tcp_wait_look.
  void fire(os::TimerNode& node);

  // Connections that have used up their turn's byte budget: each of the first few gets another
  // turn, the others wait behind the next wait for events.
  // Or who waits for a target could be given one.
  [[nodiscard]] bool has_ready() const {
    return !context_.ready.empty() || context_.waiting.has_due();
  }
  void run_ready();

  // After the last event of a wait: what was closed is freed only here, because later events of
  // the same wait may still name it.
  void end_turn();

  // Closes of what is named those on whom the lot falls, now; a client that would miss bytes sees a
  // reset. O(open connections).
  void close_connections(shared::CloseScope scope, uint32_t slot, shared::CloseReason reason,
                         policy::Lot lot = {});
  [[nodiscard]] uint32_t open_connections() const { return context_.open_count; }
  // What would become of such a client of a TCP listener of the adopted table. Changes nothing.
  [[nodiscard]] table::Forecast forecast(const table::Listener& listener,
                                         const os::ClientAddress& client) const;

 private:
  void handle_client(TcpConnection& connection, uint32_t events);
  void handle_target(TcpConnection& connection, uint32_t events);
  void pause_for_descriptors();

  TcpContext context_;
  std::vector<std::unique_ptr<TcpListener>> listeners_;
  std::vector<std::unique_ptr<TcpListener>> retired_;  // until the end of the turn
};

}  // namespace sluice::tcp
