// The checks, from the outside in: the bytes as a whole, the sections, then each kind of record.
// Each function returns the first fault that it finds.
#include "table/image_checks.h"

#include <optional>

#include "os/address.h"
#include "shared/layout.h"
#include "table/crc32.h"
#include "table/record_checks.h"

namespace sluice::table {

namespace {

constexpr ImageFault kNoFault{};

#define SLUICE_OR_VALUE(name, value) | (value)
constexpr uint32_t kTargetFlags = 0 SLUICE_TARGET_FLAGS(SLUICE_OR_VALUE);
#undef SLUICE_OR_VALUE

bool is_unix(uint16_t family) {
  return family == static_cast<uint16_t>(AddressFamily::unix);
}
bool is_ip(uint16_t family) {
  return family == static_cast<uint16_t>(AddressFamily::ipv4) ||
         family == static_cast<uint16_t>(AddressFamily::ipv6);
}

// Slots of one kind: in range and given once.
class Slots {
 public:
  explicit Slots(uint32_t capacity) : taken_(capacity, false) {}
  [[nodiscard]] bool take(uint32_t slot) {
    if (slot >= taken_.size() || taken_[slot]) return false;
    taken_[slot] = true;
    return true;
  }

 private:
  std::vector<bool> taken_;
};

// A section whose records belong to owners: each owner takes a range behind the one before.
class Ranges {
 public:
  explicit Ranges(uint32_t count) : count_(count) {}
  [[nodiscard]] bool take(uint32_t first, uint32_t count) {
    if (first < next_ || first > count_ || count > count_ - first) return false;
    next_ = first + count;
    return true;
  }

 private:
  uint32_t next_ = 0;
  uint32_t count_;
};

class Checker {
 public:
  explicit Checker(const ImageView& image) : image_(image), header_(image.header()) {}

  [[nodiscard]] ImageFault header() const {
    const size_t bytes = image_.bytes().size();
    if (header_.magic != kImageMagic) return {ImageCheck::magic};
    if (header_.version != kImageVersion) return {ImageCheck::version};
    if (header_.total_bytes != bytes) return {ImageCheck::total_bytes};
    if (checksum() != header_.checksum) return {ImageCheck::checksum};
    if (header_.generation == 0) return {ImageCheck::generation};
    if (header_.listeners_count > shared::kListenerSlotsMax ||
        header_.pools_count > shared::kPoolSlotsMax ||
        header_.tiers_count > shared::kPoolSlotsMax * policy::kTiersMax ||
        header_.targets_count > shared::kTargetSlotsMax ||
        header_.candidates_count > shared::kTargetSlotsMax) {
      return {ImageCheck::count};
    }
    return sections();
  }

  [[nodiscard]] ImageFault targets() const {
    Slots slots(shared::kTargetSlotsMax);
    for (uint32_t i = 0; i < header_.targets_count; i++) {
      const TargetRecord target = image_.target(i);
      if (!slots.take(target.slot)) return {ImageCheck::target_slot, i};
      if ((target.flags & ~kTargetFlags) != 0) return {ImageCheck::target_flags, i};
      if (!is_name(target.name_offset, target.name_bytes)) return {ImageCheck::target_name, i};
      if (!address_well_formed(target) || (is_ip(target.family) && target.port == 0)) {
        return {ImageCheck::target_address, i};
      }
    }
    return kNoFault;
  }

  [[nodiscard]] ImageFault candidates() const {
    Slots targets(header_.targets_count);
    for (uint32_t i = 0; i < header_.candidates_count; i++) {
      const CandidateRecord candidate = image_.candidate(i);
      if (!targets.take(candidate.target_index)) return {ImageCheck::candidate_target, i};
      if (candidate.weight == 0 || candidate.weight > kWeightMax) {
        return {ImageCheck::candidate_weight, i};
      }
    }
    return kNoFault;
  }

  [[nodiscard]] ImageFault sources() const {
    for (uint32_t i = 0; i < header_.sources_count; i++) {
      const AddressRecord source = image_.source(i);
      if (!is_ip(source.family) || source.port != 0) return {ImageCheck::source_address, i};
    }
    return kNoFault;
  }

