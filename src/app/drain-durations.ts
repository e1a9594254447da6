// The durations of a drain as the command line has them: by the rules of the file.
export { parseDrainCloseOver, parseDrainDeadline } from '../config/drain-durations.js';
