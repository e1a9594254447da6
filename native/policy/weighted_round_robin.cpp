// Plays smooth weighted round robin in advance. The naive game costs length x candidates; here
// candidates of one weight are one player, because among them the turns simply rotate.
#include "policy/weighted_round_robin.h"

#include <algorithm>
#include <bit>
#include <numeric>

namespace sluice::policy {

namespace {

// Steps of the exact game beyond which a shorter round with drawn remainders is taken instead:
// 2^21 steps take about 5 ms.
constexpr uint64_t kStepsMax = uint64_t{1} << 21U;
// A round of its own length has this many turns per candidate, so that at most one turn in 64 is
// drawn on average (remainders are below one turn per candidate, half of one in the mean).
constexpr uint32_t kTurnsPerCandidate = 32;
constexpr uint32_t kRoundMin = 1024;

// Candidates with the same quota, in the order of the file.
struct Player {
  uint32_t quota = 0;
  int64_t current = 0;  // nginx's current_weight of the member whose turn is next
  uint32_t next = 0;
  std::vector<uint16_t> members;
};

std::vector<Player> players_of(std::span<const uint32_t> quotas) {
  std::vector<uint16_t> order(quotas.size());
  std::iota(order.begin(), order.end(), uint16_t{0});
  std::sort(order.begin(), order.end(), [&](uint16_t a, uint16_t b) {
    return quotas[a] != quotas[b] ? quotas[a] > quotas[b] : a < b;
  });
  std::vector<Player> players;
  for (const uint16_t index : order) {
    if (quotas[index] == 0) continue;
    if (players.empty() || players.back().quota != quotas[index]) {
      players.push_back(Player{.quota = quotas[index], .members = {}});
    }
    players.back().members.push_back(index);
  }
  return players;
}

uint64_t distinct_count(std::vector<uint32_t> values) {
  std::sort(values.begin(), values.end());
  return static_cast<uint64_t>(std::unique(values.begin(), values.end()) - values.begin());
}

}  // namespace

WeightedRoundRobin::WeightedRoundRobin(std::span<const Candidate> candidates) {
  if (candidates.empty()) return;
  const auto count = static_cast<uint32_t>(candidates.size());
  uint64_t total = 0;
  uint32_t divisor = 0;
  for (const Candidate& candidate : candidates) {
    weights_.push_back(candidate.weight);
    total += candidate.weight;
    divisor = std::gcd(divisor, candidate.weight);
  }
  const uint64_t reduced = total / divisor;
  std::vector<uint32_t> quotas(count);
  if (reduced <= kSequenceMax && reduced * distinct_count(weights_) <= kStepsMax) {
    for (uint32_t i = 0; i < count; i++) quotas[i] = weights_[i] / divisor;
    play(quotas, static_cast<uint32_t>(reduced));
    return;
  }
  const uint32_t length =
      std::clamp(std::bit_ceil(count * kTurnsPerCandidate), kRoundMin, kSequenceMax);
  std::vector<uint32_t> remainders(count);
  uint32_t drawn = length;
  for (uint32_t i = 0; i < count; i++) {
    const uint64_t share = uint64_t{length} * weights_[i];
    quotas[i] = static_cast<uint32_t>(share / total);
    remainders[i] = static_cast<uint32_t>(share % total);
    drawn -= quotas[i];
  }
  if (drawn != 0) {
    quotas.push_back(drawn);  // the drawn turns play along, so that they are spread as well
    remainders_ = AliasTable(remainders);
  }
  play(quotas, length);
}

// Per turn nginx adds to every current weight its weight, picks the greatest (the first of equals),
// and takes the total from it. The members of a player have all had c or c + 1 turns, and those
// with c come first in the order of the file, so one number per player is enough. Unlike quotas
// that sum up to at most 65536 are at most 361, so this is at most 24 million steps, and usually
// far fewer.
void WeightedRoundRobin::play(std::span<const uint32_t> quotas, uint32_t length) {
  std::vector<Player> players = players_of(quotas);
  sequence_.reserve(length);
  for (uint32_t turn = 0; turn < length; turn++) {
    Player* best = nullptr;
    for (Player& player : players) {
      player.current += player.quota;
      if (best == nullptr || player.current > best->current ||
          (player.current == best->current &&
           player.members[player.next] < best->members[best->next])) {
        best = &player;
      }
    }
    sequence_.push_back(best->members[best->next]);
    if (++best->next == best->members.size()) {
      best->next = 0;
      best->current -= length;
    }
  }
}

}  // namespace sluice::policy
