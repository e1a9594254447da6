// SessionMap: linear probing with backward-shift removal (Knuth, TAOCP 3, 6.4, algorithm R).
#include "udp/session_map.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <utility>

#include "os/check.h"

namespace sluice::udp {

namespace {

constexpr uint32_t kCapacityMax = 1U << 30U;  // places are twice as many and counted in 32 bits

uint32_t places_for(uint32_t capacity) {
  return std::bit_ceil(std::max<uint32_t>(capacity, 8)) * 2;
}

}  // namespace

void SessionMap::Release::operator()(Place* places) const {
  std::free(places);
}

// calloc: a large empty map is untouched zero pages, not memory.
SessionMap::Places SessionMap::make_places(uint32_t count) {
  auto* places = static_cast<Place*>(std::calloc(count, sizeof(Place)));
  SLUICE_CHECK(places != nullptr);
  return Places(places);
}

SessionMap::SessionMap(const os::SipKey& sip_key, uint32_t capacity)
    : sip_key_(sip_key), capacity_(std::min(capacity, kCapacityMax)) {
  const uint32_t count = places_for(capacity_);
  mask_ = count - 1;
  places_ = make_places(count);
}

uint32_t SessionMap::hash(const SessionKey& key) const {
  uint64_t words[sizeof(SessionKey) / sizeof(uint64_t)];
  std::memcpy(words, &key, sizeof(key));
  return static_cast<uint32_t>(os::siphash<1, 3>(sip_key_, words));
}

Session* SessionMap::find(const SessionKey& key, uint32_t hash) const {
  for (uint32_t at = hash & mask_;; at = (at + 1) & mask_) {
    const Place& place = places_[at];
    if (place.session == nullptr) return nullptr;
    if (place.hash == hash && place.session->key == key) return place.session;
  }
}

bool SessionMap::insert(Session& session) {
  if (size_ >= capacity_) return false;
  put(&session, session.hash);
  size_++;
  return true;
}

void SessionMap::put(Session* session, uint32_t hash) {
  uint32_t at = hash & mask_;
  while (places_[at].session != nullptr) at = (at + 1) & mask_;
  places_[at] = {session, hash};
}

uint32_t SessionMap::place_of(const Session& session) const {
  uint32_t at = session.hash & mask_;
  while (places_[at].session != &session) {
    SLUICE_CHECK(places_[at].session != nullptr);
    at = (at + 1) & mask_;
  }
  return at;
}

void SessionMap::remove(const Session& session) {
  uint32_t hole = place_of(session);
  places_[hole].session = nullptr;
  size_--;
  for (uint32_t at = (hole + 1) & mask_; places_[at].session != nullptr; at = (at + 1) & mask_) {
    // An entry may move back into the hole unless its home lies behind the hole, on the way to
    // where it is: there a lookup would begin after the hole and miss it.
    const uint32_t home = places_[at].hash & mask_;
    if (((at - home) & mask_) < ((at - hole) & mask_)) continue;
    places_[hole] = places_[at];
    places_[at].session = nullptr;
    hole = at;
  }
}

void SessionMap::set_capacity(uint32_t capacity) {
  capacity_ = std::min(capacity, kCapacityMax);
  const uint32_t count = places_for(std::max(capacity_, size_));
  if (count == mask_ + 1) return;
  const Places old = std::exchange(places_, make_places(count));
  const uint32_t old_count = mask_ + 1;
  mask_ = count - 1;
  for (uint32_t at = 0; at < old_count; at++) {
    if (old[at].session != nullptr) put(old[at].session, old[at].hash);
  }
}

uint32_t SessionMap::probe_length(const Session& session) const {
  return ((place_of(session) - (session.hash & mask_)) & mask_) + 1;
}

}  // namespace sluice::udp
