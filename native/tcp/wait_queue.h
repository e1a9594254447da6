// WaitQueue: the connections of one pool that wait on one worker, for a place at a target or for a
// target. Each source address gets its turn: deficit round robin, in which every connection costs
// one and the quantum is one, so that no deficit is ever left over. Within a source the order is
// that of arrival.
//
// Sources are told apart by a keyed hash into kRows rows, as in stochastic fair queueing (McKenney,
// 1990): bounded, without a lookup table, and nobody who does not know the key can choose to share
// another one's row. Those who do share one share its turns. IPv6 counts by /64, which is what one
// household gets; clients on unix sockets are one source.
#pragma once

#include <array>
#include <cstdint>

#include "os/address.h"
#include "tcp/connection_list.h"
#include "tcp/tcp_connection.h"

namespace sluice::tcp {

class WaitQueue {
 public:
  static constexpr uint32_t kRows = 256;

  explicit WaitQueue(uint64_t key) : key_(key) {}
  WaitQueue(const WaitQueue&) = delete;
  WaitQueue& operator=(const WaitQueue&) = delete;

  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] uint32_t count() const { return count_; }
  // Behind the others of its source. True when it is the first of its row.
  [[nodiscard]] bool push(TcpConnection& connection);
  // Wherever it stands; its source keeps its turn. True when its row is empty now.
  [[nodiscard]] bool remove(TcpConnection& connection);
  // The same for first(), when it has got what it waited for: the next source has its turn.
  [[nodiscard]] bool remove_served(TcpConnection& connection);
  // Whose turn it is; nullptr when nobody waits. It stays until it is removed.
  [[nodiscard]] TcpConnection* first() const;

 private:
  static constexpr uint16_t kNoRow = kRows;

  struct Row {
    IntrusiveList<TcpConnection, &TcpConnection::ready_links> waiting;
    uint16_t previous = kNoRow;  // in the round, while anybody waits here
    uint16_t next = kNoRow;
  };

  [[nodiscard]] uint16_t row_of(const os::ClientAddress& client) const;

  std::array<Row, kRows> rows_;
  uint64_t key_;
  uint32_t count_ = 0;
  uint16_t turn_ = kNoRow;  // the row that is served next
};

}  // namespace sluice::tcp
