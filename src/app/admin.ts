// The admin API of one load balancer, where its configuration wants one, and what it keeps for
// those who look: the history of the last hour, the streams of events.
import type { AdminSource } from '../admin/admin-source.js';
import type { AdminServer } from '../admin/server.js';
import { systemClock } from '../clock.js';
import type { EventFeed } from '../log/event-feed.js';
import type { Config } from '../model/config.js';
import { answerExplain } from './answer-explain.js';
import type { LoadBalancer } from './load-balancer.js';
import { version } from './version.js';

/** `feed`: what is logged, and where the API logs too. */
export async function startAdmin(
  config: Config,
  balancer: LoadBalancer,
  feed: EventFeed,
  changes: AdminSource['changes'],
): Promise<AdminServer | null> {
  const { listen } = config.admin;
  if (listen === null) return null;
  // After the data plane has begun: what serves HTTP and metrics takes a while to load.
  const [{ startAdminServer }, { EventStreams }, { HistoryKeeper }] = await Promise.all([
    import('../admin/server.js'),
    import('../admin/event-streams.js'),
    import('../metrics/history-keeper.js'),
  ]);
  // Nobody waits for these timers.
  const clock = systemClock(false);
  const history = new HistoryKeeper({ clock, ...balancer.sampling });
  const events = new EventStreams({ clock, feed });
  const stopLooking = (): void => {
    history.close();
    events.close();
  };
  const source = {
    build: { version: version(), nodeVersion: process.version },
    clock,
    log: feed,
    changes,
    access: () => balancer.config.admin,
    counters: balancer.counters,
    history,
    events,
    status: (scope) => balancer.status(scope),
    readiness: () => balancer.readiness(),
    explain: (wish) => answerExplain(balancer, wish),
    connections: { close: (wish) => balancer.closeOpen(wish) },
    targets: {
      setAdminState: (...wish) => balancer.setAdminState(...wish),
      drain: (...wish) => balancer.drainTarget(...wish),
    },
  } satisfies AdminSource;
  try {
    const server = await startAdminServer(listen, source);
    const close = async (): Promise<void> => {
      stopLooking();
      await server.close();
    };
    return { address: server.address, close };
  } catch (error) {
    stopLooking();
    throw error;
  }
}
