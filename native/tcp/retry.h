// What follows a failed try to reach a target: another one at once, another one after a pause, or
// none. connector.h makes the tries; this counts the failed ones and knows the pool's retry rules.
#pragma once

#include <cstdint>

#include "os/connect.h"
#include "table/pool.h"
#include "tcp/tcp_connection.h"

namespace sluice::tcp {

// One try has failed: its place is given back, the failure counted and told, once.
void note_failure(TcpContext& context, TcpConnection& connection, os::ConnectOutcome outcome);

// An event about the connection's target: passive health counts it.
struct Failure {
  shared::ConnectFailure failure;
  int error;
};
void push_failure(TcpContext& context, const TcpConnection& connection, const Failure& failure);
// Closes the target's socket and gives the place back.
void release_target(TcpContext& context, TcpConnection& connection);

enum class NextTry : uint8_t {
  now,
  later,  // back_off()
  none,   // the retries, the targets or the budget are used up
};
// After note_failure(). Decides whether the target is given up: then this connection does not go
// there again, and in a sticky pool neither do the client's next ones.
[[nodiscard]] NextTry plan_retry(TcpContext& context, TcpConnection& connection,
                                 const table::Pool& pool);

// The same for a target that was reached and has ended the connection unheard. It counts as a
// failed try only if another one follows.
[[nodiscard]] NextTry plan_replay(TcpContext& context, TcpConnection& connection,
                                  const table::Pool& pool);

// The pause, which holds no place at any target. False: the client has gone, and
// connection.reason says so.
[[nodiscard]] bool back_off(TcpContext& context, TcpConnection& connection,
                            const table::Pool& pool);

void push_tried(ConnectState& state, uint32_t slot);
[[nodiscard]] table::TriedTargets tried_of(const ConnectState& state);

}  // namespace sluice::tcp
