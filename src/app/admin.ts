// The admin API of one load balancer, where its configuration wants one.
import type { AdminSource } from '../admin/admin-source.js';
import type { AdminServer } from '../admin/server.js';
import type { Config } from '../model/config.js';
import type { LoadBalancer, LoadBalancerOptions } from './load-balancer.js';
import { version } from './version.js';

export async function startAdmin(
  config: Config,
  balancer: LoadBalancer,
  {
    clock,
    log,
    changes,
  }: Pick<LoadBalancerOptions, 'clock' | 'log'> & Pick<AdminSource, 'changes'>,
): Promise<AdminServer | null> {
  if (config.admin.listen === null) return null;
  // After the data plane has begun: what serves HTTP and metrics takes a while to load.
  const { startAdminServer } = await import('../admin/server.js');
  return await startAdminServer(config.admin.listen, {
    build: { version: version(), nodeVersion: process.version },
    clock,
    log,
    changes,
    access: () => balancer.config.admin,
    counters: balancer.counters,
    status: () => balancer.status(),
    readiness: () => balancer.readiness(),
    targets: {
      setAdminState: (...wish) => balancer.setAdminState(...wish),
      drain: (...wish) => balancer.drainTarget(...wish),
    },
  });
}
