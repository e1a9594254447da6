// The shape of a pool's rules about ejecting targets by how their connections go.
import { z } from 'zod';
import { defaults } from './defaults.js';
import { duration, flag, fractionOr, integer, integerOr } from './scalars.js';

const endOnProbe = (otherwise: boolean) =>
  flag({
    description: 'A probe that passes ends it at once.',
    default: otherwise,
  }).optional();

export const passiveSchema = z.strictObject({
  max_fails: integer(
    { min: 1, max: 1000 },
    {
      description: 'Failed connects within fail_timeout that make a target be skipped.',
      default: defaults.passive.maxFails,
    },
  ).optional(),
  fail_timeout: duration(
    { minMs: 1000 },
    {
      description: 'Within which failures count together, and for how long it is skipped.',
      default: defaults.passive.failTimeout,
    },
  ).optional(),
  end_on_probe: endOnProbe(defaults.passive.endOnProbe),
});

export const outlierSchema = z.strictObject({
  consecutive_failures: integerOr(
    'off',
    { min: 1, max: 1000 },
    {
      description: 'Failed connects without a success between them that eject a target.',
      default: defaults.outlier.consecutiveFailures,
    },
  ).optional(),
  failure_rate_deviations: fractionOr(
    'off',
    { min: 0.1, max: 100 },
    {
      description: 'Standard deviations below the mean success rate that eject a target.',
      default: defaults.outlier.failureRateDeviations,
    },
  ).optional(),
  latency_deviations: fractionOr(
    'off',
    { min: 1, max: 1000 },
    {
      description: 'Deviations (by MAD) above the median time to connect that eject a target.',
      default: defaults.outlier.latencyDeviations,
    },
  ).optional(),
  interval: duration(
    { minMs: 1000 },
    {
      description: 'From one comparison of the targets to the next.',
      default: defaults.outlier.interval,
    },
  ).optional(),
  min_targets: integer(
    { min: 3, max: 16_384 },
    {
      description: 'Targets with min_connections, below which none are compared.',
      default: defaults.outlier.minTargets,
    },
  ).optional(),
  min_connections: integer(
    { min: 1, max: 1_000_000 },
    {
      description: 'Connections in an interval, below which a target is not compared.',
      default: defaults.outlier.minConnections,
    },
  ).optional(),
  base_ejection_time: duration(
    { minMs: 1000 },
    {
      description: 'Length of a first ejection; the second in a row is twice as long, and so on.',
      default: defaults.outlier.baseEjectionTime,
    },
  ).optional(),
  max_ejection_time: duration(
    { minMs: 1000 },
    { description: 'The longest ejection.', default: defaults.outlier.maxEjectionTime },
  ).optional(),
  max_ejection_percent: integer(
    { min: 0, max: 100 },
    {
      description: 'Of the targets that may be ejected at once; one always may, the last never.',
      default: defaults.outlier.maxEjectionPercent,
    },
  ).optional(),
  end_on_probe: endOnProbe(defaults.outlier.endOnProbe),
});
