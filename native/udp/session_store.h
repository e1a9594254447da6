// SessionStore: opens and ends one worker's sessions: room, choice of the target, socket, timer,
// counters, records. What a session carries is the business of to_target_path and to_client_path.
#pragma once

#include <cstdint>
#include <vector>

#include "os/fd.h"
#include "os/slab.h"
#include "shared/worker_links.h"
#include "table/table.h"
#include "udp/udp_listener.h"

namespace sluice::udp {

// Whether an error that a socket reports says that its target cannot be reached. Not so EMSGSIZE (a
// smaller MTU on the way: the kernel has noted it) and what is lacking on our side.
[[nodiscard]] bool is_target_fault(int error);

// What a client's datagram asks for when it finds no session.
struct SessionRequest {
  ListenerSocket& socket;
  const SessionKey& key;
  uint32_t hash;
  // The target that has just failed this client: another one is preferred. Or kNoSlot.
  uint32_t avoid_slot = shared::kNoSlot;
};

enum class OpenRefusal : uint8_t { none, full, no_target, local_error };

struct OpenOutcome {
  Session* session = nullptr;
  OpenRefusal refusal = OpenRefusal::none;
};

class SessionStore {
 public:
  // A session costs a descriptor, and fs.nr_open allows a process 1 048 576 of them by default.
  static constexpr uint32_t kSessionsMax = 1U << 20U;
  // A session that has proved to be more than a spoofed datagram gives way to a new one only after
  // this much silence; so a full map under load drops new clients instead of live ones.
  static constexpr uint64_t kEvictionIdleNs = 1'000'000'000;

  explicit SessionStore(const shared::WorkerLinks& links);

  void use_table(const table::Table& table) { table_ = &table; }
  [[nodiscard]] OpenOutcome open(const SessionRequest& request);
  [[nodiscard]] bool has_room(const UdpListener& listener) const;
  // The session to end for a new one, or nullptr: the oldest that is unproven, else the least
  // recently active if that is idle. O(1).
  [[nodiscard]] Session* next_to_evict(const UdpListener& listener) const;

  // Datagrams have passed, in either direction.
  void touch(Session& session);
  // The client's next datagram opens another session; this one only waits for its answers.
  void unmap(Session& session);
  // The object lives on until free_ended(), for events and replies of this turn that name it.
  void end(Session& session, shared::CloseReason reason);
  // Ends it because of an ICMP error, and tells the control plane.
  void end_unreachable(Session& session, int error);
  // Its timer has fired: too long idle, too old, or armed again.
  void fire(Session& session);
  // Its timeouts may have become shorter.
  void rearm(Session& session);
  void free_ended();

  [[nodiscard]] uint32_t open_sessions() const { return open_; }

 private:
  struct Connected {
    os::Fd fd;
    uint32_t target_slot = shared::kNoSlot;
    OpenRefusal refusal = OpenRefusal::none;
  };
  [[nodiscard]] bool admit(const UdpListener& listener);
  [[nodiscard]] Connected connect(const SessionRequest& request);
  [[nodiscard]] uint32_t reserve_target(const table::Pool& pool, const SessionKey& key,
                                        table::TriedTargets& tried);
  void note_unreachable(uint32_t target_slot, const SessionKey& key, int error);
  void record(const Session& session);
  [[nodiscard]] uint64_t deadline_ns(const Session& session) const;

  const shared::WorkerLinks& links_;
  const table::Table* table_ = nullptr;
  bool gso_;
  std::vector<policy::Cursor> cursors_;  // per pool slot
  uint32_t source_position_ = 0;         // the pools' source addresses are used in turn
  os::Slab<Session> sessions_;
  SessionList<&Session::age> ended_;
  uint32_t open_ = 0;
};

}  // namespace sluice::udp
