// TableExchange: hands tables from the coordinator to the workers. One pointer is published; each
// worker adopts it at the top of its loop, which is also its acknowledgement; the coordinator frees
// a table when no worker holds it. No lock, and no wait on either side.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "shared/layout.h"
#include "table/table.h"

namespace sluice::table {

// Each worker has a hazard pointer: `held` names the table that it may be reading. After reclaim()
// live tables are at most one per worker and the published one, however many were published and
// however long a worker stalls.
class TableExchange {
 public:
  explicit TableExchange(uint32_t workers);
  ~TableExchange();  // every worker has stopped
  TableExchange(const TableExchange&) = delete;
  TableExchange& operator=(const TableExchange&) = delete;

  // ---- Coordinator only ------------------------------------------------------------------------
  // Generations must rise. Frees nothing: a worker names the new table before its parts have let go
  // of the one before, so when that may go is not for this call to say.
  void publish(std::unique_ptr<Table> table);
  // Frees every replaced table that no worker holds. To be called only while no worker's parts are
  // changing from one table to the next.
  void reclaim();
  // The newest generation that every worker has adopted, or has passed by adopting a later one; a
  // stopped worker has passed all. What a worker did under earlier tables happened before.
  [[nodiscard]] uint64_t applied_generation() const;
  // What the workers are to adopt; null before the first publication. Valid until the next one.
  [[nodiscard]] const Table* published() const;
  [[nodiscard]] uint32_t live_tables() const { return static_cast<uint32_t>(tables_.size()); }

  // ---- Worker `worker` only --------------------------------------------------------------------
  // The newest table, null before the first. Valid until this worker's next adopt() or stop().
  // Costs one load of a shared line when nothing is new.
  [[nodiscard]] const Table* adopt(uint32_t worker);
  // Once, as the worker's last act: it holds no table any more, and nobody waits for it.
  void stop(uint32_t worker);

 private:
  struct alignas(shared::kCacheLineBytes) Reader {
    // Writer: the worker, before it may read the table it names. Reader: the coordinator, before it
    // frees one. Sequentially consistent, as are the loads and stores of `current_` around it: the
    // worker's "I hold t, is t still current?" and the coordinator's "t is no longer current, who
    // holds it?" must not both be answered with old news.
    std::atomic<const Table*> held{nullptr};
    // Writer: the worker, release: what it did under earlier tables comes before. Reader: the
    // coordinator, acquire.
    std::atomic<uint64_t> adopted_generation{0};
  };

  // Writer: the coordinator. Readers: the workers, once per turn of their loop. Acquire and release
  // carry the table's content; sequentially consistent where `held` is involved (see there). On a
  // line of its own: it is read all the time and written at a reload.
  alignas(shared::kCacheLineBytes) std::atomic<const Table*> current_{nullptr};
  alignas(shared::kCacheLineBytes) std::vector<Reader> readers_;
  std::vector<std::unique_ptr<Table>> tables_;  // the coordinator's; the newest is the last
};

}  // namespace sluice::table
