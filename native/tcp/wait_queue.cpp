// The round of the rows: a ring of those in which somebody waits.
#include "tcp/wait_queue.h"

#include <cstring>

#include "os/check.h"
#include "policy/prng.h"

namespace sluice::tcp {

uint16_t WaitQueue::row_of(const os::ClientAddress& client) const {
  uint64_t high = 0;
  uint64_t low = 0;
  std::memcpy(&high, client.ip, sizeof(high));
  // The v4-mapped form has the whole address in the lower half; of IPv6 only the upper one counts.
  if (client.family != AF_INET6) std::memcpy(&low, client.ip + sizeof(high), sizeof(low));
  return static_cast<uint16_t>(policy::mix64(policy::mix64(high ^ key_) ^ low) % kRows);
}

bool WaitQueue::push(TcpConnection& connection) {
  const uint16_t index = row_of(connection.client_address);
  Row& row = rows_[index];
  const bool first = row.waiting.empty();
  connection.connecting.wait_row = index;
  row.waiting.push_back(connection);
  count_++;
  if (!first) return false;
  if (turn_ == kNoRow) {
    row.previous = row.next = turn_ = index;
    return true;
  }
  // A newcomer's turn is the last of the running round.
  const uint16_t last = rows_[turn_].previous;
  row.previous = last;
  row.next = turn_;
  rows_[last].next = index;
  rows_[turn_].previous = index;
  return true;
}

bool WaitQueue::remove(TcpConnection& connection) {
  const uint16_t index = connection.connecting.wait_row;
  Row& row = rows_[index];
  SLUICE_CHECK(count_ > 0 && !row.waiting.empty());
  row.waiting.remove(connection);
  count_--;
  if (!row.waiting.empty()) return false;
  if (row.next == index) {
    turn_ = kNoRow;
  } else {
    if (turn_ == index) turn_ = row.next;
    rows_[row.previous].next = row.next;
    rows_[row.next].previous = row.previous;
  }
  row.previous = row.next = kNoRow;
  return true;
}

bool WaitQueue::remove_served(TcpConnection& connection) {
  SLUICE_CHECK(turn_ == connection.connecting.wait_row);
  // A row that empties passes the turn on by itself.
  if (remove(connection)) return true;
  turn_ = rows_[turn_].next;
  return false;
}

TcpConnection* WaitQueue::first() const {
  return turn_ == kNoRow ? nullptr : rows_[turn_].waiting.first();
}

}  // namespace sluice::tcp
