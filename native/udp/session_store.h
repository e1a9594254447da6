// SessionStore: opens and ends one worker's sessions: room, choice of the target, socket, timer,
// counters, records. What a session carries is the business of to_target_path and to_client_path.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "os/fd.h"
#include "os/slab.h"
#include "shared/worker_links.h"
#include "table/sticky_pick.h"
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

enum class OpenRefusal : uint8_t {
  none,
  full,
  no_target,
  shortage,    // no descriptor, no source port, no memory: another session's end would help
  local_error  // anything else on our side
};

// Whether one more session may be opened, or who has to make room.
enum class Room : uint8_t { enough, listener_full, worker_full };

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

  using Listeners = std::vector<std::unique_ptr<UdpListener>>;

  // `listeners` are all of this worker that may have sessions.
  SessionStore(const shared::WorkerLinks& links, const Listeners& listeners);

  void use_table(const table::Table& table) { table_ = &table; }
  [[nodiscard]] OpenOutcome open(const SessionRequest& request);
  [[nodiscard]] Room room(const UdpListener& listener) const;
  // How the target of a session that open() opened now would be chosen. Changes nothing.
  [[nodiscard]] table::PickExplanation explain(const table::Pool& pool,
                                               const table::Arrival& arrival) const {
    return table::explain_pick(links_, {*table_, pool, arrival, {}}, cursors_[pool.slot]);
  }
  // The session to end for a new one, or nullptr: the oldest that is unproven, else the least
  // recently active if that is idle. O(1).
  [[nodiscard]] Session* next_to_evict(const UdpListener& listener) const;
  // The same when it is the worker that lacks room: of the listener with most sessions, so that
  // one that is flooded does not cost another's clients.
  [[nodiscard]] Session* next_to_evict() const;

  // A session could not be opened for a shortage: for a moment the worker is content with a few
  // less than it has.
  void note_shortage();
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
  [[nodiscard]] bool is_full(const UdpListener& listener) const;
  [[nodiscard]] bool is_full() const;
  [[nodiscard]] bool admit(const UdpListener& listener);
  [[nodiscard]] Connected connect(const SessionRequest& request);
  [[nodiscard]] uint32_t reserve_target(const table::Pool& pool, const SessionRequest& request,
                                        table::TriedTargets& tried);
  void note_unreachable(const table::Pool* pool, uint32_t target_slot, const SessionKey& key,
                        int error);
  void record(const Session& session);
  [[nodiscard]] uint64_t deadline_ns(const Session& session) const;

  const shared::WorkerLinks& links_;
  const Listeners& listeners_;
  const table::Table* table_ = nullptr;
  bool gso_;
  uint32_t open_max_;
  uint32_t shortage_max_ = 0;  // instead of it, until
  uint64_t shortage_until_ns_ = 0;
  std::vector<policy::Cursor> cursors_;  // per pool slot
  uint32_t source_position_ = 0;         // the pools' source addresses are used in turn
  os::Slab<Session> sessions_;
  SessionList<&Session::age> ended_;
  uint32_t open_ = 0;
};

}  // namespace sluice::udp
