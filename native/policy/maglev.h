// maglev: consistent choice over a Maglev table. Shares are exact to a slot of the table, whatever
// the weights are; when the set of targets changes, about as many keys again move as have to.
#pragma once

#include "policy/consistent.h"
#include "policy/maglev_table.h"

namespace sluice::policy {

class Maglev : public Consistent<MaglevTable> {
 public:
  using Consistent::Consistent;
};

}  // namespace sluice::policy
