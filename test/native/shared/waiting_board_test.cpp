// Who may wait, and to which worker a freed place is offered.
#include "shared/waiting_board.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "os/doorbell.h"

namespace sluice::test {
namespace {

using shared::WaitingBoard;

constexpr uint32_t kPool = 5;

TEST_CASE("at most as many as allowed wait in a pool, from however many threads they come") {
  WaitingBoard board(2);
  CHECK_FALSE(board.anybody(kPool));
  std::atomic<uint32_t> entered{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; i++) {
    threads.emplace_back([&] {
      for (int k = 0; k < 1000; k++) {
        if (board.enter(kPool, 100)) entered++;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(entered.load() == 100);
  CHECK(board.anybody(kPool));
  CHECK_FALSE(board.anybody(kPool + 1));
  for (int i = 0; i < 100; i++) board.leave(kPool);
  CHECK_FALSE(board.anybody(kPool));
}

TEST_CASE("a place that nobody waits for is offered to nobody") {
  WaitingBoard board(2);
  board.offer_place(0, kPool);
  CHECK(board.take_offers(0, kPool) == 0);
  CHECK(board.take_offers(1, kPool) == 0);
}

TEST_CASE("the worker that frees a place does not always get it back, and the other is woken") {
  WaitingBoard board(2);
  const os::Doorbell bell = os::Doorbell::create();
  const os::Doorbell own = os::Doorbell::create();
  board.connect(0, own);
  board.connect(1, bell);
  board.add_source(0, kPool);
  board.add_source(1, kPool);
  for (int i = 0; i < 1000; i++) board.offer_place(0, kPool);
  const uint32_t kept = board.take_offers(0, kPool);
  const uint32_t given = board.take_offers(1, kPool);
  CHECK(kept + given == 1000);
  CHECK(kept >= 490);
  CHECK(given >= 490);
  CHECK(board.take_offers(1, kPool) == 0);
  uint64_t rings = 0;
  CHECK(::read(bell.fd(), &rings, sizeof(rings)) == sizeof(rings));
  CHECK(rings == given);
  // One's own offers are looked at before the turn ends: no system call for those.
  CHECK(::read(own.fd(), &rings, sizeof(rings)) == -1);
}

// The promise of the header: a share of 1/n comes up about every n-th time. The gaps of a golden
// sequence have at most three lengths, of which the longest is below 2.7 / share.
TEST_CASE("a worker with few sources is never passed over for long") {
  for (const uint32_t crowd : {1U, 7U, 63U, 1000U}) {
    WaitingBoard board(3);
    for (uint32_t i = 0; i < crowd; i++) board.add_source(i % 2, kPool);
    board.add_source(2, kPool);
    uint32_t gap = 0;
    uint32_t longest = 0;
    uint32_t served = 0;
    for (uint32_t i = 0; i < 20 * (crowd + 1); i++) {
      board.offer_place(0, kPool);
      gap++;
      if (board.take_offers(2, kPool) == 0) continue;
      longest = std::max(longest, gap);
      gap = 0;
      served++;
    }
    CAPTURE(crowd);
    CHECK(longest <= 3 * (crowd + 1));
    CHECK(served >= 18);
    CHECK(served <= 22);
  }
}

TEST_CASE("a worker whose sources have all left gets no offers") {
  WaitingBoard board(2);
  board.add_source(0, kPool);
  board.add_source(1, kPool);
  board.remove_source(1, kPool);
  for (int i = 0; i < 100; i++) board.offer_place(0, kPool);
  CHECK(board.take_offers(1, kPool) == 0);
  CHECK(board.take_offers(0, kPool) == 100);
}

}  // namespace
}  // namespace sluice::test
