// The forecast of a TCP listener: accept, queue, pick and wait in the order of a connection's first
// moments (admission.h, connector.h), asked and not done.
#pragma once

#include "os/address.h"
#include "table/forecast.h"
#include "table/table.h"
#include "tcp/tcp_context.h"

namespace sluice::tcp {

// `listener` is one of the adopted table. `paused`: a socket of it accepts nobody, and not for its
// max_connections.
[[nodiscard]] table::Forecast forecast(const TcpContext& context, const table::Listener& listener,
                                       const os::ClientAddress& client, bool paused);

}  // namespace sluice::tcp