  [[nodiscard]] ImageFault tiers() const {
    Ranges candidates(header_.candidates_count);
    for (uint32_t i = 0; i < header_.tiers_count; i++) {
      const TierRecord tier = image_.tier(i);
      if (!candidates.take(tier.candidates_first, tier.candidates_count)) {
        return {ImageCheck::tier_candidates, i};
      }
      if (!configured_allowed(tier.configured, tier.candidates_count)) {
        return {ImageCheck::tier_configured, i};
      }
    }
    return kNoFault;
  }

  [[nodiscard]] ImageFault pools() const {
    Slots slots(shared::kPoolSlotsMax);
    Ranges tiers(header_.tiers_count);
    Ranges sources(header_.sources_count);
    for (uint32_t i = 0; i < header_.pools_count; i++) {
      const PoolRecord pool = image_.pool(i);
      if (!slots.take(pool.slot)) return {ImageCheck::pool_slot, i};
      if (const ImageCheck check = check_pool_fields(pool); check != ImageCheck::none) {
        return {check, i};
      }
      if (pool.tiers_count > policy::kTiersMax || !tiers.take(pool.tiers_first, pool.tiers_count)) {
        return {ImageCheck::pool_tiers, i};
      }
      if (const ImageFault fault = shares(pool); fault.failed()) return fault;
      if (!sources.take(pool.sources_first, pool.sources_count)) {
        return {ImageCheck::pool_sources, i};
      }
    }
    return kNoFault;
  }

  [[nodiscard]] ImageFault pools_of_targets() const {
    std::vector<bool> has_pool(shared::kPoolSlotsMax, false);
    for (uint32_t i = 0; i < header_.pools_count; i++) has_pool[image_.pool(i).slot] = true;
    for (uint32_t i = 0; i < header_.targets_count; i++) {
      const uint32_t slot = image_.target(i).pool_slot;
      if (slot == shared::kNoSlot) continue;
      if (slot >= has_pool.size() || !has_pool[slot]) return {ImageCheck::target_pool, i};
    }
    return kNoFault;
  }

  [[nodiscard]] ImageFault listeners() const {
    Slots slots(shared::kListenerSlotsMax);
    Ranges binds(header_.binds_count);
    for (uint32_t i = 0; i < header_.listeners_count; i++) {
      const ListenerRecord listener = image_.listener(i);
      if (!slots.take(listener.slot)) return {ImageCheck::listener_slot, i};
      if (const ImageCheck check = listener_fields(listener); check != ImageCheck::none) {
        return {check, i};
      }
      if (listener.binds_count == 0 || !binds.take(listener.binds_first, listener.binds_count)) {
        return {ImageCheck::listener_binds, i};
      }
      const bool udp = listener.protocol == static_cast<uint32_t>(Protocol::udp);
      if (const ImageFault fault = listener_binds(listener, udp); fault.failed()) return fault;
      if (!udp) continue;
      if (const ImageFault fault = udp_pool(image_.pool(listener.pool_index)); fault.failed()) {
        return fault;
      }
    }
    return kNoFault;
  }

 private:
  // With the checksum field taken as zero.
  [[nodiscard]] uint32_t checksum() const {
    constexpr size_t kField = offsetof(ImageHeader, checksum);
    constexpr std::byte kZero[sizeof(ImageHeader::checksum)] = {};
    const uint32_t before = crc32(image_.bytes().first(kField));
    return crc32(image_.bytes().subspan(kField + sizeof(kZero)), crc32(kZero, before));
  }

  [[nodiscard]] ImageFault sections() const {
    struct Section {
      uint32_t offset;
      uint64_t bytes;
    };
    const Section sections[] = {
        {header_.listeners_offset, uint64_t{header_.listeners_count} * sizeof(ListenerRecord)},
        {header_.binds_offset, uint64_t{header_.binds_count} * sizeof(AddressRecord)},
        {header_.pools_offset, uint64_t{header_.pools_count} * sizeof(PoolRecord)},
        {header_.tiers_offset, uint64_t{header_.tiers_count} * sizeof(TierRecord)},
        {header_.targets_offset, uint64_t{header_.targets_count} * sizeof(TargetRecord)},
        {header_.candidates_offset, uint64_t{header_.candidates_count} * sizeof(CandidateRecord)},
        {header_.sources_offset, uint64_t{header_.sources_count} * sizeof(AddressRecord)},
        {header_.strings_offset, header_.strings_bytes},
    };
    uint64_t end = sizeof(ImageHeader);
    uint32_t number = 0;
    for (const Section& section : sections) {
      const uint64_t section_end = section.offset + section.bytes;
      if (section.offset % 8 != 0 || section.offset < end || section_end > header_.total_bytes) {
        return {ImageCheck::section_range, number};
      }
      end = section_end;
      number++;
    }
    return kNoFault;
  }

