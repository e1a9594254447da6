// TcpListener: one worker's listening socket of one bind: accepts in batches, and pauses instead of
// refusing when there is no place or no descriptor. Paused clients wait in the kernel's backlog.
#pragma once

#include <cstdint>
#include <memory>

#include "os/timer_wheel.h"
#include "table/table.h"
#include "tcp/tcp_context.h"

namespace sluice::tcp {

enum class Pause : uint8_t {
  none,
  limit,        // the listener's max_connections, counted over all workers
  descriptors,  // none left
  broken,       // accept fails for a reason of its own
};

// Its address is its epoll token and its timer node: it stays where it is.
class TcpListener : public os::TimerNode {
 public:
  // `fd` is this worker's of `sockets`, which are held so that they outlive the table they came in.
  TcpListener(TcpContext& context, std::shared_ptr<const table::BoundSockets> sockets);
  ~TcpListener();
  TcpListener(const TcpListener&) = delete;
  TcpListener& operator=(const TcpListener&) = delete;

  // The listener as the adopted table has it; before anything else, and with every new table.
  void configure(const table::Listener& config);
  [[nodiscard]] const table::BoundSockets* sockets() const { return sockets_.get(); }
  [[nodiscard]] Pause paused() const { return pause_; }

  // The socket is readable: accepts at most a batch. It is level-triggered, so the rest is told
  // again.
  void accept_batch();
  // Has the reason to pause gone? Called when a connection has ended here, with a new table, and by
  // the timer (for what ended on another worker).
  void look_again();
  void pause(Pause why);
  // For good: serves whoever waits in the queue, then takes the socket out of service. Those above
  // max_connections are reset.
  void retire();

 private:
  enum class AcceptStep : uint8_t { next, drained, stop };
  [[nodiscard]] AcceptStep accept_one();
  void meet_descriptor_bound();
  void resume();
  [[nodiscard]] bool listen();
  [[nodiscard]] bool claim_place();
  void release_place();

  TcpContext& context_;
  std::shared_ptr<const table::BoundSockets> sockets_;
  const table::Listener* config_ = nullptr;
  int fd_ = -1;
  bool unix_ = false;
  bool retired_ = false;
  Pause pause_ = Pause::none;
};

}  // namespace sluice::tcp
