// What the connector and the waiting room would answer.
#include "tcp/tcp_forecast.h"

#include <optional>

#include "table/sticky_pick.h"

namespace sluice::tcp {

using shared::ExplainOutcome;

namespace {

// What keeps a client from coming so far that a target is picked; nullopt: nothing.
std::optional<ExplainOutcome> refusal(const TcpContext& context, const table::Listener& listener,
                                      bool paused) {
  if (paused) return ExplainOutcome::accept_paused;
  // Relaxed: a count of a moment ago.
  const uint32_t active =
      context.links.listener_active[listener.slot].load(std::memory_order_relaxed);
  if (listener.max_connections != 0 && active >= listener.max_connections) {
    return ExplainOutcome::listener_full;
  }
  if (context.connections.in_use() >= context.connections.capacity()) {
    return ExplainOutcome::worker_full;
  }
  return std::nullopt;
}

ExplainOutcome outcome_of_wait(const TcpContext& context, const table::Pool& pool,
                               std::optional<WaitReason> reason) {
  if (!reason.has_value()) return ExplainOutcome::no_target;
  const bool for_place = *reason == WaitReason::place;
  switch (context.waiting.room(*reason, pool)) {
    case WaitingRoom::Room::enough:
      return for_place ? ExplainOutcome::queued : ExplainOutcome::parked;
    case WaitingRoom::Room::full:
      return for_place ? ExplainOutcome::queue_full : ExplainOutcome::park_full;
    case WaitingRoom::Room::none:
      break;
  }
  return ExplainOutcome::no_target;
}

}  // namespace

table::Forecast forecast(const TcpContext& context, const table::Listener& listener,
                         const os::ClientAddress& client, bool paused) {
  const table::Pool& pool = context.table->pools[listener.pool_index];
  const os::ClientAddress destination = table::first_destination(listener);
  const table::TriedTargets nobody;
  table::Forecast forecast;
  forecast.pool = &pool;
  forecast.waiting = context.links.waiting.count(pool.slot);
  forecast.pick = table::explain_pick(context.links,
                                      {.table = *context.table,
                                       .pool = pool,
                                       .arrival = {.client = client, .destination = destination},
                                       .tried = nobody},
                                      context.cursors[pool.slot]);
  const std::optional<ExplainOutcome> refused = refusal(context, listener, paused);
  if (refused.has_value()) {
    forecast.outcome = *refused;
  } else if (context.waiting.must_wait(pool)) {
    forecast.outcome = outcome_of_wait(context, pool, context.waiting.reason_behind(pool));
  } else if (forecast.pick.slot != policy::kNoPick) {
    forecast.outcome = ExplainOutcome::picked;
    forecast.target_slot = forecast.pick.slot;
  } else {
    forecast.outcome = outcome_of_wait(context, pool, reason_to_wait(pool, {}, true));
  }
  return forecast;
}

}  // namespace sluice::tcp
