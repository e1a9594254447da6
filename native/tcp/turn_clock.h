// Turns of a connection on the worker's clock, and what they do to the numbers of its target. One
// reading of the clock per turn: the client's last byte is timed when it has been sent on, because
// the loop's time may be a whole batch of events old by then. The answer is timed by the loop,
// whose time is when its event was there to be fetched: what waited behind other events is not
// counted.
#pragma once

#include "tcp/tcp_connection.h"
#include "tcp/tcp_context.h"

namespace sluice::tcp {

// After a step of the pumps that has moved bytes one way or both.
void note_turn(TcpContext& context, TcpConnection& connection, bool to_target, bool to_client);
// Nobody waits for this target any more: it has ended its stream, or the connection ends.
void abandon_turn(TcpContext& context, TcpConnection& connection);

}  // namespace sluice::tcp
