// Session: one client address (and the local address it talks to) bound to one target until it is
// idle, complete, or its target goes. It lives and dies on one worker.
#pragma once

#include <cstdint>
#include <cstring>

#include "os/fd.h"
#include "os/timer_wheel.h"
#include "shared/layout.h"

namespace sluice::udp {

struct ListenerSocket;

// What tells sessions of one listener apart. All bytes count (there is no padding), so that it can
// be compared and hashed as five words. Addresses are IPv6 or v4-mapped. `local_ip` is zero on a
// socket that is bound to one address; on a wildcard bind it is where the client sent to, and where
// its replies must come from.
struct SessionKey {
  uint8_t client_ip[16] = {};
  uint8_t local_ip[16] = {};
  uint32_t scope_id = 0;  // of a link-local client
  uint16_t client_port = 0;
  uint16_t socket_id = 0;  // ListenerSocket::id
};
static_assert(sizeof(SessionKey) == 40);

inline bool operator==(const SessionKey& a, const SessionKey& b) {
  return std::memcmp(&a, &b, sizeof(SessionKey)) == 0;
}

struct Session;

struct SessionLinks {
  Session* previous = nullptr;
  Session* next = nullptr;
};

struct Session {
  static constexpr uint16_t kNotTouched = 0xffff;

  os::TimerNode timer;  // idle and lifetime; first, so that fire() gets from it to the session
  SessionKey key;
  os::Fd fd;  // connected to the target
  uint32_t hash = 0;
  ListenerSocket* socket = nullptr;  // where the client's datagrams came in and replies go out
  uint32_t target_slot = shared::kNoSlot;
  uint16_t touched = kNotTouched;  // its place in the running batch of datagrams to targets
  shared::CloseReason close_reason{};

  bool ended = false;          // freed when the turn ends; events of this turn skip it
  bool mapped = false;         // the map leads its client's datagrams here
  bool established = false;    // the client sent a second datagram, or the target answered
  bool gso_to_target = false;  // until the path refuses it
  bool gso_to_client = false;  // until the path refuses it
  bool in_ready = false;       // waits for the rest of its turn
  uint32_t requests = 0;       // datagrams from the client
  uint32_t responses = 0;      // datagrams from the target
  uint64_t opened_ns = 0;
  uint64_t last_active_ns = 0;
  uint64_t listed_ns = 0;  // when it last moved to the young end of `age`
  uint64_t to_target_bytes = 0;
  uint64_t to_client_bytes = 0;
  SessionLinks age;    // of the listener's sessions, oldest first; of ended ones, once ended
  SessionLinks ready;  // of the worker's sessions that used up their turn
};
// Three cache lines. With its socket (about 1 KiB in the kernel) that is what a client costs.
static_assert(sizeof(Session) <= 192);

}  // namespace sluice::udp
