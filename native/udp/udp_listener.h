// UdpListener: one worker's part of a UDP listener: its sockets, its sessions, how many there may
// be.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "table/table.h"
#include "udp/session_list.h"
#include "udp/session_map.h"

namespace sluice::udp {

struct UdpListener;

// This worker's socket of one bind. The descriptor belongs to `sockets`, which is held here so that
// it outlives the table it came with.
struct ListenerSocket {
  UdpListener* listener = nullptr;
  std::shared_ptr<const table::BoundSockets> sockets;
  int fd = -1;
  uint16_t id = 0;               // within the listener; part of each session's key
  sa_family_t family = AF_INET;  // in which clients' addresses are written for this socket
  bool wildcard = false;         // replies must name the local address that the client used
  bool gro = false;              // once on it stays on: see set_gro in udp_worker.cpp
};

struct UdpListener {
  UdpListener(uint32_t listener_slot, const os::SipKey& sip_key, uint32_t sessions_max)
      : slot(listener_slot), map(sip_key, sessions_max) {}

  uint32_t slot;
  // Both from the adopted table, renewed with it; null once the listener has left it.
  const table::Listener* config = nullptr;
  const table::Pool* pool = nullptr;
  bool access_log = false;       // a copy, for the records of a listener that has left
  uint32_t idle_timeout_ms = 0;  // copies, to see what a new table changes
  uint32_t lifetime_ms = 0;
  std::vector<std::unique_ptr<ListenerSocket>> sockets;

  // By client. A session whose bound of requests is reached is not in it any more.
  SessionMap map;
  uint32_t sessions = 0;  // in either list
  // Sessions of one datagram and no answer, oldest first: what a flood of spoofed addresses makes,
  // and what goes first when there is no room.
  SessionList<&Session::age> unproven;
  // All others, roughly least recently active first (see SessionStore::touch).
  SessionList<&Session::age> established;
};

}  // namespace sluice::udp
