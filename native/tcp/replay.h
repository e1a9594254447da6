// Replay: a target that takes a connection and ends it before its first byte is replaced by another
// one, on listeners whose protocol allows that (replay_safe). What the client had sent is kept by
// its pump meanwhile (keep_pump.h) and sent again; the client sees nothing of it.
#pragma once

#include "tcp/tcp_connection.h"

namespace sluice::tcp {

// For a connection that keeps, after its pumps have run. Ends the keeping once the target has
// answered or the client is gone. True: the target has been replaced, or is being; the connection
// is in another phase, or has even begun to forward again.
[[nodiscard]] bool replay_or_settle(TcpContext& context, TcpConnection& connection);

}  // namespace sluice::tcp
