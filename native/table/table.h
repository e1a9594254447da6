// Table: one immutable snapshot of listeners, pools and targets. Built off the workers by
// table_builder, given its listening sockets by the engine, published by table_exchange, read by
// every worker without a lock, freed when no worker holds it. Connections and sessions keep slots,
// never pointers into it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "os/address.h"
#include "os/fd.h"
#include "table/pool.h"
#include "table/table_image.h"

namespace sluice::table {

struct Target {
  uint32_t slot = 0;
  os::Address address;
  uint32_t max_connections = 0;
  bool serves_sessions = true;
  std::string name;
  uint32_t pool_slot = shared::kNoSlot;  // none: the config has it no more, but it has connections
};

// The sockets of one bound address: one per worker (SO_REUSEPORT), or one shared by all (unix).
// Carried from table to table while the bind stays, so that no queued connection is ever reset.
struct BoundSockets {
  os::Address address;  // as bound: a port 0 is resolved
  uint32_t listener_slot = 0;
  std::vector<os::Fd> per_worker;
  std::string unix_path;  // unlinked by its owner when the bind goes; empty for abstract and IP
};

struct Bind {
  os::Address address;  // as configured
  std::shared_ptr<const BoundSockets> sockets;
};

struct Listener {
  uint32_t slot = 0;
  Protocol protocol = Protocol::tcp;
  uint32_t pool_index = 0;
  bool bulk = false;
  bool access_log = false;
  bool ipv6_only = false;
  uint32_t backlog = 0;
  uint32_t max_connections = 0;
  uint32_t connect_timeout_ms = 0;
  uint32_t idle_timeout_ms = 0;
  uint32_t half_close_timeout_ms = 0;
  uint32_t lifetime_ms = 0;
  uint32_t udp_requests = 0;
  uint32_t udp_responses = 0;
  uint32_t udp_sessions_max = 0;
  uint32_t unix_mode = 0;
  uint8_t replay_kib = 0;  // of a client's first bytes, kept to be sent again; 0: none
  SocketOptions client_options;
  std::string name;
  std::vector<Bind> binds;
};

class Table {
 public:
  uint64_t generation = 0;
  std::vector<Listener> listeners;
  std::vector<Pool> pools;
  std::vector<Target> targets;

  // Both answer nullptr for a slot that this table does not know.
  [[nodiscard]] const Listener* listener_at(uint32_t slot) const;
  [[nodiscard]] const Target* target_at(uint32_t slot) const;
  // Called once by the builder after the vectors are final.
  void index_slots();

 private:
  std::vector<uint32_t> listener_by_slot_;
  std::vector<uint32_t> target_by_slot_;
};

}  // namespace sluice::table
