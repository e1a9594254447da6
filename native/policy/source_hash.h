// source_hash: maglev by the client's address, under the name by which most people look for it.
#pragma once

#include "policy/maglev.h"

namespace sluice::policy {

class SourceHash : public Maglev {
 public:
  using Maglev::Maglev;
};

}  // namespace sluice::policy
