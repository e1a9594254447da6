// Connector: reaches a target for a connection. Picks, claims a place, connects without blocking
// under a deadline, and tries again when that fails, as the pool's retry rules say. The client's
// bytes wait in the kernel meanwhile, so a retry loses none.
#pragma once

#include "table/table.h"
#include "tcp/retry.h"
#include "tcp/tcp_connection.h"

namespace sluice::tcp {

enum class ConnectProgress : uint8_t {
  pending,
  connected,
  failed,  // for good; connection.reason says why
};

// The first try, for a connection that was just accepted.
[[nodiscard]] ConnectProgress connect_to_target(TcpContext& context, TcpConnection& connection);
// For one that waits for a place (waiting_room.h): a target of the pool with a place for it, which
// it has then claimed, or nullptr; and the first try, there.
[[nodiscard]] const table::Target* claim_target(TcpContext& context, TcpConnection& connection,
                                                const table::Pool& pool);
[[nodiscard]] ConnectProgress connect_claimed(TcpContext& context, TcpConnection& connection,
                                              const table::Target& target);
// Its pause before a retry is over (retry.h).
[[nodiscard]] ConnectProgress connect_after_pause(TcpContext& context, TcpConnection& connection);
// After plan_replay() (retry.h), which has found that there may be one.
[[nodiscard]] ConnectProgress connect_again(TcpContext& context, TcpConnection& connection,
                                            NextTry next);
// An event on the target's socket while connecting.
[[nodiscard]] ConnectProgress connect_event(TcpContext& context, TcpConnection& connection,
                                            uint32_t events);
// The timer has fired while connecting.
[[nodiscard]] ConnectProgress connect_deadline(TcpContext& context, TcpConnection& connection);

// Keep-alive and TCP_USER_TIMEOUT are about targets that vanish for many seconds. Most connections
// do not live that long, and these options are five of the system calls of a short one: they are
// set at this age, unless the limits themselves are as short. Later by up to the spread: thousands
// that came together would hold the worker up together (9 000 of them by 45 000 system calls).
inline constexpr uint64_t kLivenessDelayNs = 2'000'000'000;
inline constexpr uint64_t kLivenessSpreadNs = uint64_t{1} << 32U;  // 4.3 s
[[nodiscard]] uint64_t liveness_due_ns(const TcpConnection& connection);
void set_target_liveness(TcpContext& context, TcpConnection& connection);

}  // namespace sluice::tcp
