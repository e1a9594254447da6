// Finds and loads the native addon, and narrows what it hands out. The whole Node-API surface is
// here: layout(), start(), and of a started engine its memory, doorbell() and stop().
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { SluiceError } from '../errors.js';
import type { EngineOptions, Feature } from './engine.js';
import { type Layout, parseLayout, parseRegionLayout, type RegionLayout } from './layout.js';

export interface RunningEngine {
  /** The shared region, mapped by both sides; readable even after stop(). */
  readonly memory: ArrayBuffer;
  readonly region: RegionLayout;
  readonly features: readonly Feature[];
  /** Wakes the native reader of a command ring: 0 = the coordinator, 1.. = the workers. */
  readonly doorbell: (ring: number) => void;
  /** Stops and joins the threads, off the event loop. Idempotent. */
  readonly stop: () => Promise<void>;
}

export interface Addon {
  readonly layout: Layout;
  /**
   * `wake` is called on the event loop after events were written; calls coalesce, and they do not
   * keep the process alive. Throws SLUICE_ENGINE_START when the system refuses.
   */
  start(options: EngineOptions, wake: () => void): RunningEngine;
}

type Callable = (...args: readonly unknown[]) => unknown;

function asMember(object: unknown, name: string): unknown {
  if (typeof object !== 'object' || object === null || !(name in object)) {
    throw new TypeError(`the addon has no ${name}`);
  }
  return (object as Readonly<Record<string, unknown>>)[name];
}

function asFunction(object: unknown, name: string): Callable {
  const member = asMember(object, name);
  if (typeof member !== 'function') throw new TypeError(`the addon's ${name} is not a function`);
  return member as Callable;
}

function parseFeature(raw: unknown): Feature {
  return {
    name: String(asMember(raw, 'name')),
    available: asMember(raw, 'available') === true,
    detail: String(asMember(raw, 'detail')),
  };
}

function parseRunning(raw: unknown): RunningEngine {
  const memory = asMember(raw, 'memory');
  if (!(memory instanceof ArrayBuffer)) throw new TypeError("the addon's memory is no ArrayBuffer");
  const features = asMember(raw, 'features');
  if (!Array.isArray(features)) throw new TypeError("the addon's features are no array");
  const doorbell = asFunction(raw, 'doorbell');
  const stop = asFunction(raw, 'stop');
  return {
    memory,
    region: parseRegionLayout(asMember(raw, 'region')),
    features: features.map(parseFeature),
    doorbell: (ring) => void doorbell(ring),
    stop: async () => {
      await stop();
    },
  };
}

function requireAddon(): unknown {
  const require = createRequire(import.meta.url);
  const override = process.env.SLUICE_ADDON;
  try {
    if (override !== undefined && override !== '') return require(override);
    const nodeGypBuild = require('node-gyp-build') as (root: string) => unknown;
    return nodeGypBuild(fileURLToPath(new URL('../..', import.meta.url)));
  } catch (cause) {
    const where = override ? `SLUICE_ADDON=${override}` : 'build/ and prebuilds/';
    throw new SluiceError('SLUICE_ADDON_MISSING', `no loadable native addon in ${where}`, {
      cause,
    });
  }
}

/**
 * Loads the addon: a prebuild or build/Release below the package's root, or the file that the
 * environment variable SLUICE_ADDON names (sanitizer builds). Throws SLUICE_ADDON_MISSING.
 */
export function loadAddon(): Addon {
  const raw = requireAddon();
  const start = asFunction(raw, 'start');
  return {
    layout: parseLayout(asFunction(raw, 'layout')()),
    start(options, wake) {
      try {
        return parseRunning(start(options, wake));
      } catch (cause) {
        const reason = cause instanceof Error ? cause.message : String(cause);
        throw new SluiceError('SLUICE_ENGINE_START', `the engine did not start: ${reason}`, {
          cause,
        });
      }
    },
  };
}
