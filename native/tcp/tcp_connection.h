// TcpConnection: a client's socket, a target's socket and the two pumps between them, from accept
// to close on one worker. It keeps slots of the table, never pointers into it, and a copy of the
// timeouts that held when it was accepted.
#pragma once

#include <array>
#include <cstdint>

#include "os/address.h"
#include "os/timer_wheel.h"
#include "shared/layout.h"
#include "table/pool.h"
#include "tcp/connection_list.h"
#include "tcp/connection_phase.h"
#include "tcp/pump.h"
#include "tcp/side.h"
#include "tcp/turn.h"

namespace sluice::tcp {

struct TcpContext;

// While waiting and connecting: the targets that this connection must not be given again. Slots fit
// 16 bits.
struct ConnectState {
  uint32_t wait_began_ms;  // the first wait, after the accept, plus 1; 0: has not waited
  uint32_t pool_tenancy;   // TcpContext::pool_tenancy of the pool that the client came for
  std::array<uint16_t, table::kRetriesMax + 1> tried;
  uint8_t tried_count;
  uint8_t failures;
  bool last_timed_out;
  bool last_local;
  bool same_next;        // the next try goes to the target of the last one
  bool waits_for_place;  // waiting: not for a target that is eligible at all
  uint16_t wait_row;     // waiting: WaitQueue's
};
static_assert(shared::kTargetSlotsMax <= 65536 && shared::kPoolSlotsMax <= 65536);

// While resetting or lingering: how far the remaining side's acknowledgements have come.
struct DeliveryState {
  uint64_t begun_ns;
  uint64_t progress_ns;
  uint32_t unacknowledged_bytes;
  uint32_t poll_ms;
};

struct TcpConnection : os::TimerNode {
  ListLinks<TcpConnection> open_links;   // of the worker's open connections, then of the closed
  ListLinks<TcpConnection> ready_links;  // of those with more to move, or of a waiting queue
  Side client;
  Side target;
  Pump to_target;
  Pump to_client;
  os::ClientAddress client_address;
  uint64_t accepted_ns = 0;
  uint64_t asked_ns = 0;    // the client's last byte of this turn
  uint64_t changed_ns = 0;  // wait or connect began, connected, first side closed: not idle since
  uint32_t listener_slot = 0;
  uint32_t target_slot = shared::kNoSlot;  // kept after the end; claimed while `target_claimed`
  uint16_t pool_slot = 0;
  ConnectionPhase phase = ConnectionPhase::connecting;
  bool in_ready_list = false;
  bool target_claimed = false;           // counted in the target's `active`
  bool target_connected = false;         // counted in the target's connections_opened
  bool target_liveness_due : 1 = false;  // see kLivenessDelayNs
  bool access_log : 1 = false;
  uint8_t replays = 0;  // targets that ended it unheard and were replaced
  Turn turn;
  bool survivor_is_client = false;     // resetting, lingering: whose socket is left
  shared::CloseReason first_closed{};  // client_closed or target_closed: who sent FIN first
  shared::CloseReason reason{};        // decided once, 0 before
  uint32_t connect_timeout_ms = 0;
  uint32_t idle_timeout_ms = 0;
  uint32_t half_close_timeout_ms = 0;
  uint32_t lifetime_ms = 0;
  uint32_t connect_us = 0;
  uint32_t waited_ms = 0;
  union {
    ConnectState connecting{};
    DeliveryState delivery;
  };

  [[nodiscard]] Side& survivor() { return survivor_is_client ? client : target; }
  [[nodiscard]] bool half_closed() const { return to_target.over() != to_client.over(); }
};
// Hot and cold together, so that 100 000 idle connections cost 33 MB of ours.
static_assert(sizeof(TcpConnection) <= 328);

// The target is connected: from here on bytes flow.
void begin_forwarding(TcpContext& context, TcpConnection& connection);
// Runs both pumps as far as they go in one turn and draws the consequences.
void forward(TcpContext& context, TcpConnection& connection);
// The timer has fired while forwarding: closes what has been idle, half-closed or alive too long,
// and arms the timer again for the rest otherwise (lazy re-arming).
void check_deadlines(TcpContext& context, TcpConnection& connection);

}  // namespace sluice::tcp
