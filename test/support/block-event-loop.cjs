// Loaded into a sluice process by --require: SIGUSR2 holds its event loop for BLOCK_MS in a busy
// loop, as a runaway computation or a long garbage collection would.
process.on('SIGUSR2', () => {
  const endMs = performance.now() + Number(process.env.BLOCK_MS);
  process.stderr.write('blocking\n');
  while (performance.now() < endMs);
  process.stderr.write('blocked\n');
});
