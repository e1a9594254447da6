// SessionMap: finds a client's session. Open addressing with linear probing over 16-byte places,
// at most half full; the hash is keyed (SipHash-1-3), so that a flood of chosen addresses fills it
// no worse than any other. Removal shifts the following entries back: no tombstones, so lookups
// stay as short after a billion sessions as after the first.
#pragma once

#include <cstdint>
#include <memory>

#include "os/siphash.h"
#include "udp/session.h"

namespace sluice::udp {

class SessionMap {
 public:
  SessionMap(const os::SipKey& sip_key, uint32_t capacity);

  // A session keeps its hash, so that it need not be computed again to remove it.
  [[nodiscard]] uint32_t hash(const SessionKey& key) const;
  [[nodiscard]] Session* find(const SessionKey& key, uint32_t hash) const;
  // False when the map holds `capacity` sessions. The key must not be in the map.
  [[nodiscard]] bool insert(Session& session);
  // The session must be in the map.
  void remove(const Session& session);
  // For a reload. Sessions stay, even when there are more of them than the new capacity.
  void set_capacity(uint32_t capacity);

  [[nodiscard]] uint32_t size() const { return size_; }
  [[nodiscard]] uint32_t capacity() const { return capacity_; }
  // How many places a lookup of this session looks at; for the test of the hash.
  [[nodiscard]] uint32_t probe_length(const Session& session) const;

 private:
  struct Place {
    Session* session;
    uint32_t hash;
  };
  struct Release {
    void operator()(Place* places) const;
  };
  using Places = std::unique_ptr<Place[], Release>;

  static Places make_places(uint32_t count);
  [[nodiscard]] uint32_t place_of(const Session& session) const;
  void put(Session* session, uint32_t hash);

  os::SipKey sip_key_;
  uint32_t capacity_ = 0;
  uint32_t size_ = 0;
  uint32_t mask_ = 0;
  Places places_;
};

}  // namespace sluice::udp
