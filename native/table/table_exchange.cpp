// Publication by hazard pointers (Michael 2004), with one pointer per worker.
#include "table/table_exchange.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "os/check.h"

namespace sluice::table {

TableExchange::TableExchange(uint32_t workers) : readers_(workers) {}

TableExchange::~TableExchange() {
  for (const Reader& reader : readers_) {
    SLUICE_CHECK(reader.held.load(std::memory_order_acquire) == nullptr);
  }
}

void TableExchange::publish(std::unique_ptr<Table> table) {
  SLUICE_CHECK(table != nullptr);
  SLUICE_CHECK(tables_.empty() || table->generation > tables_.back()->generation);
  current_.store(table.get(), std::memory_order_seq_cst);
  tables_.push_back(std::move(table));
}

void TableExchange::reclaim() {
  if (tables_.size() < 2) return;
  // Each worker is asked once, so that it keeps one table at most while it moves on meanwhile. A
  // worker that names a replaced table after this will find that it is not current any more.
  std::vector<const Table*> held(readers_.size());
  for (size_t i = 0; i < held.size(); i++) {
    held[i] = readers_[i].held.load(std::memory_order_seq_cst);
  }
  const auto unheld = [&held](const std::unique_ptr<Table>& table) {
    return std::find(held.begin(), held.end(), table.get()) == held.end();
  };
  const auto published = tables_.end() - 1;
  tables_.erase(std::remove_if(tables_.begin(), published, unheld), published);
}

uint64_t TableExchange::applied_generation() const {
  if (tables_.empty()) return 0;
  uint64_t applied = tables_.back()->generation;
  for (const Reader& reader : readers_) {
    applied = std::min(applied, reader.adopted_generation.load(std::memory_order_acquire));
  }
  return applied;
}

const Table* TableExchange::published() const {
  return tables_.empty() ? nullptr : tables_.back().get();
}

const Table* TableExchange::adopt(uint32_t worker) {
  Reader& reader = readers_[worker];
  const Table* table = current_.load(std::memory_order_acquire);
  // Its own value, and a table that it holds is not freed: equal means the same table.
  if (table == reader.held.load(std::memory_order_relaxed)) return table;
  // Until `held` is seen to have been in time, `table` may be freed and must not be read. Each
  // further round means that one more table was published meanwhile.
  for (;;) {
    reader.held.store(table, std::memory_order_seq_cst);
    const Table* again = current_.load(std::memory_order_seq_cst);
    if (again == table) break;
    table = again;
  }
  reader.adopted_generation.store(table->generation, std::memory_order_release);
  return table;
}

void TableExchange::stop(uint32_t worker) {
  Reader& reader = readers_[worker];
  reader.held.store(nullptr, std::memory_order_seq_cst);
  reader.adopted_generation.store(std::numeric_limits<uint64_t>::max(), std::memory_order_release);
}

}  // namespace sluice::table
