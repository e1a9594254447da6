// No end of a connection has been counted: what most tests want to say of a listener.
import { connectionEnds, type EndHistograms } from '../../src/model/connection-ends.js';
import { emptyHistogram } from '../../src/model/histogram.js';

export const noEndHistograms: EndHistograms = {
  durationMs: emptyHistogram,
  toTargetBytes: emptyHistogram,
  toClientBytes: emptyHistogram,
};

export const noEnds = connectionEnds(noEndHistograms);
