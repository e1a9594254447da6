// Every check that a table image passes before anything is built from it, and the view through
// which it is read. The check's number is what the control plane shows when an image is refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "table/table_image.h"

namespace sluice::table {

// X(name, number, what must hold). Numbers are never reused.
#define SLUICE_IMAGE_CHECKS(X)                                                                \
  X(none, 0, "nothing failed")                                                                \
  X(size, 1, "the image holds a header and is not larger than an image area")                 \
  X(magic, 2, "the image begins with the magic number")                                       \
  X(version, 3, "the image is of the version that native understands")                        \
  X(total_bytes, 4, "total_bytes is the size of the image")                                   \
  X(checksum, 5, "the checksum is that of the bytes")                                         \
  X(generation, 6, "the generation is not 0")                                                 \
  X(section_range, 7, "sections are aligned, in order, apart and within the image")           \
  X(count, 8, "a section has no more records than there are slots")                           \
  X(listener_slot, 10, "listener slots are in range and unique")                              \
  X(listener_protocol, 11, "a listener's protocol is known")                                  \
  X(listener_pool, 12, "a listener's pool is in the image")                                   \
  X(listener_flags, 13, "a listener's flags are known")                                       \
  X(listener_binds, 14, "a listener has binds, in the image, in order, not another's")        \
  X(listener_backlog, 15, "a listener's backlog fits a signed 32-bit number")                 \
  X(listener_connect_timeout, 16, "a listener has a connect timeout")                         \
  X(listener_tcp_options, 17, "a listener's TCP options are within the kernel's limits")      \
  X(listener_sessions_max, 18, "a UDP listener's udp_sessions_max is 1 to 2^20")              \
  X(listener_name, 19, "a listener has a name, within the strings")                           \
  X(listener_unix_mode, 20, "unix_mode has permission bits only")                             \
  X(bind_address, 21, "a bind's address is well formed")                                      \
  X(bind_unix_udp, 22, "a UDP listener binds no unix path")                                   \
  X(pool_slot, 30, "pool slots are in range and unique")                                      \
  X(pool_policy, 31, "a pool's policy is known")                                              \
  X(pool_flags, 32, "a pool's flags are known")                                               \
  X(pool_retries, 33, "a pool's retries are at most kRetriesMax")                             \
  X(pool_sources, 35, "a pool's sources are in the image, in order, not another's")           \
  X(pool_hash_prefix, 36, "hash prefixes are at most 32 and 128")                             \
  X(pool_tcp_options, 37, "a pool's TCP options are within the kernel's limits")              \
  X(pool_waiting, 38, "who may wait has a time limit, and who may not has none")              \
  X(pool_key, 70, "a pool's key is known")                                                    \
  X(pool_bounded_load, 71, "a pool's bounded_load is 0, or 101 to 1000")                      \
  X(pool_retry, 73, "a pool's back-off begins below its longest, its percent is at most 100") \
  X(listener_replay, 74, "a TCP listener's replay_kib is at most 64, another's is 0")         \
  X(pool_weight_max, 72, "a pool's weight_max is at most 65535, its reserved field 0")        \
  X(source_address, 39, "a source is an IP address without a port")                           \
  X(target_slot, 40, "target slots are in range and unique")                                  \
  X(target_flags, 41, "a target's flags are known")                                           \
  X(target_name, 42, "a target has a name, within the strings")                               \
  X(target_address, 43, "a target's address is well formed and has a port")                   \
  X(target_pool, 44, "a target's pool is in the image, or none")                              \
  X(pool_sticky, 45, "a pool's sticky fields are allowed, all 0 without a key")               \
  X(candidate_target, 50, "a candidate's target is in the image, and a candidate once")       \
  X(candidate_weight, 51, "a candidate's weight is 1 to 65535")                               \
  X(candidate_unix_udp, 52, "the pool of a UDP listener has no target at a unix path")        \
  X(pool_tiers, 60, "a pool's tiers are in the image, in order, few enough")                  \
  X(tier_candidates, 61, "a tier's candidates are in the image, in order, not another's")     \
  X(tier_configured, 62, "a tier's configured count is 0, or at least its candidates")        \
  X(tier_share, 63, "the shares of a pool's tiers are at most 10000 together")

#define SLUICE_DECLARE_CHECK(name, number, text) name = number,
enum class ImageCheck : uint16_t { SLUICE_IMAGE_CHECKS(SLUICE_DECLARE_CHECK) };
#undef SLUICE_DECLARE_CHECK

// What must hold, as a phrase.
[[nodiscard]] std::string_view text_of(ImageCheck check);

// The first check that failed, and the index of the record that failed it (in its own section).
struct ImageFault {
  ImageCheck check = ImageCheck::none;
  uint32_t record = 0;

  [[nodiscard]] bool failed() const { return check != ImageCheck::none; }
  friend bool operator==(const ImageFault&, const ImageFault&) = default;
};

// What the config allows, and one process can have of descriptors by default (fs.nr_open).
inline constexpr uint32_t kUdpSessionsMax = 1U << 20U;

// An image in memory that nobody else writes. Records are copied out, so no alignment is needed.
// Before check_image() found no fault only `header` may be called, and only if the bytes suffice.
class ImageView {
 public:
  explicit ImageView(std::span<const std::byte> bytes) : bytes_(bytes) {}

  [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }
  [[nodiscard]] ImageHeader header() const { return at<ImageHeader>(0, 0); }
  [[nodiscard]] ListenerRecord listener(uint32_t index) const {
    return at<ListenerRecord>(header().listeners_offset, index);
  }
  [[nodiscard]] AddressRecord bind(uint32_t index) const {
    return at<AddressRecord>(header().binds_offset, index);
  }
  [[nodiscard]] PoolRecord pool(uint32_t index) const {
    return at<PoolRecord>(header().pools_offset, index);
  }
  [[nodiscard]] TierRecord tier(uint32_t index) const {
    return at<TierRecord>(header().tiers_offset, index);
  }
  [[nodiscard]] TargetRecord target(uint32_t index) const {
    return at<TargetRecord>(header().targets_offset, index);
  }
  [[nodiscard]] CandidateRecord candidate(uint32_t index) const {
    return at<CandidateRecord>(header().candidates_offset, index);
  }
  [[nodiscard]] AddressRecord source(uint32_t index) const {
    return at<AddressRecord>(header().sources_offset, index);
  }
  [[nodiscard]] std::string_view text(uint32_t offset, uint32_t bytes) const {
    return {reinterpret_cast<const char*>(bytes_.data()) + header().strings_offset + offset, bytes};
  }

 private:
  template <typename Record>
  [[nodiscard]] Record at(uint32_t offset, uint32_t index) const {
    Record record;
    std::memcpy(&record, bytes_.data() + offset + size_t{index} * sizeof(Record), sizeof(Record));
    return record;
  }

  std::span<const std::byte> bytes_;
};

// Checks everything that the builder and the data plane rely on.
[[nodiscard]] ImageFault check_image(const ImageView& image);

}  // namespace sluice::table
