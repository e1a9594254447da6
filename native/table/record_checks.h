// The checks of a record's own fields, which need nothing of the image around it: image_checks.h
// asks them, and sees to what records say about each other.
#pragma once

#include <limits>

#include "table/image_checks.h"
#include "table/table_image.h"

namespace sluice::table {

inline constexpr uint32_t kSignedMax = std::numeric_limits<int32_t>::max();
inline constexpr uint32_t kWeightMax = 65535;

// The first check that fails; ImageCheck::none.
[[nodiscard]] ImageCheck check_pool_fields(const PoolRecord& pool);
[[nodiscard]] ImageCheck check_listener_fields(const ListenerRecord& listener);

}  // namespace sluice::table
