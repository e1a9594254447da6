// The draw.
#include "shared/waiting_board.h"

namespace sluice::shared {

namespace {

// 2^32 divided by the golden ratio: the multiples of it, modulo 2^32, are spread as evenly as a
// sequence can be (Knuth, The Art of Computer Programming 3, 6.4, theorem S).
constexpr uint32_t kGoldenStep = 2'654'435'769U;

}  // namespace

WaitingBoard::WaitingBoard(uint32_t workers)
    : pools_(std::make_unique<PoolCounts[]>(kPoolSlotsMax)),
      shares_(std::make_unique<Share[]>(size_t{workers} * kPoolSlotsMax)),
      bells_(workers, nullptr) {}

bool WaitingBoard::enter(uint32_t pool, uint32_t max) {
  // Raised first and looked at after: at most `max` get in, whoever asks at the same time.
  std::atomic<uint32_t>& waiting = pools_[pool].waiting;
  if (waiting.fetch_add(1, std::memory_order_relaxed) < max) return true;
  waiting.fetch_sub(1, std::memory_order_relaxed);
  return false;
}

void WaitingBoard::leave(uint32_t pool) {
  pools_[pool].waiting.fetch_sub(1, std::memory_order_relaxed);
}

void WaitingBoard::add_source(uint32_t worker, uint32_t pool) {
  share(worker, pool).sources.fetch_add(1, std::memory_order_relaxed);
  pools_[pool].sources.fetch_add(1, std::memory_order_relaxed);
}

void WaitingBoard::remove_source(uint32_t worker, uint32_t pool) {
  share(worker, pool).sources.fetch_sub(1, std::memory_order_relaxed);
  pools_[pool].sources.fetch_sub(1, std::memory_order_relaxed);
}

uint32_t WaitingBoard::take_offers(uint32_t worker, uint32_t pool) {
  std::atomic<uint32_t>& offers = share(worker, pool).offers;
  // Nearly always 0, and a load costs less than an exchange.
  if (offers.load(std::memory_order_relaxed) == 0) return 0;
  return offers.exchange(0, std::memory_order_relaxed);
}

void WaitingBoard::draw(uint32_t worker, uint32_t pool) {
  const uint64_t all = pools_[pool].sources.load(std::memory_order_relaxed);
  const uint32_t number = pools_[pool].draws.fetch_add(1, std::memory_order_relaxed) * kGoldenStep;
  uint64_t ticket = (number * all) >> 32U;
  // The shares may have changed since they were summed: then the last who has one gets it.
  uint32_t winner = kNoSlot;
  for (uint32_t i = 0; i < bells_.size(); i++) {
    const uint32_t sources = share(i, pool).sources.load(std::memory_order_relaxed);
    if (sources == 0) continue;
    winner = i;
    if (ticket < sources) break;
    ticket -= sources;
  }
  if (winner == kNoSlot) return;
  share(winner, pool).offers.fetch_add(1, std::memory_order_relaxed);
  // One's own offers are looked at before the turn ends.
  if (winner != worker && bells_[winner] != nullptr) bells_[winner]->ring();
}

}  // namespace sluice::shared
