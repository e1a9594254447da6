// Builds the source_hash policy.
#include "policy/source_hash.h"

namespace sluice::policy {

SourceHash::SourceHash(std::span<const Candidate> candidates, uint32_t configured)
    : table_(candidates, configured) {
  identities_.reserve(candidates.size());
  for (const Candidate& candidate : candidates) identities_.push_back(name_hash(candidate.name));
}

}  // namespace sluice::policy
