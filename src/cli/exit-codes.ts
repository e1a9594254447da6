// Exit codes of every command; docs/operations.md explains them.

export const exitCodes = {
  ok: 0,
  /** Could not start, or failed while running. */
  failed: 1,
  /** Wrong usage, or a configuration with errors; nothing was started. */
  usage: 2,
  /** A drain that was waited for had to close connections at its deadline. */
  cut: 3,
} as const;
