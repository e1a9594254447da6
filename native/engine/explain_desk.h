// ExplainDesk: answers explain commands in the worker's turn: has the forecast made, and writes it
// into the worker's explain area. Forwarding waits for it as for any event of the turn.
#pragma once

#include <cstdint>
#include <span>

#include "shared/layout.h"
#include "shared/region.h"
#include "shared/worker_links.h"
#include "table/table.h"
#include "tcp/tcp_worker.h"
#include "udp/udp_worker.h"

namespace sluice::engine {

class ExplainDesk {
 public:
  // All of it outlives the desk.
  ExplainDesk(const shared::Region& region, const shared::WorkerLinks& links);

  // `table` is the adopted one; null before the first. `command` is a valid explain command.
  void answer(const shared::Command& command, const table::Table* table, const tcp::TcpWorker& tcp,
              const udp::UdpWorker& udp);

 private:
  void describe(const table::Forecast& forecast, shared::ExplainAnswer& answer);
  void publish(const shared::ExplainAnswer& answer, uint32_t id);
  [[nodiscard]] uint32_t write_notes(const table::PickRecord& record);

  const shared::WorkerLinks& links_;
  shared::ExplainAnswer& answer_;
  std::span<shared::ExplainNote> notes_;
};

}  // namespace sluice::engine
