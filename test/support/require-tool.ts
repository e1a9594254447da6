// Lets a test that needs a program from Debian be skipped where it is absent, and say so:
//   describe.runIf(requireTools('redis-server'))('...', ...)
import { requireTools as requireAll, type Tool } from '../../scripts/tools.mjs';

/**
 * Whether all of `tools` are installed. If not, a notice names the Debian packages; under
 * SLUICE_REQUIRE_TOOLS=1 it throws instead, so that a full run cannot skip by accident.
 */
export function requireTools(...tools: Tool[]): boolean {
  return requireAll(tools);
}