  [[nodiscard]] ImageCheck listener_fields(const ListenerRecord& listener) const {
    if (listener.pool_index >= header_.pools_count) return ImageCheck::listener_pool;
    if (!is_name(listener.name_offset, listener.name_bytes)) return ImageCheck::listener_name;
    return check_listener_fields(listener);
  }

  [[nodiscard]] ImageFault listener_binds(const ListenerRecord& listener, bool udp) const {
    for (uint32_t i = 0; i < listener.binds_count; i++) {
      const uint32_t index = listener.binds_first + i;
      const AddressRecord bind = image_.bind(index);
      if (!address_well_formed(bind)) return {ImageCheck::bind_address, index};
      if (udp && is_unix(bind.family)) return {ImageCheck::bind_unix_udp, index};
    }
    return kNoFault;
  }

  // Sessions are connected datagram sockets; a stream socket's path cannot be one.
  [[nodiscard]] ImageFault udp_pool(const PoolRecord& pool) const {
    for (uint32_t t = pool.tiers_first; t < pool.tiers_first + pool.tiers_count; t++) {
      const TierRecord tier = image_.tier(t);
      for (uint32_t i = 0; i < tier.candidates_count; i++) {
        const uint32_t index = tier.candidates_first + i;
        if (is_unix(image_.target(image_.candidate(index).target_index).family)) {
          return {ImageCheck::candidate_unix_udp, index};
        }
      }
    }
    return kNoFault;
  }

  // The tier whose share is too much.
  [[nodiscard]] ImageFault shares(const PoolRecord& pool) const {
    uint32_t left = kWholeShare;
    for (uint32_t t = pool.tiers_first; t < pool.tiers_first + pool.tiers_count; t++) {
      const uint32_t share = image_.tier(t).share;
      if (share > left) return {ImageCheck::tier_share, t};
      left -= share;
    }
    return kNoFault;
  }

  [[nodiscard]] static bool configured_allowed(uint32_t configured, uint32_t candidates) {
    return configured == 0 || (configured >= candidates && configured <= shared::kTargetSlotsMax);
  }

  [[nodiscard]] bool is_text(uint32_t offset, uint32_t bytes) const {
    return offset <= header_.strings_bytes && bytes <= header_.strings_bytes - offset;
  }
  [[nodiscard]] bool is_name(uint32_t offset, uint32_t bytes) const {
    return bytes != 0 && is_text(offset, bytes);
  }

  template <typename Record>
  [[nodiscard]] bool address_well_formed(const Record& record) const {
    if (is_ip(record.family)) return true;
    return is_unix(record.family) && is_text(record.path_offset, record.path_bytes) &&
           os::Address::unix_path(image_.text(record.path_offset, record.path_bytes)).has_value();
  }

  const ImageView& image_;
  const ImageHeader header_;
};

}  // namespace

std::string_view text_of(ImageCheck check) {
  switch (check) {
#define SLUICE_CASE_TEXT(name, number, text) \
  case ImageCheck::name:                     \
    return text;
    SLUICE_IMAGE_CHECKS(SLUICE_CASE_TEXT)
#undef SLUICE_CASE_TEXT
  }
  return "unknown check";
}

ImageFault check_image(const ImageView& image) {
  if (image.bytes().size() < sizeof(ImageHeader) || image.bytes().size() > shared::kImageBytesMax) {
    return {ImageCheck::size};
  }
  const Checker checker(image);
  // Later checks rely on earlier ones: a listener's pool on the pools, those on the tiers, those on
  // the candidates.
  for (const auto check :
       {&Checker::header, &Checker::targets, &Checker::candidates, &Checker::sources,
        &Checker::tiers, &Checker::pools, &Checker::pools_of_targets, &Checker::listeners}) {
    if (const ImageFault fault = (checker.*check)(); fault.failed()) return fault;
  }
  return kNoFault;
}

}  // namespace sluice::table
